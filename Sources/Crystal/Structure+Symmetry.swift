import CSpglib
import NumericalCore

/// What the symmetry of a structure is.
public struct SymmetryDescription: Sendable, Hashable {
  /// The number of the space group in the International Tables, 1 … 230.
  public let spaceGroupNumber: Int
  /// Its short international symbol, such as `P4_2/mnm`.
  public let internationalSymbol: String
  /// spglib's number of the setting that the standardized cell has, 1 … 530.
  public let hallNumber: Int
  /// The symbol of the point group, such as `4/mmm`.
  public let pointGroupSymbol: String
  /// The operations on fractional positions of the structure's own cell.
  public let operations: [SymmetryOperation]
  /// The Wyckoff letter of every atom.
  public let wyckoffLetters: [String]
  /// The site symmetry of every atom as the International Tables write it, such as `m.2m`.
  public let siteSymmetrySymbols: [String]
  /// For every atom the first one it is equivalent to by symmetry.
  public let equivalentAtoms: [Int]
  /// The matrix P of x' = P x + p, which takes fractional positions, columns here, into the
  /// standardized cell.
  public let standardTransformation: Matrix3
  /// The vector p of x' = P x + p, in fractions of the standardized cell.
  public let originShift: Vector3

  /// The crystal system.
  public var crystalSystem: CrystalSystem { CrystalSystem(spaceGroup: spaceGroupNumber) }
}

extension Structure {
  /// The space group and the operations of a bulk crystal.
  ///
  /// - Parameter tolerance: How far in Å atoms may be from where symmetry puts them.
  /// - Returns: The group, its operations and the sites of the atoms.
  /// - Throws: `CrystalError.symmetry` where the structure does not repeat in all directions or spglib
  ///   finds no group, as when atoms coincide.
  public func symmetry(tolerance: Double = 0.01) throws(CrystalError) -> SymmetryDescription {
    try withDataset(tolerance) { dataset throws(CrystalError) in
      let count = Int(dataset.n_operations)
      guard let rotations = dataset.rotations, let translations = dataset.translations,
        let wyckoffs = dataset.wyckoffs, let equivalent = dataset.equivalent_atoms,
        let siteSymmetries = dataset.site_symmetry_symbols,
        Int(dataset.n_atoms) == atomCount
      else { throw .symmetry("spglib returned an incomplete answer") }
      let operations = (0..<count).map { index in
        SymmetryOperation(
          rotation: IntegerMatrix3(rotations[index]), translation: Vector3(translations[index]))
      }
      return SymmetryDescription(
        spaceGroupNumber: Int(dataset.spacegroup_number),
        internationalSymbol: text(of: dataset.international_symbol),
        hallNumber: Int(dataset.hall_number),
        pointGroupSymbol: text(of: dataset.pointgroup_symbol), operations: operations,
        wyckoffLetters: (0..<atomCount).map { Self.wyckoffLetter(Int(wyckoffs[$0])) },
        siteSymmetrySymbols: (0..<atomCount).map { text(of: siteSymmetries[$0]) },
        equivalentAtoms: (0..<atomCount).map { Int(equivalent[$0]) },
        standardTransformation: Matrix3(columns: dataset.transformation_matrix).transposed,
        originShift: Vector3(dataset.origin_shift))
    }
  }

  /// The conventional cell in spglib's standard setting, with positions and lattice made exactly
  /// symmetric and a along x.
  ///
  /// - Parameter tolerance: How far in Å atoms may be from where symmetry puts them.
  /// - Returns: The same crystal, rotated.
  /// - Throws: `CrystalError.symmetry` as for `symmetry(tolerance:)`.
  public func standardizedConventional(
    tolerance: Double = 0.01
  ) throws(CrystalError) -> Structure {
    let elements = distinctElements()
    return try withDataset(tolerance) { dataset throws(CrystalError) in
      let count = Int(dataset.n_std_atoms)
      guard count > 0, let types = dataset.std_types, let positions = dataset.std_positions else {
        throw .symmetry("spglib returned no standardized cell")
      }
      return try Structure(
        lattice: Lattice(Matrix3(columns: dataset.std_lattice)),
        species: (0..<count).map { elements[Int(types[$0]) - 1] },
        fractionalPositions: (0..<count).map { Vector3(positions[$0]) })
    }
  }

