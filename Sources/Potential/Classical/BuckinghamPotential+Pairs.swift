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
    let atoms = structure.atomCount
    let differences = nearDifferences(structure)
    let reach = max(parameters.cutoff, screening?.realCutoff ?? 0)
    let translations = LatticeTranslations(
      of: structure.lattice, periodicity: structure.periodicity,
      within: reach + differences.longest)
    translations.x.withUnsafeBufferPointer { x in
      translations.y.withUnsafeBufferPointer { y in
        translations.z.withUnsafeBufferPointer { z in
          guard let x = x.baseAddress, let y = y.baseAddress, let z = z.baseAddress else { return }
          for i in 0..<atoms {
            for j in i..<atoms {
              let d = i == j ? .zero : differences.between(i, j)
              let length = d.length
              // An atom and its own images: every pair is met twice, and itself is left out.
              let first = i == j ? 1 : 0
              let weight = i == j ? 0.5 : 1.0
              var sum = PairSum()
              let pair = table[types[i] * elements.count + types[j]]
              if !pair.isZero {
                let last = translations.count(within: parameters.cutoff + length)
                sum = pair.sum(
                  d, first, last, x, y, z, cutoff: parameters.cutoff, width: parameters.smoothing)
              }
              let product = PhysicalConstants.coulomb * charges[i] * charges[j]
              if product != 0 {
                let coulomb =
                  screening.map {
                    screenedCoulombSum(
                      d, first, translations.count(within: $0.realCutoff + length), x, y, z,
                      cutoff: $0.realCutoff, alpha: $0.alpha)
                  }
                  ?? screenedCoulombSum(
                    d, first, 1, x, y, z, cutoff: .infinity, alpha: 0)
                sum.energy += product * coulomb.energy
                sum.force += product * coulomb.force
                sum.virial += product * coulomb.virial
              }
              energy += weight * sum.energy
              virial += weight * sum.virial
              if i != j {
                forces[i] += sum.force
                forces[j] -= sum.force
              }
            }
          }
        }
      }
    }
  }

  /// Positions moved into one cell, so that differences of atoms are short.
  private struct Differences {
    let lattice: Lattice
    let periodicity: Periodicity
    let fractional: [Vector3]
    let positions: [Vector3]
    /// No difference is longer, in Å.
    let longest: Double

    /// From atom i to the image of atom j within half a cell along every axis, in Å.
    func between(_ i: Int, _ j: Int) -> Vector3 {
      var f = fractional[j] - fractional[i]
      var isMoved = false
      for axis in 0..<3 where periodicity[axis] {
        let cells = f[axis].rounded(.toNearestOrEven)
        if cells != 0 {
          f[axis] -= cells
          isMoved = true
        }
      }
      return isMoved ? lattice.cartesian(f) : positions[j] - positions[i]
    }
  }

  private func nearDifferences(_ structure: Structure) -> Differences {
    let vectors = structure.lattice.vectors
    var longest = 0.0
    for axis in 0..<3 where structure.periodicity[axis] { longest += vectors[axis].length / 2 }
    if structure.periodicity != .full {
      // Along directions that do not repeat, differences are as long as the cluster or slab.
      var lower = structure.positions[0]
      var upper = lower
      for p in structure.positions {
        for axis in 0..<3 {
          lower[axis] = min(lower[axis], p[axis])
          upper[axis] = max(upper[axis], p[axis])
        }
      }
      longest += (upper - lower).length
    }
    return Differences(
      lattice: structure.lattice, periodicity: structure.periodicity,
      fractional: structure.fractionalPositions(), positions: structure.positions,
      longest: longest)
  }
}
