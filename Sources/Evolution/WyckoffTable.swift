import Crystal
import NumericalCore

/// A set of symmetry-equivalent positions of a space group: the points that one site symmetry fixes
/// (a point, a line, a plane or all of space) and the operations that make the other images.
struct WyckoffPosition: Sendable {
  /// Images in the **primitive** cell.
  let multiplicity: Int
  /// Free coordinates of the position, 0 … 3.
  let dimension: Int
  /// A point of the position, fractional in the conventional cell.
  let origin: Vector3
  /// The directions in which a point may move, fractional in the conventional cell.
  let directions: [Vector3]
  /// One operation per image, by index into the group's operations; the first is the identity.
  let images: [Int]
}

/// The Wyckoff positions of a space group, derived from its operations.
///
/// All fixed points, lines and planes pass through points whose coordinates are multiples of 1/24
/// of the conventional cell (translations are multiples of 1/12, and solving (1 − W) x = w divides by
/// at most 2 more on the way to a grid point of the set). So one pass over the 24³ grid points,
/// orbit by orbit, sees every site symmetry: the points it fixes, the axes through it, the mirrors
/// through it. Two sets are one position where an operation maps one on the other. Over the 230
/// groups this gives the 1731 positions of the International Tables.
struct WyckoffTable: Sendable {
  /// An operation x → W x + w with w in 24ths.
  struct GridOperation: Sendable, Hashable {
    var rotation: [Int]
    var translation: SIMD3<Int>

    func rotate(_ v: SIMD3<Int>) -> SIMD3<Int> {
      SIMD3(
        rotation[0] &* v.x &+ rotation[1] &* v.y &+ rotation[2] &* v.z,
        rotation[3] &* v.x &+ rotation[4] &* v.y &+ rotation[5] &* v.z,
        rotation[6] &* v.x &+ rotation[7] &* v.y &+ rotation[8] &* v.z)
    }

    func apply(_ v: SIMD3<Int>) -> SIMD3<Int> { rotate(v) &+ translation }

    var trace: Int { rotation[0] + rotation[4] + rotation[8] }

    var determinant: Int {
      let r = rotation
      return r[0] * (r[4] * r[8] - r[5] * r[7]) - r[1] * (r[3] * r[8] - r[5] * r[6])
        + r[2] * (r[3] * r[7] - r[4] * r[6])
    }

    var isIdentityRotation: Bool { rotation == [1, 0, 0, 0, 1, 0, 0, 0, 1] }
  }

  static let grid = 24

  /// One operation per element of the point group; the identity first.
  let operations: [GridOperation]
  /// The translations of the centred cell in 24ths, the null vector first.
  let centrings: [SIMD3<Int>]
  /// The positions, by growing multiplicity, those with fewer free coordinates first.
  let positions: [WyckoffPosition]

  /// Derives the positions.
  ///
  /// - Parameter allOperations: All operations of the conventional cell, centrings included.
  init(allOperations: [GridOperation]) {
    var builder = WyckoffBuilder(allOperations)
    builder.scanGrid()
    operations = builder.operations
    centrings = builder.centrings
    positions = builder.found.enumerated().sorted {
      ($0.element.multiplicity, $0.element.dimension, $0.offset)
        < ($1.element.multiplicity, $1.element.dimension, $1.offset)
    }.map(\.element)
  }

  /// Derives the positions of a space group in its default setting.
  init(_ group: SpaceGroup) {
    self.init(
      allOperations: group.operations.map { operation in
        let r = operation.rotation
        let w = operation.translation.map { ($0 * Double(Self.grid)).rounded() }
        return GridOperation(
          rotation: [r.a.x, r.a.y, r.a.z, r.b.x, r.b.y, r.b.z, r.c.x, r.c.y, r.c.z],
          translation: SIMD3(Int(w.x), Int(w.y), Int(w.z)))
      })
  }

  /// Lattice points per conventional cell.
  var cellsPerConventionalCell: Int { centrings.count }

  /// The image of a fractional position of the conventional cell under one operation.
  func image(_ operation: Int, of x: Vector3) -> Vector3 {
    let o = operations[operation]
    let r = o.rotation
    let scale = 1 / Double(Self.grid)
    return Vector3(
      Double(r[0]) * x.x + Double(r[1]) * x.y + Double(r[2]) * x.z
        + scale * Double(o.translation.x),
      Double(r[3]) * x.x + Double(r[4]) * x.y + Double(r[5]) * x.z
        + scale * Double(o.translation.y),
      Double(r[6]) * x.x + Double(r[7]) * x.y + Double(r[8]) * x.z
        + scale * Double(o.translation.z))
  }

