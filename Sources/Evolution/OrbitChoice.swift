import NumericalCore

/// Which Wyckoff positions the atoms of a composition may take in one space group.
///
/// Positions without a free coordinate are taken once; the others may be taken again and again.
/// Positions of equal multiplicity and kind (fixed or free) form a class; a solution says how many
/// positions of each class an element takes. Solutions are counted in atoms of the primitive cell.
struct OrbitChoice: Sendable {
  private struct PositionClass: Sendable {
    let multiplicity: Int
    let isFixed: Bool
    var positions: [Int]
  }

  private let classes: [PositionClass]
  /// Per element the solutions, each with a count per class.
  private let solutions: [[[Int]]]
  /// One solution index per element that fit together.
  private let witness: [Int]

  /// More solutions per element than this are not listed; the ones with the largest orbits come first.
  private static let largestSolutionCount = 2000
  /// Bound on the search for solutions that fit together.
  private static let largestWitnessSearch = 20_000

  /// Finds how the counts can be realised; `nil` where the group cannot hold them.
  ///
  /// - Parameters:
  ///   - counts: Atoms of each element in the primitive cell.
  ///   - table: The group's positions.
  init?(counts: [Int], in table: WyckoffTable) {
    var classes: [PositionClass] = []
    for (index, position) in table.positions.enumerated() {
      let isFixed = position.dimension == 0
      if let known = classes.firstIndex(where: {
        $0.multiplicity == position.multiplicity && $0.isFixed == isFixed
      }) {
        classes[known].positions.append(index)
      } else {
        classes.append(
          PositionClass(
            multiplicity: position.multiplicity, isFixed: isFixed, positions: [index]))
      }
    }
    classes.sort { ($0.multiplicity, $0.isFixed ? 1 : 0) > ($1.multiplicity, $1.isFixed ? 1 : 0) }
    let available = classes.map { $0.isFixed ? $0.positions.count : Int.max }
    var solutions: [[[Int]]] = []
    for count in counts {
      var list: [[Int]] = []
      var current = Array(repeating: 0, count: classes.count)
      var steps = 0
      Self.list(count, 0, classes.map(\.multiplicity), available, &current, &list, &steps)
      guard !list.isEmpty else { return nil }
      solutions.append(list)
    }
    var chosen: [Int] = []
    var budget = Self.largestWitnessSearch
    guard Self.fit(solutions, available, &chosen, &budget) else { return nil }
    self.classes = classes
    self.solutions = solutions
    witness = chosen
  }

  /// Draws positions for every element, all solutions of an element being equally likely.
  ///
  /// - Returns: Pairs of element index and position index.
  func draw(_ random: inout RandomStream) -> [(element: Int, position: Int)] {
    var picks = witness
    for _ in 0..<20 {
      let trial = solutions.map { random.integer(below: $0.count) }
      if fits(trial) {
        picks = trial
        break
      }
    }
    var result: [(element: Int, position: Int)] = []
    for (classIndex, positionClass) in classes.enumerated() {
      var supply = positionClass.positions
      if positionClass.isFixed { random.shuffle(&supply) }
      var used = 0
      for (element, pick) in picks.enumerated() {
        for _ in 0..<solutions[element][pick][classIndex] {
          if positionClass.isFixed {
            result.append((element, supply[used]))
            used += 1
          } else {
            result.append((element, supply[random.integer(below: supply.count)]))
          }
        }
      }
    }
    return result
  }

  private func fits(_ trial: [Int]) -> Bool {
    for (index, positionClass) in classes.enumerated() where positionClass.isFixed {
      var used = 0
      for (element, pick) in trial.enumerated() { used += solutions[element][pick][index] }
      if used > positionClass.positions.count { return false }
    }
    return true
  }

  private static func list(
    _ left: Int, _ index: Int, _ sizes: [Int], _ available: [Int], _ current: inout [Int],
    _ list: inout [[Int]], _ steps: inout Int
  ) {
    if left == 0 {
      list.append(current)
      return
    }
    guard index < sizes.count else { return }
    steps += 1
    for uses in stride(from: min(left / sizes[index], available[index]), through: 0, by: -1) {
      guard list.count < largestSolutionCount, steps < 50 * largestSolutionCount else { return }
      current[index] = uses
      Self.list(left - uses * sizes[index], index + 1, sizes, available, &current, &list, &steps)
    }
    current[index] = 0
  }

  /// Depth-first search for one solution per element within what the fixed positions offer.
  private static func fit(
    _ solutions: [[[Int]]], _ available: [Int], _ chosen: inout [Int], _ budget: inout Int
  ) -> Bool {
    let element = chosen.count
    if element == solutions.count { return true }
    for (index, solution) in solutions[element].enumerated() {
      budget -= 1
      guard budget > 0 else { return false }
      guard zip(solution, available).allSatisfy({ $0 <= $1 }) else { continue }
      chosen.append(index)
      let left = zip(available, solution).map { $0 == Int.max ? $0 : $0 - $1 }
      if fit(solutions, left, &chosen, &budget) { return true }
      chosen.removeLast()
    }
    return false
  }
}
