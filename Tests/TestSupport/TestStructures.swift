import Crystal
import NumericalCore

/// Structures made for tests.
public enum TestStructures {
  /// A rotation drawn uniformly, as a matrix R for r → r R.
  public static func randomRotation(_ stream: inout RandomStream) -> Matrix3 {
    let axis = stream.unitVector()
    // Rows: an orthonormal frame from two random directions.
    var second = stream.unitVector()
    second = second - axis.dot(second) * axis
    while second.length < 0.1 {
      second = stream.unitVector()
      second = second - axis.dot(second) * axis
    }
    let unit = second / second.length
    return Matrix3(rows: axis, unit, axis.cross(unit))
  }

  /// Atoms at random in a random triclinic cell, no two images closer than a distance.
  ///
  /// - Parameters:
  ///   - species: The atoms.
  ///   - volumePerAtom: In Å³.
  ///   - minimumDistance: In Å; about 0.7 of the cube root of the volume per atom is possible.
  ///   - seed: Which structure.
  /// - Returns: The crystal.
  /// - Throws: `CrystalError` where the lattice is singular, which no seed gives.
  public static func randomCrystal(
    _ species: [ChemicalElement], volumePerAtom: Double, minimumDistance: Double, seed: UInt64
  ) throws -> Structure {
    var stream = RandomStream(seed: seed, purpose: .test)
    while true {
      let lengths = Vector3(
        stream.uniform(0.7, 1.4), stream.uniform(0.7, 1.4), stream.uniform(0.7, 1.4))
      let angles = Vector3(
        stream.uniform(1.1, 2.0), stream.uniform(1.1, 2.0), stream.uniform(1.1, 2.0))
      guard let shape = try? Lattice(lengths: lengths, angles: angles),
        shape.volume > 0.3 * lengths.x * lengths.y * lengths.z
      else { continue }
      let lattice = try shape.scaled(toVolume: volumePerAtom * Double(species.count))
      if let positions = places(
        species.count, in: lattice, minimumDistance: minimumDistance, &stream)
      {
        return try Structure(lattice: lattice, species: species, fractionalPositions: positions)
      }
    }
  }

  /// The same structure with every coordinate moved by a normally distributed amount in Å.
  public static func rattled(_ structure: Structure, by width: Double, seed: UInt64) -> Structure {
    var stream = RandomStream(seed: seed, purpose: .test, slot: 1)
    return structure.replacing(
      positions: structure.positions.map {
        $0 + width * Vector3(stream.normal(), stream.normal(), stream.normal())
      })
  }

  /// The same structure under a random symmetric strain with components up to a size.
  ///
  /// - Throws: `CrystalError` where the strain flattens the cell.
  public static func strained(
    _ structure: Structure, by size: Double, seed: UInt64
  ) throws -> Structure {
    var stream = RandomStream(seed: seed, purpose: .test, slot: 2)
    var strain = Matrix3.zero
    for row in 0..<3 {
      for column in 0..<3 { strain[row, column] = stream.uniform(-size, size) }
    }
    return try structure.strained(by: strain.symmetrized)
  }

  private static func places(
    _ count: Int, in lattice: Lattice, minimumDistance: Double, _ stream: inout RandomStream
  ) -> [Vector3]? {
    var places: [Vector3] = []
    for _ in 0..<200 * count {
      let candidate = stream.fractionalPoint()
      if (places + [candidate]).allSatisfy({
        shortestImage(candidate - $0, in: lattice, isSelf: $0 == candidate) >= minimumDistance
      }) {
        places.append(candidate)
        if places.count == count { return places }
      }
    }
    return nil
  }

  private static func shortestImage(
    _ difference: Vector3, in lattice: Lattice, isSelf: Bool
  ) -> Double {
    var shortest = Double.infinity
    for i in -2...2 {
      for j in -2...2 {
        for k in -2...2 where !(isSelf && i == 0 && j == 0 && k == 0) {
          let shifted = difference + Vector3(Double(i), Double(j), Double(k))
          shortest = min(shortest, lattice.cartesian(shifted).length)
        }
      }
    }
    return shortest
  }
}
