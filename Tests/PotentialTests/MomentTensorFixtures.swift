import Crystal
import Foundation
import NumericalCore
import Potential
import StructureFormats
import TestSupport
import Testing

/// The golden files of moment tensor potentials.
enum MomentTensorFixtures {
  /// Potentials with what MLIP-2 says of structures.
  static let names = ["Mo_08", "NiAl_12_random", "MgAlO_08_random"]

  static func path(_ name: String) throws -> String {
    let folder = try #require(
      Bundle.module.url(forResource: "Fixtures", withExtension: nil))
    return folder.appendingPathComponent("mtp/\(name)").path
  }

  static func text(_ name: String) throws -> String {
    try String(contentsOfFile: path(name), encoding: .utf8)
  }

  static func potential(_ name: String) throws -> MomentTensorPotential {
    try MomentTensorPotential(path: path(name + ".mtp"))
  }

  static func records(_ name: String) throws -> [StructureRecord] {
    try StructureFile.read(path(name))
  }

  /// The numbers behind a word, line by line.
  static func numbers(_ name: String, after word: String) throws -> [[Double]] {
    try text(name).split(separator: "\n").compactMap { line in
      guard let range = line.range(of: word) else { return nil }
      return line[range.upperBound...].split(separator: " ").compactMap { Double($0) }
    }
  }

  /// A potential of any level with random coefficients of natural size.
  static func random(
    level: Int, elements: [ChemicalElement], seed: UInt64, cutoff: Double = 4.5, size: Int = 6
  ) throws -> MomentTensorPotential {
    let basis = try MomentTensorBasis(level: level)
    var potential = try MomentTensorPotential(
      basis: basis,
      radialBasis: RadialBasis(
        size: max(size, basis.radialFunctionCount), minimumDistance: 1.8, cutoff: cutoff,
        scaling: 0.1),
      elements: elements)
    var stream = RandomStream(seed: seed, purpose: .test, slot: UInt64(level))
    potential.parameters = potential.parameters.indices.map { index in
      let spread = stream.uniform(-0.3, 0.3)
      return index < potential.radialParameterCount ? potential.parameters[index] + spread : spread
    }
    // Bring every basis function to the same size on a typical structure.
    let structure = try TestStructures.randomCrystal(
      [elements[0], elements[elements.count - 1], elements[0]], volumePerAtom: 16,
      minimumDistance: 2, seed: 1)
    let values = try potential.basisValues(of: structure)
    for scalar in 0..<potential.scalarCount {
      let largest = (0..<values.rows).map { abs(values[$0, scalar]) }.max() ?? 1
      potential.parameters[potential.radialParameterCount + elements.count + scalar] /=
        max(1, largest)
    }
    return potential
  }
}

/// The largest difference of two lists relative to the largest number in the second.
func relativeDifference(_ found: [Double], _ expected: [Double]) -> Double {
  guard found.count == expected.count else { return .infinity }
  let scale = expected.reduce(0) { max($0, abs($1)) }
  let difference = zip(found, expected).reduce(0) { max($0, abs($1.0 - $1.1)) }
  return difference == 0 ? 0 : difference / scale
}

func components(_ vectors: [Vector3]) -> [Double] { vectors.flatMap { [$0.x, $0.y, $0.z] } }

func components(_ m: Matrix3) -> [Double] { [m.a.x, m.b.y, m.c.z, m.b.z, m.a.z, m.a.y] }
