import NumericalCore

extension NeighborSearch {
  /// Image numbers must fit the ten bits of an image key.
  var allowsBins: Bool {
    let heights = frame.heights
    for axis in 0..<frame.periodicCount where cutoff / heights[axis] > 500 { return false }
    return true
  }

  /// Atoms are sorted into bins half a cutoff wide; candidates are those of the bins around.
  ///
  /// Neighbors come out bin by bin. They are put in order without sorting: going through the atoms in
  /// order and handing each neighbor the opposite displacement fills every atom's list by index.
  func listByBins() -> NeighborList {
    let grid = NeighborGrid(self)
    let count = positions.count
    var found = ImageBuffer(capacity: 64 * count)
    var images: [UInt32] = []
    images.reserveCapacity(64 * count)
    var offsets = [Int](repeating: 0, count: count + 1)
    for i in 0..<count {
      grid.forEachCandidate(of: i) { j, displacement, key in
        guard displacement.squaredLength < cutoff * cutoff else { return }
        if i == j && key == ImageKey.zero { return }
        found.makeRoom(for: 1)
        found.append(Int32(truncatingIfNeeded: j), displacement)
        images.append(key)
      }
      offsets[i + 1] = found.count
    }
    return transposed(found, offsets, images)
  }

  /// The list seen from the other ends of the pairs, thereby ordered by index and image.
  private func transposed(
    _ found: borrowing ImageBuffer, _ offsets: [Int], _ images: [UInt32]
  ) -> NeighborList {
    var next = offsets
    var indices = [Int32](repeating: 0, count: found.count)
    var displacements = [Vector3](repeating: .zero, count: found.count)
    var keys = [UInt32](repeating: 0, count: found.count)
    for i in 0..<positions.count {
      for place in offsets[i]..<offsets[i + 1] {
        let j = Int(found.indices[place])
        let key = ImageKey.opposite(images[place])
        // Several images of one atom: insert where the translation belongs.
        var target = next[j]
        while target > offsets[j] && indices[target - 1] == Int32(i) && keys[target - 1] > key {
          keys[target] = keys[target - 1]
          indices[target] = indices[target - 1]
          displacements[target] = displacements[target - 1]
          target -= 1
        }
        keys[target] = key
        indices[target] = Int32(truncatingIfNeeded: i)
        displacements[target] = -found.vectors[place]
        next[j] += 1
      }
    }
    return NeighborList(offsets: offsets, indices: indices, displacements: displacements)
  }
}

/// Three image numbers of up to ten bits in one comparable number, n₃ first.
enum ImageKey {
  static let bias = 511
  static let zero = key(0, 0, 0)

  static func key(_ n1: Int, _ n2: Int, _ n3: Int) -> UInt32 {
    UInt32(truncatingIfNeeded: (n3 + bias) << 20 | (n2 + bias) << 10 | (n1 + bias))
  }

  /// The key of the opposite image.
  static func opposite(_ key: UInt32) -> UInt32 { 2 * zero - key }
}

/// Atoms sorted into bins whose faces are parallel to those of the frame's cell.
struct NeighborGrid {
  private let frame: PeriodicFrame
  private let counts: (Int, Int, Int)
  private let spans: (Int, Int, Int)
  private let bins: [SIMD3<Int32>]
  private let starts: [Int]
  private let members: [Int32]
  private let memberPositions: [Vector3]
  private let positions: [Vector3]

