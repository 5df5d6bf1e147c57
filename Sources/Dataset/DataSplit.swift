import NumericalCore

/// Which entries of a data set train a potential and which test it.
public struct DataSplit: Sendable, Hashable {
  /// Indices of the training entries, ascending.
  public let training: [Int]
  /// Indices of the validation entries, ascending.
  public let validation: [Int]

  /// Splits a set at random.
  ///
  /// - Parameters:
  ///   - count: The number of entries.
  ///   - validationFraction: The part kept for validation, 0 … 1; rounded to whole entries, but at least
  ///     one entry trains.
  ///   - seed: The seed; the same seed and count give the same split.
  public init(count: Int, validationFraction: Double, seed: UInt64) {
    precondition((0...1).contains(validationFraction), "a fraction lies between 0 and 1")
    var order = Array(0..<count)
    var random = RandomStream(seed: seed, purpose: .split)
    random.shuffle(&order)
    let wanted = Int((validationFraction * Double(count)).rounded())
    let kept = max(0, min(wanted, count - 1))
    validation = order.prefix(kept).sorted()
    training = order.dropFirst(kept).sorted()
  }
}
