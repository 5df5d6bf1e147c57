import Crystal
import Evolution
import Foundation
import NumericalCore

/// The convex hull of what a campaign knows: of the reference method's enthalpies once there are any,
/// else of the potential's.
struct StructureHull {
  let hull: ConvexHull
  let isReranked: Bool
  private let elements: [ChemicalElement]

  /// `nil` where all cells have one ratio of elements.
  init?(of state: CampaignState) {
    guard let known = state.population.hull else { return nil }
    elements = state.settings.search.space.elements
    var hull = ConvexHull(elementCount: elements.count)
    for entry in state.reranked {
      guard let relaxed = entry.relaxed, let counts = Self.counts(relaxed.structure, elements)
      else { continue }
      hull.add(
        ConvexHull.Phase(
          id: entry.candidate, counts: counts, energyPerAtom: relaxed.enthalpyPerAtom))
    }
    isReranked = !hull.phases.isEmpty
    self.hull = isReranked ? hull : known
  }

  /// How far a structure lies above the hull in eV per atom; `nil` where the hull does not reach.
  func distance(of structure: Structure, enthalpyPerAtom: Double) -> Double? {
    Self.counts(structure, elements).flatMap { hull.energyPerAtom(at: $0) }.map {
      enthalpyPerAtom - $0
    }
  }

  private static func counts(_ structure: Structure, _ elements: [ChemicalElement]) -> [Int]? {
    let composition = structure.composition()
    guard composition.elements.allSatisfy(elements.contains) else { return nil }
    return elements.map { element in
      composition.elements.firstIndex(of: element).map { composition.counts[$0] } ?? 0
    }
  }
}

/// The stable phases of a campaign over several ratios of elements: the vertices of its convex hull.
public struct PhaseTable: Sendable {
  /// One stable phase.
  public struct Row: Sendable {
    /// Elements with their atoms in a formula unit.
    public let formula: String
    /// Enthalpy in eV per atom.
    public let enthalpyPerAtom: Double
    /// Enthalpy above the pure elements in eV per atom; `nil` where one of them is unknown.
    public let formationEnthalpyPerAtom: Double?
    /// The candidate's number.
    public let candidate: Int
    /// The structure's space group.
    public let spaceGroup: SpaceGroupName
  }

  /// The phases, those with least of the first element first.
  public let rows: [Row]
  /// Whether the enthalpies are the reference method's: after re-ranking, of the re-ranked candidates
  /// alone; before, of all by the potential.
  public let isReranked: Bool

  /// Finds the stable phases; `nil` where all cells have one ratio of elements.
  ///
  /// - Parameter state: A running or finished campaign.
  public init?(of state: CampaignState) {
    guard let known = StructureHull(of: state) else { return nil }
    isReranked = known.isReranked
    let elements = state.settings.search.space.elements
    let pure = elements.indices.map { element in
      known.hull.phases.first { $0.ratio == elements.indices.map { $0 == element ? 1 : 0 } }
    }
    rows = known.hull.phases.compactMap { phase in
      guard let relaxed = Self.relaxed(phase.id, known.isReranked, state) else { return nil }
      let atoms = Double(phase.ratio.reduce(0, +))
      var formation: Double? = phase.energyPerAtom
      for (count, element) in zip(phase.ratio, pure) where count > 0 {
        formation = element.flatMap { element in
          formation.map { $0 - Double(count) / atoms * element.energyPerAtom }
        }
      }
      let formula = zip(elements, phase.ratio).filter { $1 > 0 }
        .map { $1 == 1 ? $0.symbol : "\($0.symbol)\($1)" }.joined()
      return Row(
        formula: formula, enthalpyPerAtom: phase.energyPerAtom, formationEnthalpyPerAtom: formation,
        candidate: phase.id, spaceGroup: SpaceGroupName(of: relaxed.structure))
    }
  }

  private static func relaxed(
    _ id: Int, _ isReranked: Bool, _ state: CampaignState
  ) -> RelaxedCandidate? {
    if isReranked { return state.reranked.first { $0.candidate == id }?.relaxed }
    guard case .relaxed(let relaxed, _) = state[candidate: id].status else { return nil }
    return relaxed
  }

  /// The table for people.
  public var text: String {
    guard !rows.isEmpty else { return "no phase was found\n" }
    var lines = [
      TextColumn.left("phase", 14) + TextColumn.right("H/atom (eV)", 14)
        + TextColumn.right("formation (meV/atom)", 22) + "  "
        + TextColumn.left("space group", 18) + TextColumn.right("candidate", 10)
        + (isReranked ? "" : "   (enthalpies of the potential, not yet re-ranked)")
    ]
    for row in rows {
      let formation = row.formationEnthalpyPerAtom.map { TextColumn.fixed(1000 * $0, 2) } ?? "-"
      lines.append(
        TextColumn.left(row.formula, 14)
          + TextColumn.right(TextColumn.fixed(row.enthalpyPerAtom, 6), 14)
          + TextColumn.right(formation, 22) + "  "
          + TextColumn.left(row.spaceGroup.description, 18)
          + TextColumn.right("\(row.candidate)", 10))
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// The table for programs.
  public var json: JSONValue {
    .object([
      .init("reranked", .flag(isReranked)),
      .init(
        "phases",
        .list(
          rows.map { row in
            .object([
              .init("formula", .text(row.formula)),
              .init("enthalpy_ev_per_atom", .number(row.enthalpyPerAtom)),
              .init("formation_enthalpy_ev_per_atom", .optional(row.formationEnthalpyPerAtom)),
              .init("candidate", .integer(row.candidate)),
              .init("space_group", .integer(row.spaceGroup.number)),
              .init("space_group_symbol", .text(row.spaceGroup.symbol)),
            ])
          })),
    ])
  }
}
