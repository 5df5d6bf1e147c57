import Foundation
import TestSupport
import Testing

/// Input files with one mistake each.
@Suite("A malformed file is answered with one line: file, line, what was found, what is allowed")
struct MalformedInputTests {
  struct Case: Sendable, CustomTestStringConvertible {
    /// What the file's name ends in; the name tells the format.
    let file: String
    let text: String
    /// The line that the message must name; `nil` where the whole file is meant.
    let line: Int?
    /// What the message must say.
    let parts: [String]

    init(_ file: String, _ text: String, line: Int?, _ parts: String...) {
      self.file = file
      self.text = text
      self.line = line
      self.parts = parts
    }

    var testDescription: String { "\(file): \(parts.first ?? "")" }
  }

  private static let header = "composition: TiO2\n"
  private static let block = """
    reference:
      kind: buckingham
      cutoff: 15.0
      charges: {Ti: 2.196, O: -1.098}
      pairs:
        - {elements: [Ti, O], A: 16957.5, rho: 0.194, C: 12.59, wall: 1.0}

    """

  static let potentials: [Case] = [
    .init("a.yaml", block.replacingOccurrences(of: "  kind", with: "\tkind"), line: 2, "tab"),
    .init(
      "b.yaml", block.replacingOccurrences(of: "buckingham", with: "bukingham"), line: 2,
      "reference.kind", "did you mean 'buckingham'?"),
    .init(
      "c.yaml", block.replacingOccurrences(of: "15.0", with: "-15"), line: 3, "reference.cutoff",
      "found -15", "allowed"),
    .init(
      "d.yaml", block.replacingOccurrences(of: "15.0", with: ".inf"), line: 3, "reference.cutoff",
      "found .inf"),
    .init(
      "e.yaml", block.replacingOccurrences(of: "cutoff", with: "cutof"), line: 3,
      "did you mean 'cutoff'"),
    .init(
      "f.yaml", block.replacingOccurrences(of: "{Ti: 2.196", with: "{Tj: 2.196"), line: 4,
      "reference.charges.Tj"),
    .init(
      "g.yaml", block.replacingOccurrences(of: "rho: 0.194, ", with: ""), line: 6,
      "reference.pairs[1].rho", "required"),
    .init(
      "h.yaml", block.replacingOccurrences(of: "rho: 0.194", with: "rho: 0.194 nm"), line: 6,
      "its unit is Å"),
    .init("i.yaml", block + "  cutoff: 3\n", line: 7, "a second time (first on line 3)"),
    .init("j.yaml", "", line: 1, "empty file"),
    .init("k.yaml", "- 1\n", line: 1, "a list of 1"),
    .init("l.mtp", "MTP\nversion = 1.0.0\n", line: 2, "1.1.0"),
    .init(
      "m.mtp", "MTP\nversion = 1.1.0\npotential_name = x\nspecies_count = two\n", line: 4,
      "species_count"),
    .init("n.mtp", "hello\n", line: 1, "MTP"),
  ]

  private static let cell = "title\n1.0\n3 0 0\n0 3 0\n0 0 3\n"

  static let structures: [Case] = [
    .init("a.cfg", "BEGIN_CFG\n Size\n two\n", line: 3, "two"),
    .init("b.cfg", "BEGIN_CFG\n Size\n 1\n Supercell\n 3 0 0\n 0 3 x\n 0 0 3\n", line: 6, "x"),
    .init("c.cfg", "BEGIN_CFG\n Size\n 1\n Nonsense\nEND_CFG\n", line: 4, "Nonsense"),
    .init(
      "d.xyz", "2\nLattice=\"3 0 0 0 3 0 0 0 3\" Properties=species:S:1:pos:R:3\nTi 0 0 0\n",
      line: nil, "d.xyz"),
    .init(
      "e.xyz", "1\nLattice=\"3 0 0 0 3 0 0 0 3\" Properties=species:S:1:pos:R:3\nTi 0 zero 0\n",
      line: 3, "zero"),
    .init(
      "f.xyz", "1\nLattice=\"3 0 0 0 3 0\" Properties=species:S:1:pos:R:3\nTi 0 0 0\n", line: 2,
      "f.xyz"),
    .init(
      "g.xyz", "1\nLattice=\"3 0 0 0 3 0 0 0 3\" Properties=species:S:1:pos:R:3\nQq 0 0 0\n",
      line: 3, "Qq"),
    .init("POSCAR", "title\n1.0\n3 0 0\n0 3 0\n0 0 nan\nTi\n1\nDirect\n0 0 0\n", line: 5, "nan"),
    .init(
      "POSCAR_h", "title\n1.0\n3 0 0\n0 3 0\n0 0 3\nTi O\n1\nDirect\n0 0 0\n", line: nil, "POSCAR_h"
    ),
    .init("i.cif", "data_x\n_cell_length_a abc\n", line: nil, "i.cif"),
    .init("j.xyz", "", line: nil, "j.xyz"),
    .init("k.txt", "x\n", line: nil, "does not tell the format"),
    .init(
      "POSCAR_l", cell + "Ti O\n1 99999999999\nDirect\n0 0 0\n", line: 7, "99999999999",
      "10000000"),
    .init(
      "POSCAR_m", cell + "Ti O\n9223372036854775807 9223372036854775807\nDirect\n", line: 7,
      "10000000"),
    .init(
      "n.vasp", cell.replacingOccurrences(of: "1.0", with: "0.001") + "Ti\n1\nDirect\n0 0 0\n",
      line: nil, "Å³ per atom", "scaling factor"),
    .init(
      "o.vasp",
      cell.replacingOccurrences(of: "0 0 3", with: "3 3 0") + "Ti\n1\nDirect\n0 0 0\n", line: 3,
      "(3.0 0.0 0.0), (0.0 3.0 0.0), (3.0 3.0 0.0)"),
    .init("p.vasp", cell + "T\u{1B}[31m\n1\nDirect\n0 0 0\n", line: 6, "'T\\u{1B}[31m'"),
  ]

