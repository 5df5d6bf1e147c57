/// Where the moments M_{μ,(a,b,c)} = Σ_j f_μ(r_j) xᵃ yᵇ zᶜ that a potential needs are kept, and which of
/// them are summed over neighbors.
///
/// u = (x, y, z) is a unit vector, so z² = 1 − x² − y²: only moments with c = 0 or 1 are summed. For every
/// radial function μ they form two triangles, a + b ≤ n and a + b ≤ n − 1, where n is the highest rank.
/// Those with c ≥ 2 follow for each atom (`SphereStep`).
struct MomentLayout: Sendable {
  /// M(a,b,c) = M(a,b,c−2) − M(a+2,b,c−2) − M(a,b+2,c−2).
  struct SphereStep: Sendable {
    /// The slot of (a, b, c).
    var target: Int32
    /// The slot of (a, b, c−2).
    var lower: Int32
    /// The slot of (a+2, b, c−2).
    var overX: Int32
    /// The slot of (a, b+2, c−2).
    var overY: Int32
  }

  /// The sums of one degree a + b.
  struct Tile: Sendable {
    /// How many of the functions f₀, z f₀, f₁, z f₁ and so on take part, from the first on.
    var functionCount: Int
    /// Where the slots of the sums start in `targets`.
    var firstTarget: Int
  }

  /// For every radial function the highest rank of a moment, −1 where there is none.
  let ranks: [Int]
  /// For every radial function the slot of its first moment with c = 0.
  ///
  /// Those follow with b from n down to 0 and in these a from n − b down to 0: the order in which a
  /// polynomial in two variables is evaluated by Horner's rule.
  let evenSlots: [Int32]
  /// The same with c = 1 and n − 1.
  let oddSlots: [Int32]
  /// The sums, by degree.
  let tiles: [Tile]
  /// The slots of the sums, monomials fast; `slotCount` where a sum is not needed.
  let targets: [Int32]
  /// How the other moments follow, in order.
  let sphereSteps: [SphereStep]
  /// The slot of each basic moment of the tables.
  let slotOfBasicMoment: [Int]
  /// The number of slots of moments that are summed over neighbors; they come first.
  let sumCount: Int
  /// The number of slots.
  let slotCount: Int

  /// The highest degree a + b.
  var largestDegree: Int { tiles.count - 1 }

  private struct Key: Hashable {
    var radial: Int
    var x: Int
    var y: Int
    var z: Int
  }

  /// Lays out what a set of basic moments needs.
  init(_ basicMoments: [BasicMoment], radialFunctionCount: Int) {
    var ranks = [Int](repeating: -1, count: radialFunctionCount)
    for moment in basicMoments {
      ranks[moment.radial] = max(ranks[moment.radial], moment.x + moment.y + moment.z)
    }
    var slots: [Key: Int] = [:]
    var (even, odd): ([Int32], [Int32]) = ([], [])
    func place(_ radial: Int, z: Int, degree: Int) -> Int32 {
      let first = Int32(slots.count)
      guard degree >= 0 else { return first }
      for b in (0...degree).reversed() {
        for a in (0...degree - b).reversed() {
          slots[Key(radial: radial, x: a, y: b, z: z)] = slots.count
        }
      }
      return first
    }
    for (radial, rank) in ranks.enumerated() {
      even.append(place(radial, z: 0, degree: rank))
      odd.append(place(radial, z: 1, degree: rank - 1))
    }
    self.ranks = ranks
    (evenSlots, oddSlots) = (even, odd)
    sumCount = slots.count
    sphereSteps = Self.steps(basicMoments, ranks, &slots)
    slotCount = slots.count
    (tiles, targets) = Self.tiles(ranks, slots)
    slotOfBasicMoment = basicMoments.map {
      slots[Key(radial: $0.radial, x: $0.x, y: $0.y, z: $0.z)] ?? 0
    }
  }

  // The moments with c ≥ 2 that the tables hold and those between, lower c first.
  private static func steps(
    _ basicMoments: [BasicMoment], _ ranks: [Int], _ slots: inout [Key: Int]
  ) -> [SphereStep] {
    var needed = Set<Key>()
    var open = basicMoments.map { Key(radial: $0.radial, x: $0.x, y: $0.y, z: $0.z) }
    while let key = open.popLast() {
      guard key.z >= 2, needed.insert(key).inserted else { continue }
      open += sources(of: key)
    }
    let order = needed.sorted {
      ($0.z, $0.radial, $0.x + $0.y, $0.y) < ($1.z, $1.radial, $1.x + $1.y, $1.y)
    }
    var steps: [SphereStep] = []
    for key in order {
      let target = slots.count
      slots[key] = target
      let from = sources(of: key).map { Int32(slots[$0] ?? 0) }
      steps.append(
        SphereStep(target: Int32(target), lower: from[0], overX: from[1], overY: from[2]))
    }
    return steps
  }

  private static func sources(of key: Key) -> [Key] {
    [(0, 0), (2, 0), (0, 2)].map {
      Key(radial: key.radial, x: key.x + $0.0, y: key.y + $0.1, z: key.z - 2)
    }
  }

  private static func tiles(
    _ ranks: [Int], _ slots: [Key: Int]
  ) -> (tiles: [Tile], targets: [Int32]) {
    let degrees = ranks.flatMap { [$0, $0 - 1] }
    var tiles: [Tile] = []
    var targets: [Int32] = []
    for degree in 0...max(0, degrees.max() ?? 0) {
      let count = 1 + (degrees.lastIndex { $0 >= degree } ?? -1)
      tiles.append(Tile(functionCount: count, firstTarget: targets.count))
      for function in 0..<count {
        for b in 0...degree {
          let key = Key(radial: function / 2, x: degree - b, y: b, z: function % 2)
          targets.append(Int32(slots[key] ?? slots.count))
        }
      }
    }
    return (tiles, targets)
  }
}
