import Crystal
import NumericalCore

/// Root mean square, mean absolute and largest error of one quantity.
public struct ErrorMeasure: Sendable, Hashable {
  /// Root mean square error.
  public let rootMeanSquare: Double
  /// Mean absolute error.
  public let meanAbsolute: Double
  /// Largest absolute error.
  public let maximum: Double
}

/// How far predictions lie from labels: energies per atom, force and stress components.
///
/// Novikov et al. 2021, eqs. 8–10; every force component counts alike, whatever its structure's size,
/// which for sets of equal sizes is eq. 9.
public struct ErrorStatistics: Sendable, Hashable {
  /// Number of structures.
  public let structureCount: Int
  /// Energy errors in eV/atom.
  public let energyPerAtom: ErrorMeasure
  /// Errors of force components in eV/Å.
  public let force: ErrorMeasure
  /// Errors of the nine stress components in GPa, over the structures that have a stress; `nil` where
  /// none has.
  public let stress: ErrorMeasure?
  /// The root mean square force error over the root mean square force; `nil` where all forces are
  /// zero.
  public let relativeForceError: Double?

  /// Compares predictions with labels.
  ///
  /// - Parameters:
  ///   - labelled: Structures and labels; at least one.
  ///   - predictions: One evaluation per structure.
  public init(of labelled: [LabelledStructure], predictions: [Evaluation]) {
    precondition(!labelled.isEmpty && labelled.count == predictions.count, "one prediction each")
    var energies = Accumulator()
    var forces = Accumulator()
    var stresses = Accumulator()
    var forceSquare = 0.0
    for (label, prediction) in zip(labelled, predictions) {
      let n = Double(label.structure.atomCount)
      energies.add((prediction.energy - label.evaluation.energy) / n)
      for (predicted, force) in zip(prediction.forces, label.evaluation.forces) {
        for axis in 0..<3 { forces.add(predicted[axis] - force[axis]) }
        forceSquare += force.squaredLength
      }
      guard label.structure.periodicity == .full, label.evaluation.stress != .zero else { continue }
      let unit = PhysicalConstants.gigapascalsPerElectronvoltPerCubicAngstrom
      for i in 0..<3 {
        for j in 0..<3 {
          stresses.add(unit * (prediction.stress[i, j] - label.evaluation.stress[i, j]))
        }
      }
    }
    structureCount = labelled.count
    energyPerAtom = energies.measure
    force = forces.measure
    stress = stresses.count > 0 ? stresses.measure : nil
    relativeForceError =
      forceSquare > 0 ? (forces.square / forceSquare).squareRoot() : nil
  }

  /// Evaluates a potential on labelled structures.
  ///
  /// - Throws: `PotentialError` where it cannot evaluate one of them.
  public init(
    of potential: some InteratomicPotential, on labelled: [LabelledStructure]
  ) throws(PotentialError) {
    var predictions: [Evaluation] = []
    for label in labelled { predictions.append(try potential.evaluation(of: label.structure)) }
    self.init(of: labelled, predictions: predictions)
  }

  private struct Accumulator {
    var count = 0
    var square = 0.0
    var absolute = 0.0
    var largest = 0.0

    mutating func add(_ error: Double) {
      count += 1
      square += error * error
      absolute += abs(error)
      largest = max(largest, abs(error))
    }

    var measure: ErrorMeasure {
      let n = Double(max(1, count))
      return ErrorMeasure(
        rootMeanSquare: (square / n).squareRoot(), meanAbsolute: absolute / n, maximum: largest)
    }
  }
}

/// The loss of a potential on labelled structures: (1/K) Σ of weighted squared errors, the quantity
/// that training lowers.
public struct TrainingLoss: Sendable {
  /// The mean over the structures that are trained on.
  public let value: Double

  /// Evaluates the potential on every structure of a problem that is trained on.
  ///
  /// - Throws: `PotentialError` where it cannot evaluate one of them.
  public init(
    of potential: some InteratomicPotential, on problem: TrainingProblem
  ) throws(PotentialError) {
    var sum = 0.0
    for (index, labelled) in problem.structures.enumerated()
    where problem.exclusions[index] == nil {
      let prediction = try potential.evaluation(of: labelled.structure)
      let weights = problem.rowWeights(of: index)
      let label = labelled.evaluation
      let energy = weights.energy * (prediction.energy - label.energy)
      var force = 0.0
      for (a, b) in zip(prediction.forces, label.forces) { force += (a - b).squaredLength }
      var stress = 0.0
      for i in 0..<3 {
        for j in 0..<3 {
          let difference = prediction.virial[i, j] - label.virial[i, j]
          stress += difference * difference
        }
      }
      sum +=
        energy * energy + weights.force * weights.force * force
        + weights.stress * weights.stress * stress
    }
    value = sum / Double(problem.usedCount())
  }
}
