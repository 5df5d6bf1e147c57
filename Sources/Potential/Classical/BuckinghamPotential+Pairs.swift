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
    _ structure: Structure, _ types: [Int], _ charges: [Double], _ screening: EwaldScreening?,
    energy: inout Double, forces: inout [Vector3], virial: inout Matrix3
  ) {
    let pairs = ImagePairs(
      structure, reach: max(parameters.cutoff, screening?.realCutoff ?? 0))
    let translations = pairs.translations
    pairs.add(energy: &energy, forces: &forces, virial: &virial) { i, j, row in
      let length = row.displacement.length
      var sum = PairSum()
      let pair = table[types[i] * elements.count + types[j]]
      if !pair.isZero {
        let last = translations.count(within: parameters.cutoff + length)
        sum = pair.sum(
          row.displacement, row.first, last, row.x, row.y, row.z, cutoff: parameters.cutoff,
          width: parameters.smoothing)
      }
      let product = PhysicalConstants.coulomb * charges[i] * charges[j]
      if product != 0 {
        let coulomb =
          screening.map {
            screenedCoulombSum(
              row.displacement, row.first, translations.count(within: $0.realCutoff + length),
              row.x, row.y, row.z, cutoff: $0.realCutoff, alpha: $0.alpha)
          }
          ?? screenedCoulombSum(
            row.displacement, row.first, 1, row.x, row.y, row.z, cutoff: .infinity, alpha: 0)
        sum.energy += product * coulomb.energy
        sum.force += product * coulomb.force
        sum.virial += product * coulomb.virial
      }
      return sum
    }
  }
}
