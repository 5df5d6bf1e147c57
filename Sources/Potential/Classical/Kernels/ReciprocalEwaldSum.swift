import Crystal
import Foundation
import NumericalCore

/// The reciprocal-space part of an Ewald sum over point charges.
///
/// P. P. Ewald, Ann. Phys. 369, 253 (1921); in the form of D. Frenkel and B. Smit, Understanding
/// Molecular Simulation, 2nd ed., eq. 12.1.19:
/// E = k_e (2π/V) Σ_{k≠0} exp(−k²/4α²)/k² |S(k)|², S(k) = Σ_j q_j exp(i k·r_j).
enum ReciprocalEwaldSum {
  /// Adds energy, forces and ∂E/∂ε.
  ///
  /// - Parameters:
  ///   - lattice: The lattice.
  ///   - fractional: Fractional positions.
  ///   - charges: The charge of every atom in units of e.
  ///   - alpha: α in 1/Å.
  ///   - cutoff: The largest |k| in 1/Å.
  ///   - energy: Grows by the energy in eV.
  ///   - forces: Grow by the forces in eV/Å.
  ///   - virial: Grows by ∂E/∂ε in eV.
  /// - Complexity: O(N) per wave vector; the phases come from recurrences.
  static func add(
    lattice: Lattice, fractional: [Vector3], charges: [Double], alpha: Double, cutoff: Double,
    energy: inout Double, forces: inout [Vector3], virial: inout Matrix3
  ) {
    let atoms = charges.count
    let stride = (atoms + 7) / 8 * 8
    // Rows of B: the reciprocal vectors with a·a* = 2π.
    let reciprocal = (2 * Double.pi) * lattice.inverse.transposed
    // |n_i| = |k·a_i|/2π ≤ k_max |a_i|/2π
    let lengths = lattice.lengths
    let orders = (0..<3).map { Int(cutoff * lengths[$0] / (2 * Double.pi)) }
    var tables: [PhaseTable] = []
    for axis in 0..<3 {
      tables.append(PhaseTable(fractional.map { $0[axis] }, order: orders[axis], stride: stride))
    }
    let volume = lattice.volume
    let prefactor = 2 * PhysicalConstants.coulomb * 2 * Double.pi / volume
    let quarter = 1 / (4 * alpha * alpha)
    let limit = cutoff * cutoff
    let cc = reciprocal.c.squaredLength
    var sumEnergy = 0.0
    var sumVirial = Matrix3.zero

    var workspace = [Double](repeating: 0, count: 8 * stride)
    workspace.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      let (planeReal, planeImaginary) = (base, base + stride)
      let (real, imaginary) = (base + 2 * stride, base + 3 * stride)
      let (gx, gy, gz) = (base + 4 * stride, base + 5 * stride, base + 6 * stride)
      let q = base + 7 * stride
      for atom in 0..<atoms { q[atom] = charges[atom] }

      for n1 in 0...orders[0] {
        for n2 in (n1 == 0 ? 0 : -orders[1])...orders[1] {
          let planar = Double(n1) * reciprocal.a + Double(n2) * reciprocal.b
          let middle = -planar.dot(reciprocal.c) / cc
          let discriminant = middle * middle - (planar.squaredLength - limit) / cc
          guard discriminant >= 0 else { continue }
          let half = discriminant.squareRoot()
          // Half of reciprocal space: −k gives the same term.
          let lowest =
            n1 == 0 && n2 == 0
            ? 1 : max(-orders[2], Int((middle - half).rounded(.up)))
          let highest = min(orders[2], Int((middle + half).rounded(.down)))
          guard lowest <= highest else { continue }
          tables[0].product(n1, tables[1], n2, planeReal, planeImaginary)
          for n3 in lowest...highest {
            let k = planar + Double(n3) * reciprocal.c
            let k2 = k.squaredLength
            guard k2 <= limit else { continue }
            let factor = prefactor * exp(-k2 * quarter) / k2
            let (sr, si) = tables[2].structureFactor(
              n3, planeReal, planeImaginary, q, real, imaginary)
            let term = factor * (sr * sr + si * si)
            sumEnergy += term
            sumVirial += (2 * term * (1 / k2 + quarter)) * Matrix3.outer(k, k)
            sumVirial -= term * Matrix3.identity
            // F_j = 2 f q_j k (Re S · Im e_j − Im S · Re e_j)
            let (wr, wi) = (
              SIMD8<Double>(repeating: 2 * factor * sr), SIMD8<Double>(repeating: 2 * factor * si)
            )
            let (kx, ky, kz) = (
              SIMD8<Double>(repeating: k.x), SIMD8<Double>(repeating: k.y),
              SIMD8<Double>(repeating: k.z)
            )
            var atom = 0
            while atom < stride {
              let w = wr * load8(imaginary + atom) - wi * load8(real + atom)
              store8(load8(gx + atom).accumulating(kx, w), gx + atom)
              store8(load8(gy + atom).accumulating(ky, w), gy + atom)
              store8(load8(gz + atom).accumulating(kz, w), gz + atom)
              atom &+= 8
            }
          }
        }
      }
      for atom in 0..<atoms {
        forces[atom] += q[atom] * Vector3(gx[atom], gy[atom], gz[atom])
      }
    }
    energy += sumEnergy
    virial += sumVirial
  }
}

