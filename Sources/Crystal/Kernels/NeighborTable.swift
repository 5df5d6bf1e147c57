import NumericalCore

/// The neighbors of the atoms of one or more structures, species by species, in memory that is kept
/// from one use to the next.
///
/// Where `NeighborList` is made to be read, this is made to be quick: images are laid out once, sorted
/// by species and layers, and every atom tests sixteen of them at a time without a branch.
package struct NeighborTable: Sendable {
  /// The number of atoms of all structures.
  package private(set) var atomCount = 0
  /// The number of species.
  package private(set) var speciesCount = 1
  /// The species of each atom.
  package private(set) var species: [Int32] = []
  /// Where the hits of atom i and species s end: at `ends[i * speciesCount + s]`.
  package private(set) var ends: [Int32] = []

  private var cutoff = 0.0
  // Where the atoms are, moved into their cells.
  private var centers: [Vector3] = []
  private var translations: [Vector3] = []
  private var imageCount = 0
  private var hitCount = 0
  // x, y, z of the images in rows, and the atoms they belong to.
  private var components: [Double] = []
  // The same in single precision, and the squared distance from the structure's origin.
  private var singles: [Float] = []
  private var owners: [Int32] = []
  private var shifts: [Int32] = []
  private var rowLength = 0
  // Numbers of images: atom after atom, species after species.
  private var hits: [Int32] = []
  // Images as they are found, before they are sorted (see `ImageLayout`).
  private var scratch: [Double] = []
  private var scratchIndices: [Int32] = []
  private var keys: [Int64] = []
  private var starts: [Int32] = []
  private var homes: [Int32] = []
  // The structure added last, as it was.
  private var lastAdded: Geometry?

  /// Creates an empty table.
  package init() {}

  /// Forgets all structures but keeps the memory.
  ///
  /// - Parameters:
  ///   - cutoff: Neighbors are closer than this, in Å.
  ///   - speciesCount: The number of species.
  package mutating func reset(cutoff: Double, speciesCount: Int) {
    self.cutoff = cutoff
    self.speciesCount = speciesCount
    (atomCount, imageCount, hitCount) = (0, 0, 0)
    centers.removeAll(keepingCapacity: true)
    species.removeAll(keepingCapacity: true)
    homes.removeAll(keepingCapacity: true)
    ends.removeAll(keepingCapacity: true)
  }

  /// Finds the neighbors of all atoms of a structure; its atoms are numbered on from `atomCount`.
  ///
  /// - Parameters:
  ///   - structure: The atoms.
  ///   - numbers: The species number of each.
  ///   - isRemembered: Whether the table shall be able to follow the structure.
  package mutating func add(
    _ structure: Structure, species numbers: [Int], isRemembered: Bool = false
  ) {
    let first = atomCount
    atomCount += structure.atomCount
    let search = NeighborSearch(structure, cutoff: cutoff)
    search.translations(into: &translations)
    centers += search.positions
    for number in numbers {
      species.append(Int32(truncatingIfNeeded: number))
      homes.append(0)
      for _ in 0..<speciesCount { ends.append(0) }
    }
    lastAdded = isRemembered ? Geometry(structure, search, translations) : nil
    let firstImage = imageCount
    let grid = LayerGrid(
      search, imageCount: translations.count * structure.atomCount / 2, speciesCount: speciesCount)
    layOut(search, grid, firstAtom: first)
    pick(grid, search, firstAtom: first, imageCount: imageCount - firstImage)
  }

  // Lays out and sorts all images that an atom may see.
  private mutating func layOut(_ search: NeighborSearch, _ grid: LayerGrid, firstAtom: Int) {
    let count = search.positions.count
    let atomRow = (count + 7) / 8 * 8
    let imageRow = count * translations.count + ImageScan.width
    Self.extend(&scratch, to: 4 * (atomRow + imageRow))
    Self.extend(&scratchIndices, to: 2 * imageRow)
    Self.extend(&keys, to: imageRow)
    Self.extend(&starts, to: grid.keyCount + 1)
    makeRoomForImages(count * translations.count)
    let (first, rowLength) = (imageCount, rowLength)
    imageCount += scratch.withUnsafeMutableBufferPointer { scratch in
      scratchIndices.withUnsafeMutableBufferPointer { indices in
        starts.withUnsafeMutableBufferPointer { starts in
          components.withUnsafeMutableBufferPointer { components in
            owners.withUnsafeMutableBufferPointer { owners in
              homes.withUnsafeMutableBufferPointer { homes in
                species.withUnsafeBufferPointer { species in
                  keys.withUnsafeMutableBufferPointer { keys in
                    singles.withUnsafeMutableBufferPointer { singles in
                      shifts.withUnsafeMutableBufferPointer { shifts in
                        BitPlaces.table.withUnsafeBufferPointer { table in
                          guard let scratch = scratch.baseAddress,
                            let indices = indices.baseAddress, let starts = starts.baseAddress,
                            let x = components.baseAddress, let owners = owners.baseAddress,
                            let homes = homes.baseAddress, let species = species.baseAddress,
                            let table = table.baseAddress, let keys = keys.baseAddress,
                            let singles = singles.baseAddress, let shifts = shifts.baseAddress
                          else { return 0 }
                          let layout = ImageLayout(
                            atoms: scratch, atomRow: atomRow, found: scratch + 4 * atomRow,
                            imageRow: imageRow, owners: indices, shifts: indices + imageRow,
                            keys: keys, starts: starts, table: table)
                          let found = layout.layOut(
                            search, translations, species: species + firstAtom, grid)
                          layout.sort(
                            found, atomCount: count, keyCount: grid.keyCount, firstImage: first,
                            firstAtom: firstAtom,
                            into: ImageLayout.Target(
                              x: x, rowLength: rowLength, single: singles, origin: search.center,
                              owners: owners, shifts: shifts, homes: homes + firstAtom))
                          return found
                        }
                      }
                    }
                  }
                }
              }
            }
          }
        }
      }
    }
  }

  private mutating func makeRoomForImages(_ more: Int) {
    let needed = imageCount + more + ImageScan.width
    guard rowLength < needed else { return }
    let longer = needed + needed / 2
    var larger = [Double](repeating: 0, count: 3 * longer)
    for row in 0..<3 {
      for place in 0..<rowLength {
        larger[row * longer + place] = components[row * rowLength + place]
      }
    }
    var largerSingles = [Float](repeating: 0, count: 4 * longer)
    for row in 0..<4 {
      for place in 0..<rowLength {
        largerSingles[row * longer + place] = singles[row * rowLength + place]
      }
    }
    (components, singles, rowLength) = (larger, largerSingles, longer)
    Self.extend(&owners, to: longer)
    Self.extend(&shifts, to: longer)
  }

  private static func extend<T: AdditiveArithmetic>(_ array: inout [T], to count: Int) {
    guard array.count < count else { return }
    array += [T](repeating: .zero, count: count + count / 2 - array.count)
  }

  // The images closer than the cutoff to each atom, and perhaps some just beyond.
  private mutating func pick(
    _ grid: LayerGrid, _ search: NeighborSearch, firstAtom: Int, imageCount images: Int
  ) {
    let most = images + ImageScan.width
    // Rounding of the sum of four products of coordinates that are no longer than the diagonal.
    let loss = 2e-6 * (search.high - search.low).squaredLength
    let square = cutoff * cutoff + loss
    var atom = firstAtom
    while atom < atomCount {
      Self.extend(&hits, to: hitCount + most)
      let last = hits.count - most
      (atom, hitCount) = singles.withUnsafeMutableBufferPointer { singles in
        hits.withUnsafeMutableBufferPointer { hits in
          starts.withUnsafeBufferPointer { starts in
            ends.withUnsafeMutableBufferPointer { ends in
              BitPlaces.table.withUnsafeBufferPointer { table in
                guard let x = singles.baseAddress, let hits = hits.baseAddress,
                  let starts = starts.baseAddress, let table = table.baseAddress
                else { return (atomCount, hitCount) }
                var scan = ImageScan(
                  x: x, rowLength: rowLength, table: table, hits: hits, count: hitCount)
                var next = atom
                while next < atomCount, scan.count <= last {
                  // An atom is not its own neighbor: it steps aside.
                  let home = Int(homes[next])
                  let own = scan.exchange(home, .infinity)
                  let center = centers[next]
                  scan.look(from: center - search.center, square: square)
                  for s in 0..<speciesCount {
                    var rows = grid.rows(around: center, species: s)
                    for _ in 0..<rows.count {
                      scan.run(
                        Int(starts[rows.first])..<Int(starts[rows.first &+ rows.length]))
                      rows.first &+= rows.step
                    }
                    ends[next &* speciesCount &+ s] = Int32(truncatingIfNeeded: scan.count)
                  }
                  _ = scan.exchange(home, own)
                  next &+= 1
                }
                return (next, scan.count)
              }
            }
          }
        }
      }
    }
  }
}

