import NumericalCore

/// What both ways of searching neighbors share: a short basis and atoms moved into its cell.
struct NeighborSearch {
  let frame: PeriodicFrame
  let cutoff: Double
  /// Positions in the frame's cell, Cartesian, in Å.
  let positions: [Vector3]
  /// The middle of the atoms and the radius in Å of a sphere around it that holds them all.
  let center: Vector3
  let radius: Double

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

  /// The translations of every atom to where another atom may see it.
  private func images() -> ImageBuffer {
    let reach = cutoff + radius
    let expected = min(expectedAtoms(within: reach), 1e7)
    var buffer = ImageBuffer(capacity: Int(expected) + 16)
    let limit = reach * Self.margin
    for (j, position) in positions.enumerated() {
      let difference = position - center
      addRows(
        to: &buffer, Int32(truncatingIfNeeded: j), difference: difference,
        local: frame.axes * difference, limit)
    }
    return buffer
  }

  // Row by row: planes n₃, lines n₂, points n₁. The bounds of each are those of a sphere cut by
  // planes and lines, so hardly a point lies outside.
  @inline(__always)
  private func addRows(
    to buffer: inout ImageBuffer, _ j: Int32, difference: Vector3, local: Vector3, _ reach: Double
  ) {
    let t = frame.triangle
    let (low3, high3) = range(-reach - local.z, reach - local.z, t.c.z, level: 2)
    for n3 in stride(from: low3, through: high3, by: 1) {
      let z = local.z + n3 * t.c.z
      let disk = reach * reach - z * z
      guard disk > 0 else { continue }
      let (y0, x0) = (local.y + n3 * t.c.y, local.x + n3 * t.c.x)
      let plane = n3 * frame.translations.c
      let radius = disk.squareRoot()
      let (low2, high2) = range(-radius - y0, radius - y0, t.b.y, level: 1)
      for n2 in stride(from: low2, through: high2, by: 1) {
        let y = y0 + n2 * t.b.y
        let chord = disk - y * y
        guard chord > 0 else { continue }
        let x = x0 + n2 * t.b.x
        let half = chord.squareRoot()
        let (low1, high1) = range(-half - x, half - x, t.a.x, level: 0)
        guard low1 <= high1 else { continue }
        let line = n2 * frame.translations.b + plane
        buffer.makeRoom(for: Int(high1 - low1) + 1)
        for n1 in stride(from: low1, through: high1, by: 1) {
          buffer.append(j, n1 * frame.translations.a + line)
        }
      }
    }
  }

  /// The whole numbers n with low ≤ n × step ≤ high; 0 alone, or nothing, where nothing repeats.
  @inline(__always)
  private func range(
    _ low: Double, _ high: Double, _ step: Double, level: Int
  ) -> (low: Double, high: Double) {
    if level < frame.periodicCount {
      return ((low / step).rounded(.up), (high / step).rounded(.down))
    }
    return low <= 0 && high >= 0 ? (0, 0) : (0, -1)
  }
}