  private func check(_ outcome: BuiltProgram.Outcome, _ item: Case) {
    #expect(outcome.status == 2, "\(outcome.errors)")
    #expect(outcome.output.isEmpty)
    let message = outcome.errors
    #expect(message.split(separator: "\n").count == 1, "\(message)")
    let place = item.line.map { "\(item.file):\($0): " } ?? item.file
    #expect(message.hasPrefix("polymorph: ") && message.contains(place), "\(message)")
    for part in item.parts { #expect(message.contains(part), "\(message)") }
    for sign in ["Fatal error", "Stack dump", "Swift/"] {
      #expect(!message.contains(sign), "\(message)")
    }
  }

  @Test("Potential files", arguments: potentials)
  func potential(_ item: Case) throws {
    let folder = try ScratchFolder()
    let path = try folder.write(item.text, item.file)
    let outcome = try Polymorph.program.run([
      "evaluate", path, try Polymorph.fixture("tio2.xyz"), "--output", folder.path("out.xyz"),
    ])
    check(outcome, item)
    #expect(!FileManager.default.fileExists(atPath: folder.path("out.xyz")))
  }

  @Test("Structure files", arguments: structures)
  func structure(_ item: Case) throws {
    let folder = try ScratchFolder()
    let path = try folder.write(item.text, item.file)
    check(try Polymorph.program.run(["minimum-distance", path]), item)
  }

  @Test("A folder in the place of a campaign file is named as one")
  func folder() throws {
    let folder = try ScratchFolder()
    let outcome = try Polymorph.program.run(["search", folder.url.path, "--dry-run"])
    #expect(outcome.status == 2)
    #expect(outcome.errors.contains("it is a folder"), "\(outcome.errors)")
    #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
  }

  @Test("A missing file is named", arguments: ["none.cfg", "none.xyz", "none.mtp", "none.yaml"])
  func missing(name: String) throws {
    let isPotential = name.hasSuffix("mtp") || name.hasSuffix("yaml")
    let outcome = try Polymorph.program.run([
      "evaluate", isPotential ? name : try Polymorph.fixture("tio2.yaml"),
      isPotential ? try Polymorph.fixture("tio2.xyz") : name, "--output", "out.xyz",
    ])
    #expect(outcome.status == 2)
    #expect(outcome.errors.contains(name), "\(outcome.errors)")
    #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
  }

  @Test("Structures that do not fit the potential are answered with the option that helps")
  func mismatch() throws {
    let folder = try ScratchFolder()
    let numbered = try Polymorph.program.run([
      "evaluate", try Polymorph.fixture("tio2.yaml"), try Polymorph.fixture("MgAlO_in.cfg"),
      "--output", folder.path("out.cfg"),
    ])
    #expect(numbered.status == 2)
    #expect(numbered.errors.contains("--elements"), "\(numbered.errors)")
    let unnamed = try Polymorph.program.run([
      "evaluate", try Polymorph.fixture("MgAlO_08_random.mtp"), try Polymorph.fixture("tio2.xyz"),
      "--output", folder.path("out.cfg"),
    ])
    #expect(unnamed.status == 2)
    #expect(unnamed.errors.contains("--elements"), "\(unnamed.errors)")
  }
}
