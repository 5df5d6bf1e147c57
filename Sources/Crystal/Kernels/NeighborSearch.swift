import NumericalCore

/// What both ways of searching neighbors share: a short basis and atoms moved into its cell.
struct NeighborSearch {
  let frame: PeriodicFrame
  let cutoff: Double
  /// Positions in the frame's cell, Cartesian, in Å.
  let positions: [Vector3]
  /// The middle of the atoms and the radius in Å of a sphere around it that holds them all.
  let center: Vector3
  private(set) var radius: Double
  /// The corners of the box around the atoms, widened by the cutoff, in Å.
  let low: Vector3
  /// Likewise.
  let high: Vector3

  /// Bounds are searched this much too far and the distance decides, so that rounding loses no pair.
  static let margin = 1 + 1e-8

  init(_ structure: Structure, cutoff: Double) {
    let frame = PeriodicFrame(structure.lattice, structure.periodicity)
    let positions = structure.positions.map { frame.wrapped($0) }
    var (low, high) = (positions[0], positions[0])
    for r in positions {
      low = Vector3(min(low.x, r.x), min(low.y, r.y), min(low.z, r.z))
      high = Vector3(max(high.x, r.x), max(high.y, r.y), max(high.z, r.z))
    }
    let center = 0.5 * (low + high)
    self.frame = frame
    self.cutoff = cutoff
    self.positions = positions
    self.center = center
    let edge = cutoff * Self.margin
    let widening = Vector3(edge, edge, edge)
    (self.low, self.high) = (low - widening, high + widening)
    radius = positions.reduce(0) { max($0, ($1 - center).squaredLength) }.squareRoot()
  }

  /// About how many atoms and images lie in a sphere around the atoms.
  private func expectedAtoms(within reach: Double) -> Double {
    let sphere = 4.19 * reach * reach * reach
    if frame.periodicCount == 3 {
      return Double(positions.count) * (1 + sphere / abs(frame.translations.determinant))
    }
    var images = 1.0
    let heights = frame.heights
    for axis in 0..<frame.periodicCount { images *= max(1, 2 * reach / heights[axis]) }
    return Double(positions.count) * images
  }

  /// Whether bins are likely faster: ghosts cost less per candidate, bins have fewer candidates.
  ///
  /// Measured: 1 ns per ghost, 70 ns per
  /// neighbor found by bins; so bins pay from some hundred atoms on.
  var prefersBins: Bool {
    guard positions.count > 200, allowsBins else { return false }
    let ghosts = expectedAtoms(within: cutoff + radius)
    let share =
      (cutoff * cutoff * cutoff) / ((cutoff + radius) * (cutoff + radius) * (cutoff + radius))
    return ghosts > 70 * (share * ghosts + 5)
  }

  /// All atoms and images that any atom can see are laid out once, ordered by index and translation;
  /// each atom then picks its neighbors among them, eight at a time.
  func listByGhosts() -> NeighborList {
    let ghosts = GhostAtoms(images(), positions)
    let count = positions.count
    var offsets = [Int](repeating: 0, count: count + 1)
    var hits: [Int32] = []
    // One ghost too many is written before the count tells, hence the spare place.
    hits.reserveCapacity(16 + count * 96)
    withUnsafeTemporaryAllocation(of: Int32.self, capacity: ghosts.paddedCount + 1) { picked in
      for i in 0..<count {
        guard let base = picked.baseAddress else { return }
        let found = ghosts.pick(around: positions[i], home: i, cutoff: cutoff, into: base)
        hits.append(contentsOf: UnsafeBufferPointer(start: base, count: found))
        offsets[i + 1] = hits.count
      }
    }
    return ghosts.list(hits, offsets: offsets, positions)
  }

  /// Calls a closure with the indices i ≤ j and the squared distance of every pair closer than the
  /// cutoff; that of an atom and its image is met twice, once for each direction.
  @inline(__always)
  func forEachPair(_ body: (Int, Int, _ squaredDistance: Double) -> Void) {
    if prefersBins {
      let list = listByBins()
      for i in 0..<list.atomCount {
        for place in list.neighbors(of: i) where list.indices[place] >= i {
          body(i, Int(list.indices[place]), list.displacements[place].squaredLength)
        }
      }
    } else {
      GhostAtoms(images(), positions).forEachPair(positions, cutoff: cutoff, body)
    }
  }

  /// The translations of every atom to where another atom may see it.
  private func images() -> ImageBuffer {
    let expected = min(expectedAtoms(within: cutoff + radius), 1e7)
    var buffer = ImageBuffer(capacity: Int(expected) + 16)
    for (j, position) in positions.enumerated() {
      forEachTranslation(of: position) { translation in
        buffer.makeRoom(for: 1)
        buffer.append(Int32(truncatingIfNeeded: j), translation)
      }
    }
    return buffer
  }

  /// Calls a closure with every translation that moves a position to where an atom may see it.
  ///
  /// Row by row: planes n₃, lines n₂, points n₁. The bounds of each are those of a sphere cut by
  /// planes and lines, so hardly a point lies outside.
  @inline(__always)
  func forEachTranslation(of position: Vector3, _ body: (Vector3) -> Void) {
    let reach = (cutoff + radius) * Self.margin
    let local = frame.axes * (position - center)
    let t = frame.triangle
    let perStep = Vector3(1 / t.a.x, 1 / t.b.y, 1 / t.c.z)
    for n3 in range(-local.z, reach, perStep.z, level: 2) {
      let z = local.z + Double(n3) * t.c.z
      let disk = reach * reach - z * z
      guard disk > 0 else { continue }
      let (y0, x0) = (local.y + Double(n3) * t.c.y, local.x + Double(n3) * t.c.x)
      let plane = Double(n3) * frame.translations.c
      for n2 in range(-y0, disk.squareRoot(), perStep.y, level: 1) {
        let y = y0 + Double(n2) * t.b.y
        let chord = disk - y * y
        guard chord > 0 else { continue }
        let x = x0 + Double(n2) * t.b.x
        let line = Double(n2) * frame.translations.b + plane
        for n1 in range(-x, chord.squareRoot(), perStep.x, level: 0) {
          body(Double(n1) * frame.translations.a + line)
        }
      }
    }
  }

  /// The translations that move some atom to where another may see it; the first is none.
  ///
  /// Those of the middle of the atoms within the cutoff and twice their radius.
  func translations(into list: inout [Vector3]) {
    list.removeAll(keepingCapacity: true)
    list.append(.zero)
    var wider = self
    wider.radius = 2 * radius
    wider.forEachTranslation(of: center) { if $0 != .zero { list.append($0) } }
  }

  /// The whole numbers n with |n × step − middle| ≤ radius; 0 alone, or nothing, where nothing repeats.
  @inline(__always)
  private func range(_ middle: Double, _ radius: Double, _ perStep: Double, level: Int) -> Range<
    Int
  > {
    guard level < frame.periodicCount else { return abs(middle) <= radius ? 0..<1 : 0..<0 }
    let low = ((middle - radius) * perStep).rounded(.up)
    let high = ((middle + radius) * perStep).rounded(.down)
    return low <= high ? Int(low)..<Int(high) + 1 : 0..<0
  }
}