extension NeighborTable {
  /// A table's memory, valid inside the closure it is given to.
  package struct Pointers {
    /// Cartesian components of the images in Å.
    package let x: UnsafePointer<Double>
    /// Likewise.
    package let y: UnsafePointer<Double>
    /// Likewise.
    package let z: UnsafePointer<Double>
    /// The atom that each image belongs to.
    package let owners: UnsafePointer<Int32>
    /// Numbers of images, atom after atom, species after species.
    package let hits: UnsafePointer<Int32>
    /// Where the atoms are, in Å.
    package let centers: UnsafePointer<Vector3>
    /// The number of species.
    package let speciesCount: Int
    /// The number that stands for no atom.
    package let nobody: Int32
    fileprivate let ends: UnsafePointer<Int32>

    /// The places in `hits` of an atom's neighbors of one species.
    @inline(__always)
    package func range(_ atom: Int, _ species: Int) -> Range<Int> {
      let place = atom &* speciesCount &+ species
      let first = place == 0 ? 0 : Int(ends[place &- 1])
      return first..<Int(ends[place])
    }
  }

  /// Lends the memory.
  package func withPointers(_ body: (Pointers) -> Void) {
    components.withUnsafeBufferPointer { components in
      owners.withUnsafeBufferPointer { owners in
        hits.withUnsafeBufferPointer { hits in
          ends.withUnsafeBufferPointer { ends in
            centers.withUnsafeBufferPointer { centers in
              guard let x = components.baseAddress, let owners = owners.baseAddress,
                let hits = hits.baseAddress, let ends = ends.baseAddress,
                let centers = centers.baseAddress
              else { return }
              body(
                Pointers(
                  x: x, y: x + rowLength, z: x + 2 * rowLength, owners: owners, hits: hits,
                  centers: centers, speciesCount: speciesCount, nobody: Int32(atomCount),
                  ends: ends))
            }
          }
        }
      }
    }
  }
}

