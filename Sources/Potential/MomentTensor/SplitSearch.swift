/// Chooses for every contraction, and every partial one of three moments, the split that makes the whole
/// graph of products cheap to evaluate.
///
/// Tensors are shared, so the cheapest split of one contraction depends on those of all others. The
/// search goes downhill: each contraction takes the best split given the others; then each tensor is
/// tried in turn (what if it were there, what if it were not), then each split that was not taken,
/// letting all that are concerned choose again, and what lowers the cost is kept.
struct SplitSearch {
  /// What an evaluation with derivatives pays, in fused multiply-adds.
  private enum Price {
    /// A term: once forward, and backward for both factors.
    static let term = 3
    /// A term of a basis function that no other is made of, whose value nobody needs.
    static let lastTerm = 2
    /// A moment: the traffic of its value and its adjoint.
    static let moment = 2
    /// More than any graph.
    static let prohibitive = 1 << 40
  }

  /// Above this number of splits each is not tried in turn: it would take longer than it saves.
  private static let mostSplitsToTry = 12_000

  private struct Choice {
    var cost: Int
    var tensors: [Int]
  }

  /// An entry of the journal that a trial is undone with.
  private enum Change {
    case chosen(Int, old: Int)
    case users(Int, old: Int)
  }

  // The "items" are the tensors by their number in the table, then the contractions. Moment tensors
  // cost nothing and appear nowhere.
  private let tensorCount: Int
  private var choices: [[Choice]] = []
  // What a tensor costs whatever its split.
  private var ownCost: [Int] = []
  private var possibleUsers: [[Int]]

  private var chosen: [Int]
  private var users: [Int]
  private var total = 0
  private var journal: [Change] = []
  private var isTrial = false

  /// Collects what there is to choose from.
  ///
  /// - Parameters:
  ///   - contractions: Connected contractions of two moments and more.
  ///   - isFactor: For each whether another basis function is a product with it.
  ///   - table: Receives the tensors that occur.
  init(_ contractions: [MomentContraction], isFactor: [Bool], table: inout TensorTable) {
    let last = zip(contractions, isFactor).map { contraction, isFactor in
      Self.choices(OpenContraction(contraction), isFactor ? Price.term : Price.lastTerm, &table)
    }
    var number = 0
    while number < table.tensors.count {
      switch table.tensors[number] {
      case .moment:
        ownCost.append(0)
        choices.append([Choice(cost: 0, tensors: [])])
      case .pair(let pair):
        let terms = table.terms(of: pair)
        let components = zip(terms, terms.dropFirst()).count { $0.target != $1.target } + 1
        ownCost.append(Price.term * terms.count + Price.moment * components)
        choices.append([Choice(cost: 0, tensors: [])])
      case .triple(let triple):
        ownCost.append(Price.moment * TensorComponent.all(triple.openCount).count)
        choices.append(Self.choices(OpenContraction(triple), Price.term, &table))
      }
      number += 1
    }
    tensorCount = number
    choices += last
    chosen = choices.map { _ in 0 }
    users = [Int](repeating: 0, count: tensorCount)
    possibleUsers = [[Int]](repeating: [], count: tensorCount)
    for (item, choices) in choices.enumerated() {
      for tensor in Set(choices.flatMap(\.tensors)).sorted() { possibleUsers[tensor].append(item) }
    }
  }

  private static func choices(
    _ contraction: OpenContraction, _ price: Int, _ table: inout TensorTable
  ) -> [Choice] {
    ContractionSplit.all(contraction.count).map { split in
      let terms = table.terms(of: contraction, split)
      var tensors: Set<Int> = []
      for code in terms.lazy.flatMap({ [$0.first, $0.second] }) {
        let tensor = TensorTable.tensor(of: code)
        if !table.isMoment(tensor) { tensors.insert(tensor) }
      }
      return Choice(cost: price * terms.count, tensors: tensors.sorted())
    }
  }

  /// The number of the split chosen for a contraction.
  func split(ofContraction number: Int) -> Int { chosen[tensorCount + number] }

  /// The number of the split chosen for a tensor.
  func split(ofTensor number: Int) -> Int { chosen[number] }
}

// MARK: the search

