/// The terms of basis functions that no product uses: Σ ξ m a b over pairs of nodes, kept as a
/// constant times b for a, and times a for b.
struct LeafTerms: Sendable {
  /// A term of a leaf.
  struct Contribution {
    var scalar: Int
    var first: Int
    var second: Int
    var multiplicity: Int
  }

  /// Nodes with equally many partners.
  struct Run: Sendable {
    var length: Int
    var count: Int
  }

  /// The runs, shortest first; all nodes are in one of them.
  let runs: [Run]
  /// The nodes in the order of the runs, as byte offsets.
  let nodes: [UInt32]
  /// The partners of node after node, as byte offsets.
  let pairs: [UInt32]
  // What each partner's constant is made of: basis functions and their multiplicities.
  private let starts: [Int32]
  private let sources: [(scalar: Int32, factor: Double)]

  /// Collects the terms of all leaves.
  init(_ contributions: [Contribution], nodeCount: Int) {
    var partners = [[Int: [(Int, Int)]]](repeating: [:], count: nodeCount)
    for c in contributions {
      let isSquare = c.first == c.second
      partners[c.first][c.second, default: []].append(
        (c.scalar, (isSquare ? 2 : 1) * c.multiplicity))
      if !isSquare { partners[c.second][c.first, default: []].append((c.scalar, c.multiplicity)) }
    }
    let order = (0..<nodeCount).sorted { (partners[$0].count, $0) < (partners[$1].count, $1) }
    var runs: [Run] = []
    var pairs: [UInt32] = []
    var starts: [Int32] = [0]
    var sources: [(Int32, Double)] = []
    for node in order {
      let count = partners[node].count
      if runs.last?.length == count {
        runs[runs.count - 1].count += 1
      } else {
        runs.append(Run(length: count, count: 1))
      }
      for (partner, list) in partners[node].sorted(by: { $0.key < $1.key }) {
        pairs.append(ProductRuns.offset(partner))
        for (scalar, factor) in list { sources.append((Int32(scalar), Double(factor))) }
        starts.append(Int32(sources.count))
      }
    }
    self.runs = runs
    self.pairs = pairs
    self.starts = starts
    self.sources = sources
    nodes = order.map(ProductRuns.offset)
  }

  /// The constants that belong to coefficients ξ, one for each of `pairs`.
  func constants(_ coefficients: ArraySlice<Double>) -> [Double] {
    (0..<pairs.count).map { pair in
      var sum = 0.0
      for index in Int(starts[pair])..<Int(starts[pair + 1]) {
        let source = sources[index]
        sum += source.factor * coefficients[coefficients.startIndex + Int(source.scalar)]
      }
      return sum
    }
  }

  /// Starts the adjoints of all nodes: dV/da = ξ_a + Σ constant · b, where ξ_a belongs to a basis function
  /// that is the node a.
  ///
  /// - Parameters:
  ///   - values: All values.
  ///   - constants: See `constants(_:)`.
  ///   - coefficients: ξ_a, or 0, of each node in the order of `nodes`.
  ///   - adjoints: Receives the derivatives.
  /// - Returns: Σ_a a (ξ_a + ½ Σ constant · b), the energy of the lanes.
  func start(
    _ values: LanePointer, constants: [Double], coefficients: [Double], _ adjoints: LanePointer
  ) -> Lanes {
    pairs.withUnsafeBufferPointer { pairs in
      constants.withUnsafeBufferPointer { constants in
        nodes.withUnsafeBufferPointer { nodes in
          coefficients.withUnsafeBufferPointer { coefficients in
            guard let node = nodes.baseAddress, let coefficient = coefficients.baseAddress else {
              return .zero
            }
            var machine = LeafMachine(
              values: UnsafeRawPointer(values), adjoints: UnsafeMutableRawPointer(adjoints),
              pair: pairs.baseAddress, constant: constants.baseAddress, node: node,
              coefficient: coefficient)
            for run in runs {
              if run.length == 0 {
                machine.lone(run.count)
              } else {
                machine.run(length: run.length, count: run.count)
              }
            }
            return machine.energy
          }
        }
      }
    }
  }
}

/// Where the leaves' program is.
private struct LeafMachine: RunProgram {
  let values: UnsafeRawPointer
  let adjoints: UnsafeMutableRawPointer
  var pair: UnsafePointer<UInt32>?
  var constant: UnsafePointer<Double>?
  var node: UnsafePointer<UInt32>
  var coefficient: UnsafePointer<Double>
  var energy = Lanes.zero

  mutating func lone(_ count: Int) {
    for t in 0..<count {
      let own = Lanes(repeating: coefficient[t])
      // One place is never computed (see `ProductGraph.nodeCount`); its coefficient is 0.
      if coefficient[t] != 0 {
        energy.accumulate(values.load(fromByteOffset: Int(node[t]), as: Lanes.self), own)
      }
      adjoints.storeBytes(of: own, toByteOffset: Int(node[t]), as: Lanes.self)
    }
    node += count
    coefficient += count
  }

  @inline(never)
  mutating func fixed<let N: Int>(_ count: Int, _: Width<N>) {
    guard var pair, var constant else { return }
    var total = energy
    for t in 0..<count {
      var sum = Lanes.zero
      for n in 0..<N {
        let b = values.load(fromByteOffset: Int(pair[n]), as: Lanes.self)
        sum.accumulate(b, Lanes(repeating: constant[n]))
      }
      finish(t, sum, &total)
      pair += N
      constant += N
    }
    energy = total
    advance(count, pair, constant)
  }

  @inline(never)
  mutating func any(_ length: Int, _ count: Int) {
    guard var pair, var constant else { return }
    var total = energy
    for t in 0..<count {
      var (sum, other) = (Lanes.zero, Lanes.zero)
      var n = 0
      while n &+ 1 < length {
        let b = values.load(fromByteOffset: Int(pair[n]), as: Lanes.self)
        let c = values.load(fromByteOffset: Int(pair[n &+ 1]), as: Lanes.self)
        sum.accumulate(b, Lanes(repeating: constant[n]))
        other.accumulate(c, Lanes(repeating: constant[n &+ 1]))
        n &+= 2
      }
      if n < length {
        let b = values.load(fromByteOffset: Int(pair[n]), as: Lanes.self)
        sum.accumulate(b, Lanes(repeating: constant[n]))
      }
      finish(t, sum + other, &total)
      pair += length
      constant += length
    }
    energy = total
    advance(count, pair, constant)
  }

  @inline(__always)
  private func finish(_ t: Int, _ sum: Lanes, _ total: inout Lanes) {
    let own = Lanes(repeating: coefficient[t])
    let value = values.load(fromByteOffset: Int(node[t]), as: Lanes.self)
    total.accumulate(value, own.accumulating(sum, Lanes(repeating: 0.5)))
    adjoints.storeBytes(of: own + sum, toByteOffset: Int(node[t]), as: Lanes.self)
  }

  private mutating func advance(
    _ count: Int, _ pair: UnsafePointer<UInt32>, _ constant: UnsafePointer<Double>
  ) {
    self.pair = pair
    self.constant = constant
    node += count
    coefficient += count
  }
}
