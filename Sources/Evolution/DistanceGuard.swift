import Crystal
import NumericalCore

/// Quick checks of minimum distances while a child is being built: the shifts of the lattice that can
/// matter are listed once, a check of one pair allocates nothing.
struct DistanceGuard {
  let vectors: Matrix3
  let inverse: Matrix3
  private let shifts: [Vector3]
  private let squaredLimits: [Double]
  private let limits: [Double]
  private let speciesCount: Int

  /// Prepares the checks.
  ///
  /// - Parameters:
  ///   - lattice: The child's lattice; the checks are fast where it is reduced.
  ///   - elements: The elements, in the order by which the checks name them.
  ///   - minimum: The shortest allowed distances.
  init(lattice: Lattice, elements: [ChemicalElement], minimum: MinimumDistances) {
    vectors = lattice.vectors
    inverse = lattice.inverse
    speciesCount = elements.count
    var limits: [Double] = []
    for a in elements { for b in elements { limits.append(minimum[a, b]) } }
    self.limits = limits
    squaredLimits = limits.map { $0 * $0 }
    let reach = limits.max() ?? 0
    let heights = lattice.heights
    // A difference wrapped to [−½, ½] and shifted by n cells is at least (|n| − ½) heights long.
    let range = heights.map { min(8, (reach / $0 + 0.5).rounded(.down)) }
    var shifts: [Vector3] = [.zero]
    for i in stride(from: -range.x, through: range.x, by: 1) {
      for j in stride(from: -range.y, through: range.y, by: 1) {
        for k in stride(from: -range.z, through: range.z, by: 1) where i != 0 || j != 0 || k != 0 {
          shifts.append(i * vectors.a + j * vectors.b + k * vectors.c)
        }
      }
    }
    self.shifts = shifts
  }

  /// Whether an atom keeps its distance from its own images.
  func allowsImages(of species: Int) -> Bool {
    let limit = squaredLimits[species * speciesCount + species]
    for shift in shifts.dropFirst() where shift.squaredLength < limit { return false }
    return true
  }

  /// Whether two different atoms at Cartesian positions, with all their images, are far enough apart.
  func allows(_ a: Vector3, _ speciesA: Int, _ b: Vector3, _ speciesB: Int) -> Bool {
    let difference = nearest(b - a)
    let limit = squaredLimits[speciesA * speciesCount + speciesB]
    for shift in shifts where (difference + shift).squaredLength < limit { return false }
    return true
  }

  /// The vector from one atom to the closest image of another.
  func shortest(from a: Vector3, to b: Vector3) -> Vector3 {
    let difference = nearest(b - a)
    var best = difference
    for shift in shifts.dropFirst() {
      let candidate = difference + shift
      if candidate.squaredLength < best.squaredLength { best = candidate }
    }
    return best
  }

  /// The smallest distance from a place to any atom, in units of the pair's limit.
  func room(
    at place: Vector3, _ element: Int, among positions: [Vector3], _ species: [Int]
  ) -> Double {
    var smallest = Double.infinity
    for (other, otherSpecies) in zip(positions, species) {
      let limit = limits[element * speciesCount + otherSpecies]
      guard limit > 0 else { continue }
      smallest = min(smallest, shortest(from: place, to: other).length / limit)
    }
    return smallest
  }

  /// Whether all distances are allowed.
  func allowsAll(_ positions: [Vector3], _ species: [Int]) -> Bool {
    for i in positions.indices {
      guard allowsImages(of: species[i]) else { return false }
      for j in 0..<i {
        guard allows(positions[j], species[j], positions[i], species[i]) else { return false }
      }
    }
    return true
  }

  /// Pushes atoms that are too close apart, each of a pair by half of what is missing and a little
  /// more, until all distances are allowed.
  ///
  /// - Returns: Whether that succeeded within the number of rounds.
  func separate(_ positions: inout [Vector3], _ species: [Int], rounds: Int) -> Bool {
    for element in Set(species) where !allowsImages(of: element) { return false }
    for _ in 0..<rounds {
      var violations = 0
      for i in positions.indices {
        for j in 0..<i {
          let d = shortest(from: positions[j], to: positions[i])
          let limit = limits[species[j] * speciesCount + species[i]]
          let length = d.length
          guard length < limit else { continue }
          violations += 1
          let direction = length > 1e-6 ? d / length : Vector3(1, 0, 0)
          let push = 0.5 * (limit - length) + 0.01
          positions[i] += push * direction
          positions[j] -= push * direction
        }
      }
      if violations == 0 { return true }
    }
    return allowsAll(positions, species)
  }

  private func nearest(_ difference: Vector3) -> Vector3 {
    var f = difference * inverse
    f.x -= f.x.rounded()
    f.y -= f.y.rounded()
    f.z -= f.z.rounded()
    return f * vectors
  }
}
