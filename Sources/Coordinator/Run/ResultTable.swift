import Crystal
import Evolution
import Foundation
import NumericalCore

/// The ranking that a campaign ends with.
public struct ResultTable: Sendable {
  /// One distinct candidate.
  public struct Row: Sendable {
    /// Place in the ranking, from 1.
    public let place: Int
    /// The candidate's number.
    public let candidate: Int
    /// Enthalpy per atom in eV: of the reference method after re-ranking, else of the potential.
    public let enthalpyPerAtom: Double
    /// Enthalpy per atom of the potential in eV.
    public let modelEnthalpyPerAtom: Double
    /// How far it lies above the convex hull of all rows' method in eV per atom; `nil` where all cells
    /// have one ratio of elements.
    public let distanceAboveHull: Double?
    /// The structure that the enthalpy belongs to.
    public let structure: Structure
    /// Energy, forces and stress of that structure.
    public let evaluation: Evaluation
    /// The structure's space group.
    public let spaceGroup: SpaceGroupName
    /// What its bonds hold together: 0 molecules, 1 chains, 2 layers, 3 a framework.
    public let dimension: Int
    /// How often the basin was found.
    public let timesFound: Int
    /// The operator that found it first.
    public let kind: VariationKind
    /// Whether the reference method has relaxed it.
    public let isReranked: Bool
  }

  /// The rows by place.
  public let rows: [Row]
  /// Whether candidates were to be bred.
  private let searches: Bool

  /// Ranks the re-ranked candidates, equal ones merged; before re-ranking the population's best.
  ///
  /// Where cells may have several ratios of elements, the distance above the convex hull ranks.
  ///
  /// - Parameters:
  ///   - state: A running or finished campaign.
  ///   - top: The most rows.
  public init(of state: CampaignState, top: Int) {
    let reranked = state.reranked.compactMap { entry in
      entry.relaxed.map { (entry: entry, relaxed: $0) }
    }
    let hull = StructureHull(of: state)
    func height(_ relaxed: RelaxedCandidate) -> Double? {
      hull?.distance(of: relaxed.structure, enthalpyPerAtom: relaxed.enthalpyPerAtom)
    }
    let ranked = reranked.map { ($0.entry, $0.relaxed, height($0.relaxed)) }.sorted {
      ($0.2 ?? $0.1.enthalpyPerAtom, $0.0.candidate)
        < ($1.2 ?? $1.1.enthalpyPerAtom, $1.0.candidate)
    }
    var rows: [Row] = []
    var kept: [(identity: StructureIdentity, enthalpy: Double)] = []
    for (entry, relaxed, height) in ranked where rows.count < top {
      let identity = StructureIdentity(relaxed.structure, fingerprint: relaxed.fingerprint)
      let isKnown = kept.contains {
        state.settings.search.duplicates.areDuplicates(
          $0.identity, identity, enthalpyDifference: $0.enthalpy - relaxed.enthalpyPerAtom)
      }
      if isKnown { continue }
      kept.append((identity, relaxed.enthalpyPerAtom))
      rows.append(
        Row(
          place: rows.count + 1, candidate: entry.candidate,
          enthalpyPerAtom: relaxed.enthalpyPerAtom,
          modelEnthalpyPerAtom: entry.modelEnthalpyPerAtom, distanceAboveHull: height,
          structure: relaxed.structure,
          evaluation: relaxed.evaluation, spaceGroup: SpaceGroupName(of: relaxed.structure),
          dimension: BondNetwork(relaxed.structure).dimension,
          timesFound: state.timesFound(candidate: entry.candidate),
          kind: state.candidates[entry.candidate - 1].kind, isReranked: true))
    }
    // Where no re-ranking succeeded, the potential's ranking is all there is.
    if rows.isEmpty {
      for basin in state.population.best(top) {
        let individual = basin.representative
        guard case .relaxed(let relaxed, _) = state.candidates[individual.id - 1].status else {
          continue
        }
        rows.append(
          Row(
            place: rows.count + 1, candidate: individual.id,
            enthalpyPerAtom: individual.enthalpyPerAtom,
            modelEnthalpyPerAtom: individual.enthalpyPerAtom,
            distanceAboveHull: state.population.distanceAboveHull(of: individual),
            structure: individual.structure,
            evaluation: relaxed.evaluation,
            spaceGroup: SpaceGroupName(of: individual.structure),
            dimension: BondNetwork(individual.structure).dimension,
            timesFound: basin.visits, kind: individual.kind,
            isReranked: false))
      }
    }
    self.rows = rows
    searches = state.settings.candidates > 0
  }

  /// The table for people.
  public var text: String {
    guard let best = rows.first else {
      return searches
        ? "no candidate was found\n"
        : "no candidates were asked for: what the campaign made is its training set and potential\n"
    }
    let hasHull = best.distanceAboveHull != nil
    func line(
      _ place: String, _ formula: String, _ numbers: (energy: String, height: String),
      _ spaceGroup: String, _ network: String, _ volume: String, _ found: String, _ kind: String
    ) -> String {
      TextColumn.right(place, 5) + (hasHull ? "  " + TextColumn.left(formula, 14) : "")
        + TextColumn.right(numbers.energy, 14) + TextColumn.right(numbers.height, 17) + "  "
        + TextColumn.left(spaceGroup, 18) + TextColumn.right(network, 7)
        + TextColumn.right(volume, 14) + TextColumn.right(found, 7) + "  " + kind
    }
    var lines = [
      line(
        "place", "formula", ("E/atom (eV)", hasHull ? "hull (meV/atom)" : "dE (meV/atom)"),
        "space group", "bonded", "V/atom (A^3)", "found", "operator")
        + (best.isReranked ? "" : "   (energies of the potential, not yet re-ranked)")
    ]
    for row in rows {
      let height = row.distanceAboveHull ?? row.enthalpyPerAtom - best.enthalpyPerAtom
      lines.append(
        line(
          "\(row.place)", row.structure.composition().formula,
          (TextColumn.fixed(row.enthalpyPerAtom, 6), TextColumn.fixed(1000 * height, 2)),
          row.spaceGroup.description, "\(row.dimension)D",
          TextColumn.fixed(row.structure.volumePerAtom, 4), "\(row.timesFound)",
          row.kind.rawValue))
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// The table for programs.
  public var json: JSONValue {
    .list(
      rows.map { row in
        .object([
          .init("place", .integer(row.place)), .init("candidate", .integer(row.candidate)),
          .init("enthalpy_ev_per_atom", .number(row.enthalpyPerAtom)),
          .init("model_enthalpy_ev_per_atom", .number(row.modelEnthalpyPerAtom)),
          .init("formula", .text(row.structure.composition().formula)),
          .init("above_hull_ev_per_atom", .optional(row.distanceAboveHull)),
          .init("space_group", .integer(row.spaceGroup.number)),
          .init("space_group_symbol", .text(row.spaceGroup.symbol)),
          .init("dimension", .integer(row.dimension)),
          .init("volume_per_atom", .number(row.structure.volumePerAtom)),
          .init("atoms", .integer(row.structure.atomCount)),
          .init("times_found", .integer(row.timesFound)),
          .init("operator", .text(row.kind.rawValue)),
          .init("reranked", .flag(row.isReranked)),
        ])
      })
  }
}
