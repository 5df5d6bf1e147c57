import Crystal
import NumericalCore

/// Finds the Wyckoff positions of a space group from its operations.
///
/// All fixed points, lines and planes pass through points of a grid in the conventional cell: eighths
/// of its edges, or twelfths where the axes are hexagonal, because the operations' translations are
/// multiples of 1/4 (1/6 in hexagonal axes) and solving (1 − W) x = w divides by at most 2 more on
/// the way to some point of the set. So one pass over the grid, orbit by orbit, sees every site
/// symmetry: the points it fixes, the axes through it, the mirrors through it. Two sets are one position
/// where an operation maps one on the other.
struct WyckoffDerivation {
  typealias Vector = SIMD3<Int32>

  /// One operation per element of the point group; the identity first.
  let operations: [GridOperation]
  /// The translations of the centred cell, the null vector first.
  let centrings: [Vector]
  /// Grid steps per cell edge.
  let steps: Int32
  private(set) var found: [WyckoffPosition] = []

  private let isCentring: [Bool]
  private var isVisited: [Bool]
  /// Known lines and planes: a truth value for every direction and grid point or height.
  private var isKnownLine: [Bool] = []
  private var isKnownPlane: [Bool] = []
  private var directions: [Vector] = []

  init(_ group: SpaceGroup) {
    let steps: Int32 = (143...194).contains(group.number) ? 12 : 8
    self.steps = steps
    var shifts: [Vector] = []
    var representatives = [GridOperation.identity]
    for operation in group.operations {
      let o = GridOperation(operation, steps: steps)
      if o.hasSameRotation(as: .identity) {
        shifts.append(Self.wrapped(o.translation, steps))
      } else if !representatives.contains(where: { $0.hasSameRotation(as: o) }) {
        representatives.append(o)
      }
    }
    shifts.sort { ($0.x, $0.y, $0.z) < ($1.x, $1.y, $1.z) }
    precondition(shifts.first == .zero, "the identity is among the operations")
    operations = representatives
    centrings = shifts
    var isCentring = [Bool](repeating: false, count: Int(steps * steps * steps))
    for shift in shifts { isCentring[Self.place(shift, steps)] = true }
    self.isCentring = isCentring
    isVisited = [Bool](repeating: false, count: isCentring.count)
  }

  /// Looks at every grid point once.
  mutating func run() {
    for i in 0..<steps {
      for j in 0..<steps {
        for k in 0..<steps {
          let point = Vector(i, j, k)
          guard !isVisited[place(point)] else { continue }
          let stabilizer = visitOrbit(of: point)
          if stabilizer.count > 1 { addPositions(through: point, stabilizer) }
        }
      }
    }
    add(origin: .zero, Vector.units)
  }

  /// Marks the orbit and returns the operations that fix the point up to a lattice translation.
  private mutating func visitOrbit(of point: Vector) -> [Int] {
    var stabilizer: [Int] = []
    for (index, operation) in operations.enumerated() {
      let image = operation.apply(point)
      if isCentring[place(image &- point)] { stabilizer.append(index) }
      for shift in centrings { isVisited[place(image &+ shift)] = true }
    }
    return stabilizer
  }

  private mutating func addPositions(through point: Vector, _ stabilizer: [Int]) {
    // The dimension of the fixed space is the mean trace.
    let traces = stabilizer.reduce(0) { $0 + operations[$1].trace }
    if traces == 0 { add(origin: point, []) }
    for index in stabilizer.dropFirst() {
      let operation = operations[index]
      if operation.determinant == 1 {
        addLine(through: point, along: operation.axis)
      } else if operation.trace == 1 {
        let (u, v) = operation.mirrorBasis
        addPlane(through: point, u, v)
      }
    }
  }

  private mutating func addLine(through point: Vector, along direction: Vector) {
    let key = lineKey(point, direction)
    guard !isKnownLine[key] else { return }
    for operation in operations {
      let image = operation.apply(point)
      let turned = operation.rotate(direction).primitiveDirection
      for shift in centrings {
        let key = lineKey(image &+ shift, turned)
        isKnownLine[key] = true
      }
    }
    add(origin: point, [direction])
  }

