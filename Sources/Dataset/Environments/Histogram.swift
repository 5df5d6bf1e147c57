/// How densely numbers lie along a line: equal bins, the area below them 1.
public struct Histogram: Sendable, Hashable {
  /// The lower end of the first bin.
  public let lowerBound: Double
  /// The width of a bin.
  public let binWidth: Double
  /// The fraction of the numbers in each bin divided by its width; all 0 without numbers.
  public let densities: [Double]

  /// Counts numbers.
  ///
  /// - Parameters:
  ///   - values: The numbers; those outside of the range belong to the first or the last bin.
  ///   - range: Where the bins are; where it has no length, one of length 1 around it.
  ///   - binCount: The number of bins.
  public init(_ values: [Double], over range: ClosedRange<Double>, binCount: Int = 40) {
    precondition(binCount > 0, "a histogram has bins")
    let length = range.upperBound - range.lowerBound
    lowerBound = length > 0 ? range.lowerBound : range.lowerBound - 0.5
    binWidth = (length > 0 ? length : 1) / Double(binCount)
    var counts = [Int](repeating: 0, count: binCount)
    for value in values {
      let place = ((value - lowerBound) / binWidth).rounded(.down)
      counts[Int(max(0, min(Double(binCount - 1), place)))] += 1
    }
    let area = Double(max(1, values.count)) * binWidth
    densities = counts.map { Double($0) / area }
  }

  /// The ends of the bins, one more than bins.
  public var edges: [Double] {
    (0...densities.count).map { lowerBound + Double($0) * binWidth }
  }
}
