/// What the workers of a campaign spent their time on, all its runs together.
///
/// It is the time of what was committed: what a kill has lost, and labels taken from a journal, are not in it.
public struct WorkTimes: Sendable {
  /// A kind of work.
  public enum Kind: String, Sendable, CaseIterable {
    /// Structures for the first training.
    case generation
    /// Melts, whatever moves them.
    case melting
    /// Candidates, their continuations and refreshes.
    case relaxation
    /// The reference method, for the training set.
    case labels
    /// The choice of what to label.
    case selection
    /// Fits of the potential.
    case training
    /// The reference method, for the best candidates.
    case reranking
  }

  /// Work of one kind.
  public struct Work: Sendable, Hashable {
    /// How many pieces.
    public fileprivate(set) var pieces = 0
    /// Their seconds on the wall.
    public fileprivate(set) var seconds = 0.0
  }

  private var work: [Kind: Work] = [:]

  /// The work of a kind.
  public func spent(on kind: Kind) -> Work { work[kind] ?? Work() }

  /// Adds a piece of work.
  mutating func add(_ kind: Kind, seconds: Double) {
    work[kind, default: Work()].pieces += 1
    work[kind, default: Work()].seconds += seconds
  }

  /// One line for people, empty where nothing was done.
  public var text: String {
    let words = Kind.allCases.filter { work[$0] != nil }.map { kind in
      let work = spent(on: kind)
      let name = kind == .reranking ? "re-ranking" : kind.rawValue
      return "\(name) \(ProgressReporter.duration(work.seconds)) (\(work.pieces))"
    }
    return words.isEmpty ? "" : "time of the workers: " + words.joined(separator: ", ") + "\n"
  }

  /// The same for programs: pieces and seconds by kind.
  public var json: JSONValue {
    .object(
      Kind.allCases.map { kind in
        let work = spent(on: kind)
        return .init(
          kind.rawValue,
          .object([
            .init("pieces", .integer(work.pieces)), .init("seconds", .number(work.seconds)),
          ]))
      })
  }
}

extension SlotItem {
  /// What kind of work the slot commits; `nil` for none.
  var workKind: WorkTimes.Kind? {
    switch self {
    case .idle, .labelRequest, .refitRequest: nil
    case .labelArrival: .labels
    case .refitArrival: .training
    case .work(let purpose, _):
      switch purpose {
      case .initialStructure: .generation
      case .melt: .melting
      case .candidate, .continuation, .refresh: .relaxation
      case .selection: .selection
      case .rerank: .reranking
      }
    }
  }
}
