import Crystal
import Foundation
import NumericalCore
import StructureFormats
import Testing

@Suite("Writing files")
struct WritingTests {
  @Test("Records that no reader would take are refused", arguments: StructureFormat.writable)
  func refusals(format: StructureFormat) throws {
    let good = try RandomRecord.make(seed: 4, minimumAtoms: 3)
    var short = good
    short.forces?.removeLast()
    var infinite = good
    infinite.energy = .infinity
    var notANumber = good
    notANumber.virial?.b.z = .nan
    var charged = good
    charged.charges = [1]
    var nameless = good
    nameless.features = [("", "x")]
    for record in [short, infinite, notANumber, charged, nameless] {
      #expect(throws: FormatError.self) { try StructureFile.text(of: [record], format: format) }
    }
    #expect(try !StructureFile.text(of: [good], format: format).isEmpty)
  }

  @Test("A file is replaced as a whole and leaves nothing beside it")
  func atomic() throws {
    let scratch = try ScratchFolder()
    let path = scratch.file("a.txt")
    try AtomicFile.write("first, and longer", to: path)
    try AtomicFile.write("second", to: path)
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "second")
    try AtomicFile.write([UInt8](), to: path)
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)).isEmpty)
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path) == ["a.txt"])
  }

  @Test("A target that cannot be written is named, and nothing is left beside it")
  func unwritable() throws {
    let scratch = try ScratchFolder()
    do {
      try AtomicFile.write("x", to: scratch.file("missing/a.txt"))
      Issue.record("written into a missing folder")
    } catch {
      #expect(
        error.description.contains("missing/a.txt") && error.description.contains("No such file"))
    }
    // A folder stands in the way of the rename.
    let path = scratch.file("folder")
    try FileManager.default.createDirectory(
      atPath: path + "/inner", withIntermediateDirectories: true)
    #expect(throws: FileWritingError.self) { try AtomicFile.write("x", to: path) }
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path) == ["folder"])
  }
}