  init(_ search: NeighborSearch) {
    frame = search.frame
    positions = search.positions
    let fractional = positions.map { $0 * search.frame.inverse }
    let heights = search.frame.heights
    var counts = [1, 1, 1]
    var spans = [0, 0, 0]
    var origin = Vector3.zero
    var perBin = Vector3.zero
    var lengths = Vector3.zero
    var extents = Vector3.zero
    for axis in 0..<3 {
      var extent = 1.0
      if axis >= search.frame.periodicCount {
        let low = fractional.reduce(Double.infinity) { min($0, $1[axis]) }
        let high = fractional.reduce(-Double.infinity) { max($0, $1[axis]) }
        origin[axis] = low
        extent = max(high - low, 1e-3)
      }
      let height = extent * heights[axis]
      lengths[axis] = height
      extents[axis] = extent
      counts[axis] = Int(max(1, min(1e6, (2 * height / search.cutoff).rounded(.down))))
    }
    // Atoms may be few and far between: no more than some bins for each.
    while Double(counts[0]) * Double(counts[1]) * Double(counts[2]) > Double(8 * positions.count) {
      let largest =
        counts[0] >= counts[1] && counts[0] >= counts[2]
        ? 0 : (counts[1] >= counts[2] ? 1 : 2)
      counts[largest] = (counts[largest] + 1) / 2
    }
    for axis in 0..<3 {
      let width = lengths[axis] / Double(counts[axis])
      spans[axis] = Int((search.cutoff * NeighborSearch.margin / width).rounded(.up))
      perBin[axis] = Double(counts[axis]) / extents[axis]
    }
    let total = counts[0] * counts[1] * counts[2]
    var bins: [SIMD3<Int32>] = []
    bins.reserveCapacity(positions.count)
    for f in fractional {
      var bin = SIMD3<Int32>.zero
      for axis in 0..<3 {
        let place = ((f[axis] - origin[axis]) * perBin[axis]).rounded(.down)
        bin[axis] = Int32(max(0, min(Double(counts[axis] - 1), place)))
      }
      bins.append(bin)
    }
    self.counts = (counts[0], counts[1], counts[2])
    self.spans = (spans[0], spans[1], spans[2])
    self.bins = bins
    (starts, members) = Self.sorted(bins, counts, total)
    memberPositions = members.map { search.positions[Int($0)] }
  }

  // Counting sort, atoms of a bin in order.
  private static func sorted(
    _ bins: [SIMD3<Int32>], _ counts: [Int], _ total: Int
  ) -> ([Int], [Int32]) {
    func place(_ bin: SIMD3<Int32>) -> Int {
      (Int(bin[2]) * counts[1] + Int(bin[1])) * counts[0] + Int(bin[0])
    }
    var starts = [Int](repeating: 0, count: total + 1)
    for bin in bins { starts[place(bin) + 1] += 1 }
    for index in 0..<total { starts[index + 1] += starts[index] }
    var next = starts
    var members = [Int32](repeating: 0, count: bins.count)
    for (atom, bin) in bins.enumerated() {
      let index = place(bin)
      members[next[index]] = Int32(truncatingIfNeeded: atom)
      next[index] += 1
    }
    return (starts, members)
  }

  /// Calls the closure with every atom image in the bins around an atom, itself included.
  @inline(__always)
  func forEachCandidate(
    of i: Int, _ body: (_ j: Int, _ displacement: Vector3, _ key: UInt32) -> Void
  ) {
    let home = bins[i]
    let here = positions[i]
    let t = frame.translations
    for o3 in -spans.2...spans.2 {
      guard let (b3, n3) = target(Int(home[2]) + o3, counts.2, level: 2) else { continue }
      let plane = Double(n3) * t.c
      for o2 in -spans.1...spans.1 {
        guard let (b2, n2) = target(Int(home[1]) + o2, counts.1, level: 1) else { continue }
        let line = Double(n2) * t.b + plane
        for o1 in -spans.0...spans.0 {
          guard let (b1, n1) = target(Int(home[0]) + o1, counts.0, level: 0) else { continue }
          let shift = Double(n1) * t.a + line
          let key = ImageKey.key(n1, n2, n3)
          let bin = (b3 * counts.1 + b2) * counts.0 + b1
          for place in starts[bin]..<starts[bin + 1] {
            body(Int(members[place]), (memberPositions[place] - here) + shift, key)
          }
        }
      }
    }
  }

  /// The bin and the image number of a bin counted beyond the cell; nothing outside a finite extent.
  @inline(__always)
  private func target(_ bin: Int, _ count: Int, level: Int) -> (bin: Int, image: Int)? {
    if bin >= 0 && bin < count { return (bin, 0) }
    guard level < frame.periodicCount else { return nil }
    let image = bin >= 0 ? bin / count : -((count - 1 - bin) / count)
    return (bin - image * count, image)
  }
}
