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
    ])
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
