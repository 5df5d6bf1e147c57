import Crystal
import Foundation
import NumericalCore
import ReferenceEngines
import Settings
import TestSupport
import Testing

/// Silicon as the tests of external programs compute it.
enum ExternalMethods {
  /// Two atoms, displaced so that forces and all stresses differ from zero.
  static func silicon() throws -> Structure {
    let element = try ClassicalModels.element("Si")
    let lattice = try Lattice(
      Matrix3(
        rows: Vector3(0, 2.735, 2.735), Vector3(2.735, 0, 2.735), Vector3(2.735, 2.735, 0)))
    return try Structure(
      lattice: lattice, species: [element, element],
      positions: [.zero, Vector3(1.4, 1.3, 1.37)])
  }

  static let espresso = """
    reference:
      kind: espresso
      pseudopotentials: {Si: Si.pbe-rrkj.UPF}
      pseudopotential_folder: /usr/share/espresso/pseudo
      cutoff: 12
      k_spacing: 1.0
    """

  static let cp2k = """
    reference:
      kind: cp2k
      basis: {Si: DZVP-MOLOPT-SR-GTH}
      cutoff: 200
      rel_cutoff: 40
      k_spacing: 1.0
      smearing: {width: 0.1}
    """

  static func settings(_ text: String, path: String = "campaign.yaml") throws -> ReferenceSettings {
    var top = try SettingsDocument(text: text, path: path).mapping()
    return try ReferenceSettings(top.required("reference").mapping())
  }

  static func method(_ text: String) throws -> ExternalMethod {
    guard case .external(let method) = try settings(text).model else {
      throw SettingsError(file: "", line: nil, keyPath: "", found: "no program", allowed: "one")
    }
    return method
  }

  static func fixture(_ name: String) throws -> String {
    let folder = try #require(Bundle.module.url(forResource: "Fixtures", withExtension: nil))
    return try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
  }

  /// Forces and stress of a method against central differences of its energies.
  ///
  /// - Parameters:
  ///   - engine: The engine.
  ///   - forceTolerance: In eV/Å.
  ///   - stressTolerance: In GPa.
  /// - Throws: Where a structure gets no label.
  static func checkDerivatives(
    _ engine: any ReferenceEngine, forceTolerance: Double, stressTolerance: Double
  ) throws {
    let structure = try silicon()
    func label(_ structure: Structure) throws -> Evaluation {
      let outcome = engine.label(structure)
      guard case .labelled(let evaluation) = outcome else {
        throw SettingsError(
          file: "", line: nil, keyPath: "", found: "\(outcome)", allowed: "a label")
      }
      return evaluation
    }
    let center = try label(structure)
    for axis in 0..<3 {
      func energy(_ shift: Double) throws -> Double {
        var positions = structure.positions
        positions[1][axis] += shift
        return try label(structure.replacing(positions: positions)).energy
      }
      func quotient(_ h: Double) throws -> Double { try (energy(h) - energy(-h)) / (2 * h) }
      // Levels cross the smeared Fermi energy: one step, even of 0.01 Å, would leave an error of 0.006 eV/Å.
      let slope = try (4 * quotient(0.005) - quotient(0.01)) / 3
      #expect(
        center.forces[1][axis].isClose(to: -slope, relative: 0, absolute: forceTolerance),
        "force \(axis): \(center.forces[1][axis]), \(-slope)")
    }
    let gigapascal = 1 / PhysicalConstants.gigapascalsPerElectronvoltPerCubicAngstrom
    for (i, j) in [(0, 0), (2, 2), (0, 1), (1, 2)] {
      let h = 0.005
      func energy(_ amount: Double) throws -> Double {
        var strain = Matrix3.zero
        strain[i, j] += amount / 2
        strain[j, i] += amount / 2
        return try label(structure.strained(by: strain)).energy
      }
      let slope = try (energy(h) - energy(-h)) / (2 * h * structure.volume)
      #expect(
        center.stress[i, j].isClose(
          to: slope, relative: 0, absolute: stressTolerance * gigapascal),
        "stress \(i)\(j): \(center.stress[i, j] / gigapascal), \(slope / gigapascal) GPa")
    }
  }
}
