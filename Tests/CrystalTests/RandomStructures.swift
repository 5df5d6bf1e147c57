import Crystal
import NumericalCore

/// Random cells of every shape, for tests that must hold for all structures.
enum RandomStructures {
  /// All eight combinations of repeating directions.
  static let periodicities: [Periodicity] = (0..<8).map { bits in
    Periodicity(bits & 1 != 0, bits & 2 != 0, bits & 4 != 0)
  }

  /// A lattice with random lengths, handedness and skew, its volume not too small.
  static func lattice(
    _ random: inout RandomStream, lengths: ClosedRange<Double> = 2...8, skew: Double = 1
  ) -> Lattice {
    while true {
      func vector() -> Vector3 {
        random.uniform(lengths.lowerBound, lengths.upperBound) * random.unitVector()
      }
      var rows = Matrix3(rows: vector(), vector(), vector())
      let size = rows.a.length * rows.b.length * rows.c.length
      guard abs(rows.determinant) > 0.25 * size else { continue }
      if skew > 1 {
        let n = Double(random.integer(below: Int(2 * skew) + 1)) - skew.rounded(.down)
        let m = Double(random.integer(below: Int(2 * skew) + 1)) - skew.rounded(.down)
        rows.b += n * rows.a
        rows.c += m * rows.b
      }
      if let lattice = try? Lattice(rows) { return lattice }
    }
  }

  /// A structure with atoms in, near and far from its cell.
  static func structure(
    _ random: inout RandomStream, atoms: Int, elements: [ChemicalElement] = [.silicon, .oxygen],
    periodicity: Periodicity = .full, lengths: ClosedRange<Double> = 2...8, skew: Double = 1,
    spread: Double = 1
  ) throws -> Structure {
    let lattice = lattice(&random, lengths: lengths, skew: skew)
    let species = (0..<atoms).map { _ in elements[random.integer(below: elements.count)] }
    let fractional = (0..<atoms).map { _ in
      spread * (random.fractionalPoint() - Vector3(0.5, 0.5, 0.5))
    }
    return try Structure(
      lattice: lattice, periodicity: periodicity, species: species, fractionalPositions: fractional)
  }

  /// A random rotation, by Gram and Schmidt; improper where asked for.
  static func rotation(_ random: inout RandomStream, improper: Bool = false) -> Matrix3 {
    let a = random.unitVector()
    while true {
      let v = random.unitVector()
      let w = v - v.dot(a) * a
      guard w.length > 0.1 else { continue }
      let b = w / w.length
      let c = a.cross(b)
      return Matrix3(rows: a, b, improper ? -c : c)
    }
  }

  /// A crystal with the symmetry of a group in its conventional cell, 15 Å³ per atom: one orbit of each of
  /// three elements on general positions, atoms 0.8 Å apart at least.
  static func crystal(of group: SpaceGroup, _ random: inout RandomStream) throws -> Structure {
    // The mean of a lattice's metric over the rotations has the group's symmetry.
    let vectors = lattice(&random, lengths: 4...7).vectors
    let metric = vectors * vectors.transposed
    let mean =
      1 / Double(group.operations.count)
      * group.operations.reduce(Matrix3.zero) { sum, operation in
        sum + operation.rotation.matrix.transposed * metric * operation.rotation.matrix
      }
    let a = mean.a.x.squareRoot()
    let (bx, cx) = (mean.a.y / a, mean.a.z / a)
    let b = (mean.b.y - bx * bx).squareRoot()
    let cy = (mean.b.z - bx * cx) / b
    let c = (mean.c.z - cx * cx - cy * cy).squareRoot()
    let cell = Matrix3(rows: Vector3(a, 0, 0), Vector3(bx, b, 0), Vector3(cx, cy, c))
    let atoms = 3 * group.operations.count
    let scaled = try Lattice(cell).scaled(toVolume: 15 * Double(atoms))
    while true {
      let sites = (0..<3).map { _ in random.fractionalPoint() }
      let structure = try Structure(
        lattice: scaled,
        species: group.operations.flatMap { _ in
          [ChemicalElement.silicon, .oxygen, .titanium]
        },
        fractionalPositions: group.operations.flatMap { operation in
          sites.map { operation.applied(to: $0) }
        })
      if let distance = structure.shortestDistance(), distance > 0.8 { return structure }
    }
  }
}

extension ChemicalElement {
  static let silicon = ChemicalElement(symbol: "Si") ?? .unnamed(0)
  static let oxygen = ChemicalElement(symbol: "O") ?? .unnamed(1)
  static let titanium = ChemicalElement(symbol: "Ti") ?? .unnamed(2)
}

extension Structure {
  /// The crystal turned by an orthogonal matrix, r → r R.
  func rotated(by rotation: Matrix3) throws -> Structure {
    try Structure(
      lattice: Lattice(lattice.vectors * rotation), periodicity: periodicity, species: species,
      positions: positions.map { $0 * rotation })
  }

  /// The crystal with all atoms moved by a vector in Å.
  func translated(by shift: Vector3) -> Structure {
    replacing(positions: positions.map { $0 + shift })
  }

  /// The same crystal in a cell with other vectors M L, M whole numbers with determinant ±1.
  func inCell(_ multiples: Matrix3) throws -> Structure {
    try Structure(
      lattice: Lattice(multiples * lattice.vectors), periodicity: periodicity, species: species,
      positions: positions
    ).wrapped()
  }
}

/// Whole numbers with determinant ±1, a product of random shears and a swap.
func randomUnimodular(_ random: inout RandomStream, steps: Int = 4) -> Matrix3 {
  var m = Matrix3.identity
  for _ in 0..<steps {
    let i = random.integer(below: 3)
    let j = (i + 1 + random.integer(below: 2)) % 3
    m[i] += (random.uniform() < 0.5 ? 1 : -1) * m[j]
  }
  if random.uniform() < 0.5 { (m.a, m.b) = (m.b, m.a) }
  return m
}

/// Absolute and relative bounds for numbers that differ by rounding alone.
enum Tolerance {
  /// Some hundred units in the last place of numbers near ten.
  static let roundoff = 1e-12
}
