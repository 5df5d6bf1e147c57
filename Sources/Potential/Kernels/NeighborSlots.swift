/// The neighbors of a block of central atoms: slot s holds a neighbor for every lane.
///
/// Numbers of one slot are together, so a kernel that walks through the slots reads memory in order.
struct NeighborSlots {
  /// Numbers of a slot in `geometry`: the unit vector's x, y, z, then r in Å and 1/r.
  static let geometryStride = 5
  /// Numbers of a slot in `derivatives`.
  static let derivativeStride = 4
  /// So many slots, an even number, are treated at once: what the kernels need of them fits into the
  /// first-level cache.
  static let chunk = 16

  /// The number of slots, even.
  var count = 0
  /// Vectors to the neighbors in Å, then what `RadialPolynomials` makes of them.
  private(set) var geometry: LanePointer
  /// f₀, z f₀, f₁, z f₁, … of every slot.
  private(set) var functions: LanePointer
  /// df₀/dr, df₁/dr, … of every slot.
  private(set) var slopes: LanePointer
  /// Monomials of one degree of every slot; 1 to begin with.
  private(set) var monomials: LanePointer
  /// Of every slot Σ_μ f'_μ P_μ and the x, y, z of Σ_μ f_μ ∇P_μ, where P_μ(u) = Σ_m G_{μ,m} uᵐ.
  private(set) var derivatives: LanePointer
  /// The neighbor in every slot and lane.
  private(set) var neighbors: UnsafeMutablePointer<Int32>
  /// The number of radial functions.
  let radialCount: Int
  /// Numbers of a slot in `monomials`.
  let monomialStride: Int

  /// Numbers of a slot in `functions`.
  var functionStride: Int { 2 &* radialCount }

  /// How many vectors of memory some slots need.
  static func demand(slots: Int, radialCount: Int, largestDegree: Int) -> Int {
    slots * (geometryStride + derivativeStride + 3 * radialCount + largestDegree + 1)
  }

  /// Divides memory among the numbers.
  init(
    capacity: Int, radialCount: Int, largestDegree: Int, lanes: LanePointer,
    neighbors: UnsafeMutablePointer<Int32>
  ) {
    self.radialCount = radialCount
    monomialStride = largestDegree + 1
    self.neighbors = neighbors
    geometry = lanes
    functions = geometry + capacity * Self.geometryStride
    slopes = functions + capacity * 2 * radialCount
    monomials = slopes + capacity * radialCount
    derivatives = monomials + capacity * monomialStride
  }

  /// Forgets all slots.
  mutating func clear() { count = 0 }

  /// Some of the slots.
  func part(_ range: Range<Int>) -> NeighborSlots {
    var part = self
    let first = range.lowerBound
    part.count = range.count
    part.geometry += first * Self.geometryStride
    part.functions += first * functionStride
    part.slopes += first * radialCount
    part.monomials += first * monomialStride
    part.derivatives += first * Self.derivativeStride
    part.neighbors += first * laneCount
    return part
  }

  /// Calls a closure with the slots chunk after chunk.
  @inline(__always)
  func forEachChunk(_ body: (NeighborSlots, Range<Int>) -> Void) {
    var first = 0
    while first < count {
      let range = first..<min(first + Self.chunk, count)
      body(part(range), range)
      first = range.upperBound
    }
  }
}
