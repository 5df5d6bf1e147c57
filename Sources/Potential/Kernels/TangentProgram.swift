/// How ∂V/∂M changes with the moments of one radial function: a sparse linear map, compiled.
///
/// With V = Σ ξ_α B_α, a change of the radial function μ changes the moments (μ, m); through the graph
/// forward and backward that changes the derivatives ∂V/∂M. Both passes are linear in the change and
/// have the form target = Σ coefficient · source, where the coefficients are values and adjoints of
/// the atom's graph. Only what depends on μ takes part.
package struct TangentProgram: Sendable {
  /// A coefficient: a multiple of a value, of an adjoint, or of 1.
  package struct Coefficient: Sendable, Hashable {
    /// What is multiplied.
    package enum Source: Sendable, Hashable { case value(Int), adjoint(Int), one }
    package var source: Source
    package var multiplicity: Double
  }

  /// The coefficients of all programs of a basis.
  package struct CoefficientTable: Sendable {
    package private(set) var all: [Coefficient] = []
    private var indexOf: [Coefficient: Int] = [:]

    mutating func index(_ source: Coefficient.Source, _ multiplicity: Double) -> Int {
      let coefficient = Coefficient(source: source, multiplicity: multiplicity)
      if let index = indexOf[coefficient] { return index }
      indexOf[coefficient] = all.count
      all.append(coefficient)
      return all.count - 1
    }
  }

  /// One summand: coefficient times source.
  package struct Entry: Sendable, BitwiseCopyable {
    package var coefficient: Int32
    package var source: Int32
  }

  /// The moments whose ∂V/∂M changes, ascending.
  package let support: [Int32]
  /// Where in memory each target is: tangents of values first, then those of adjoints, then the
  /// results, one for each moment of the support.
  package let targets: [Int32]
  /// The summands of target n: `entries[offsets[n] ..< offsets[n + 1]]`.
  package let offsets: [Int32]
  /// All summands.
  package let entries: [Entry]
  /// The place of the first result.
  package let firstResult: Int

  /// How many vectors the memory of any program of a basis needs.
  package static func memory(_ program: BasisProgram) -> Int {
    2 * program.valueCount + program.moments.count
  }

  /// Compiles the passes for the radial function μ.
  package init(_ program: BasisProgram, mu: Int, _ table: inout CoefficientTable) {
    let count = program.valueCount
    let momentCount = program.moments.count
    var isFactor = [Bool](repeating: false, count: count)
    for term in program.terms.elements {
      isFactor[Int(term.first)] = true
      if term.second >= 0 { isFactor[Int(term.second)] = true }
    }
    var steps: [(target: Int, entries: [Entry])] = []
    // Forward: tangents of the values that other values are made of.
    var changes = [Bool](repeating: false, count: count)
    let start = program.moments.offsets[mu]
    for moment in start..<start + program.moments.count(of: mu) { changes[moment] = true }
    for value in momentCount..<max(momentCount, count) where isFactor[value] {
      var entries: [Entry] = []
      for term in program.terms(of: value) {
        let (i, j, m) = (Int(term.first), Int(term.second), term.multiplicity)
        if j < 0 {
          if changes[i] { entries.append(Entry(table.index(.one, m), i)) }
        } else if i == j {
          if changes[i] { entries.append(Entry(table.index(.value(i), 2 * m), i)) }
        } else {
          if changes[i] { entries.append(Entry(table.index(.value(j), m), i)) }
          if changes[j] { entries.append(Entry(table.index(.value(i), m), j)) }
        }
      }
      guard !entries.isEmpty else { continue }
      changes[value] = true
      steps.append((value, entries))
    }
    // Backward: for each factor what the terms pass to it.
    var passed = [[Entry]](repeating: [], count: count)
    for value in (momentCount..<max(momentCount, count)).reversed() {
      let own = !passed[value].isEmpty
      if own { steps.append((count + value, passed[value])) }
      for term in program.terms(of: value) {
        let (i, j, m) = (Int(term.first), Int(term.second), term.multiplicity)
        if j < 0 {
          if own { passed[i].append(Entry(table.index(.one, m), count + value)) }
        } else if i == j {
          if own { passed[i].append(Entry(table.index(.value(i), 2 * m), count + value)) }
          if changes[i] { passed[i].append(Entry(table.index(.adjoint(value), 2 * m), i)) }
        } else {
          for (factor, other) in [(i, j), (j, i)] {
            if own { passed[factor].append(Entry(table.index(.value(other), m), count + value)) }
            if changes[other] {
              passed[factor].append(Entry(table.index(.adjoint(value), m), other))
            }
          }
        }
      }
    }
    var support: [Int32] = []
    for moment in 0..<momentCount where !passed[moment].isEmpty {
      steps.append((2 * count + support.count, passed[moment]))
      support.append(Int32(moment))
    }
    self.support = support
    firstResult = 2 * count
    targets = steps.map { Int32($0.target) }
    offsets = steps.reduce(into: [0]) { $0.append($0[$0.count - 1] + Int32($1.entries.count)) }
    entries = steps.flatMap(\.entries)
  }
}

extension DesignMemory.Tangents {
  /// Runs the passes for eight changes at once, one in each lane.
  ///
  /// - Parameters:
  ///   - coefficients: The coefficients of one atom.
  ///   - memory: The changes of the moments (μ, m) at their places; receives everything else.
  @inline(__always)
  func run(_ coefficients: UnsafePointer<Double>, _ memory: OctetPointer) {
    var begin = 0
    for step in 0..<stepCount {
      let end = Int(offsets[step &+ 1])
      var sum = Octet.zero
      for index in begin..<end {
        let entry = entries[index]
        sum.accumulate(
          memory[Int(entry.source)], Octet(repeating: coefficients[Int(entry.coefficient)]))
      }
      memory[Int(targets[step])] = sum
      begin = end
    }
  }
}

extension TangentProgram.Entry {
  init(_ coefficient: Int, _ source: Int) {
    self.init(coefficient: Int32(coefficient), source: Int32(source))
  }
}
