import Crystal
import NumericalCore

/// The neighborhoods of all atoms of some structures, arranged for the design matrix: the lanes of a
/// vector are eight neighboring atoms of one species.
///
/// Periodic images of one atom share its lane, in successive vectors ("rounds"), because forces act
/// on the atom and not on its images: in small cells that leaves few vectors for the products with
/// the Jacobian. Positions do not change during a training, so a batch is made once.
struct SiteBatch {
  /// Up to eight neighboring atoms of one species.
  struct Group: Sendable {
    /// The species of the neighbors.
    var species: Int
    /// Vectors of the group, as a range of the batch's vectors.
    var vectors: Range<Int>
    /// The place of the group's rows in `targets`.
    var firstTarget: Int
    /// The number of atoms.
    var atomCount: Int
  }

  /// An atom.
  struct Site: Sendable {
    /// The species of the atom.
    var species: Int
    /// The row of the structure's energy; its forces follow, then its strain derivatives.
    var energyRow: Int
    /// The row of the force on this atom in direction x.
    var forceRow: Int
    /// The row of the structure's ∂E/∂ε, xx.
    var strainRow: Int
    /// The neighbors, as a range of the batch's groups, those of one species together.
    var groups: Range<Int>
  }

  /// A structure of the batch.
  struct Member: Sendable {
    /// The index that the maker gave.
    var index: Int
    /// Its first row.
    var firstRow: Int
    /// The number of its rows.
    var rowCount: Int
    /// The number of atoms of each species.
    var speciesCounts: [Int]
  }

  /// The structures.
  private(set) var members: [Member] = []
  /// All atoms, sorted by species.
  private(set) var sites: [Site] = []
  /// Runs of at most eight sites of one species.
  private(set) var blocks: [Range<Int>] = []
  /// All groups.
  private(set) var groups: [Group] = []
  /// The row of the force in direction x on each atom of each group.
  private(set) var targets: [Int32] = []
  /// Of each vector of a group x, y, z of the unit vectors and the distances in Å.
  private var geometry: [Octet] = []
  private var arena = OctetArena()
  private var aligned: OctetPointer
  /// The number of rows.
  private(set) var rowCount = 0
  /// The most vectors that a site has.
  private(set) var largestVectorCount = 0

  /// Creates a batch without structures.
  init() { aligned = arena.take(0) }

  /// Adds a structure.
  ///
  /// - Parameters:
  ///   - structure: The structure.
  ///   - index: What `members` will hold.
  ///   - species: The species of each atom.
  ///   - speciesCount: The number of species.
  ///   - cutoff: The cutoff radius in Å.
  mutating func append(
    _ structure: Structure, index: Int, species: [Int], speciesCount: Int, cutoff: Double
  ) {
    let count = structure.atomCount
    let rows = MomentTensorPotential.designRowCount(atomCount: count)
    var counts = [Int](repeating: 0, count: speciesCount)
    for s in species { counts[s] += 1 }
    members.append(
      Member(index: index, firstRow: rowCount, rowCount: rows, speciesCounts: counts))
    let list = NeighborList(structure, cutoff: cutoff)
    var images = [[Int]](repeating: [], count: count)
    var all: [Int] = []
    for atom in 0..<count {
      let firstGroup = groups.count
      all.removeAll(keepingCapacity: true)
      for place in list.neighbors(of: atom) {
        let neighbor = Int(list.indices[place])
        if images[neighbor].isEmpty { all.append(neighbor) }
        images[neighbor].append(place)
      }
      for s in 0..<speciesCount {
        let met = all.filter { species[$0] == s }
          .sorted { (images[$1].count, $0) < (images[$0].count, $1) }
        for start in stride(from: 0, to: met.count, by: Octet.scalarCount) {
          let atoms = met[start..<min(start + Octet.scalarCount, met.count)]
          addGroup(of: atoms.map { ($0, images[$0]) }, species: s, list, cutoff)
        }
      }
      sites.append(
        Site(
          species: species[atom], energyRow: rowCount, forceRow: rowCount + 1 + 3 * atom,
          strainRow: rowCount + 1 + 3 * count, groups: firstGroup..<groups.count))
      let vectors = groups[firstGroup...].reduce(0) { $0 + $1.vectors.count }
      largestVectorCount = max(largestVectorCount, vectors)
      for neighbor in all { images[neighbor].removeAll(keepingCapacity: true) }
    }
    rowCount += rows
  }

  private mutating func addGroup(
    of atoms: [(atom: Int, images: [Int])], species: Int, _ list: NeighborList, _ cutoff: Double
  ) {
    let rounds = atoms.map(\.images.count).max() ?? 0
    let first = geometry.count / 4
    for round in 0..<rounds {
      // Empty lanes are at the cutoff, where radial functions vanish with their slopes.
      var (x, y, z) = (Octet(repeating: 1), Octet.zero, Octet.zero)
      var r = Octet(repeating: cutoff)
      for (lane, atom) in atoms.enumerated() where round < atom.images.count {
        let d = list.displacements[atom.images[round]]
        let distance = d.length
        (x[lane], y[lane], z[lane]) = (d.x / distance, d.y / distance, d.z / distance)
        r[lane] = distance
      }
      geometry += [x, y, z, r]
    }
    groups.append(
      Group(
        species: species, vectors: first..<first + rounds, firstTarget: targets.count,
        atomCount: atoms.count))
    targets += atoms.map { Int32(rowCount + 1 + 3 * $0.atom) }
  }

  /// Sorts the atoms into blocks; called once, after the last structure.
  mutating func makeBlocks() {
    aligned = arena.take(geometry.count)
    for (place, vector) in geometry.enumerated() { aligned[place] = vector }
    geometry = []
    let order = sites.indices.sorted { (sites[$0].species, $0) < (sites[$1].species, $1) }
    sites = order.map { sites[$0] }
    var start = 0
    while start < sites.count {
      var end = start
      while end < sites.count, end < start + Octet.scalarCount,
        sites[end].species == sites[start].species
      {
        end += 1
      }
      blocks.append(start..<end)
      start = end
    }
  }

  /// Lends groups, targets and geometry.
  func withPointers(
    _ body: (
      UnsafePointer<Group>, UnsafePointer<Int32>, UnsafePointer<Octet>
    ) -> Void
  ) {
    // Atoms without neighbors have rows, too.
    let nothing = [Group(species: 0, vectors: 0..<0, firstTarget: 0, atomCount: 0)]
    (groups.isEmpty ? nothing : groups).withUnsafeBufferPointer { groups in
      (targets.isEmpty ? [0] : targets).withUnsafeBufferPointer { targets in
        guard let group = groups.baseAddress, let target = targets.baseAddress else { return }
        body(group, target, aligned)
      }
    }
  }
}
