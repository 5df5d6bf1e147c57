import NumericalCore

/// Which Wyckoff positions the atoms of a composition may take in one space group, and a draw among
/// all ways with known chances.
///
/// Positions without a free coordinate are taken once; the others may be taken again and again. Every way
/// to give positions to the elements is possible. Its chance is a product over its orbits: `orbitWeight`
/// over the number of positions that offer the same multiplicity. With equal chances for all ways those
/// with many small orbits would own the draw by their number alone (P222 has twelve axes, so a thousand
/// ways to crowd them for one with general positions), while crystals prefer few kinds of sites (Pauling's
/// rule of parsimony, J. Am. Chem. Soc. 51, 1010 (1929)).
///
/// Ways are counted, not listed: the free positions by the coefficients of Π 1/(1 − w xᵐ), the fixed
/// ones by how many of each multiplicity are used up. So the work is bounded for every composition, and
/// an infeasible group is known for certain. Solutions are counted in atoms of the primitive cell.
package struct OrbitChoice: Sendable {
  /// The relative chance of one more orbit, of any position of its multiplicity.
  package static let orbitWeight = 0.25

  /// Positions without a free coordinate of one multiplicity.
  private struct FixedClass: Sendable {
    let multiplicity: Int
    /// The factor of every orbit.
    let weight: Double
    var positions: [Int]
  }

  /// The factor that an orbit on a position contributes to the chance of a way.
  package static func weight(of position: Int, in table: WyckoffTable) -> Double {
    let multiplicity = table.positions[position].multiplicity
    return orbitWeight / Double(table.positions.count { $0.multiplicity == multiplicity })
  }

  /// How many positions of every fixed class one element takes, and the weight of that with all that
  /// the later elements can do.
  private struct Share {
    let uses: [Int]
    let weight: Double
  }

  private let counts: [Int]
  private let fixed: [FixedClass]
  private let free: FreePositions
  /// For every element and state (how much of the fixed classes is used up) the weight of all ways to
  /// place this and the later elements.
  private var weights: [[Double]] = []

  /// Finds how the counts can be realised; `nil` where the group cannot hold them.
  ///
  /// - Parameters:
  ///   - counts: Atoms of each element in the primitive cell.
  ///   - table: The group's positions.
  ///   - free: The group's free positions, counted up to the largest count at least.
  package init?(counts: [Int], in table: WyckoffTable, free: FreePositions) {
    var fixed: [FixedClass] = []
    for (index, position) in table.positions.enumerated() where position.dimension == 0 {
      if let known = fixed.firstIndex(where: { $0.multiplicity == position.multiplicity }) {
        fixed[known].positions.append(index)
      } else {
        fixed.append(
          FixedClass(
            multiplicity: position.multiplicity, weight: Self.weight(of: index, in: table),
            positions: [index]))
      }
    }
    self.counts = counts
    self.fixed = fixed
    self.free = free
    let stateCount = fixed.reduce(1) { $0 * ($1.positions.count + 1) }
    weights = Array(repeating: [], count: counts.count)
    weights.append(Array(repeating: 1, count: stateCount))
    for element in counts.indices.reversed() {
      weights[element] = (0..<stateCount).map { state in
        shares(of: element, state).reduce(0) { $0 + $1.weight }
      }
    }
    guard weights[0][0] > 0 else { return nil }
  }

  /// Draws positions for every element.
  ///
  /// - Returns: Pairs of element index and position index.
  package func draw(_ random: inout RandomStream) -> [(element: Int, position: Int)] {
    let supplies = fixed.map { positionClass in
      var positions = positionClass.positions
      random.shuffle(&positions)
      return positions
    }
    var used = Array(repeating: 0, count: fixed.count)
    var result: [(element: Int, position: Int)] = []
    for element in counts.indices {
      let shares = shares(of: element, state(used))
      guard let pick = random.index(weights: shares.map(\.weight)) else {
        preconditionFailure("a state that was reached has a way on")
      }
      var left = counts[element]
      for (index, uses) in shares[pick].uses.enumerated() {
        for place in used[index]..<used[index] + uses {
          result.append((element, supplies[index][place]))
        }
        used[index] += uses
        left -= uses * fixed[index].multiplicity
      }
      free.draw(total: left, &random) { result.append((element, $0)) }
    }
    return result
  }

  /// All ways to share the fixed positions that are left with one element.
  private func shares(of element: Int, _ state: Int) -> [Share] {
    let used = usage(state)
    var shares: [Share] = []
    var uses = Array(repeating: 0, count: fixed.count)
    func extend(_ index: Int, _ left: Int, _ weight: Double) {
      guard index < fixed.count else {
        let later = weights[element + 1][self.state(zip(used, uses).map(+))]
        let total = weight * free.weight(of: left) * later
        if total > 0 { shares.append(Share(uses: uses, weight: total)) }
        return
      }
      let supply = fixed[index].positions.count - used[index]
      var choices = weight
      for use in 0...supply {
        guard use * fixed[index].multiplicity <= left else { break }
        // Positions left choose those used.
        if use > 0 { choices *= fixed[index].weight * Double(supply - use + 1) / Double(use) }
        uses[index] = use
        extend(index + 1, left - use * fixed[index].multiplicity, choices)
      }
      uses[index] = 0
    }
    extend(0, counts[element], 1)
    return shares
  }

  private func state(_ used: [Int]) -> Int {
    zip(used, fixed).reduce(0) { $0 * ($1.1.positions.count + 1) + $1.0 }
  }

  private func usage(_ state: Int) -> [Int] {
    var left = state
    var used = Array(repeating: 0, count: fixed.count)
    for index in fixed.indices.reversed() {
      let base = fixed[index].positions.count + 1
      used[index] = left % base
      left /= base
    }
    return used
  }
}