  /// Three vectors of the primitive lattice, rows in units of the conventional vectors.
  func primitiveBasis() -> Matrix3 {
    let n = Self.grid
    var candidates: [SIMD3<Int>] = []
    for c in centrings.dropFirst() {
      for i in [0, -n] {
        for j in [0, -n] { for k in [0, -n] { candidates.append(c &+ SIMD3(i, j, k)) } }
      }
    }
    candidates += [SIMD3(n, 0, 0), SIMD3(0, n, 0), SIMD3(0, 0, n)]
    let wanted = n * n * n / centrings.count
    for (i, a) in candidates.enumerated() {
      for (j, b) in candidates.enumerated().dropFirst(i + 1) {
        for c in candidates.dropFirst(j + 1) {
          let d =
            a.x * (b.y * c.z - b.z * c.y) - a.y * (b.x * c.z - b.z * c.x)
            + a.z * (b.x * c.y - b.y * c.x)
          if abs(d) == wanted {
            func vector(_ v: SIMD3<Int>) -> Vector3 {
              Vector3(Double(v.x), Double(v.y), Double(v.z)) / Double(n)
            }
            return Matrix3(rows: vector(a), vector(b), vector(c))
          }
        }
      }
    }
    preconditionFailure("the centring vectors and the cell's vectors generate the lattice")
  }
}

/// The working state of the derivation.
private struct WyckoffBuilder {
  typealias Operation = WyckoffTable.GridOperation

  let operations: [Operation]
  let centrings: [SIMD3<Int>]
  var found: [WyckoffPosition] = []
  private var visitedPoints: [Bool]
  private var knownLines: Set<Int> = []
  private var knownPlanes: Set<Int> = []
  private let n = WyckoffTable.grid

  init(_ all: [Operation]) {
    let grid = WyckoffTable.grid
    func wrapped(_ v: SIMD3<Int>) -> SIMD3<Int> {
      SIMD3(
        ((v.x % grid) + grid) % grid, ((v.y % grid) + grid) % grid, ((v.z % grid) + grid) % grid)
    }
    var shifts: [SIMD3<Int>] = []
    var representatives: [Operation] = []
    for operation in all {
      let t = wrapped(operation.translation)
      if operation.isIdentityRotation {
        shifts.append(t)
      } else if !representatives.contains(where: { $0.rotation == operation.rotation }) {
        representatives.append(Operation(rotation: operation.rotation, translation: t))
      }
    }
    shifts.sort { ($0.x, $0.y, $0.z) < ($1.x, $1.y, $1.z) }
    precondition(shifts.first == .zero, "the identity is among the operations")
    centrings = shifts
    operations =
      [Operation(rotation: [1, 0, 0, 0, 1, 0, 0, 0, 1], translation: .zero)] + representatives
    visitedPoints = Array(repeating: false, count: grid * grid * grid)
  }

  mutating func scanGrid() {
    for i in 0..<n {
      for j in 0..<n {
        for k in 0..<n where !visitedPoints[(i * n + j) * n + k] {
          let point = SIMD3(i, j, k)
          let stabilizer = visitOrbit(of: point)
          if stabilizer.count > 1 { addPositions(through: point, stabilizer) }
        }
      }
    }
    add(origin: .zero, [SIMD3(1, 0, 0), SIMD3(0, 1, 0), SIMD3(0, 0, 1)])
  }

  /// Marks the orbit and returns the operations that fix the point up to a lattice translation.
  private mutating func visitOrbit(of point: SIMD3<Int>) -> [Int] {
    var stabilizer: [Int] = []
    for (index, operation) in operations.enumerated() {
      let image = operation.apply(point)
      if isLatticeVector(image &- point) { stabilizer.append(index) }
      for c in centrings {
        let w = wrapped(image &+ c)
        visitedPoints[(w.x * n + w.y) * n + w.z] = true
      }
    }
    return stabilizer
  }

  private mutating func addPositions(through point: SIMD3<Int>, _ stabilizer: [Int]) {
    // The dimension of the fixed space is the mean trace.
    let traces = stabilizer.reduce(0) { $0 + operations[$1].trace }
    if traces == 0 { add(origin: point, []) }
    for index in stabilizer where !operations[index].isIdentityRotation {
      let operation = operations[index]
      if operation.determinant == 1 {
        let direction = axis(of: operation)
        if knownLines.contains(lineKey(point, direction)) { continue }
        for other in operations {
          let image = other.apply(point)
          let turned = normalized(other.rotate(direction))
          for c in centrings { knownLines.insert(lineKey(image &+ c, turned)) }
        }
        add(origin: point, [direction])
      } else if operation.trace == 1 {
        let normal = mirrorNormal(of: operation)
        if knownPlanes.contains(planeKey(point, normal)) { continue }
        // The mirror of the image plane is g m g⁻¹; its normal is found from three points instead.
        let basis = mirrorBasis(of: operation)
        for other in operations {
          let image = other.apply(point)
          let turned = cross(other.rotate(basis[0]), other.rotate(basis[1]))
          for c in centrings { knownPlanes.insert(planeKey(image &+ c, normalized(turned))) }
        }
        add(origin: point, basis)
      }
    }
  }

