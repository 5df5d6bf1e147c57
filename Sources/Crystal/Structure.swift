import NumericalCore

/// Which of the three lattice directions repeat.
public struct Periodicity: Sendable, Hashable {
  /// Whether a repeats.
  public var a: Bool
  /// Whether b repeats.
  public var b: Bool
  /// Whether c repeats.
  public var c: Bool

  /// Creates a periodicity.
  public init(_ a: Bool, _ b: Bool, _ c: Bool) {
    self.a = a
    self.b = b
    self.c = c
  }

  /// A bulk crystal.
  public static let full = Periodicity(true, true, true)
  /// A cluster.
  public static let none = Periodicity(false, false, false)

  /// Whether direction 0, 1 or 2 repeats.
  public subscript(axis: Int) -> Bool { axis == 0 ? a : (axis == 1 ? b : c) }

  /// How many directions repeat.
  public var count: Int { (a ? 1 : 0) + (b ? 1 : 0) + (c ? 1 : 0) }
}

/// Atoms in a cell.
///
/// The lattice always has three independent vectors; those of directions that do
/// not repeat only serve as axes.
public struct Structure: Sendable, Hashable {
  /// The lattice, in Å.
  public let lattice: Lattice
  /// Which directions repeat.
  public let periodicity: Periodicity
  /// The element of every atom.
  public let species: [ChemicalElement]
  /// The Cartesian position of every atom in Å; not necessarily inside the cell.
  public let positions: [Vector3]

  /// Creates a structure from Cartesian positions in Å.
  ///
  /// - Throws: `CrystalError.inconsistentStructure` where counts differ, there is no atom, or a position
  ///   is not finite.
  public init(
    lattice: Lattice, periodicity: Periodicity = .full, species: [ChemicalElement],
    positions: [Vector3]
  ) throws(CrystalError) {
    guard !species.isEmpty else { throw .inconsistentStructure("no atoms") }
    guard species.count == positions.count else {
      throw .inconsistentStructure("\(species.count) species but \(positions.count) positions")
    }
    if let bad = positions.firstIndex(where: { !$0.isFinite }) {
      throw .inconsistentStructure("the position of atom \(bad + 1) is not finite")
    }
    self.lattice = lattice
    self.periodicity = periodicity
    self.species = species
    self.positions = positions
  }

  /// Creates a structure from fractional positions.
  ///
  /// - Throws: `CrystalError.inconsistentStructure` as for Cartesian positions.
  public init(
    lattice: Lattice, periodicity: Periodicity = .full, species: [ChemicalElement],
    fractionalPositions: [Vector3]
  ) throws(CrystalError) {
    try self.init(
      lattice: lattice, periodicity: periodicity, species: species,
      positions: fractionalPositions.map(lattice.cartesian))
  }

  /// The number of atoms.
  public var atomCount: Int { species.count }

  /// The volume of the cell in Å³; meaningful for bulk crystals.
  public var volume: Double { lattice.volume }

  /// The volume per atom in Å³.
  public var volumePerAtom: Double { lattice.volume / Double(atomCount) }

  /// The fractional positions, not wrapped.
  ///
  /// - Complexity: O(N)
  public func fractionalPositions() -> [Vector3] { positions.map(lattice.fractional) }

  /// The elements that occur, by atomic number, each once.
  ///
  /// - Complexity: O(N log N)
  public func distinctElements() -> [ChemicalElement] { Set(species).sorted() }

  /// The atoms of each element, by atomic number.
  ///
  /// - Complexity: O(N log N)
  public func composition() -> Composition {
    let elements = distinctElements()
    let counts = elements.map { element in species.count { $0 == element } }
    guard let composition = try? Composition(elements, counts) else {
      // Elements are distinct, counts positive and atoms exist: the initializer cannot refuse.
      preconditionFailure("a structure always has a composition")
    }
    return composition
  }

