import NumericalCore

/// How often each operator is used.
///
/// With adaptation on, operators whose children do well are used
/// more: p ← (1 − η) p + η · credit, the credit being the mean over an operator's children among the
/// last commits, drawn a little towards the mean of all.
public struct OperatorRatios: Sendable, Hashable {
  /// The ratios in the order of `VariationKind.operators`; they sum to 1.
  public private(set) var ratios: [Double]
  /// The ratios that the campaign began with.
  private let first: [Double]
  /// Whether the ratios change.
  public let isAdaptive: Bool
  /// η, the share of the credit in a new ratio.
  public let learningRate: Double
  /// How many of the last commits count.
  public let window: Int

  /// What came of each operator's children since the beginning, in the order of `VariationKind.operators`.
  public private(set) var records: [Record]

  private var commits: [Commit] = []

  /// What came of an operator's children.
  public struct Record: Sendable, Hashable {
    /// How many there were.
    public fileprivate(set) var children = 0
    /// How many entered the population.
    public fileprivate(set) var admitted = 0
    /// The sum of their credits.
    public fileprivate(set) var credit = 0.0
  }

  private struct Commit: Sendable, Hashable {
    let operatorIndex: Int
    let credit: Double
  }

  /// Every operator is judged as if it had this many more children of average credit, so that one
  /// lucky child does not decide.
  static let priorChildren = 5.0
  /// The least ratio of an operator, unless it began with less.
  ///
  /// Children look like their parents, good or bad, so that operators on good parents earn more than
  /// structures without parents; but those find what no parent leads to.
  static func floor(of kind: VariationKind) -> Double {
    switch kind {
    case .random: 0.1
    case .guidedRandom: 0.4
    default: 0.03
    }
  }

  /// Creates ratios.
  ///
  /// - Parameters:
  ///   - ratios: One weight per kind in the order of `VariationKind.operators`, none negative, not
  ///     all 0; an operator with weight 0 is never used.
  ///   - isAdaptive: Whether the ratios follow the credit.
  ///   - learningRate: η, 0 … 1.
  ///   - window: How many of the last commits count.
  public init(
    _ ratios: [Double] = VariationKind.operators.map(\.defaultRatio), isAdaptive: Bool = true,
    learningRate: Double = 0.2, window: Int = 100
  ) {
    precondition(ratios.count == VariationKind.operators.count, "one ratio per operator is needed")
    precondition(ratios.allSatisfy { $0 >= 0 && $0.isFinite }, "ratios are not negative")
    let sum = ratios.reduce(0, +)
    precondition(sum > 0, "at least one operator is used")
    precondition(window > 0 && (0...1).contains(learningRate), "window and η must be valid")
    first = ratios.map { $0 / sum }
    self.ratios = first
    self.isAdaptive = isAdaptive
    self.learningRate = learningRate
    self.window = window
    records = ratios.map { _ in Record() }
  }

  /// The ratio of a kind; 0 for seeds.
  public func ratio(of kind: VariationKind) -> Double {
    VariationKind.operators.firstIndex(of: kind).map { ratios[$0] } ?? 0
  }

  /// Notes what came of a child.
  ///
  /// - Parameters:
  ///   - kind: Its operator; seeds are not counted.
  ///   - credit: 0 for a failure, a duplicate or one too high; up to 1 for a new best.
  public mutating func record(_ kind: VariationKind, credit: Double) {
    guard let index = VariationKind.operators.firstIndex(of: kind) else { return }
    records[index].children += 1
    if credit > 0 { records[index].admitted += 1 }
    records[index].credit += credit
    commits.append(Commit(operatorIndex: index, credit: credit))
    if commits.count > window { commits.removeFirst(commits.count - window) }
  }

  /// Moves the ratios towards the credits; called at fixed commit boundaries only.
  public mutating func adapt() {
    guard isAdaptive else { return }
    var sums = Array(repeating: 0.0, count: ratios.count)
    var children = Array(repeating: 0, count: ratios.count)
    for commit in commits {
      sums[commit.operatorIndex] += commit.credit
      children[commit.operatorIndex] += 1
    }
    let mean = sums.reduce(0, +) / Double(max(1, commits.count))
    guard mean > 0 else { return }
    // Operators without a child keep their ratio; the others share the rest by mean credit.
    var credits = Array(repeating: 0.0, count: ratios.count)
    var judged = 0.0
    var total = 0.0
    for index in ratios.indices where children[index] > 0 && ratios[index] > 0 {
      credits[index] =
        (sums[index] + Self.priorChildren * mean) / (Double(children[index]) + Self.priorChildren)
      judged += ratios[index]
      total += credits[index]
    }
    for index in ratios.indices where children[index] > 0 && ratios[index] > 0 {
      let target = judged * credits[index] / total
      ratios[index] = (1 - learningRate) * ratios[index] + learningRate * target
    }
    applyFloors()
  }

  /// Lifts ratios to their floors and scales what lies above them, so that the sum stays 1.
  private mutating func applyFloors() {
    let floors = VariationKind.operators.indices.map { index in
      min(first[index], Self.floor(of: VariationKind.operators[index]))
    }
    let floorSum = floors.reduce(0, +)
    let excess = zip(ratios, floors).map { max(0, $0 - $1) }
    let excessSum = excess.reduce(0, +)
    guard excessSum > 0, floorSum < 1 else { return }
    for index in ratios.indices {
      ratios[index] = floors[index] + excess[index] * (1 - floorSum) / excessSum
    }
  }
}

extension OperatorRatios: ByteCodable {
  /// Appends every field.
  public func encode(to encoder: inout ByteEncoder) {
    encoder.encode(ratios)
    encoder.encode(first)
    encoder.encode(isAdaptive)
    encoder.encode(learningRate)
    encoder.encode(window)
    for record in records {
      encoder.encode(record.children)
      encoder.encode(record.admitted)
      encoder.encode(record.credit)
    }
    encoder.encode(commits.map(\.operatorIndex))
    encoder.encode(commits.map(\.credit))
  }

  /// Reads every field.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    ratios = try decoder.decode([Double].self)
    first = try decoder.decode([Double].self)
    isAdaptive = try decoder.decode()
    learningRate = try decoder.decode()
    window = try decoder.decode()
    records = []
    for _ in ratios {
      records.append(
        Record(
          children: try decoder.decode(), admitted: try decoder.decode(),
          credit: try decoder.decode()))
    }
    let indices = try decoder.decode([Int].self)
    let credits = try decoder.decode([Double].self)
    guard ratios.count == VariationKind.operators.count, first.count == ratios.count,
      indices.count == credits.count,
      indices.allSatisfy({ ratios.indices.contains($0) })
    else { throw .invalid("operator ratios") }
    commits = zip(indices, credits).map { Commit(operatorIndex: $0, credit: $1) }
  }
}
