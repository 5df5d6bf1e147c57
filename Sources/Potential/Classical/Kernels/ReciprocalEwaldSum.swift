import Crystal
import NumericalCore

/// The reciprocal-space part of an Ewald sum over point charges.
///
/// P. P. Ewald, Ann. Phys. 369, 253 (1921); in the form of D. Frenkel and B. Smit, Understanding
/// Molecular Simulation, 2nd ed., eq. 12.1.19:
/// E = k_e (2π/V) Σ_{k≠0} exp(−k²/4α²)/k² |S(k)|², S(k) = Σ_j q_j exp(i k·r_j).
struct ReciprocalEwaldSum {
  private typealias Lanes = SIMD8<Double>

  private let waves: WaveVectors
  private let volume: Double
  private let atomCount: Int
  // The number of atoms, and that of wave vectors, rounded up to multiples of 8.
  private let stride: Int
  private let waveStride: Int
  private let quarter: Double

  /// Prepares a sum.
  ///
  /// - Parameters:
  ///   - lattice: The lattice.
  ///   - atomCount: The number of atoms.
  ///   - alpha: α in 1/Å.
  ///   - cutoff: The largest |k| in 1/Å.
  init(_ lattice: Lattice, atomCount: Int, alpha: Double, cutoff: Double) {
    waves = WaveVectors(lattice, cutoff: cutoff)
    volume = lattice.volume
    self.atomCount = atomCount
    stride = (atomCount + 7) / 8 * 8
    waveStride = (waves.count + 7) / 8 * 8
    quarter = 1 / (4 * alpha * alpha)
  }

  /// Adds energy, forces and ∂E/∂ε.
  ///
  /// - Parameters:
  ///   - fractional: Fractional positions.
  ///   - charges: The charge of every atom in units of e.
  ///   - energy: Grows by the energy in eV.
  ///   - forces: Grow by the forces in eV/Å.
  ///   - virial: Grows by ∂E/∂ε in eV.
  /// - Complexity: O(N) per wave vector; the phases come from recurrences.
  func add(
    fractional: [Vector3], charges: [Double], energy: inout Double, forces: inout [Vector3],
    virial: inout Matrix3
  ) {
    let (o1, o2, o3) = waves.orders
    let tables = [o1, o2, o3].map { PhaseTable.capacity(order: $0, stride: stride) }
    let capacity = 7 * stride + 7 * waveStride + tables.reduce(0, +)
    withUnsafeTemporaryAllocation(of: Double.self, capacity: capacity) { memory in
      guard let base = memory.baseAddress else { return }
      base.initialize(repeating: 0, count: 7 * stride + 7 * waveStride)
      for atom in 0..<atomCount {
        for axis in 0..<3 { base[axis * stride + atom] = fractional[atom][axis] }
        base[3 * stride + atom] = charges[atom]
      }
      let rest = base + 7 * stride + 7 * waveStride
      let first = PhaseTable(base, order: o1, stride: stride, in: rest)
      let second = PhaseTable(base + stride, order: o2, stride: stride, in: rest + tables[0])
      let third = PhaseTable(
        base + 2 * stride, order: o3, stride: stride, in: rest + tables[0] + tables[1])
      let atoms = AtomRows(base, stride)
      let waveRows = WaveRows(base + 7 * stride, waveStride)
      fill(waveRows)
      // From here on the fractional positions are the sums of the forces.
      base.update(repeating: 0, count: 3 * stride)
      for row in waves.rows {
        atoms.setPlane(first, row.first, second, row.second)
        for n in 0..<row.count {
          let (re, im) = atoms.structureFactor(third, row.lowest + n)
          let factor = waveRows.factor[row.start + n]
          waveRows.term[row.start + n] = factor * (re * re + im * im)
          waveRows.real[row.start + n] = 2 * factor * re
          waveRows.imaginary[row.start + n] = 2 * factor * im
        }
        atoms.addForces(third, row, waveRows)
      }
      for atom in 0..<atomCount {
        let n = Vector3(base[atom], base[stride + atom], base[2 * stride + atom])
        forces[atom] += n * waves.reciprocal
      }
      addSums(waveRows, &energy, &virial)
    }
  }

  /// Wave vectors, and what belongs to each.
  private struct WaveRows {
    let x: UnsafeMutablePointer<Double>
    let y: UnsafeMutablePointer<Double>
    let z: UnsafeMutablePointer<Double>
    /// k_e (4π/V) exp(−k²/4α²)/k²; both k and −k count.
    let factor: UnsafeMutablePointer<Double>
    /// The energy.
    let term: UnsafeMutablePointer<Double>
    /// Twice the factor times the structure factor.
    let real: UnsafeMutablePointer<Double>
    let imaginary: UnsafeMutablePointer<Double>

    init(_ base: UnsafeMutablePointer<Double>, _ stride: Int) {
      (x, y, z) = (base, base + stride, base + 2 * stride)
      (factor, term) = (base + 3 * stride, base + 4 * stride)
      (real, imaginary) = (base + 5 * stride, base + 6 * stride)
    }
  }

  private func fill(_ w: WaveRows) {
    let (a, b, c) = (waves.reciprocal.a, waves.reciprocal.b, waves.reciprocal.c)
    for row in waves.rows {
      let planar = Double(row.first) * a + Double(row.second) * b
      for n in 0..<row.count {
        let k = planar + Double(row.lowest + n) * c
        (w.x[row.start + n], w.y[row.start + n], w.z[row.start + n]) = (k.x, k.y, k.z)
      }
    }
    let prefactor = Lanes(repeating: 4 * Double.pi * PhysicalConstants.coulomb / volume)
    for k in Swift.stride(from: 0, to: waveStride, by: 8) {
      let k2 = square(w, k)
      let factor =
        prefactor * vectorExponential(Lanes(repeating: -quarter) * k2) / k2
      // Padding has k = 0.
      store8(factor.where(Lanes.zero, isLessThan: k2), w.factor + k)
    }
  }

