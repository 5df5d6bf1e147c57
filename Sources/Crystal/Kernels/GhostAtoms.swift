import NumericalCore

/// Growing room for an index and a vector each.
///
/// Raw memory, because appending to an array checks for
/// a second owner every time.
struct ImageBuffer: ~Copyable {
  private(set) var count = 0
  private var capacity: Int
  private(set) var indices: UnsafeMutablePointer<Int32>
  private(set) var vectors: UnsafeMutablePointer<Vector3>

  init(capacity: Int) {
    self.capacity = capacity
    indices = .allocate(capacity: capacity)
    vectors = .allocate(capacity: capacity)
  }

  deinit {
    indices.deallocate()
    vectors.deallocate()
  }

  @inline(__always)
  mutating func makeRoom(for more: Int) {
    if count + more > capacity { grow(by: more) }
  }

  /// Writes one more; room must have been made.
  @inline(__always)
  mutating func append(_ index: Int32, _ vector: Vector3) {
    indices[count] = index
    vectors[count] = vector
    count &+= 1
  }

  @inline(never)
  private mutating func grow(by more: Int) {
    let larger = 2 * capacity + more
    let newIndices = UnsafeMutablePointer<Int32>.allocate(capacity: larger)
    let newVectors = UnsafeMutablePointer<Vector3>.allocate(capacity: larger)
    newIndices.moveInitialize(from: indices, count: count)
    newVectors.moveInitialize(from: vectors, count: count)
    indices.deallocate()
    vectors.deallocate()
    (indices, vectors, capacity) = (newIndices, newVectors, larger)
  }
}

/// Atoms and their images, component by component in blocks of eight.
///
/// Position and translation are kept apart: (r_j − r_i) + T changes nothing but its sign when the
/// pair is seen from the other end, so both ends get exactly opposite vectors.
struct GhostAtoms: ~Copyable {
  private typealias Lanes = SIMD8<Double>

  private static var laneBits: SIMD8<Int64> { SIMD8(1, 2, 4, 8, 16, 32, 64, 128) }

  private let images: ImageBuffer
  private let blocks: Int
  // x, y, z of the atom, then of the translation: six rows of `blocks`.
  private let components: UnsafeMutablePointer<Lanes>
  // For every atom the ghost that is the atom itself.
  private let home: UnsafeMutablePointer<Int32>
  // For every atom the first of its ghosts.
  private let first: UnsafeMutablePointer<Int32>

  /// Room for the numbers of all ghosts.
  var paddedCount: Int { 8 * blocks }

  init(_ images: consuming ImageBuffer, _ positions: [Vector3]) {
    blocks = (images.count + 7) / 8
    components = .allocate(capacity: 6 * blocks)
    home = .allocate(capacity: positions.count)
    home.initialize(repeating: 0, count: positions.count)
    first = .allocate(capacity: positions.count)
    first.initialize(repeating: 0, count: positions.count)
    // Padding is far from everything.
    components.initialize(repeating: Lanes(repeating: 1e100), count: 6 * blocks)
    let row = 8 * blocks
    let scalars = UnsafeMutableRawPointer(components).assumingMemoryBound(to: Double.self)
    for g in 0..<images.count {
      let j = Int(images.indices[g])
      let (r, t) = (positions[j], images.vectors[g])
      scalars[g] = r.x
      scalars[row + g] = r.y
      scalars[2 * row + g] = r.z
      scalars[3 * row + g] = t.x
      scalars[4 * row + g] = t.y
      scalars[5 * row + g] = t.z
      if t == .zero { home[j] = Int32(truncatingIfNeeded: g) }
      if g == 0 || images.indices[g - 1] != images.indices[g] {
        first[j] = Int32(truncatingIfNeeded: g)
      }
    }
    self.images = images
  }

  deinit {
    components.deallocate()
    home.deallocate()
    first.deallocate()
  }

