import Crystal
import NumericalCore

/// All pairs of atoms of a structure, each with the translations that bring images within reach.
struct ImagePairs {
  /// Lattice vectors, shortest first.
  private let translations: LatticeTranslations
  private let periodicity: Periodicity
  private let lattice: Lattice
  private let atomCount: Int
  // Cartesian and fractional components, six rows with padding.
  private let components: [Double]
  private let stride: Int

  /// The images of one pair of atoms.
  struct Row {
    /// From the first atom to the nearest image of the second along every axis, in Å.
    let displacement: Vector3
    /// The length of the displacement in Å.
    let length: Double
    /// x components of the translations, readable for 7 entries beyond the last.
    let x: UnsafePointer<Double>
    /// y components.
    let y: UnsafePointer<Double>
    /// z components.
    let z: UnsafePointer<Double>
    fileprivate let shells: LatticeTranslations.Shells

    /// The vectors to eight images.
    @inline(__always)
    func images(_ first: Int) -> PairLanes.Displacements {
      let dx = load8(x + first) + SIMD8(repeating: displacement.x)
      let dy = load8(y + first) + SIMD8(repeating: displacement.y)
      let dz = load8(z + first) + SIMD8(repeating: displacement.z)
      return PairLanes.Displacements(
        x: dx, y: dy, z: dz, square: (dx * dx).accumulating(dy, dy).accumulating(dz, dz))
    }

    /// How many translations to look at for all images within a distance in Å.
    @inline(__always)
    func count(within distance: Double) -> Int { shells.count(within: distance + length) }
  }

  /// Lists the translations for pairs up to a distance in Å.
  init(_ structure: Structure, reach: Double) {
    lattice = structure.lattice
    periodicity = structure.periodicity
    atomCount = structure.atomCount
    stride = (atomCount / 8 + 2) * 8
    var components = [Double](repeating: 0, count: 6 * stride)
    for (atom, position) in structure.positions.enumerated() {
      let fractional = lattice.fractional(position)
      for axis in 0..<3 {
        components[axis * stride + atom] = position[axis]
        components[(3 + axis) * stride + atom] = fractional[axis]
      }
    }
    self.components = components
    translations = LatticeTranslations(
      of: structure.lattice, periodicity: structure.periodicity,
      within: reach + Self.longestDifference(structure))
  }

  /// Adds the sums of all pairs to energy, forces and strain derivative.
  ///
  /// - Parameters:
  ///   - energy: Grows by the energy in eV.
  ///   - forces: Grow by the forces in eV/Å.
  ///   - virial: Grows by ∂E/∂ε in eV.
  ///   - body: Adds energy and strain derivative of the images of atoms i ≤ j, and returns the force on
  ///     atom i.
  @inline(__always)
  func add(
    energy: inout Double, forces: inout [Vector3], virial: inout Matrix3,
    _ body: (_ i: Int, _ j: Int, Row, inout PairLanes) -> Vector3
  ) {
    var sums = PairLanes()
    let (all, half) = (translations.all, translations.half)
    all.components.withUnsafeBufferPointer { x in
      half.components.withUnsafeBufferPointer { own in
        forces.withUnsafeMutableBufferPointer { forces in
          withUnsafeTemporaryAllocation(of: Double.self, capacity: 4 * stride) { memory in
            guard let x = x.baseAddress, let own = own.baseAddress, let d = memory.baseAddress
            else { return }
            for i in 0..<atomCount {
              fillDifferences(i, d)
              // An atom and its own images push each other equally.
              _ = body(
                i, i,
                Row(
                  displacement: .zero, length: 0, x: own, y: own + half.stride,
                  z: own + 2 * half.stride, shells: half), &sums)
              var total = Vector3.zero
              for j in (i + 1)..<max(atomCount, i + 1) {
                let force = body(
                  i, j,
                  Row(
                    displacement: Vector3(d[j], d[stride + j], d[2 * stride + j]),
                    length: d[3 * stride + j], x: x, y: x + all.stride, z: x + 2 * all.stride,
                    shells: all), &sums)
                total += force
                forces[j] -= force
              }
              forces[i] += total
            }
          }
        }
      }
    }
    energy += sums.energySum
    virial += sums.virialSum
  }

  /// The vectors from atom i to the images of later atoms within half a cell along every axis, and
  /// their lengths, in Å.
  private func fillDifferences(_ i: Int, _ target: UnsafeMutablePointer<Double>) {
    typealias Lanes = SIMD8<Double>
    let rows = lattice.vectors
    // Adding 1.5·2⁵² leaves the nearest integer.
    let shifter = Lanes(repeating: 0x1.8p52)
    components.withUnsafeBufferPointer { buffer in
      guard let p = buffer.baseAddress else { return }
      for j in Swift.stride(from: i / 8 * 8, to: atomCount, by: 8) {
        var d = (Lanes.zero, Lanes.zero, Lanes.zero)
        d.0 = load8(p + j) - Lanes(repeating: p[i])
        d.1 = load8(p + stride + j) - Lanes(repeating: p[stride + i])
        d.2 = load8(p + 2 * stride + j) - Lanes(repeating: p[2 * stride + i])
        for axis in 0..<3 where periodicity[axis] {
          let row = p + (3 + axis) * stride
          let cells = ((load8(row + j) - Lanes(repeating: row[i])) + shifter) - shifter
          d.0 = d.0.accumulating(cells, Lanes(repeating: -rows[axis].x))
          d.1 = d.1.accumulating(cells, Lanes(repeating: -rows[axis].y))
          d.2 = d.2.accumulating(cells, Lanes(repeating: -rows[axis].z))
        }
        let square = (d.0 * d.0).accumulating(d.1, d.1).accumulating(d.2, d.2)
        store8(d.0, target + j)
        store8(d.1, target + stride + j)
        store8(d.2, target + 2 * stride + j)
        store8(square.squareRoot(), target + 3 * stride + j)
      }
    }
  }

  private static func longestDifference(_ structure: Structure) -> Double {
    let rows = (0..<3).map {
      structure.periodicity[$0] ? 0.5 * structure.lattice.vectors[$0] : .zero
    }
    // The longest half diagonal of the cell.
    var longest = 0.0
    for (b, c) in [(1.0, 1.0), (1, -1), (-1, 1), (-1, -1)] {
      longest = max(longest, (rows[0] + b * rows[1] + c * rows[2]).length)
    }
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
    return longest
  }
}