  @inline(__always)
  private func square(_ w: WaveRows, _ k: Int) -> SIMD8<Double> {
    let (x, y, z) = (load8(w.x + k), load8(w.y + k), load8(w.z + k))
    return (x * x).accumulating(y, y).accumulating(z, z)
  }

  /// E, and ∂E/∂ε = Σ E_k [2 (1/k² + 1/4α²) k ⊗ k − 1].
  private func addSums(_ w: WaveRows, _ energy: inout Double, _ virial: inout Matrix3) {
    var sum = Lanes.zero
    var (xx, yy, zz) = (Lanes.zero, Lanes.zero, Lanes.zero)
    var (xy, xz, yz) = (Lanes.zero, Lanes.zero, Lanes.zero)
    for k in Swift.stride(from: 0, to: waveStride, by: 8) {
      let term = load8(w.term + k)
      let k2 = square(w, k)
      let inverse = (Lanes(repeating: 1) / k2).where(Lanes.zero, isLessThan: k2)
      let weight = Lanes(repeating: 2) * term * (inverse + Lanes(repeating: quarter))
      let (x, y, z) = (load8(w.x + k), load8(w.y + k), load8(w.z + k))
      sum += term
      let (wx, wy, wz) = (weight * x, weight * y, weight * z)
      xx = xx.accumulating(wx, x)
      yy = yy.accumulating(wy, y)
      zz = zz.accumulating(wz, z)
      xy = xy.accumulating(wx, y)
      xz = xz.accumulating(wx, z)
      yz = yz.accumulating(wy, z)
    }
    let sumOfAll = sum.total
    energy += sumOfAll
    let (sxy, sxz, syz) = (xy.total, xz.total, yz.total)
    virial += Matrix3(
      rows: Vector3(xx.total - sumOfAll, sxy, sxz), Vector3(sxy, yy.total - sumOfAll, syz),
      Vector3(sxz, syz, zz.total - sumOfAll))
  }

  /// What belongs to each atom while one row of wave vectors is summed.
  private struct AtomRows {
    private let sums: UnsafeMutablePointer<Double>
    private let charges: UnsafeMutablePointer<Double>
    // q_j exp(−i k·r_j) for the part of k in the plane of a* and b*.
    private let real: UnsafeMutablePointer<Double>
    private let imaginary: UnsafeMutablePointer<Double>
    private let stride: Int

    init(_ base: UnsafeMutablePointer<Double>, _ stride: Int) {
      self.stride = stride
      (sums, charges) = (base, base + 3 * stride)
      (real, imaginary) = (base + 4 * stride, base + 5 * stride)
    }

    @inline(__always)
    func setPlane(_ first: PhaseTable, _ n1: Int, _ second: PhaseTable, _ n2: Int) {
      let (c1, s1) = (first.cosines(n1), first.sines(n1))
      let (c2, s2) = (second.cosines(n2), second.sines(n2))
      for atom in Swift.stride(from: 0, to: stride, by: 8) {
        let q = load8(charges + atom)
        let (cr, ci) = (q * load8(c1 + atom), q * load8(s1 + atom))
        let (dr, di) = (load8(c2 + atom), load8(s2 + atom))
        store8(cr * dr - ci * di, real + atom)
        store8(Lanes.zero - (cr * di).accumulating(ci, dr), imaginary + atom)
      }
    }

    @inline(__always)
    func structureFactor(_ third: PhaseTable, _ n3: Int) -> (Double, Double) {
      let (c, s) = (third.cosines(n3), third.sines(n3))
      var (re, im) = (Lanes.zero, Lanes.zero)
      for atom in Swift.stride(from: 0, to: stride, by: 8) {
        let (pr, pi) = (load8(real + atom), load8(imaginary + atom))
        let (er, ei) = (load8(c + atom), load8(s + atom))
        re = re.accumulating(pr, er).accumulating(pi, ei)
        im = im.accumulating(pr, ei) - pi * er
      }
      return (re.total, im.total)
    }

    /// F_j = Σ_k 2 f k q_j (Re S · Im e_j − Im S · Re e_j), in multiples of a*, b*, c*.
    @inline(__always)
    func addForces(_ third: PhaseTable, _ row: WaveVectors.Row, _ w: WaveRows) {
      let (n1, n2) = (Lanes(repeating: Double(row.first)), Lanes(repeating: Double(row.second)))
      for atom in Swift.stride(from: 0, to: stride, by: 8) {
        let (pr, pi) = (load8(real + atom), load8(imaginary + atom))
        var (plane, along) = (Lanes.zero, Lanes.zero)
        for n in 0..<row.count {
          let n3 = row.lowest + n
          let (er, ei) = (load8(third.cosines(n3) + atom), load8(third.sines(n3) + atom))
          let re = (pr * er).accumulating(pi, ei)
          let im = pr * ei - pi * er
          let force =
            Lanes(repeating: w.real[row.start + n]) * im
            - Lanes(repeating: w.imaginary[row.start + n]) * re
          plane += force
          along = along.accumulating(Lanes(repeating: Double(n3)), force)
        }
        store8(load8(sums + atom).accumulating(n1, plane), sums + atom)
        store8(load8(sums + stride + atom).accumulating(n2, plane), sums + stride + atom)
        store8(load8(sums + 2 * stride + atom) + along, sums + 2 * stride + atom)
      }
    }
  }
}