  private mutating func addPlane(through point: Vector, _ u: Vector, _ v: Vector) {
    let key = planeKey(point, u.cross(v).primitiveDirection)
    guard !isKnownPlane[key] else { return }
    for operation in operations {
      let image = operation.apply(point)
      let normal = operation.rotate(u).cross(operation.rotate(v)).primitiveDirection
      for shift in centrings {
        let key = planeKey(image &+ shift, normal)
        isKnownPlane[key] = true
      }
    }
    add(origin: point, [u, v])
  }

  private mutating func add(origin: Vector, _ directions: [Vector]) {
    // Operations that agree on a point in general position of the set agree on all of it. The step away
    // from the origin lies along no special direction, and is turned without a translation.
    var generic = Vector.zero
    for (direction, weight) in zip(directions, [1, 5, 17] as [Int32]) {
      generic = generic &+ weight &* direction
    }
    var images: [Int] = []
    var known: [(place: Int, step: Vector)] = []
    for (index, operation) in operations.enumerated() {
      let (image, step) = (operation.apply(origin), operation.rotate(generic))
      let lowest = centrings.reduce(Int.max) { min($0, place(image &+ $1)) }
      guard !known.contains(where: { $0.place == lowest && $0.step == step }) else { continue }
      known.append((lowest, step))
      images.append(index)
    }
    found.append(
      WyckoffPosition(
        multiplicity: images.count, dimension: directions.count,
        origin: origin.scaled(by: 1 / Double(steps)),
        directions: directions.map { $0.scaled(by: 1) }, images: images))
  }

  // A line meets the plane where a coordinate is zero: crystallographic axes have a component ±1.
  private mutating func lineKey(_ point: Vector, _ direction: Vector) -> Int {
    let axis = abs(direction.x) == 1 ? 0 : (abs(direction.y) == 1 ? 1 : 2)
    precondition(abs(direction[axis]) == 1, "an axis of symmetry has a component 1 or −1")
    let start = point &- (point[axis] &* direction[axis]) &* direction
    return number(of: direction) * isCentring.count + place(start)
  }

  private mutating func planeKey(_ point: Vector, _ normal: Vector) -> Int {
    let height = normal.dot(point) % steps
    return number(of: normal) * Int(steps) + Int(height < 0 ? height + steps : height)
  }

  // Lines and planes share the list of directions: each has room for all.
  private mutating func number(of direction: Vector) -> Int {
    if let known = directions.firstIndex(of: direction) { return known }
    directions.append(direction)
    isKnownLine += [Bool](repeating: false, count: isCentring.count)
    isKnownPlane += [Bool](repeating: false, count: Int(steps))
    return directions.count - 1
  }

  private func place(_ v: Vector) -> Int { Self.place(Self.wrapped(v, steps), steps) }

  private static func place(_ v: Vector, _ steps: Int32) -> Int {
    Int((v.x &* steps &+ v.y) &* steps &+ v.z)
  }

  private static func wrapped(_ v: Vector, _ steps: Int32) -> Vector {
    func wrapped(_ x: Int32) -> Int32 {
      let r = x % steps
      return r < 0 ? r &+ steps : r
    }
    return Vector(wrapped(v.x), wrapped(v.y), wrapped(v.z))
  }

  /// Three vectors of the primitive lattice, rows in units of the conventional vectors.
  func primitiveBasis() -> Matrix3 {
    var candidates: [Vector] = []
    for shift in centrings.dropFirst() {
      for i in [0, -steps] {
        for j in [0, -steps] {
          for k in [0, -steps] { candidates.append(shift &+ Vector(i, j, k)) }
        }
      }
    }
    candidates += Vector.units.map { steps &* $0 }
    let wanted = steps * steps * steps / Int32(centrings.count)
    for (i, a) in candidates.enumerated() {
      for (j, b) in candidates.enumerated().dropFirst(i + 1) {
        for c in candidates.dropFirst(j + 1) where abs(a.dot(b.cross(c))) == wanted {
          let scale = 1 / Double(steps)
          return Matrix3(rows: a.scaled(by: scale), b.scaled(by: scale), c.scaled(by: scale))
        }
      }
    }
    preconditionFailure("the centring vectors and the cell's vectors generate the lattice")
  }
}
