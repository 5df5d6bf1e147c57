import Crystal
import Foundation
import NumericalCore

/// A model Hessian for atoms and cell together: springs along and across the bonds.
///
/// A force field's Hessian, made positive definite, is the preconditioner of L. Mones et al., Sci. Rep. 8,
/// 13991 (2018), doi:10.1038/s41598-018-32105-x; here the force field is a `PairForceModel`, fitted
/// while the relaxation runs, and weak exponential springs hold what it leaves free. A pair vector
/// changes by Δ = u_j − u_i + d ε, so the springs ½ Δ K Δ with K = k∥ r̂r̂ᵀ + k⊥ (1 − r̂r̂ᵀ) give the strain
/// block and its coupling to the atoms too, and no separate scaling of the cell is needed.
struct SpringPreconditioner {
  private var factor: CholeskyFactor
  private let atoms: Int
  private let hasStrain: Bool
  private let radii: [Double]
  /// The place of every atom's element.
  private let kinds: [Int]
  /// The shortest allowed distance of every pair of elements in Å, a square table; 0 where there is none.
  private let limits: [Double]
  private let elementCount: Int
  /// Blocks of every atom with itself and the three strain rows, then of the strain rows.
  private var sums: [SymmetricBlock]

  /// Makes room for the atoms of a structure.
  ///
  /// - Parameters:
  ///   - structure: The atoms.
  ///   - hasStrain: Whether the cell takes part.
  ///   - minimumDistances: Pairs near these limits become stiff.
  init(_ structure: Structure, hasStrain: Bool, minimumDistances: MinimumDistances?) {
    let elements = structure.distinctElements()
    elementCount = elements.count
    kinds = structure.species.map { elements.firstIndex(of: $0) ?? 0 }
    limits = elements.flatMap { a in elements.map { b in minimumDistances?[a, b] ?? 0 } }
    atoms = structure.atomCount
    radii = structure.species.map(\.covalentRadius)
    self.hasStrain = hasStrain
    sums = [SymmetricBlock](repeating: .zero, count: 4 * structure.atomCount + 6)
    factor = CholeskyFactor(order: 3 * structure.atomCount + (hasStrain ? 9 : 0))
  }

  /// The share of the exponential springs beside the fitted ones, and of k∥ in their k⊥.
  private static let (springShare, acrossShare) = (0.1, 0.15)

  /// Builds and factors the matrix.
  ///
  /// - Parameters:
  ///   - pairs: The neighbors within the model's cutoff.
  ///   - model: The forces between them.
  mutating func build(_ pairs: NeighborList, _ model: PairForceModel) {
    let (atoms, radii, hasStrain) = (atoms, radii, hasStrain)
    let (kinds, limits, elementCount) = (kinds, limits, elementCount)
    var sums: [SymmetricBlock] = []
    swap(&sums, &self.sums)
    for index in sums.indices { sums[index] = .zero }
    factor.factorize { matrix, stride in
      sums.withUnsafeMutableBufferPointer { sums in
        for i in 0..<atoms {
          // Images of one atom follow each other and share a block.
          var (between, column) = (SymmetricBlock.zero, i)
          for index in pairs.neighbors(of: i) {
            let j = Int(pairs.indices[index])
            // Every pair is listed twice.
            guard j >= i else { continue }
            let d = pairs.displacements[index]
            let r = d.length
            let spring = Self.springShare * ExponentialSpring.stiffness(r / (radii[i] + radii[j]))
            let fitted = model.stiffness(i, j, r)
            let share = j == i ? 0.5 : 1
            let across = share * (Self.acrossShare * spring + max(fitted.across, 0))
            let wall = Self.wall(r, limits[kinds[i] * elementCount + kinds[j]])
            let along = share * (spring + max(fitted.along, 0) + wall)
            let k = SymmetricBlock(along: along, across: across, d / r)
            for a in 0..<3 {
              for b in 0...a { sums[4 * atoms + a * (a + 1) / 2 + b].add(k, d[a] * d[b]) }
            }
            guard j != i else { continue }
            if j != column {
              if column != i { between.subtract(from: matrix, stride, column, i) }
              (between, column) = (.zero, j)
            }
            between.add(k, 1)
            sums[4 * i].add(k, 1)
            sums[4 * j].add(k, 1)
            for a in 0..<3 {
              sums[4 * i + 1 + a].add(k, -d[a])
              sums[4 * j + 1 + a].add(k, d[a])
            }
          }
          if column != i { between.subtract(from: matrix, stride, column, i) }
        }
        for i in 0..<atoms { sums[4 * i].add(to: matrix, stride, i, i) }
        guard hasStrain else { return }
        for a in 0..<3 {
          for i in 0..<atoms { sums[4 * i + 1 + a].add(to: matrix, stride, atoms + a, i) }
          for b in 0...a {
            sums[4 * atoms + a * (a + 1) / 2 + b].add(to: matrix, stride, atoms + a, atoms + b)
          }
        }
      }
      Self.stiffen(matrix, stride, atoms, hasStrain)
    }
    swap(&sums, &self.sums)
  }

  /// The stiffness in eV/Å² of a pair near its shortest allowed distance.
  ///
  /// A young potential may attract atoms there: short steps let a monitor see them come before they are
  /// too close, and the other atoms may go on.
  @inline(__always)
  private static func wall(_ r: Double, _ limit: Double) -> Double {
    guard r < 1.5 * limit else { return 0 }
    return 300 * exp(-15 * (r / limit - 1))
  }

  /// Gives uniform translations, rotations and lone atoms some stiffness of their own.
  private static func stiffen(
    _ matrix: UnsafeMutablePointer<Double>, _ stride: Int, _ atoms: Int, _ hasStrain: Bool
  ) {
    let count = 3 * atoms
    var trace = 0.0
    for row in 0..<count { trace += matrix[row * stride + row] }
    let floor = trace > 0 ? 0.05 * trace / Double(count) : 1
    for row in 0..<count { matrix[row * stride + row] += floor }
    guard hasStrain else { return }
    for row in count..<count + 9 { matrix[row * stride + row] += floor * Double(atoms) }
  }

  /// Solves M z = v for a vector of positions and, where the cell takes part, strain rows.
  ///
  /// - Parameter vector: 3(N + 3) numbers: positions of all atoms, then the rows of the strain.
  func solve(_ vector: inout [Double]) { factor.solve(&vector) }
}