  /// A primitive cell, the smallest that holds the crystal.
  ///
  /// - Parameters:
  ///   - tolerance: How far in Å atoms may be from where symmetry puts them.
  ///   - idealized: Whether to make positions and lattice exactly symmetric, in spglib's standard
  ///     orientation; otherwise the crystal is left as it is.
  /// - Returns: The same crystal in a primitive cell.
  /// - Throws: `CrystalError.symmetry` as for `symmetry(tolerance:)`.
  public func primitive(
    tolerance: Double = 0.01, idealized: Bool = true
  ) throws(CrystalError) -> Structure {
    let elements = distinctElements()
    var input = try SpglibCell(self, tolerance)
    // spglib may use up to four times the room of the input.
    input.reserve(atoms: 4 * atomCount)
    let count = input.withPointers { lattice, positions, types in
      Int(
        spg_standardize_cell(
          lattice, positions, types, Int32(atomCount), 1, idealized ? 0 : 1, tolerance))
    }
    guard count > 0 else { throw SpglibCell.failure(self, tolerance) }
    return try Structure(
      lattice: Lattice(input.lattice), species: input.types[..<count].map { elements[Int($0) - 1] },
      fractionalPositions: (0..<count).map { input.position($0) })
  }

  private func withDataset<Answer>(
    _ tolerance: Double, _ body: (SpglibDataset) throws(CrystalError) -> Answer
  ) throws(CrystalError) -> Answer {
    var input = try SpglibCell(self, tolerance)
    let found = input.withPointers { lattice, positions, types in
      spg_get_dataset(lattice, positions, types, Int32(atomCount), tolerance)
    }
    guard let found else { throw SpglibCell.failure(self, tolerance) }
    defer { spg_free_dataset(found) }
    guard found.pointee.spacegroup_number > 0 else { throw SpglibCell.failure(self, tolerance) }
    return try body(found.pointee)
  }

  // Letters after z are capitals: only group 47 needs one, and it is called alpha there.
  private static func wyckoffLetter(_ index: Int) -> String {
    let letters = Array("abcdefghijklmnopqrstuvwxyzA")
    return letters.indices.contains(index) ? String(letters[index]) : "?"
  }
}

/// A structure in the layout of spglib: lattice vectors in columns, species numbered from 1.
private struct SpglibCell {
  private var columns: [Double]
  private var positions: [Double]
  private(set) var types: [Int32]

  init(_ structure: Structure, _ tolerance: Double) throws(CrystalError) {
    precondition(tolerance > 0 && tolerance.isFinite, "a tolerance is positive")
    guard structure.periodicity == .full else {
      throw .symmetry("the structure does not repeat in all three directions")
    }
    let elements = structure.distinctElements()
    let v = structure.lattice.vectors
    columns = [v.a.x, v.b.x, v.c.x, v.a.y, v.b.y, v.c.y, v.a.z, v.b.z, v.c.z]
    positions = structure.wrapped().fractionalPositions().flatMap { [$0.x, $0.y, $0.z] }
    types = structure.species.map { Int32((elements.firstIndex(of: $0) ?? 0) + 1) }
  }

  mutating func reserve(atoms: Int) {
    positions += [Double](repeating: 0, count: 3 * atoms - positions.count)
    types += [Int32](repeating: 0, count: atoms - types.count)
  }

  mutating func withPointers<Answer>(
    _ body: (
      UnsafeMutablePointer<SpglibVector>?, UnsafeMutablePointer<SpglibVector>?,
      UnsafeMutablePointer<Int32>?
    ) -> Answer
  ) -> Answer {
    columns.withUnsafeMutableBytes { lattice in
      positions.withUnsafeMutableBytes { positions in
        types.withUnsafeMutableBufferPointer { types in
          body(
            lattice.baseAddress?.assumingMemoryBound(to: SpglibVector.self),
            positions.baseAddress?.assumingMemoryBound(to: SpglibVector.self), types.baseAddress)
        }
      }
    }
  }

  var lattice: Matrix3 {
    Matrix3(
      rows: Vector3(columns[0], columns[3], columns[6]),
      Vector3(columns[1], columns[4], columns[7]),
      Vector3(columns[2], columns[5], columns[8]))
  }

  func position(_ index: Int) -> Vector3 {
    Vector3(positions[3 * index], positions[3 * index + 1], positions[3 * index + 2])
  }

  static func failure(_ structure: Structure, _ tolerance: Double) -> CrystalError {
    let reason = spg_get_error_message(spg_get_error_code()).map { String(cString: $0) }
    return .symmetry(
      "spglib found none for \(structure.composition().formula) within \(tolerance) Å "
        + "(\(reason ?? "no reason given")); try another tolerance")
  }
}

extension Vector3 {
  fileprivate init(_ tuple: SpglibVector) { self.init(tuple.0, tuple.1, tuple.2) }
}

extension Matrix3 {
  /// A matrix from the rows of its transpose.
  fileprivate init(columns t: (SpglibVector, SpglibVector, SpglibVector)) {
    self = Matrix3(rows: Vector3(t.0), Vector3(t.1), Vector3(t.2)).transposed
  }
}

extension IntegerMatrix3 {
  fileprivate init(_ t: SpglibRotation) {
    func row(_ r: (Int32, Int32, Int32)) -> SIMD3<Int> { SIMD3(Int(r.0), Int(r.1), Int(r.2)) }
    self.init(rows: row(t.0), row(t.1), row(t.2))
  }
}
