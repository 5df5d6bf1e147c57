import NumericalCore

/// The smallest cell that holds a crystal, and how the crystal's own cell repeats it.
///
/// What is computed for the unit is known for the whole: it costs less, and k-points by spacing give one energy to
/// one crystal, whatever its cell.
public struct RepeatingUnit: Sendable, Hashable {
  /// The smallest cell, with short vectors and its atoms in groups of one element.
  public let structure: Structure
  /// The structure that was given, its atoms exactly where the unit repeats; no farther from where they were than
  /// the tolerance.
  public let whole: Structure
  /// The unit's atom that each atom of the whole is an image of.
  let origins: [Int]

  /// Finds the unit from pure translations.
  ///
  /// Atoms that translations join are replaced by their mean. Nothing is turned or made symmetric. Where a structure
  /// does not repeat itself, or is no bulk crystal, it is its own unit as it is.
  ///
  /// - Parameters:
  ///   - structure: The atoms.
  ///   - tolerance: How far in Å an atom may lie from where a translation puts it.
  public init(of structure: Structure, within tolerance: Double) {
    // The strain decides nothing within one structure.
    let matching = MatchingTolerance(displacement: tolerance)
    guard let cell = MatchingCell(structure, tolerance: matching),
      cell.atomCount < structure.atomCount, let unit = cell.structure,
      let repeated = Self.repeated(unit, in: structure, within: tolerance)
    else {
      self.structure = structure
      whole = structure
      origins = Array(0..<structure.atomCount)
      return
    }
    self.structure = unit
    whole = repeated.whole
    origins = repeated.origins
  }

  /// How often the whole holds the unit.
  public var count: Int { whole.atomCount / structure.atomCount }

  /// What an evaluation of the unit says of the whole.
  ///
  /// - Parameter evaluation: Energy, forces and stress of `structure`, one force for every atom.
  /// - Returns: Those of `whole`.
  public func whole(of evaluation: Evaluation) -> Evaluation {
    guard count > 1 else { return evaluation }
    return Evaluation(
      energy: Double(count) * evaluation.energy, forces: origins.map { evaluation.forces[$0] },
      virial: Double(count) * evaluation.virial, of: whole)
  }

  // The nearest image of the unit's atoms for every atom, in the multiple of its cell that the whole's is.
  private static func repeated(
    _ unit: Structure, in structure: Structure, within tolerance: Double
  ) -> (whole: Structure, origins: [Int])? {
    let vectors = unit.lattice.vectors
    let multiples = structure.lattice.vectors * unit.lattice.inverse
    let exact = Matrix3(
      rows: rounded(multiples.a), rounded(multiples.b), rounded(multiples.c))
    var origins: [Int] = []
    var positions: [Vector3] = []
    for (atom, position) in structure.positions.enumerated() {
      var best: (origin: Int, position: Vector3, distance: Double)?
      for (origin, place) in unit.positions.enumerated()
      where unit.species[origin] == structure.species[atom] {
        let image = place + rounded((position - place) * unit.lattice.inverse) * vectors
        let distance = (position - image).squaredLength
        if distance < best?.distance ?? .infinity { best = (origin, image, distance) }
      }
      guard let best, best.distance <= tolerance * tolerance else { return nil }
      origins.append(best.origin)
      positions.append(best.position)
    }
    // As many images of each, so that energies and forces are of the same atoms.
    let count = structure.atomCount / unit.atomCount
    var uses = [Int](repeating: 0, count: unit.atomCount)
    for origin in origins { uses[origin] += 1 }
    guard uses.allSatisfy({ $0 == count }), let lattice = try? Lattice(exact * vectors),
      let whole = try? Structure(
        lattice: lattice, species: structure.species, positions: positions)
    else { return nil }
    return (whole, origins)
  }

  private static func rounded(_ vector: Vector3) -> Vector3 { vector.map { $0.rounded() } }
}
