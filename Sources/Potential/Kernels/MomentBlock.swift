import Crystal
import NumericalCore
import Synchronization

/// The sizes that decide how much memory a block of atoms needs.
package struct MomentBlockLayout: Sendable {
  /// The number of neighbor slots, a multiple of `chunkSlots`.
  package var slotCapacity: Int
  /// The number of species.
  package var speciesCount: Int
  /// The number of radial functions.
  package var functionCount: Int
  /// The number of radial basis functions.
  package var radialSize: Int
  /// The number of monomials.
  package var monomialCount: Int
  /// The number of values of the product graph.
  package var valueCount: Int
  /// Whether φ of all slots and the space for derivatives with respect to parameters are needed.
  package var forTraining: Bool
}

/// Eight central atoms of one species with their neighbors: where the numbers of a block are.
///
/// Valid only inside the closure that it is given to.
package struct MomentBlock {
  /// The sizes.
  package let layout: MomentBlockLayout
  /// The species of the central atoms.
  package internal(set) var species = 0
  /// How many lanes hold an atom; the rest has no neighbors.
  package internal(set) var atomCount = 0
  /// How many slots are in use, a multiple of `chunkSlots`.
  package internal(set) var slotCount = 0
  /// The central atom of each lane.
  package let atoms: UnsafeMutablePointer<Int32>
  /// The neighbor in each slot and lane; the number of atoms where there is none.
  package let neighbors: UnsafeMutablePointer<Int32>
  /// Where the slots of each neighbor species end.
  package let groupEnds: UnsafeMutablePointer<Int32>
  /// Unit vectors: for each chunk x of its slots, then y, then z.
  package let u: LanePointer
  /// Distances in Å.
  package let r: LanePointer
  /// Their inverses.
  package let inverse: LanePointer
  /// f_μ, one after the other, each of `slotCapacity` slots.
  package let f: LanePointer
  /// df_μ/dr likewise.
  package let df: LanePointer
  /// φ_i and dφ_i/dr of one chunk.
  package let chunkPhi: LanePointer
  /// dφ_i/dr of one chunk.
  package let chunkSlope: LanePointer
  /// Monomials of one chunk.
  package let rows: LanePointer
  /// As much space again.
  package let scratch: LanePointer
  /// All values of the product graph, basic moments first.
  package let values: LanePointer
  /// Their adjoints.
  package let adjoints: LanePointer
  /// ∂V/∂r_j of one chunk.
  package let gradient: LanePointer
  /// φ_i of all slots, one function after the other (training only).
  package let phi: LanePointer
  /// dφ_i/dr likewise.
  package let slope: LanePointer
  /// Tangents of the values (training only).
  package let tangents: LanePointer
  /// Tangents of the adjoints (training only).
  package let adjointTangents: LanePointer
  /// Σ_j φ_i uᵐ for each neighbor species, function i and monomial m (training only).
  package let sums: LanePointer
  /// Space for the parts of a derivative that belong to the central atom and the strain: nine times
  /// the larger of the number of moments and of radial coefficients of a central species.
  package let totals: LanePointer

  static func laneTotals(_ layout: MomentBlockLayout) -> Int {
    9 * max(layout.valueCount, layout.speciesCount * layout.functionCount * layout.radialSize)
  }

  /// How many vectors a layout needs.
  static func laneDemand(_ l: MomentBlockLayout) -> Int {
    var demand = l.slotCapacity * (5 + 2 * l.functionCount) + 2 * l.radialSize * chunkSlots
    demand += 2 * l.monomialCount * chunkSlots + 2 * l.valueCount + 3 * chunkSlots
    if l.forTraining {
      demand += 2 * l.radialSize * l.slotCapacity + 2 * l.valueCount
      demand += l.speciesCount * l.radialSize * l.monomialCount + laneTotals(l)
    }
    return demand
  }

  /// How many 32-bit integers a layout needs.
  static func integerDemand(_ l: MomentBlockLayout) -> Int {
    laneCount + l.slotCapacity * laneCount + l.speciesCount
  }

  init(layout l: MomentBlockLayout, lanes: LanePointer, integers: UnsafeMutablePointer<Int32>) {
    layout = l
    atoms = integers
    groupEnds = integers + laneCount
    neighbors = integers + laneCount + l.speciesCount
    var next = lanes
    func take(_ count: Int) -> LanePointer {
      defer { next += count }
      return next
    }
    u = take(3 * l.slotCapacity)
    r = take(l.slotCapacity)
    inverse = take(l.slotCapacity)
    f = take(l.functionCount * l.slotCapacity)
    df = take(l.functionCount * l.slotCapacity)
    chunkPhi = take(l.radialSize * chunkSlots)
    chunkSlope = take(l.radialSize * chunkSlots)
    rows = take(l.monomialCount * chunkSlots)
    scratch = take(l.monomialCount * chunkSlots)
    values = take(l.valueCount)
    adjoints = take(l.valueCount)
    gradient = take(3 * chunkSlots)
    let training = l.forTraining
    phi = take(training ? l.radialSize * l.slotCapacity : 0)
    slope = take(training ? l.radialSize * l.slotCapacity : 0)
    tangents = take(training ? l.valueCount : 0)
    adjointTangents = take(training ? l.valueCount : 0)
    sums = take(training ? l.speciesCount * l.radialSize * l.monomialCount : 0)
    totals = take(training ? Self.laneTotals(l) : 0)
  }

  /// Unit vectors of a chunk.
  package func u(chunk: Int) -> LanePointer { u + 3 &* chunkSlots &* chunk }
}

