import Crystal
import NumericalCore

/// Which atoms share a block: atoms of one species, those with similar numbers of neighbors together.
///
/// Where few atoms are left, each takes several lanes and its neighbors are dealt out among them.
struct EvaluationBlock: Sendable {
  /// The species of the central atoms.
  var species: Int
  /// Their places in the order.
  var atoms: Range<Int>

  /// Into how many parts the neighbors of each atom are split, as a power of 2.
  var partExponent: Int {
    var exponent = 0
    while atoms.count << (exponent + 1) <= laneCount { exponent += 1 }
    return exponent
  }
}

/// The order in which atoms are put into blocks.
struct BlockSchedule: Sendable {
  /// All atoms, block after block.
  private(set) var atoms: [Int32] = []
  /// The blocks.
  private(set) var blocks: [EvaluationBlock] = []
  /// The slots that the largest block needs.
  private(set) var slotCapacity = 0
  private var starts: [Int32] = []

  /// Lends the order and the blocks.
  func withPointers(
    _ body: (UnsafePointer<Int32>, UnsafeBufferPointer<EvaluationBlock>) -> Void
  ) {
    atoms.withUnsafeBufferPointer { atoms in
      blocks.withUnsafeBufferPointer { blocks in
        if let first = atoms.baseAddress { body(first, blocks) }
      }
    }
  }

  /// Sorts the atoms of a table by species, then by number of neighbors; stable.
  mutating func make(for table: NeighborTable) {
    let (count, species) = (table.atomCount, table.speciesCount)
    let ends = table.ends
    var largest = 0
    var perSpecies = 0
    for s in 0..<species {
      var most = 0
      for i in 0..<count {
        let place = i * species + s
        most = max(most, Int(ends[place]) - (place == 0 ? 0 : Int(ends[place - 1])))
      }
      perSpecies += most
    }
    func neighborCount(_ i: Int) -> Int {
      Int(ends[(i + 1) * species - 1]) - (i == 0 ? 0 : Int(ends[i * species - 1]))
    }
    for i in 0..<count { largest = max(largest, neighborCount(i)) }
    let width = largest + 1
    starts.removeAll(keepingCapacity: true)
    for _ in 0...species * width { starts.append(0) }
    for i in 0..<count { starts[Int(table.species[i]) * width + neighborCount(i) + 1] += 1 }
    for key in 0..<species * width { starts[key + 1] += starts[key] }
    blocks.removeAll(keepingCapacity: true)
    for s in 0..<species {
      let end = Int(starts[(s + 1) * width])
      for first in stride(from: Int(starts[s * width]), to: end, by: laneCount) {
        blocks.append(EvaluationBlock(species: s, atoms: first..<min(first + laneCount, end)))
      }
    }
    while atoms.count < count { atoms.append(0) }
    for i in 0..<count {
      let key = Int(table.species[i]) * width + neighborCount(i)
      atoms[Int(starts[key])] = Int32(truncatingIfNeeded: i)
      starts[key] += 1
    }
    // An even number, and one for what is written beyond the last neighbor.
    slotCapacity = (perSpecies + 2) / 2 * 2 + 2
  }
}

/// The lanes of a block: which atoms they hold and where their neighbors' slots are.
struct BlockLanes {
  /// How many lanes hold one part of every atom, a power of 2.
  let width: Int
  /// How many atoms there are, at most `width`.
  let atomCount: Int
  /// How many parts the neighbors are split in.
  let parts: Int
  private let exponent: Int
  /// The central atoms.
  let atoms: UnsafePointer<Int32>

  /// Takes a block's atoms.
  ///
  /// - Parameters:
  ///   - block: The block.
  ///   - order: All atoms.
  ///   - isWhole: Whether every atom has one lane, however few there are: sums over pairs of neighbors need them all.
  init(_ block: EvaluationBlock, _ order: UnsafePointer<Int32>, isWhole: Bool = false) {
    exponent = isWhole ? 0 : block.partExponent
    parts = 1 << exponent
    width = laneCount >> exponent
    atomCount = block.atoms.count
    atoms = order + block.atoms.lowerBound
  }

  /// Puts vectors to neighbors into slots, species after species.
  ///
  /// Empty places are at the cutoff, where radial functions vanish with their slopes; their neighbor is
  /// the atom behind the last, which does not exist.
  ///
  /// - Parameters:
  ///   - slots: Receives vectors and neighbors.
  ///   - table: The neighbors.
  ///   - cutoff: The cutoff radius in Å.
  ///   - groupEnds: Receives where the slots of each neighbor species end.
  func fill(
    _ slots: inout NeighborSlots, from table: NeighborTable.Pointers, cutoff: Double,
    _ groupEnds: UnsafeMutablePointer<Int>
  ) {
    let numbers = UnsafeMutableRawPointer(slots.geometry).assumingMemoryBound(to: Double.self)
    let stride = NeighborSlots.geometryStride &* laneCount
    var lengths = InlineArray<8, Int>(repeating: 0)
    var first = 0
    for s in 0..<table.speciesCount {
      var longest = 0
      for lane in 0..<laneCount {
        let a = lane & (width - 1)
        guard a < atomCount else { continue }
        let part = (lane &- a) >> (laneCount.trailingZeroBitCount &- exponent)
        let place = first &* laneCount &+ lane
        lengths[lane] = deal(
          table, Int(atoms[a]), species: s, part: part, square: cutoff * cutoff,
          to: numbers + (first &* stride &+ lane), slots.neighbors + place)
        longest = max(longest, lengths[lane])
      }
      var end = first + longest
      if s == table.speciesCount - 1 { end += end & 1 }
      for lane in 0..<laneCount {
        var target = numbers + ((first &+ lengths[lane]) &* stride &+ lane)
        var neighbor = slots.neighbors + ((first &+ lengths[lane]) &* laneCount &+ lane)
        for _ in first &+ lengths[lane]..<end {
          target[0] = cutoff
          target[laneCount] = 0
          target[2 &* laneCount] = 0
          neighbor[0] = table.nobody
          target += stride
          neighbor += laneCount
        }
      }
      first = end
      groupEnds[s] = end
    }
    slots.count = first
  }

  // Writes one part of an atom's neighbors of one species into a lane, slot after slot; those that are too
  // far are written over.
  @inline(__always)
  private func deal(
    _ table: NeighborTable.Pointers, _ atom: Int, species: Int, part: Int, square: Double,
    to first: UnsafeMutablePointer<Double>, _ firstNeighbor: UnsafeMutablePointer<Int32>
  ) -> Int {
    let center = table.centers[atom]
    let (cx, cy, cz) = (center.x, center.y, center.z)
    let range = table.range(atom, species)
    let stride = NeighborSlots.geometryStride &* laneCount
    var hit = range.lowerBound &+ part
    var count = 0
    while hit < range.upperBound {
      let image = Int(table.hits[hit])
      let (dx, dy, dz) = (table.x[image] - cx, table.y[image] - cy, table.z[image] - cz)
      let target = first + count &* stride
      target[0] = dx
      target[laneCount] = dy
      target[2 &* laneCount] = dz
      firstNeighbor[count &* laneCount] = table.owners[image]
      count &+= dx * dx + dy * dy + dz * dz < square ? 1 : 0
      hit &+= parts
    }
    return count
  }
}
