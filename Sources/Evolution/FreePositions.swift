import NumericalCore

/// Multisets of positions that may be taken again and again.
package struct FreePositions: Sendable {
  private let positions: [(position: Int, multiplicity: Int, weight: Double)]
  /// The largest total that is counted.
  package let largestTotal: Int
  /// For every first position allowed and every total the weight of all multisets.
  private let weights: [[Double]]

  /// Counts for the positions of a table that have a free coordinate.
  package init(_ table: WyckoffTable, upTo largest: Int) {
    positions = table.positions.enumerated().filter { $0.element.dimension > 0 }
      .map {
        ($0.offset, $0.element.multiplicity, OrbitChoice.weight(of: $0.offset, in: table))
      }
    largestTotal = largest
    var weights = [[1] + Array(repeating: 0.0, count: largest)]
    for (_, multiplicity, weight) in positions.reversed() {
      var row = weights[weights.count - 1]
      for total in stride(from: multiplicity, through: largest, by: 1) {
        row[total] += weight * row[total - multiplicity]
      }
      weights.append(row)
    }
    self.weights = weights.reversed()
  }

  /// The weight of all multisets that make a total.
  package func weight(of total: Int) -> Double { weights[0][total] }

  /// Draws a multiset with a total that some multiset makes.
  package func draw(total: Int, _ random: inout RandomStream, _ take: (Int) -> Void) {
    var left = total
    var first = 0
    while left > 0 {
      let (position, multiplicity, weight) = positions[first]
      let again =
        left >= multiplicity ? weight * weights[first][left - multiplicity] : 0
      if random.uniform() * weights[first][left] < again {
        take(position)
        left -= multiplicity
      } else {
        first += 1
      }
    }
  }
}