  /// Writes the numbers of the ghosts closer than the cutoff to one atom, in order.
  ///
  /// - Parameters:
  ///   - center: Where the atom is, Cartesian, in Å.
  ///   - atom: Its index; its own ghost is left out.
  ///   - cutoff: Ghosts are closer than this, in Å.
  ///   - picked: Room for `paddedCount` + 1 numbers.
  /// - Returns: How many there are.
  func pick(
    around center: Vector3, home atom: Int, cutoff: Double,
    into picked: UnsafeMutablePointer<Int32>
  ) -> Int {
    let square = Lanes(repeating: cutoff * cutoff)
    let (x, y, z) = (
      Lanes(repeating: center.x), Lanes(repeating: center.y), Lanes(repeating: center.z)
    )
    let own = home[atom]
    var count = 0
    for block in 0..<blocks {
      let squares = squaredDistances(of: block, x, y, z)
      var bits = Self.bits(squares .< square)
      while bits != 0 {
        let lane = bits.trailingZeroBitCount
        let ghost = Int32(truncatingIfNeeded: 8 &* block &+ lane)
        picked[count] = ghost
        count &+= ghost == own ? 0 : 1
        bits &= bits &- 1
      }
    }
    return count
  }

  /// Calls a closure with the squared distance of every pair of an atom and a ghost of itself or of
  /// a later atom that are closer than the cutoff.
  @inline(__always)
  func forEachPair(
    _ positions: [Vector3], cutoff: Double, _ body: (Int, Int, _ squaredDistance: Double) -> Void
  ) {
    let square = Lanes(repeating: cutoff * cutoff)
    for i in positions.indices {
      let center = positions[i]
      let (x, y, z) = (
        Lanes(repeating: center.x), Lanes(repeating: center.y), Lanes(repeating: center.z)
      )
      let (start, own) = (Int(first[i]), Int(home[i]))
      var earlier = Int64(1) << Int64(start & 7) - 1
      for block in (start / 8)..<blocks {
        let squares = squaredDistances(of: block, x, y, z)
        var bits = Self.bits(squares .< square) & ~earlier
        earlier = 0
        while bits != 0 {
          let lane = bits.trailingZeroBitCount
          let ghost = 8 &* block &+ lane
          if ghost != own { body(i, Int(images.indices[ghost]), squares[lane]) }
          bits &= bits &- 1
        }
      }
    }
  }

  @inline(__always)
  private func squaredDistances(of block: Int, _ x: Lanes, _ y: Lanes, _ z: Lanes) -> Lanes {
    let dx = (components[block] - x) + components[3 &* blocks &+ block]
    let dy = (components[blocks &+ block] - y) + components[4 &* blocks &+ block]
    let dz = (components[2 &* blocks &+ block] - z) + components[5 &* blocks &+ block]
    return dx * dx + dy * dy + dz * dz
  }

  // One bit per lane.
  @inline(__always)
  private static func bits(_ mask: SIMDMask<SIMD8<Int64>>) -> Int64 {
    (unsafeBitCast(mask, to: SIMD8<Int64>.self) & laneBits).wrappedSum()
  }

  /// The picked ghosts as neighbors.
  func list(_ hits: [Int32], offsets: [Int], _ positions: [Vector3]) -> NeighborList {
    let (indices, vectors) = (images.indices, images.vectors)
    let foundIndices = [Int32](unsafeUninitializedCapacity: hits.count) { target, used in
      for (place, ghost) in hits.enumerated() { target[place] = indices[Int(ghost)] }
      used = hits.count
    }
    let displacements = [Vector3](unsafeUninitializedCapacity: hits.count) { target, used in
      for i in 0..<positions.count {
        let here = positions[i]
        for place in offsets[i]..<offsets[i + 1] {
          let ghost = Int(hits[place])
          target[place] = (positions[Int(indices[ghost])] - here) + vectors[ghost]
        }
      }
      used = hits.count
    }
    return NeighborList(offsets: offsets, indices: foundIndices, displacements: displacements)
  }
}