/// Memory of an evaluation, kept from one to the next.
struct MomentWorkspace: Sendable, Emptyable {
  private var lanes: [Lanes] = []
  private var integers: [Int32] = []

  /// Lends the memory of a block.
  mutating func withBlock(_ layout: MomentBlockLayout, _ body: (inout MomentBlock) -> Void) {
    let (laneDemand, integerDemand) =
      (MomentBlock.laneDemand(layout) + alignmentReserve, MomentBlock.integerDemand(layout))
    if lanes.count < laneDemand { lanes = [Lanes](repeating: .zero, count: laneDemand) }
    if integers.count < integerDemand { integers = [Int32](repeating: 0, count: integerDemand) }
    lanes.withUnsafeMutableBufferPointer { laneBuffer in
      integers.withUnsafeMutableBufferPointer { integerBuffer in
        guard let first = laneBuffer.baseAddress, let integer = integerBuffer.baseAddress else {
          return
        }
        var block = MomentBlock(
          layout: layout, lanes: first.alignedToCacheLine, integers: integer)
        body(&block)
      }
    }
  }
}

/// Workspaces that are not in use.
///
/// A potential is a value that several threads may evaluate; each takes a workspace and brings it
/// back.
final class WorkspacePool<Workspace: Sendable & Emptyable>: Sendable {
  private let idle = Mutex<[Workspace]>([])

  func take() -> Workspace { idle.withLock { $0.popLast() } ?? Workspace() }

  func give(_ workspace: Workspace) { idle.withLock { $0.append(workspace) } }
}

/// Can be created empty.
protocol Emptyable {
  init()
}

/// Which atoms share a block: atoms of one species, those with similar numbers of neighbors together.
struct BlockOrder {
  /// A run of at most `laneCount` atoms of one species in `atoms`.
  struct Block {
    var species: Int
    var atoms: Range<Int>
  }

  /// All atoms, block after block.
  let atoms: [Int32]
  /// The blocks.
  let blocks: [Block]
  /// The slots that the largest block needs.
  let slotCapacity: Int

  init(species: [Int], speciesCount: Int, list: NeighborList) {
    let count = species.count
    var largest = 0
    for i in 0..<count { largest = max(largest, list.neighbors(of: i).count) }
    // Counting sort by species, then by number of neighbors; stable.
    let width = largest + 1
    var starts = [Int](repeating: 0, count: speciesCount * width + 1)
    for i in 0..<count { starts[species[i] * width + list.neighbors(of: i).count + 1] += 1 }
    for key in 0..<speciesCount * width { starts[key + 1] += starts[key] }
    let speciesStarts = (0...speciesCount).map { starts[$0 * width] }
    var order = [Int32](repeating: 0, count: count)
    for i in 0..<count {
      let key = species[i] * width + list.neighbors(of: i).count
      order[starts[key]] = Int32(i)
      starts[key] += 1
    }
    var blocks: [Block] = []
    for s in 0..<speciesCount {
      for first in stride(from: speciesStarts[s], to: speciesStarts[s + 1], by: laneCount) {
        blocks.append(
          Block(species: s, atoms: first..<min(first + laneCount, speciesStarts[s + 1])))
      }
    }
    atoms = order
    self.blocks = blocks
    // Neighbors are grouped by species; in the worst case each group's largest number is from
    // another lane.
    let groups = largest * min(speciesCount, laneCount)
    slotCapacity = (groups + chunkSlots) / chunkSlots * chunkSlots
  }
}

