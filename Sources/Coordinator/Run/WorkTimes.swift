/// What the ranks of a campaign spent their time on, all its runs together, as its log tells it.
public struct WorkTimes: Sendable {
  /// A kind of work.
  public enum Kind: String, Sendable, CaseIterable {
    /// Structures for the first training.
    case generation
    /// Candidates, their continuations and refreshes.
    case relaxation
    /// The reference method, for the training set.
    case labels
    /// The choice of what to label.
    case selection
    /// Fits of the potential.
    case training
    /// The reference method, for the best candidates.
    case reranking = "re-ranking"
  }

  /// Pieces of work and their seconds on the wall, by kind.
  public private(set) var spent: [Kind: (pieces: Int, seconds: Double)] = [:]

  /// Adds a piece of work.
  mutating func add(_ kind: Kind, seconds: Double) {
    let before = spent[kind] ?? (0, 0)
    spent[kind] = (before.pieces + 1, before.seconds + seconds)
  }

  /// All seconds of all ranks.
  public var total: Double { Kind.allCases.reduce(0) { $0 + (spent[$1]?.seconds ?? 0) } }

  /// One line for people, empty where nothing was done.
  public var text: String {
    let words = Kind.allCases.compactMap { kind in
      spent[kind].map {
        "\(kind.rawValue) \(ProgressReporter.duration($0.seconds)) (\($0.pieces))"
      }
    }
    return words.isEmpty ? "" : "time of the workers: " + words.joined(separator: ", ") + "\n"
  }

  /// The same for programs: pieces and seconds by kind.
  public var json: JSONValue {
    .object(
      Kind.allCases.map { kind in
        .init(
          kind == .reranking ? "reranking" : kind.rawValue,
          .object([
            .init("pieces", .integer(spent[kind]?.pieces ?? 0)),
            .init("seconds", .number(spent[kind]?.seconds ?? 0)),
          ]))
      })
  }
}

extension SlotItem {
  /// What kind of work the slot holds; `nil` for none.
  var workKind: WorkTimes.Kind? {
    switch self {
    case .idle, .labelRequest, .refitRequest: nil
    case .labelArrival: .labels
    case .refitArrival: .training
    case .work(let purpose, _):
      switch purpose {
      case .initialStructure: .generation
      case .candidate, .continuation, .refresh: .relaxation
      case .selection: .selection
      case .rerank: .reranking
      }
    }
  }
}

extension DatabaseLog {
  /// What all runs of the campaign spent their time on.
  ///
  /// - Throws: What reading throws.
  func workTimes() throws -> WorkTimes {
    var seconds: [Int: Double] = [:]
    for timing in try journal.timings() { seconds[timing.slot, default: 0] += timing.seconds }
    var times = WorkTimes()
    try forEachStoredSlot { slot in
      guard let seconds = seconds[slot.slot],
        let kind = try SlotItem(canonicalBytes: slot.item).workKind
      else { return }
      times.add(kind, seconds: seconds)
    }
    return times
  }
}