  private mutating func add(origin: SIMD3<Int>, _ directions: [SIMD3<Int>]) {
    // Two operations give one image where they agree on the directions and, up to a lattice
    // translation, on the origin.
    var images: [Int] = []
    for (index, operation) in operations.enumerated() {
      let isNew = !images.contains { known in
        let other = operations[known]
        return directions.allSatisfy { other.rotate($0) == operation.rotate($0) }
          && isLatticeVector(other.apply(origin) &- operation.apply(origin))
      }
      if isNew { images.append(index) }
    }
    func vector(_ v: SIMD3<Int>, _ scale: Double) -> Vector3 {
      Vector3(Double(v.x) * scale, Double(v.y) * scale, Double(v.z) * scale)
    }
    found.append(
      WyckoffPosition(
        multiplicity: images.count, dimension: directions.count,
        origin: vector(origin, 1 / Double(n)), directions: directions.map { vector($0, 1) },
        images: images))
  }

  private func wrapped(_ v: SIMD3<Int>) -> SIMD3<Int> {
    SIMD3(((v.x % n) + n) % n, ((v.y % n) + n) % n, ((v.z % n) + n) % n)
  }

  private func isLatticeVector(_ v: SIMD3<Int>) -> Bool { centrings.contains(wrapped(v)) }

  private func lineKey(_ point: SIMD3<Int>, _ direction: SIMD3<Int>) -> Int {
    var lowest = Int.max
    var p = point
    for _ in 0..<n {
      let w = wrapped(p)
      lowest = min(lowest, (w.x * n + w.y) * n + w.z)
      p = p &+ direction
    }
    return lowest * 4096 + directionKey(direction)
  }

  private func planeKey(_ point: SIMD3<Int>, _ normal: SIMD3<Int>) -> Int {
    let height = normal.x * point.x + normal.y * point.y + normal.z * point.z
    return (((height % n) + n) % n) * 4096 + directionKey(normal)
  }

  private func directionKey(_ d: SIMD3<Int>) -> Int {
    ((d.x + 8) * 16 + (d.y + 8)) * 16 + d.z + 8
  }

  /// The smallest integer vector along ±v whose first component other than zero is positive.
  private func normalized(_ v: SIMD3<Int>) -> SIMD3<Int> {
    func divisor(_ a: Int, _ b: Int) -> Int { b == 0 ? abs(a) : divisor(b, a % b) }
    let common = divisor(divisor(v.x, v.y), v.z)
    let first = v.x != 0 ? v.x : (v.y != 0 ? v.y : v.z)
    let sign = first < 0 ? -1 : 1
    return SIMD3(sign * v.x / common, sign * v.y / common, sign * v.z / common)
  }

  private func cross(_ u: SIMD3<Int>, _ v: SIMD3<Int>) -> SIMD3<Int> {
    SIMD3(u.y * v.z - u.z * v.y, u.z * v.x - u.x * v.z, u.x * v.y - u.y * v.x)
  }

  /// The axis of a proper rotation: 1 + W + W² + … projects on it.
  private func axis(of operation: Operation) -> SIMD3<Int> {
    for unit in [SIMD3(1, 0, 0), SIMD3(0, 1, 0), SIMD3(0, 0, 1)] {
      var sum = SIMD3<Int>.zero
      var power = unit
      for _ in 0..<12 {
        sum = sum &+ power
        power = operation.rotate(power)
      }
      if sum != .zero { return normalized(sum) }
    }
    preconditionFailure("a rotation has an axis")
  }

  private func mirrorNormal(of operation: Operation) -> SIMD3<Int> {
    let basis = mirrorBasis(of: operation)
    return normalized(cross(basis[0], basis[1]))
  }

  /// Two vectors in the plane of a mirror: 1 + W projects on it.
  private func mirrorBasis(of operation: Operation) -> [SIMD3<Int>] {
    var basis: [SIMD3<Int>] = []
    for unit in [SIMD3(1, 0, 0), SIMD3(0, 1, 0), SIMD3(0, 0, 1)] {
      let projected = unit &+ operation.rotate(unit)
      guard projected != .zero else { continue }
      let candidate = normalized(projected)
      if basis.isEmpty || (basis.count == 1 && cross(basis[0], candidate) != .zero) {
        basis.append(candidate)
      }
    }
    return basis
  }
}