  /// The structure with every atom moved into the cell along the repeating directions, fractional
  /// positions in [0, 1).
  public func wrapped() -> Structure {
    let moved = fractionalPositions().map { f in
      var w = f
      for axis in 0..<3 where periodicity[axis] {
        w[axis] -= w[axis].rounded(.down)
        if w[axis] >= 1 { w[axis] = 0 }
      }
      return lattice.cartesian(w)
    }
    return replacing(positions: moved)
  }

  /// The same atoms at other Cartesian positions in Å; their number must not change.
  public func replacing(positions: [Vector3]) -> Structure {
    precondition(positions.count == atomCount, "positions must match the atoms")
    return Structure(unchecked: lattice, periodicity, species, positions)
  }

  /// The same fractional positions in another lattice.
  public func replacing(lattice: Lattice) -> Structure {
    Structure(
      unchecked: lattice, periodicity, species, fractionalPositions().map(lattice.cartesian))
  }

  /// The structure after a homogeneous deformation r → r (1 + ε) of cell and atoms.
  ///
  /// - Throws: `CrystalError.singularLattice` where the deformation flattens the cell.
  public func strained(by strain: Matrix3) throws(CrystalError) -> Structure {
    let deformation = Matrix3.identity + strain
    return Structure(
      unchecked: try lattice.strained(by: strain), periodicity, species,
      positions.map { $0 * deformation })
  }

  /// The atoms in another order.
  ///
  /// - Parameter order: For each new place the old index.
  /// - Returns: The same structure otherwise.
  public func reordered(_ order: [Int]) -> Structure {
    precondition(order.sorted() == Array(0..<atomCount), "an order names every atom once")
    return Structure(
      unchecked: lattice, periodicity, order.map { species[$0] }, order.map { positions[$0] })
  }

  /// The structure with n₁ × n₂ × n₃ cells in one.
  public func supercell(_ n1: Int, _ n2: Int, _ n3: Int) -> Structure {
    precondition(n1 > 0 && n2 > 0 && n3 > 0, "a supercell holds at least one cell")
    let v = lattice.vectors
    let multiple = Matrix3(rows: Double(n1) * v.a, Double(n2) * v.b, Double(n3) * v.c)
    guard let large = try? Lattice(multiple) else {
      preconditionFailure("multiples of independent vectors are independent")
    }
    var newSpecies: [ChemicalElement] = []
    var newPositions: [Vector3] = []
    for i in 0..<n1 {
      for j in 0..<n2 {
        for k in 0..<n3 {
          let shift = Double(i) * v.a + Double(j) * v.b + Double(k) * v.c
          newSpecies += species
          newPositions += positions.map { $0 + shift }
        }
      }
    }
    return Structure(unchecked: large, periodicity, newSpecies, newPositions)
  }

  // For arrays that are known to fit.
  init(
    unchecked lattice: Lattice, _ periodicity: Periodicity, _ species: [ChemicalElement],
    _ positions: [Vector3]
  ) {
    self.lattice = lattice
    self.periodicity = periodicity
    self.species = species
    self.positions = positions
  }
}

extension Structure: ByteCodable {
  /// Appends lattice, periodicity, species and positions.
  public func encode(to encoder: inout ByteEncoder) {
    encoder.encode(lattice)
    for axis in 0..<3 { encoder.encode(periodicity[axis]) }
    encoder.encode(species)
    encoder.encode(positions)
  }

  /// Reads lattice, periodicity, species and positions.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    let lattice = try decoder.decode(Lattice.self)
    let periodicity = Periodicity(
      try decoder.decode(), try decoder.decode(), try decoder.decode())
    let species = try decoder.decode([ChemicalElement].self)
    let positions = try decoder.decode([Vector3].self)
    do {
      try self.init(
        lattice: lattice, periodicity: periodicity, species: species, positions: positions)
    } catch { throw .invalid(error.description) }
  }
}