/// cos and sin of 2π n f for every atom and n = 0 … order, along one axis.
private struct PhaseTable {
  private var cosines: [Double]
  private var sines: [Double]
  private let stride: Int

  init(_ fractional: [Double], order: Int, stride: Int) {
    self.stride = stride
    cosines = [Double](repeating: 0, count: (order + 1) * stride)
    sines = cosines
    for (atom, f) in fractional.enumerated() {
      // Whole cells change no phase; leaving them out keeps the argument small.
      let angle = 2 * Double.pi * (f - f.rounded(.down))
      let (c, s) = (cos(angle), sin(angle))
      var (real, imaginary) = (1.0, 0.0)
      for n in 0...order {
        cosines[n * stride + atom] = real
        sines[n * stride + atom] = imaginary
        (real, imaginary) = (real * c - imaginary * s, real * s + imaginary * c)
      }
    }
  }

  /// The product of this table's phases of order n ≥ 0 with another's of order m.
  func product(
    _ n: Int, _ other: PhaseTable, _ m: Int, _ real: UnsafeMutablePointer<Double>,
    _ imaginary: UnsafeMutablePointer<Double>
  ) {
    let (first, second) = (n * stride, abs(m) * stride)
    let sign = m < 0 ? -1.0 : 1.0
    for atom in 0..<stride {
      let (cr, ci) = (cosines[first + atom], sines[first + atom])
      let (dr, di) = (other.cosines[second + atom], sign * other.sines[second + atom])
      real[atom] = cr * dr - ci * di
      imaginary[atom] = cr * di + ci * dr
    }
  }

  /// Multiplies planar phases with this table's of order m, keeps them, and sums them with charges.
  func structureFactor(
    _ m: Int, _ planeReal: UnsafePointer<Double>, _ planeImaginary: UnsafePointer<Double>,
    _ charges: UnsafePointer<Double>, _ real: UnsafeMutablePointer<Double>,
    _ imaginary: UnsafeMutablePointer<Double>
  ) -> (Double, Double) {
    let offset = abs(m) * stride
    let sign = SIMD8<Double>(repeating: m < 0 ? -1 : 1)
    var (sumReal, sumImaginary) = (SIMD8<Double>.zero, SIMD8<Double>.zero)
    cosines.withUnsafeBufferPointer { c in
      sines.withUnsafeBufferPointer { s in
        guard let c = c.baseAddress, let s = s.baseAddress else { return }
        var atom = 0
        while atom < stride {
          let (pr, pi) = (load8(planeReal + atom), load8(planeImaginary + atom))
          let (er, ei) = (load8(c + offset + atom), sign * load8(s + offset + atom))
          let r = pr * er - pi * ei
          let i = pr * ei + pi * er
          let q = load8(charges + atom)
          store8(r, real + atom)
          store8(i, imaginary + atom)
          sumReal = sumReal.accumulating(q, r)
          sumImaginary = sumImaginary.accumulating(q, i)
          atom &+= 8
        }
      }
    }
    return (sumReal.sum(), sumImaginary.sum())
  }
}
