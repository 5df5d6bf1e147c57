import Crystal
import NumericalCore

/// The lattice vectors within a radius, shortest first in steps of a shell, component by component and
/// padded for vector loads: the images that the pair sums of classical potentials run over.
struct LatticeTranslations {
  /// All of them; the first is the null vector.
  let all: Shells
  /// One of T and −T, without the null vector: what an atom sees of its own images.
  let half: Shells

  /// Lattice vectors sorted into shells.
  struct Shells {
    /// x components in Å, then y, then z, each in a row with padding.
    let components: [Double]
    /// From one row to the next.
    let stride: Int
    // Where each shell ends.
    private let ends: [Int32]
    private let perLength: Double

    fileprivate init(
      _ entries: UnsafePointer<Entry>, _ count: Int, shellCount: Int, perLength: Double
    ) {
      let stride = (count / LatticeTranslations.width + 2) * LatticeTranslations.width
      self.stride = stride
      self.perLength = perLength
      var ends = [Int32](repeating: 0, count: shellCount + 1)
      components = [Double](unsafeUninitializedCapacity: 3 * stride) { target, used in
        used = 3 * stride
        ends.withUnsafeMutableBufferPointer { ends in
          for n in 0..<count { ends[Int(entries[n].shell) &+ 1] &+= 1 }
          for shell in 0..<shellCount { ends[shell &+ 1] &+= ends[shell] }
          // The start of each shell moves on to its end.
          for n in 0..<count {
            let shell = Int(entries[n].shell)
            let place = Int(ends[shell])
            ends[shell] &+= 1
            target[place] = entries[n].vector.x
            target[stride &+ place] = entries[n].vector.y
            target[2 &* stride &+ place] = entries[n].vector.z
          }
        }
        for row in 0..<3 {
          for place in count..<stride {
            target[row * stride + place] = LatticeTranslations.farAway
          }
        }
      }
      self.ends = ends
    }

    /// How many vectors there are up to the end of the shell that a length in Å lies in: none that is
    /// no longer is left out.
    @inline(__always)
    func count(within length: Double) -> Int {
      let shell = length * perLength
      let last = ends.count &- 2
      return Int(ends[shell < Double(last) ? max(0, Int(shell)) : last])
    }
  }

  fileprivate struct Entry {
    let vector: Vector3
    let shell: Int32
  }

  /// How many entries a vector load takes at once.
  static let width = 8
  /// A coordinate of the padding in Å: beyond every cutoff, and inverse powers stay finite.
  private static let farAway = 1e8
  /// The thickness of a shell in Å.
  private static let thickness = 0.125
  private static let largestShellCount = 1000.0

  /// Lists the lattice vectors no longer than a radius in Å.
  ///
  /// - Parameters:
  ///   - lattice: The lattice.
  ///   - periodicity: Vectors run along the repeating directions only.
  ///   - radius: The largest length in Å.
  init(of lattice: Lattice, periodicity: Periodicity, within radius: Double) {
    let radius = max(radius, Self.thickness)
    let shells = min((radius / Self.thickness).rounded(.up) + 1, Self.largestShellCount)
    let perLength = (shells - 1) / radius
    let rows = lattice.vectors
    let limit = radius * radius
    // |n_a| ≤ R |a*| with the reciprocal vectors as the columns of the inverse; with directions left
    // out the bound only gets looser.
    let inverse = lattice.inverse.transposed
    let n1 = periodicity.a ? Int(radius * inverse.a.length) : 0
    let n2 = periodicity.b ? Int(radius * inverse.b.length) : 0
    let cc = rows.c.squaredLength
    // Along c no more than fit into the diameter.
    let n3 = periodicity.c ? Int(2 * radius / rows.c.length) + 1 : 1
    let capacity = (2 * n1 + 1) * (2 * n2 + 1) * n3
    (all, half) = withUnsafeTemporaryAllocation(of: Entry.self, capacity: 2 * capacity) { memory in
      guard let entries = memory.baseAddress else { preconditionFailure("room for one at least") }
      let positive = entries + capacity
      var (count, positiveCount) = (0, 0)
      for i in -n1...n1 {
        for j in -n2...n2 {
          let base = Double(i) * rows.a + Double(j) * rows.b
          // |base + k c|² ≤ R² bounds k from both sides.
          let middle = -base.dot(rows.c) / cc
          let discriminant = middle * middle - (base.squaredLength - limit) / cc
          guard discriminant >= 0 else { continue }
          let half = discriminant.squareRoot()
          let low = periodicity.c ? Int((middle - half).rounded(.up)) : 0
          let high = periodicity.c ? Int((middle + half).rounded(.down)) : 0
          guard low <= high else { continue }
          for k in low...high {
            let vector = base + Double(k) * rows.c
            let squaredLength = vector.squaredLength
            guard squaredLength <= limit else { continue }
            let entry = Entry(
              vector: vector, shell: Int32(squaredLength.squareRoot() * perLength))
            (entries + count).initialize(to: entry)
            count &+= 1
            if i > 0 || (i == 0 && (j > 0 || (j == 0 && k > 0))) {
              (positive + positiveCount).initialize(to: entry)
              positiveCount &+= 1
            }
          }
        }
      }
      return (
        Shells(entries, count, shellCount: Int(shells), perLength: perLength),
        Shells(positive, positiveCount, shellCount: Int(shells), perLength: perLength)
      )
    }
  }
}
