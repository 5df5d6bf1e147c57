import Crystal
import NumericalCore

/// Quick checks of minimum distances while a child is being built: the shifts of the lattice that can
/// matter are listed once, shortest first; a check of one pair allocates nothing.
struct DistanceGuard {
  let vectors: Matrix3
  let inverse: Matrix3
  private let shifts: [Vector3]
  private let shiftLengths: [Double]
  private let limits: [Double]
  private let speciesCount: Int

  /// Prepares the checks.
  ///
  /// - Parameters:
  ///   - lattice: The child's lattice; the checks are fast where it is reduced.
  ///   - elements: The elements, in the order by which the checks name them.
  ///   - minimum: The shortest allowed distances.
  init(lattice: Lattice, elements: [ChemicalElement], minimum: MinimumDistances) {
    let limits = elements.flatMap { a in elements.map { minimum[a, $0] } }
    self.init(lattice: lattice, speciesCount: elements.count, limits: limits)
  }

  /// Prepares the checks for a square table of limits in Å.
  init(lattice: Lattice, speciesCount: Int, limits: [Double]) {
    vectors = lattice.vectors
    inverse = lattice.inverse
    self.speciesCount = speciesCount
    self.limits = limits
    let reach = limits.max() ?? 0
    let heights = lattice.heights
    // A difference wrapped to [−½, ½] and shifted by n cells is at least (|n| − ½) heights long.
    let range = heights.map { min(8, (reach / $0 + 0.5).rounded(.down)) }
    var shifts: [(length: Double, shift: Vector3)] = []
    for i in stride(from: -range.x, through: range.x, by: 1) {
      for j in stride(from: -range.y, through: range.y, by: 1) {
        for k in stride(from: -range.z, through: range.z, by: 1) where i != 0 || j != 0 || k != 0 {
          let shift = i * vectors.a + j * vectors.b + k * vectors.c
          shifts.append((shift.length, shift))
        }
      }
    }
    shifts.sort { $0.length < $1.length }
    self.shifts = shifts.map(\.shift)
    shiftLengths = shifts.map(\.length)
  }

  /// Whether an atom keeps its distance from its own images.
  func allowsImages(of species: Int) -> Bool {
    guard let shortest = shiftLengths.first else { return true }
    return shortest >= limits[species * speciesCount + species]
  }

  /// Whether two different atoms at Cartesian positions, with all their images, are far enough apart.
  func allows(_ a: Vector3, _ speciesA: Int, _ b: Vector3, _ speciesB: Int) -> Bool {
    allows(fractionalDifference: (b - a) * inverse, speciesA, speciesB)
  }

  /// The same from a difference of fractional positions.
  func allows(fractionalDifference f: Vector3, _ speciesA: Int, _ speciesB: Int) -> Bool {
    let difference = nearest(f)
    let limit = limits[speciesA * speciesCount + speciesB]
    let square = limit * limit
    let own = difference.squaredLength
    if own < square { return false }
    // A shift longer than limit and difference together leads out of reach, and so do all after it.
    let reach = limit + own.squareRoot()
    for index in shifts.indices {
      if shiftLengths[index] >= reach { return true }
      if (difference + shifts[index]).squaredLength < square { return false }
    }
    return true
  }

  /// The vector from one atom to the closest image of another.
  func shortest(from a: Vector3, to b: Vector3) -> Vector3 {
    let difference = nearest((b - a) * inverse)
    var best = difference
    let own = difference.length
    var least = own
    for index in shifts.indices {
      // A shift longer than both together leads farther away, and so do all after it.
      if shiftLengths[index] > own + least { break }
      let candidate = difference + shifts[index]
      let length = candidate.length
      if length < least { (best, least) = (candidate, length) }
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
    guard species.allSatisfy(allowsImages) else { return false }
    // Pairs are counted as they are met; a pair need not be met again before one of its atoms moves.
    let pairCount = positions.count * (positions.count - 1) / 2
    var lastMove = [Int](repeating: 0, count: positions.count)
    var now = 0
    for _ in 0..<rounds {
      var violations = 0
      for i in positions.indices {
        for j in 0..<i {
          now += 1
          // Nearly all pairs are far enough apart, which is quicker to see than the closest image.
          guard max(lastMove[i], lastMove[j]) >= now - pairCount,
            !allows(positions[j], species[j], positions[i], species[i])
          else { continue }
          let d = shortest(from: positions[j], to: positions[i])
          let limit = limits[species[j] * speciesCount + species[i]]
          let length = d.length
          violations += 1
          let direction = length > 1e-6 ? d / length : Vector3(1, 0, 0)
          let push = 0.5 * (limit - length) + 0.01
          positions[i] += push * direction
          positions[j] -= push * direction
          (lastMove[i], lastMove[j]) = (now, now)
        }
      }
      if violations == 0 { return true }
    }
    return allowsAll(positions, species)
  }

  // Ties to even: one instruction, where ties away from zero are a call.
  private func nearest(_ difference: Vector3) -> Vector3 {
    var f = difference
    f.x -= f.x.rounded(.toNearestOrEven)
    f.y -= f.y.rounded(.toNearestOrEven)
    f.z -= f.z.rounded(.toNearestOrEven)
    return f * vectors
  }
}
