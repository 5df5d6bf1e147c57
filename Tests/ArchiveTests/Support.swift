import Crystal
import Foundation
import NumericalCore

/// A folder that disappears with the value.
final class ScratchFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "polymorph-archive-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { path + "/" + name }
}

/// A random structure with an evaluation.
func randomLabelled(seed: UInt64, periodicity: Periodicity = .full) throws -> LabelledStructure {
  var random = RandomStream(seed: seed, purpose: .test)
  func vector(_ scale: Double) -> Vector3 {
    Vector3(
      random.uniform(-scale, scale), random.uniform(-scale, scale), random.uniform(-scale, scale))
  }
  let skew = Matrix3(rows: vector(1), vector(1), vector(1))
  let elements = [22, 8, 38].compactMap(ChemicalElement.init(atomicNumber:))
  let count = 2 + random.integer(below: 8)
  let structure = try Structure(
    lattice: Lattice(6 * Matrix3.identity + skew), periodicity: periodicity,
    species: (0..<count).map { _ in elements[random.integer(below: 3)] },
    positions: (0..<count).map { _ in vector(8) })
  return try LabelledStructure(
    structure,
    Evaluation(
      energy: -50 * random.uniform(), forces: (0..<count).map { _ in vector(3) },
      virial: Matrix3(rows: vector(2), vector(2), vector(2)).symmetrized, of: structure))
}
