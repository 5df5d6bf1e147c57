import Crystal
import NumericalCore

/// How far labels lie from the same structures computed more finely: mean absolute differences.
public struct RecomputedErrors: Sendable, Hashable {
  /// How many structures were compared.
  public let structureCount: Int
  /// Of energies in eV per atom.
  public let energyPerAtom: Double
  /// The mean of the labels' energies minus the recomputed ones, in eV per atom.
  public let energyShiftPerAtom: Double
  /// Of energies in eV per atom once that mean is taken off: what remains of it decides which structure is
  /// lower.
  public let relativeEnergyPerAtom: Double
  /// Of force components in eV/Å.
  public let force: Double
  /// Of pressures in eV/Å³.
  public let pressure: Double

  /// Compares labels.
  ///
  /// - Parameters:
  ///   - labels: The labels; at least one.
  ///   - recomputed: One finer evaluation for each.
  public init(of labels: [LabelledStructure], recomputed: [Evaluation]) {
    precondition(!labels.isEmpty && labels.count == recomputed.count, "one evaluation each")
    var energies: [Double] = []
    var (force, components, pressure) = (0.0, 0, 0.0)
    for (label, finer) in zip(labels, recomputed) {
      let atoms = Double(label.structure.atomCount)
      energies.append((label.evaluation.energy - finer.energy) / atoms)
      for (a, b) in zip(label.evaluation.forces, finer.forces) {
        for axis in 0..<3 { force += abs(a[axis] - b[axis]) }
        components += 3
      }
      pressure += abs(label.evaluation.pressure - finer.pressure)
    }
    let count = Double(labels.count)
    let shift = energies.reduce(0, +) / count
    structureCount = labels.count
    energyPerAtom = energies.reduce(0) { $0 + abs($1) } / count
    energyShiftPerAtom = shift
    relativeEnergyPerAtom = energies.reduce(0) { $0 + abs($1 - shift) } / count
    self.force = force / Double(components)
    self.pressure = pressure / count
  }

  /// Indices spread evenly over a set, without chance: the middles of equal parts.
  ///
  /// - Parameters:
  ///   - count: How many are wanted.
  ///   - total: The size of the set.
  /// - Returns: Ascending indices from 0; all of them where the set is no larger.
  public static func sample(_ count: Int, of total: Int) -> [Int] {
    guard count < total else { return Array(0..<total) }
    return (0..<count).map { (2 * $0 + 1) * total / (2 * count) }
  }
}
