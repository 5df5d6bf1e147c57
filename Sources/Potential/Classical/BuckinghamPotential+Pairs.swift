import Crystal
import Foundation
import NumericalCore

/// How an Ewald sum is split: α and the cutoffs of both parts, of about equal cost.
struct EwaldScreening {
  /// α in 1/Å.
  let alpha: Double
  /// Where the screened interaction is cut, in Å.
  let realCutoff: Double
  /// The largest wave number in 1/Å.
  let reciprocalCutoff: Double

  /// Chooses the split for a crystal.
  ///
  /// Both parts end where exp(−s²) equals the accuracy, r_c = s/α and k_c = 2αs (J. Kolafa and
  /// J. W. Perram, Mol. Simul. 9, 351 (1992), doi:10.1080/08927029208049126). Equal costs of
  /// N ρ (2π/3) r_c³ pairs and N V k_c³/(12π²) phases give α⁶ = π³ N/V² × (cost ratio).
  init(structure: Structure, accuracy: Double) {
    let s = (-log(accuracy)).squareRoot()
    let volume = structure.volume
    // Flat between 5 and 20 for cells of 12 to 48 atoms.
    let costRatio = 10.0
    alpha =
      Double.pi.squareRoot()
      * pow(costRatio * Double(structure.atomCount) / (volume * volume), 1.0 / 6.0)
    realCutoff = s / alpha
    reciprocalCutoff = 2 * alpha * s
  }
}

extension BuckinghamPotential {
  /// Adds the short-range part and the real-space part of the Coulomb energy (all of it for
  /// clusters).
  func addPairs(
    _ structure: Structure, _ types: [Int], _ screening: EwaldScreening?,
    energy: inout Double, forces: inout [Vector3], virial: inout Matrix3
  ) {
    let pairs = ImagePairs(
      structure, reach: max(parameters.cutoff, screening?.realCutoff ?? 0))
    var ions: [RigidIonPair] = []
    for (i, first) in elementCharges.enumerated() {
      for (j, second) in elementCharges.enumerated() {
        ions.append(
          RigidIonPair(
            table[i * elements.count + j], cutoff: parameters.cutoff,
            smoothing: parameters.smoothing, charge: PhysicalConstants.coulomb * first * second,
            screening: screening))
      }
    }
    pairs.add(energy: &energy, forces: &forces, virial: &virial) { i, j, row, sums in
      ions[types[i] * elements.count + types[j]].add(row, to: &sums)
    }
  }
}
