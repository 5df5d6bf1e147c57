import Crystal
import NumericalCore

/// The atoms of a structure sorted into orbits of a group of symmetry operations: one atom of each
/// orbit and the operations make all the others.
package struct SiteOrbits {
  /// Atoms that the operations take into each other.
  package struct Orbit {
    /// The atoms; the first stands for all.
    package let members: [Int]
    /// For every member, an operation that takes the first atom there.
    package let makers: [Int]
    /// Operations that leave the first atom where it is.
    package let stabilizer: [Int]
    /// The first atom's fractional position, exactly fixed by its stabilizer.
    package internal(set) var position: Vector3
  }

  package let operations: [SymmetryOperation]
  package private(set) var orbits: [Orbit]

  /// Sorts the atoms; `nil` where an operation does not map atoms on like atoms.
  ///
  /// - Parameters:
  ///   - structure: A bulk crystal.
  ///   - operations: A group, modulo lattice translations, that maps the structure on itself.
  ///   - tolerance: How far in Å an image may lie from its atom.
  package init?(_ structure: Structure, _ operations: [SymmetryOperation], tolerance: Double) {
    let positions = structure.fractionalPositions()
    let vectors = structure.lattice.vectors
    var images: [[Int]] = []
    for operation in operations {
      var row: [Int] = []
      for (atom, position) in positions.enumerated() {
        let image = operation.applied(to: position)
        guard
          let found = positions.indices.first(where: { other in
            structure.species[other] == structure.species[atom]
              && (Self.nearest(image - positions[other]) * vectors).length < tolerance
          })
        else { return nil }
        row.append(found)
      }
      images.append(row)
    }
    self.operations = operations
    orbits = []
    var isSorted = Array(repeating: false, count: positions.count)
    for first in positions.indices where !isSorted[first] {
      var members: [Int] = []
      var makers: [Int] = []
      var stabilizer: [Int] = []
      for (index, row) in images.enumerated() {
        if row[first] == first { stabilizer.append(index) }
        guard !isSorted[row[first]] else { continue }
        isSorted[row[first]] = true
        members.append(row[first])
        makers.append(index)
      }
      // The identity comes first, or the first atom would not stand for the others.
      guard members.first == first else { return nil }
      // The mean over the stabilizer is fixed by it: every image is taken to its copy next to the atom.
      let origin = positions[first]
      var mean = Vector3.zero
      for index in stabilizer {
        mean += Self.nearest(operations[index].applied(to: origin) - origin)
      }
      orbits.append(
        Orbit(
          members: members, makers: makers, stabilizer: stabilizer,
          position: origin + mean / Double(stabilizer.count)))
    }
  }

  /// The part of a displacement, in fractions of the cell, that keeps the site symmetry of an orbit.
  func allowed(_ displacement: Vector3, of orbit: Int) -> Vector3 {
    let stabilizer = orbits[orbit].stabilizer
    var sum = Vector3.zero
    for index in stabilizer { sum += operations[index].rotation.matrix * displacement }
    return sum / Double(stabilizer.count)
  }

  /// Whether the atoms of an orbit can move at all.
  func canMove(_ orbit: Int) -> Bool {
    let directions = [Vector3(1, 0, 0), Vector3(0, 1, 0), Vector3(0, 0, 1)]
    return directions.contains { allowed($0, of: orbit).squaredLength > 1e-12 }
  }

  /// Moves an orbit by a displacement that keeps its site symmetry.
  mutating func move(_ orbit: Int, by displacement: Vector3) {
    orbits[orbit].position += displacement
  }

  /// The fractional positions of an orbit's members, in their order.
  package func positions(of orbit: Int) -> [Vector3] {
    orbits[orbit].makers.map { operations[$0].applied(to: orbits[orbit].position) }
  }

  /// The lattice that the group leaves invariant and that is closest to another one: the mean of the
  /// metrics W^T G W.
  package func symmetrized(_ lattice: Lattice) -> Lattice? {
    let metric = lattice.vectors * lattice.vectors.transposed
    var sum = Matrix3.zero
    for operation in operations {
      let w = operation.rotation.matrix
      sum = sum + w.transposed * metric * w
    }
    return Self.lattice(metric: (1 / Double(operations.count)) * sum)
  }

  /// Lattice vectors, a along x and b in the xy plane, with the given products G_ij = a_i · a_j.
  private static func lattice(metric g: Matrix3) -> Lattice? {
    guard g.a.x > 0 else { return nil }
    let ax = g.a.x.squareRoot()
    let bx = g.a.y / ax
    let by2 = g.b.y - bx * bx
    guard by2 > 0 else { return nil }
    let by = by2.squareRoot()
    let cx = g.a.z / ax
    let cy = (g.b.z - bx * cx) / by
    let cz2 = g.c.z - cx * cx - cy * cy
    guard cz2 > 0 else { return nil }
    return try? Lattice(
      Matrix3(rows: Vector3(ax, 0, 0), Vector3(bx, by, 0), Vector3(cx, cy, cz2.squareRoot())))
  }

  private static func nearest(_ difference: Vector3) -> Vector3 {
    difference.map { $0 - $0.rounded() }
  }
}

/// Groups of symmetry operations modulo lattice translations.
package enum SymmetrySubgroup {
  /// The group that a few operations generate.
  ///
  /// - Parameters:
  ///   - generators: Indices into the operations.
  ///   - operations: A whole group, the identity first.
  /// - Returns: Indices in ascending order, the identity first.
  /// - Complexity: O(order of the subgroup × generators × order of the group)
  package static func generated(by generators: [Int], in operations: [SymmetryOperation]) -> [Int] {
    var members = [0]
    var isMember = Array(repeating: false, count: operations.count)
    isMember[0] = true
    var next = 0
    while next < members.count {
      for generator in generators {
        let product = index(
          of: operations[generator], after: operations[members[next]], in: operations)
        // Rounding of translations may hide a product; the group is then a little smaller.
        guard let product, !isMember[product] else { continue }
        isMember[product] = true
        members.append(product)
      }
      next += 1
    }
    return members.sorted()
  }

  /// The operation x → W₂ (W₁ x + w₁) + w₂, up to a lattice translation.
  private static func index(
    of second: SymmetryOperation, after first: SymmetryOperation, in operations: [SymmetryOperation]
  ) -> Int? {
    let translation = second.applied(to: first.translation)
    return operations.firstIndex { candidate in
      let difference = (candidate.translation - translation).map { $0 - $0.rounded() }
      guard difference.squaredLength < 1e-4 else { return false }
      for column in 0..<3 {
        for row in 0..<3 {
          var sum = 0
          for k in 0..<3 { sum += second.rotation[row, k] * first.rotation[k, column] }
          if sum != candidate.rotation[row, column] { return false }
        }
      }
      return true
    }
  }
}
