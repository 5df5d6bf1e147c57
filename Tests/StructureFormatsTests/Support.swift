import Crystal
import Foundation
import NumericalCore
import StructureFormats
import Testing

/// What the tests share.
enum Fixture {
  static func path(_ name: String) throws -> String {
    let folder = try #require(Bundle.module.url(forResource: "Fixtures", withExtension: nil))
    return folder.appendingPathComponent(name).path
  }

  static func text(_ name: String) throws -> String {
    try String(contentsOfFile: path(name), encoding: .utf8)
  }
}

/// A folder that disappears with the value.
final class ScratchFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "polymorph-formats-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { path + "/" + name }
}

/// Random records for round trips.
enum RandomRecord {
  static func make(
    seed: UInt64, periodicity: Periodicity = .full, labelled: Bool = true,
    elements: [ChemicalElement]? = nil, minimumAtoms: Int = 1
  ) throws -> StructureRecord {
    var random = RandomStream(seed: seed, purpose: .test, slot: seed)
    func vector(_ scale: Double) -> Vector3 {
      Vector3(
        scale * (random.uniform() - 0.5), scale * (random.uniform() - 0.5),
        scale * (random.uniform() - 0.5))
    }
    let base = 4 + 6 * random.uniform()
    let skew = [vector(2), vector(2), vector(2)]
    let lattice = try Lattice(
      base * Matrix3.identity + Matrix3(rows: skew[0], skew[1], skew[2]))
    let elements =
      try elements ?? ["O", "Ti", "Sr"].map { try #require(ChemicalElement(symbol: $0)) }
    let count = minimumAtoms + Int(random.uniform() * 9)
    let species = (0..<count).map { _ in elements[Int(random.uniform() * Double(elements.count))] }
    let structure = try Structure(
      lattice: lattice, periodicity: periodicity, species: species,
      positions: (0..<count).map { _ in vector(20) })
    let a = vector(1), b = vector(1), c = vector(1)
    let evaluation = Evaluation(
      energy: -100 * random.uniform(), forces: (0..<count).map { _ in vector(5) },
      virial: Matrix3(rows: a, b, c).symmetrized, of: structure)
    return StructureRecord(structure: structure, evaluation: labelled ? evaluation : nil)
  }
}

/// Roundoff of positions of some 20 Å through one change of coordinates and back.
let roundoff = 1e-12

func isClose(_ a: Vector3, _ b: Vector3, to tolerance: Double) -> Bool {
  (a - b).length <= tolerance
}
func isClose(_ a: Matrix3, _ b: Matrix3, to tolerance: Double) -> Bool {
  (a - b).largestMagnitude <= tolerance
}