extension SplitSearch {
  /// Chooses.
  mutating func run() {
    for item in tensorCount..<choices.count { choose(item, best(item).number) }
    descend()
    for tensor in 0..<tensorCount where !possibleUsers[tensor].isEmpty {
      if users[tensor] == 0 { tryAdding(tensor) } else { tryRemoving(tensor) }
    }
    descend()
    guard choices.reduce(0, { $0 + $1.count }) <= Self.mostSplitsToTry else { return }
    for item in choices.indices {
      for number in choices[item].indices { tryChoosing(item, number) }
    }
    descend()
  }

  // Lets all choose again until nobody gains.
  private mutating func descend() {
    var before = Int.max
    while total < before {
      before = total
      for item in choices.indices { improve(item) }
    }
  }

  // Makes a change and takes it back if it does not pay.
  private mutating func trial(_ change: (inout SplitSearch) -> Void) {
    let before = total
    isTrial = true
    change(&self)
    isTrial = false
    if total >= before {
      for change in journal.reversed() {
        switch change {
        case .chosen(let item, let old): chosen[item] = old
        case .users(let tensor, let old): users[tensor] = old
        }
      }
      total = before
    }
    journal.removeAll(keepingCapacity: true)
  }

  private mutating func tryAdding(_ tensor: Int) {
    trial { state in
      state.use(tensor)
      state.improveUsers(of: tensor, except: nil)
      state.release(tensor)
    }
  }

  private mutating func tryRemoving(_ tensor: Int) {
    trial { state in
      let surcharge = Price.prohibitive
      state.ownCost[tensor] += surcharge
      state.total += surcharge
      state.improveUsers(of: tensor, except: nil)
      state.ownCost[tensor] -= surcharge
      if state.users[tensor] > 0 { state.total -= surcharge }
    }
  }

  private mutating func tryChoosing(_ item: Int, _ number: Int) {
    if number == chosen[item] || !isPresent(item) { return }
    trial { state in
      let old = state.choices[item][state.chosen[item]]
      state.withdraw(item)
      state.choose(item, number)
      for tensor in state.choices[item][number].tensors + old.tensors {
        state.improveUsers(of: tensor, except: item)
      }
    }
  }

  // Users of a tensor that is absent may choose to have it.
  private mutating func improveUsers(of tensor: Int, except spared: Int?) {
    for user in possibleUsers[tensor] where user != spared {
      if isPresent(user) {
        improve(user)
      } else {
        for far in possibleUsers[user] where far != spared { improve(far) }
      }
    }
  }

  private mutating func improve(_ item: Int) {
    if choices[item].count == 1 || !isPresent(item) { return }
    withdraw(item)
    choose(item, best(item).number)
  }
}

// MARK: the state

extension SplitSearch {
  private func isPresent(_ item: Int) -> Bool { item >= tensorCount || users[item] > 0 }

  private func best(_ item: Int) -> (number: Int, cost: Int) {
    var best = (number: 0, cost: Int.max)
    for (number, choice) in choices[item].enumerated() {
      var cost = choice.cost
      // What tensors add that are not there yet.
      for tensor in choice.tensors where users[tensor] == 0 {
        cost += ownCost[tensor] + self.best(tensor).cost
      }
      if cost < best.cost { best = (number, cost) }
    }
    return best
  }

  private mutating func choose(_ item: Int, _ number: Int) {
    if isTrial { journal.append(.chosen(item, old: chosen[item])) }
    chosen[item] = number
    total += choices[item][number].cost
    for tensor in choices[item][number].tensors { use(tensor) }
  }

  private mutating func withdraw(_ item: Int) {
    let choice = choices[item][chosen[item]]
    total -= choice.cost
    for tensor in choice.tensors { release(tensor) }
  }

  private mutating func use(_ tensor: Int) {
    if users[tensor] == 0 {
      total += ownCost[tensor]
      choose(tensor, best(tensor).number)
    }
    setUsers(tensor, users[tensor] + 1)
  }

  private mutating func release(_ tensor: Int) {
    setUsers(tensor, users[tensor] - 1)
    if users[tensor] == 0 {
      total -= ownCost[tensor]
      withdraw(tensor)
    }
  }

  private mutating func setUsers(_ tensor: Int, _ count: Int) {
    if isTrial { journal.append(.users(tensor, old: users[tensor])) }
    users[tensor] = count
  }
}
