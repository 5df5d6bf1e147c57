import Crystal
import NumericalCore

/// Sums energies of atoms that depend on distances and angles of their neighbors.
///
/// Neighbors are vectors: several images of one atom, or of the atom itself, count as any other.
struct AngularSums {
  private var energy = 0.0
  private var forces: [Vector3]
  private var virial = Matrix3.zero

  /// More neighbors than this have collapsed cells only; angles are as many as their squares.
  static let largestNeighborCount = 2000.0

  init(atomCount: Int) { forces = [Vector3](repeating: .zero, count: atomCount) }

  /// Adds the energies of all atoms.
  ///
  /// - Parameters:
  ///   - list: The neighbors.
  ///   - rowCount: How many rows of its own the kernel needs.
  ///   - kernel: Gives the energy of an atom and its derivatives, from the places of its neighbors in
  ///     the list and their rows.
  mutating func add(
    _ list: NeighborList, rowCount: Int, _ kernel: (_ atom: Int, SiteRows) -> Double
  ) {
    let most = (0..<list.atomCount).reduce(0) { max($0, list.neighbors(of: $1).count) }
    let stride = (most + 7) / 8 * 8 + 8
    let capacity = (SiteRows.sharedRowCount + rowCount) * stride
    withUnsafeTemporaryAllocation(of: Double.self, capacity: capacity) { memory in
      guard let base = memory.baseAddress else { return }
      base.initialize(repeating: 0, count: capacity)
      for atom in 0..<list.atomCount {
        let places = list.neighbors(of: atom)
        let site = SiteRows(base, count: places.count, stride: stride)
        Self.fill(site, list, places)
        energy += kernel(atom, site)
        scatter(site, list, places, atom)
      }
    }
  }

  private static func fill(_ site: SiteRows, _ list: NeighborList, _ places: Range<Int>) {
    for (n, place) in places.enumerated() {
      let d = list.displacements[place]
      let r = d.length
      (site.x[n], site.y[n], site.z[n], site.distance[n]) = (d.x / r, d.y / r, d.z / r, r)
      (site.gradientX[n], site.gradientY[n], site.gradientZ[n]) = (0, 0, 0)
      site.numbers[n] = Double(n)
    }
    for n in places.count..<(places.count + 7) / 8 * 8 {
      (site.x[n], site.y[n], site.z[n], site.distance[n]) = (0, 0, 0, SiteRows.farAway)
      (site.gradientX[n], site.gradientY[n], site.gradientZ[n]) = (0, 0, 0)
      site.numbers[n] = Double(n)
    }
  }

  private mutating func scatter(
    _ site: SiteRows, _ list: NeighborList, _ places: Range<Int>, _ atom: Int
  ) {
    var total = Vector3.zero
    for (n, place) in places.enumerated() {
      let gradient = Vector3(site.gradientX[n], site.gradientY[n], site.gradientZ[n])
      total += gradient
      forces[Int(list.indices[place])] -= gradient
      virial += Matrix3.outer(list.displacements[place], gradient)
    }
    forces[atom] += total
  }

  /// The sums as the evaluation of a structure.
  ///
  /// - Throws: `PotentialError.notFinite`.
  func evaluation(of structure: Structure) throws(PotentialError) -> Evaluation {
    let result = Evaluation(
      energy: energy, forces: forces, virial: virial.symmetrized, of: structure)
    guard result.isFinite() else { throw .notFinite("energy \(energy) eV; atoms coincide") }
    return result
  }
}
