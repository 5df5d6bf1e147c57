import Crystal
import NumericalCore

/// How one evaluation of a structure differs from another.
public struct EvaluationChange: Sendable, Hashable {
  /// The difference of the energies in eV per atom.
  public let energyPerAtom: Double
  /// The difference of the pressures in eV/Å³.
  public let pressure: Double
  /// The largest difference of a force component in eV/Å, not negative.
  public let force: Double

  /// Compares two evaluations of one structure with atoms.
  ///
  /// - Parameters:
  ///   - evaluation: What is judged.
  ///   - reference: What it is judged by.
  public init(of evaluation: Evaluation, from reference: Evaluation) {
    precondition(
      evaluation.forces.count == reference.forces.count && !reference.forces.isEmpty,
      "evaluations of one structure are compared")
    energyPerAtom = (evaluation.energy - reference.energy) / Double(reference.forces.count)
    pressure = evaluation.pressure - reference.pressure
    var largest = 0.0
    for (a, b) in zip(evaluation.forces, reference.forces) {
      for axis in 0..<3 { largest = max(largest, abs(a[axis] - b[axis])) }
    }
    force = largest
  }

  /// Whether all three are below the thresholds.
  public func isBelow(_ thresholds: ConvergenceThresholds) -> Bool {
    abs(energyPerAtom) < thresholds.energyPerAtom && abs(pressure) < thresholds.pressure
      && force < thresholds.force
  }
}

/// The changes below which settings count as converged.
public struct ConvergenceThresholds: Sendable, Hashable {
  /// Of the energy in eV per atom.
  public var energyPerAtom: Double
  /// Of the pressure in eV/Å³.
  public var pressure: Double
  /// Of a force component in eV/Å.
  public var force: Double

  /// Creates thresholds.
  ///
  /// The defaults are those of C. Hong et al., Phys. Rev. B 102, 224104 (2020), for superheated liquids.
  ///
  /// - Parameters:
  ///   - energyPerAtom: In eV per atom; 20 meV by default.
  ///   - pressureGigapascals: In GPa; 1 GPa, which is 10 kbar, by default.
  ///   - force: Of a component, in eV/Å; 0.3 by default.
  public init(
    energyPerAtom: Double = 0.02, pressureGigapascals: Double = 1, force: Double = 0.3
  ) {
    self.energyPerAtom = energyPerAtom
    pressure =
      pressureGigapascals / PhysicalConstants.gigapascalsPerElectronvoltPerCubicAngstrom
    self.force = force
  }
}
