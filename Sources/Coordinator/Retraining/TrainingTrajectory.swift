import Crystal
import Dynamics
import NumericalCore
import Potential

/// The steps of a relaxation with the reference method, as training data.
package enum TrainingTrajectory {
  /// Energies that differ from those of the last kept step by no more than this, in eV per atom, tell nothing
  /// new.
  package static let notableEnergy = 1e-3
  /// The same for the force on an atom, in eV/Å.
  package static let notableForce = 0.05

  /// Relaxes a structure and keeps every accepted step, the start included.
  ///
  /// Where the relaxation goes on with other k-points, the steps before that are kept only if the energy hardly
  /// jumps: a potential cannot learn two energies of one structure.
  ///
  /// - Parameters:
  ///   - structure: Where it starts.
  ///   - potential: The reference method.
  ///   - settings: Those of the re-ranking; then the steps are those of the re-ranking, too.
  /// - Returns: The steps in order; none where the start cannot be evaluated.
  package static func steps(
    from structure: Structure, with potential: any InteratomicPotential,
    settings: RelaxationSettings
  ) -> [LabelledStructure] {
    var steps: [LabelledStructure] = []
    _ = Relaxation.run(structure, with: potential, settings: settings) { step in
      // A relaxation accepts only what has finite numbers for all atoms.
      if let labelled = try? LabelledStructure(step.structure, step.evaluation) {
        if let last = steps.last, last.structure == step.structure {
          let jump = abs(last.evaluation.energy - step.evaluation.energy)
          let isLarge = jump > notableEnergy * Double(step.structure.atomCount)
          steps.removeLast(isLarge ? steps.count : 1)
        }
        steps.append(labelled)
      }
      return .continue
    }
    return steps
  }

  /// The first and the last step, and between them those that differ notably from the last one kept.
  package static func thinned(_ steps: [LabelledStructure]) -> [LabelledStructure] {
    guard let last = steps.last, var kept = steps.first, steps.count > 1 else { return steps }
    var result = [kept]
    for step in steps[1..<(steps.count - 1)] where differsNotably(step, kept) {
      result.append(step)
      kept = step
    }
    return result + [last]
  }

  private static func differsNotably(_ one: LabelledStructure, _ other: LabelledStructure) -> Bool {
    let change = one.evaluation.energy - other.evaluation.energy
    if abs(change) > notableEnergy * Double(one.structure.atomCount) { return true }
    return zip(one.evaluation.forces, other.evaluation.forces).contains {
      ($0 - $1).length > notableForce
    }
  }
}
