import Evolution
import Foundation
import NumericalCore

/// The numbers that a campaign is judged by, in words.
public struct CampaignSummary: Sendable {
  private let state: CampaignState

  /// Summarises a running or finished campaign.
  public init(_ state: CampaignState) { self.state = state }

  /// A few lines for people.
  public var text: String {
    let counts = state.counts
    let learns = state.settings.learns
    var lines =
      learns
      ? [
        "training labels: \(counts.labels) (\(state.settings.initialStructures) of them initial; "
          + "limit \(state.settings.maxLabels)), failed labels: \(counts.failedLabels)"
      ] : []
    lines += state.melts.map { "melt \($0.id + 1): \(Self.words($0))" }
    if counts.frames > 0 {
      lines.append("frames of melts that the reference moved, learnt from too: \(counts.frames)")
    }
    lines += [
      "re-rank evaluations of the reference: \(counts.rerankEvaluations)",
      "candidates: \(counts.bred) bred, \(distinct) distinct structures, \(counts.rejected) rejected, "
        + "\(counts.failed) failed, \(counts.unreliable) unreliable",
    ]
    if learns {
      lines.append(
        "active learning: \(counts.stopped) stops, \(counts.continued) continuations, "
          + "\(counts.refits) refits after the first training, \(counts.refreshes) refreshes")
    }
    lines.append(
      "evaluations of the \(learns ? "potential" : "reference"): \(counts.evaluations); slots: "
        + "\(state.nextCommit), idle: \(counts.idle)")
    if state.population.count > 1 {
      lines.append(
        "population: \(state.population.count) members, quasi-entropy "
          + String(format: "%.4f", state.population.quasiEntropy()))
      lines.append("operators: " + operatorWords.joined(separator: "; "))
    }
    if case .failed(let reason) = state.phase { lines.append("the campaign failed: \(reason)") }
    return lines.joined(separator: "\n") + "\n"
  }

  /// The same numbers for programs.
  public var json: JSONValue {
    let counts = state.counts
    return .object([
      .init("phase", .text(phase)),
      .init("candidates", .integer(counts.bred)),
      .init("labels", .integer(counts.labels)),
      .init("initial_labels", .integer(state.settings.initialStructures)),
      .init("frames", .integer(counts.frames)),
      .init("melts", .list(state.melts.map(Self.json))),
      .init("failed_labels", .integer(counts.failedLabels)),
      .init("rerank_evaluations", .integer(counts.rerankEvaluations)),
      .init("distinct", .integer(distinct)),
      .init("rejected", .integer(counts.rejected)),
      .init("failed", .integer(counts.failed)),
      .init("unreliable", .integer(counts.unreliable)),
      .init("stops", .integer(counts.stopped)),
      .init("continuations", .integer(counts.continued)),
      .init("refits", .integer(counts.refits)),
      .init("refreshes", .integer(counts.refreshes)),
      .init("evaluations", .integer(counts.evaluations)),
      .init("slots", .integer(state.nextCommit)),
      .init("idle_slots", .integer(counts.idle)),
      .init("potential_version", .integer(state.version)),
      .init("population", .integer(state.population.count)),
      .init("quasi_entropy", .number(state.population.quasiEntropy())),
      .init("operators", operators),
    ])
  }

  /// How a melt went, in words.
  private static func words(_ melt: MeltRecord) -> String {
    var parts: [String] = []
    switch melt.status {
    case .ended(let reason): parts.append("given up: \(reason)")
    case .ready, .inFlight, .waiting, .finished:
      parts.append(melt.state?.phase.description ?? "not yet in motion")
    }
    if let state = melt.state {
      parts.append(TextColumn.fixed(Double(state.dynamics.step) * melt.timeStep / 1000, 1) + " ps")
      if let temperature = state.meltingTemperature {
        parts.append("liquid down to \(TextColumn.fixed(temperature, 0)) K")
      }
      let volume = state.glassVolumePerAtom ?? state.dynamics.structure.volumePerAtom
      parts.append(TextColumn.fixed(volume, 2) + " Å³/atom")
    }
    parts.append("\(melt.stops) stops, \(melt.failures) failures")
    return parts.joined(separator: ", ")
  }

  private static func json(_ melt: MeltRecord) -> JSONValue {
    var entries: [JSONValue.Member] = [.init("number", .integer(melt.id + 1))]
    if case .ended(let reason) = melt.status { entries.append(.init("given_up", .text(reason))) }
    if let state = melt.state {
      entries.append(.init("phase", .text(state.phase.description)))
      entries.append(.init("steps", .integer(state.dynamics.step)))
      if let temperature = state.meltingTemperature {
        entries.append(.init("liquid_down_to", .number(temperature)))
      }
      entries.append(.init("tests", JSONValue(state.tests)))
      let volume = state.glassVolumePerAtom ?? state.dynamics.structure.volumePerAtom
      entries.append(.init("volume_per_atom", .number(volume)))
      if let modulus = state.bulkModulus {
        let factor = PhysicalConstants.gigapascalsPerElectronvoltPerCubicAngstrom
        entries.append(.init("bulk_modulus", .number(factor * modulus)))
        entries.append(
          .init("last_volume_per_atom", .number(state.dynamics.structure.volumePerAtom)))
      }
    }
    entries.append(.init("stops", .integer(melt.stops)))
    entries.append(.init("failures", .integer(melt.failures)))
    return .object(entries)
  }

  /// Ratio, children and credit of every operator.
  var operators: JSONValue {
    .list(
      operatorRows.map { kind, ratio, record in
        .object([
          .init("operator", .text(kind.rawValue)), .init("ratio", .number(ratio)),
          .init("children", .integer(record.children)),
          .init("admitted", .integer(record.admitted)),
          .init("mean_credit", .number(Self.meanCredit(record))),
        ])
      })
  }

  private var operatorWords: [String] {
    operatorRows.filter { $0.ratio > 0 }.map { kind, ratio, record in
      String(
        format: "%@ %.2f (%d children, %d admitted, credit %.3f)", kind.rawValue, ratio,
        record.children, record.admitted, Self.meanCredit(record))
    }
  }

  private var operatorRows: [(kind: VariationKind, ratio: Double, record: OperatorRatios.Record)] {
    let operators = state.population.operators
    return VariationKind.operators.indices.map {
      (VariationKind.operators[$0], operators.ratios[$0], operators.records[$0])
    }
  }

  private static func meanCredit(_ record: OperatorRatios.Record) -> Double {
    record.children > 0 ? record.credit / Double(record.children) : 0
  }

  private var distinct: Int { state.population.index.basins.count { !$0.isDiscarded } }

  private var phase: String {
    switch state.phase {
    case .searching: "searching"
    case .reranking: "reranking"
    case .finished: "finished"
    case .failed: "failed"
    }
  }
}