// MARK: reuse

extension NeighborTable {
  /// Where atoms and images were when a table was made.
  private struct Geometry: Sendable {
    let lattice: Lattice
    let periodicity: Periodicity
    let positions: [Vector3]
    /// Whole numbers of lattice vectors from an atom's position to its place in the table.
    let wrapping: [Vector3]
    /// Whole numbers of lattice vectors of each translation.
    let multiples: [Vector3]

    init(_ structure: Structure, _ search: NeighborSearch, _ translations: [Vector3]) {
      lattice = structure.lattice
      periodicity = structure.periodicity
      positions = structure.positions
      let inverse = structure.lattice.inverse
      wrapping = zip(search.positions, structure.positions).map {
        (($0 - $1) * inverse).map { $0.rounded() }
      }
      multiples = translations.map { ($0 * inverse).map { $0.rounded() } }
    }
  }

  /// Moves the images of the only structure to where its atoms have moved since, if no pair can have come
  /// closer than a cutoff that was not within the table's.
  ///
  /// With L' = L A and r' = (r + δ) A a pair at the distance d' was at most ‖A⁻¹‖ d' + 2 max |δ| apart.
  ///
  /// - Parameters:
  ///   - structure: The same atoms, moved; the lattice may have changed too.
  ///   - reach: The cutoff in Å; smaller than the table's.
  /// - Returns: Whether the table now is one of the structure.
  package mutating func follow(_ structure: Structure, within reach: Double) -> Bool {
    guard let old = lastAdded, old.positions.count == structure.atomCount,
      atomCount == structure.atomCount, old.periodicity == structure.periodicity
    else { return false }
    let back = structure.lattice.inverse * old.lattice.vectors
    let change = back - .identity
    let stretch =
      1 + (change.a.squaredLength + change.b.squaredLength + change.c.squaredLength).squareRoot()
    var longest = 0.0
    for (r, before) in zip(structure.positions, old.positions) {
      longest = max(longest, (r * back - before).squaredLength)
    }
    guard stretch * reach + 2 * longest.squareRoot() <= cutoff else { return false }
    let vectors = structure.lattice.vectors
    for (j, r) in structure.positions.enumerated() {
      centers[j] = r + old.wrapping[j] * vectors
    }
    for (number, multiple) in old.multiples.enumerated() {
      translations[number] = multiple * vectors
    }
    let (rowLength, imageCount) = (rowLength, imageCount)
    components.withUnsafeMutableBufferPointer { x in
      for image in 0..<imageCount {
        let r = centers[Int(owners[image])]
        let t = translations[Int(shifts[image])]
        x[image] = r.x + t.x
        x[rowLength &+ image] = r.y + t.y
        x[2 &* rowLength &+ image] = r.z + t.z
      }
    }
    return true
  }
}
