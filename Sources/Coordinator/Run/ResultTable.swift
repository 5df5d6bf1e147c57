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
    /// The structure that the enthalpy belongs to.
    public let structure: Structure
    /// Energy, forces and stress of that structure.
    public let evaluation: Evaluation
    /// Space group symbol.
    public let spaceGroupSymbol: String
    /// Space group number.
    public let spaceGroup: Int
    /// How often the basin was found.
    public let timesFound: Int
    /// The operator that found it first.
    public let kind: VariationKind
    /// Whether the reference method has relaxed it.
    public let isReranked: Bool
  }

  /// The rows by place.
  public let rows: [Row]

  /// Ranks the re-ranked candidates, equal ones merged; before re-ranking the population's best.
  ///
  /// - Parameters:
  ///   - state: A running or finished campaign.
  ///   - top: The most rows.
  public init(of state: CampaignState, top: Int) {
    let reranked = state.reranked.compactMap { entry in
      entry.relaxed.map { (entry: entry, relaxed: $0) }
    }.sorted {
      ($0.relaxed.enthalpyPerAtom, $0.entry.candidate)
        < ($1.relaxed.enthalpyPerAtom, $1.entry.candidate)
    }
    var rows: [Row] = []
    var kept: [(identity: StructureIdentity, enthalpy: Double)] = []
    for (entry, relaxed) in reranked where rows.count < top {
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
          modelEnthalpyPerAtom: entry.modelEnthalpyPerAtom, structure: relaxed.structure,
          evaluation: relaxed.evaluation, spaceGroupSymbol: relaxed.spaceGroupSymbol,
          spaceGroup: relaxed.spaceGroup,
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
            modelEnthalpyPerAtom: individual.enthalpyPerAtom, structure: individual.structure,
            evaluation: relaxed.evaluation, spaceGroupSymbol: relaxed.spaceGroupSymbol,
            spaceGroup: relaxed.spaceGroup,
            timesFound: basin.visits, kind: individual.kind,
            isReranked: false))
      }
    }
    self.rows = rows
  }

  /// The table for people.
  public var text: String {
    guard let best = rows.first else { return "no candidate was found\n" }
    var lines = [
      pad("place", 5) + pad("E/atom (eV)", 14) + pad("dE (meV/atom)", 15) + "  "
        + right("space group", 18) + pad("V/atom (A^3)", 13) + pad("found", 7) + "  operator"
        + (best.isReranked ? "" : "   (energies of the potential, not yet re-ranked)")
    ]
    for row in rows {
      let difference = 1000 * (row.enthalpyPerAtom - best.enthalpyPerAtom)
      lines.append(
        pad(String(row.place), 5) + pad(fixed(row.enthalpyPerAtom, 6), 14)
          + pad(fixed(difference, 2), 15) + "  "
          + right("\(row.spaceGroupSymbol) (\(row.spaceGroup))", 18)
          + pad(fixed(row.structure.volumePerAtom, 4), 13) + pad(String(row.timesFound), 7) + "  "
          + row.kind.rawValue)
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
          .init("space_group", .integer(row.spaceGroup)),
          .init("space_group_symbol", .text(row.spaceGroupSymbol)),
          .init("volume_per_atom", .number(row.structure.volumePerAtom)),
          .init("atoms", .integer(row.structure.atomCount)),
          .init("times_found", .integer(row.timesFound)),
          .init("operator", .text(row.kind.rawValue)),
          .init("reranked", .flag(row.isReranked)),
        ])
      })
  }

  private func pad(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }

  private func right(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  private func fixed(_ value: Double, _ digits: Int) -> String {
    String(format: "%.\(digits)f", value)
  }
}
