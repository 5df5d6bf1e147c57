import Crystal
import NumericalCore

/// Atoms being placed orbit by orbit in one lattice; the memory serves again for the next.
struct OrbitPlacement {
  /// Fractional positions in the lattice's own vectors.
  private(set) var points: [Vector3] = []
  /// The species of every point, by its place in the composition.
  private(set) var species: [Int] = []
  private var orbit: [Vector3] = []
  /// The group's operations on fractional positions, rows, of the lattice: x' = x R + t.
  private var rotations: [Matrix3] = []
  private var translations: [Vector3] = []
  private var toLattice = Matrix3.identity

  /// Starts over in another lattice.
  ///
  /// - Parameters:
  ///   - table: The group's operations.
  ///   - conventional: The vectors of the conventional cell.
  ///   - lattice: A primitive cell of the same lattice.
  mutating func begin(_ table: WyckoffTable, conventional: Matrix3, lattice: Lattice) {
    let inverse = conventional.inverse ?? .identity
    toLattice = conventional * lattice.inverse
    let back = lattice.vectors * inverse
    let scale = 1 / Double(table.steps)
    rotations.removeAll(keepingCapacity: true)
    translations.removeAll(keepingCapacity: true)
    for operation in table.operations {
      rotations.append(back * operation.transposedRotation * toLattice)
      translations.append(operation.translation.scaled(by: scale) * toLattice)
    }
    clear()
  }

  /// Removes all atoms.
  mutating func clear() {
    points.removeAll(keepingCapacity: true)
    species.removeAll(keepingCapacity: true)
  }

  /// Places an orbit at a random point of a position, unless atoms come too close.
  ///
  /// What is there already has the full symmetry, so one atom of the new orbit stands for all of them.
  mutating func place(
    _ element: Int, on position: WyckoffPosition, _ distances: DistanceGuard,
    _ random: inout RandomStream
  ) -> Bool {
    let first = position.point(&random) * toLattice
    for index in points.indices {
      guard
        distances.allows(fractionalDifference: points[index] - first, species[index], element)
      else { return false }
    }
    orbit.removeAll(keepingCapacity: true)
    orbit.append(first)
    for operation in position.images.dropFirst() {
      let image = first * rotations[operation] + translations[operation]
      guard distances.allows(fractionalDifference: image - first, element, element) else {
        return false
      }
      orbit.append(image)
    }
    points += orbit
    for _ in orbit { species.append(element) }
    return true
  }

  /// The atoms as a structure, grouped by element; `nil` where a position is not finite.
  func structure(_ elements: [ChemicalElement], in lattice: Lattice) -> Structure? {
    let order = species.indices.sorted { (species[$0], $0) < (species[$1], $1) }
    return try? Structure(
      lattice: lattice, species: order.map { elements[species[$0]] },
      fractionalPositions: order.map { points[$0] })
  }
}
