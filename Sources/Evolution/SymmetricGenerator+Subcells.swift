import Crystal
import NumericalCore

/// Large cells made of several copies of a smaller random symmetric structure.
///
/// After A. O. Lyakhov, A. R. Oganov, H. T. Stokes and Q. Zhu, Comput. Phys. Commun. 184, 1172 (2013):
/// random cells of more than 25 to 30 atoms are nearly all disordered and of high energy, crystals of that
/// size seldom are. Where the composition does not divide by the number of copies, the small structure
/// holds atoms enough and the surplus leaves vacancies in random copies: the subcells are only nearly alike.
extension SymmetricGenerator {
  /// How a composition is cut.
  private struct Cut {
    let copies: Int
    let part: Composition
  }

  private enum SubcellLimit {
    /// Most atoms of a subcell.
    static let atoms = 25
    /// Most vacancies as a share of the atoms.
    static let vacancies = 0.2
    static let tries = 6
  }

  /// The numbers of subcells that a composition can be made of.
  static func subcellCounts(of composition: Composition) -> [Int] {
    cuts(of: composition).map(\.copies)
  }

  /// Makes a structure of subcells; `nil` where the composition cannot be cut or the tries are used up.
  ///
  /// Without a number of copies, any that is possible is drawn.
  mutating func subcellStructure(
    of composition: Composition, copies: Int? = nil, volumePerAtom: Double,
    _ settings: BreedingSettings, _ random: inout RandomStream
  ) -> BreedingOutcome? {
    let cuts = Self.cuts(of: composition).filter { copies == nil || $0.copies == copies }
    guard !cuts.isEmpty else { return nil }
    for _ in 0..<SubcellLimit.tries {
      let cut = cuts[random.integer(below: cuts.count)]
      let density = Double(composition.atomCount) / Double(cut.copies * cut.part.atomCount)
      guard
        case .offspring(let part, let description, let recipe) = plainStructure(
          of: cut.part, volumePerAtom: volumePerAtom * density, settings, &random),
        let whole = Self.repeated(part, cut.copies, settings, &random),
        let structure = Self.thinned(whole, to: composition, &random)
      else { continue }
      let vacancies = cut.copies * cut.part.atomCount - composition.atomCount
      return .offspring(
        structure,
        description: "\(description), \(cut.copies) subcells"
          + (vacancies > 0 ? " with \(vacancies) vacancies" : ""),
        recipe: recipe.map { RandomRecipe(spaceGroup: $0.spaceGroup, copies: cut.copies) })
    }
    return nil
  }

  private static func cuts(of composition: Composition) -> [Cut] {
    let count = composition.atomCount
    return (2...max(2, count)).compactMap { copies in
      let counts = composition.counts.map { ($0 + copies - 1) / copies }
      guard let part = try? Composition(composition.elements, counts),
        part.atomCount <= SubcellLimit.atoms
      else { return nil }
      let vacancies = copies * part.atomCount - count
      guard Double(vacancies) <= SubcellLimit.vacancies * Double(count) else { return nil }
      return Cut(copies: copies, part: part)
    }
  }

  /// Copies along the three directions, in one of the ways that keep the rules on cells.
  private static func repeated(
    _ part: Structure, _ copies: Int, _ settings: BreedingSettings, _ random: inout RandomStream
  ) -> Structure? {
    var ways: [Structure] = []
    for a in 1...copies where copies % a == 0 {
      for b in 1...copies / a where (copies / a) % b == 0 {
        let whole = part.supercell(a, b, copies / a / b)
        if CellShape.violation(of: whole.lattice.niggliReduced(), settings) == nil {
          ways.append(whole)
        }
      }
    }
    return ways.isEmpty ? nil : ways[random.integer(below: ways.count)]
  }

  /// The structure without random atoms that the composition does not have, grouped by element.
  private static func thinned(
    _ structure: Structure, to composition: Composition, _ random: inout RandomStream
  ) -> Structure? {
    var kept: [Int] = []
    for (element, count) in zip(composition.elements, composition.counts) {
      var atoms = structure.species.indices.filter { structure.species[$0] == element }
      random.shuffle(&atoms)
      kept += atoms.prefix(count).sorted()
    }
    return try? Structure(
      lattice: structure.lattice, species: kept.map { structure.species[$0] },
      positions: kept.map { structure.positions[$0] })
  }
}
