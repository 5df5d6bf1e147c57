import NumericalCore

/// What both ways of searching neighbors share: a short basis, atoms moved into its cell, and room.
struct NeighborSearch {
  let frame: PeriodicFrame
  let cutoff: Double
  /// Positions in the frame's cell, Cartesian, in Å.
  let positions: [Vector3]
  /// The volume in Å³ that the atoms fill, including their surroundings where they do not repeat.
  let volume: Double

  /// Bounds are searched this much too far and the distance decides, so that rounding loses no pair.
  static let margin = 1 + 1e-8

  init(_ structure: Structure, cutoff: Double) {
    let frame = PeriodicFrame(structure.lattice, structure.periodicity)
    self.frame = frame
    self.cutoff = cutoff
    positions = structure.positions.map { frame.wrapped($0) }
    volume = Self.volume(frame, positions, cutoff)
  }

  private static func volume(
    _ frame: PeriodicFrame, _ positions: [Vector3], _ cutoff: Double
  ) -> Double {
    var volume = abs(frame.translations.determinant)
    for axis in frame.periodicCount..<3 {
      let e = frame.axes[axis]
      var (low, high) = (Double.infinity, -Double.infinity)
      for position in positions {
        let x = position.dot(e)
        low = min(low, x)
        high = max(high, x)
      }
      volume *= high - low + cutoff
    }
    return volume
  }

  /// How many neighbors an atom has at the mean density.
  var expectedNeighbors: Double {
    4.19 * cutoff * cutoff * cutoff * Double(positions.count) / volume
  }

  /// Rows find every image without a miss but look at every pair of atoms.
  var prefersBins: Bool {
    positions.count > 64 && Double(positions.count) > 2 * expectedNeighbors && allowsBins
  }

  /// For every pair of atoms the images in the sphere, row by row: planes n₃, lines n₂, points n₁.
  /// The bounds of each are those of a sphere cut by planes, so hardly a point lies outside.
  func listByRows() -> NeighborList {
    let count = positions.count
    var buffer = NeighborBuffer(capacity: reserve)
    var offsets = [Int](repeating: 0, count: count + 1)
    withUnsafeTemporaryAllocation(of: Vector3.self, capacity: count) { local in
      for i in 0..<count { local.initializeElement(at: i, to: frame.axes * positions[i]) }
      positions.withUnsafeBufferPointer { cartesian in
        for i in 0..<count {
          for j in 0..<count {
            addRows(
              to: &buffer, j, isSelf: i == j, difference: cartesian[j] - cartesian[i],
              local: local[j] - local[i])
          }
          offsets[i + 1] = buffer.count
        }
      }
    }
    return buffer.list(offsets: offsets)
  }

  /// Where to start with the room for neighbors: the mean density, and some more.
  private var reserve: Int {
    let expected = Double(positions.count) * (1.15 * expectedNeighbors + 8)
    return Int(min(expected, 1e7)) + 16
  }

  @inline(__always)
  private func addRows(
    to buffer: inout NeighborBuffer, _ j: Int, isSelf: Bool, difference: Vector3, local: Vector3
  ) {
    let t = frame.triangle
    let reach = cutoff * Self.margin
    let (low3, high3) = range(-reach - local.z, reach - local.z, t.c.z, level: 2)
    var n3 = low3
    while n3 <= high3 {
      let z = local.z + n3 * t.c.z
      let disk = reach * reach - z * z
      let y0 = local.y + n3 * t.c.y
      let x0 = local.x + n3 * t.c.x
      let plane = n3 * frame.translations.c
      let isMiddle = isSelf && n3 == 0
      n3 += 1
      guard disk > 0 else { continue }
      let radius = disk.squareRoot()
      let (low2, high2) = range(-radius - y0, radius - y0, t.b.y, level: 1)
      var n2 = low2
      while n2 <= high2 {
        let y = y0 + n2 * t.b.y
        let x = x0 + n2 * t.b.x
        let line = n2 * frame.translations.b + plane
        let isOrigin = isMiddle && n2 == 0
        n2 += 1
        let chord = disk - y * y
        guard chord > 0 else { continue }
        let half = chord.squareRoot()
        let (low1, high1) = range(-half - x, half - x, t.a.x, level: 0)
        guard low1 <= high1 else { continue }
        addRow(
          to: &buffer, Int32(truncatingIfNeeded: j), low1, high1, difference, line,
          skipsZero: isOrigin)
      }
    }
  }

  @inline(__always)
  private func addRow(
    to buffer: inout NeighborBuffer, _ j: Int32, _ low: Double, _ high: Double,
    _ difference: Vector3, _ line: Vector3, skipsZero: Bool
  ) {
    buffer.makeRoom(for: Int(high - low) + 1)
    let square = cutoff * cutoff
    var n = low
    while n <= high {
      // The same operations with opposite signs give exactly opposite displacements.
      let displacement = difference + (n * frame.translations.a + line)
      let isInside = displacement.squaredLength < square && !(skipsZero && n == 0)
      buffer.store(j, displacement, if: isInside)
      n += 1
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

/// Growing room for neighbors. Raw memory, because appending to an array checks for a second owner
/// at every neighbor.
struct NeighborBuffer: ~Copyable {
  private(set) var count = 0
  private var capacity: Int
  private var indices: UnsafeMutablePointer<Int32>
  private var displacements: UnsafeMutablePointer<Vector3>

  init(capacity: Int) {
    self.capacity = capacity
    indices = .allocate(capacity: capacity)
    displacements = .allocate(capacity: capacity)
  }

  deinit {
    indices.deallocate()
    displacements.deallocate()
  }

  @inline(__always)
  mutating func makeRoom(for more: Int) {
    if count + more > capacity { grow(by: more) }
  }

  /// Writes a neighbor and keeps it on a condition; room must have been made.
  @inline(__always)
  mutating func store(_ index: Int32, _ displacement: Vector3, if keep: Bool) {
    indices[count] = index
    displacements[count] = displacement
    count &+= keep ? 1 : 0
  }

  @inline(never)
  private mutating func grow(by more: Int) {
    let larger = 2 * capacity + more
    let newIndices = UnsafeMutablePointer<Int32>.allocate(capacity: larger)
    let newDisplacements = UnsafeMutablePointer<Vector3>.allocate(capacity: larger)
    newIndices.moveInitialize(from: indices, count: count)
    newDisplacements.moveInitialize(from: displacements, count: count)
    indices.deallocate()
    displacements.deallocate()
    indices = newIndices
    displacements = newDisplacements
    capacity = larger
  }

  /// The neighbors as a list.
  consuming func list(offsets: [Int]) -> NeighborList {
    let total = count
    let (from, vectors) = (indices, displacements)
    let list = NeighborList(
      offsets: offsets,
      indices: Array(unsafeUninitializedCapacity: total) { target, used in
        if let base = target.baseAddress { base.initialize(from: from, count: total) }
        used = total
      },
      displacements: Array(unsafeUninitializedCapacity: total) { target, used in
        if let base = target.baseAddress { base.initialize(from: vectors, count: total) }
        used = total
      })
    return list
  }
}