extension MomentBlock {
  /// Puts a block's atoms and neighbors into lanes and slots and computes distances and unit
  /// vectors.
  ///
  /// Empty slots are at the cutoff, where radial functions vanish with their slopes.
  mutating func fill(
    _ order: BlockOrder, _ block: BlockOrder.Block, list: NeighborList, species all: [Int],
    cutoff: Double
  ) {
    species = block.species
    atomCount = block.atoms.count
    let nobody = Int32(all.count)
    let speciesCount = layout.speciesCount
    for lane in 0..<laneCount {
      atoms[lane] = lane < atomCount ? order.atoms[block.atoms.lowerBound + lane] : nobody
    }
    // The largest number of neighbors of each species.
    for s in 0..<speciesCount { groupEnds[s] = 0 }
    if speciesCount == 1 {
      for lane in 0..<atomCount {
        groupEnds[0] = max(groupEnds[0], Int32(list.neighbors(of: Int(atoms[lane])).count))
      }
    } else {
      for lane in 0..<atomCount {
        for s in 0..<speciesCount {
          var count: Int32 = 0
          for place in list.neighbors(of: Int(atoms[lane]))
          where all[Int(list.indices[place])] == s {
            count += 1
          }
          groupEnds[s] = max(groupEnds[s], count)
        }
      }
      for s in 1..<speciesCount { groupEnds[s] += groupEnds[s - 1] }
    }
    let used = Int(groupEnds[speciesCount - 1])
    slotCount = (used + chunkSlots - 1) / chunkSlots * chunkSlots
    groupEnds[speciesCount - 1] = Int32(slotCount)
    for slot in 0..<slotCount {
      let place = Self.place(slot)
      u[place] = Lanes(repeating: cutoff)
      u[place + chunkSlots] = .zero
      u[place + 2 * chunkSlots] = .zero
    }
    for place in 0..<slotCount * laneCount { neighbors[place] = nobody }
    let numbers = UnsafeMutableRawPointer(u).assumingMemoryBound(to: Double.self)
    for lane in 0..<atomCount {
      for s in 0..<speciesCount {
        var slot = s == 0 ? 0 : Int(groupEnds[s - 1])
        for place in list.neighbors(of: Int(atoms[lane])) {
          let j = list.indices[place]
          if speciesCount > 1, all[Int(j)] != s { continue }
          let d = list.displacements[place]
          let target = Self.place(slot) * laneCount + lane
          numbers[target] = d.x
          numbers[target + chunkSlots * laneCount] = d.y
          numbers[target + 2 * chunkSlots * laneCount] = d.z
          neighbors[slot * laneCount + lane] = j
          slot += 1
        }
      }
    }
    normalize()
  }

  // The place of a slot's x among the unit vectors.
  @inline(__always)
  private static func place(_ slot: Int) -> Int {
    slot / chunkSlots * (3 * chunkSlots) + slot % chunkSlots
  }

  private func normalize() {
    for slot in 0..<slotCount {
      let place = Self.place(slot)
      let (x, y, z) = (u[place], u[place + chunkSlots], u[place + 2 * chunkSlots])
      let distance = (x * x).addingProduct(y, y).addingProduct(z, z).squareRoot()
      let inverse = Lanes(repeating: 1) / distance
      r[slot] = distance
      self.inverse[slot] = inverse
      u[place] = x * inverse
      u[place + chunkSlots] = y * inverse
      u[place + 2 * chunkSlots] = z * inverse
    }
  }

  /// Computes the radial functions of all slots.
  ///
  /// - Parameters:
  ///   - basis: The radial basis.
  ///   - coefficients: The radial coefficients of the central species.
  func radialFunctions(_ basis: RadialBasis, _ coefficients: UnsafePointer<Double>) {
    let functionCount = layout.functionCount
    var group = 0
    for first in stride(from: 0, to: slotCount, by: chunkSlots) {
      RadialKernel.functions(
        basis, r + first, slots: chunkSlots, phi: chunkPhi, slope: chunkSlope, spacing: chunkSlots)
      if layout.forTraining {
        for i in 0..<basis.size {
          for s in 0..<chunkSlots {
            phi[i * layout.slotCapacity + first + s] = chunkPhi[i * chunkSlots + s]
            slope[i * layout.slotCapacity + first + s] = chunkSlope[i * chunkSlots + s]
          }
        }
      }
      // A chunk may hold the end of one group of species and the beginning of the next.
      var slot = first
      while slot < first + chunkSlots {
        while slot >= Int(groupEnds[group]) { group += 1 }
        let end = min(first + chunkSlots, Int(groupEnds[group]))
        RadialKernel.combine(
          coefficients + group * functionCount * basis.size, functionCount: functionCount,
          size: basis.size, phi: chunkPhi + (slot - first), slope: chunkSlope + (slot - first),
          f: f + slot, df: df + slot, spacing: layout.slotCapacity, slots: end - slot)
        slot = end
      }
    }
  }

  /// Computes the basic moments at the beginning of `values`.
  func moments(_ table: MonomialTable) {
    for slot in 0..<table.slotCount { values[slot] = .zero }
    for chunk in 0..<slotCount / chunkSlots {
      MomentKernel.monomials(table, u(chunk: chunk), rows)
      MomentKernel.addMoments(
        table, rows, f: f + chunk * chunkSlots, spacing: layout.slotCapacity, to: values)
    }
  }
}
