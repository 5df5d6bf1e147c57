import NumericalCore

/// The lower convex hull of energies over compositions: which phases are stable, and how far others
/// lie above a mixture of them.
///
/// A phase is a point (composition, energy per atom); the hull at a composition is the lowest energy of
/// a mixture with that composition, min Σ λ_p E_p with Σ λ_p x_p = x and λ ≥ 0, a linear programme with
/// as many rows as elements. Formation enthalpies differ from energies by a linear function of the
/// composition and have the same hull. Nothing depends on the order in which phases are added, apart
/// from the choice between phases of equal composition and energy, of which the first stays.
public struct ConvexHull: Sendable, Hashable {
  /// A phase.
  public struct Phase: Sendable, Hashable {
    /// The caller's number.
    public let id: Int
    /// Atoms of each element without common divisor; the elements are the caller's.
    public let ratio: [Int]
    /// Energy or enthalpy per atom, in eV.
    public let energyPerAtom: Double

    /// Creates a phase.
    ///
    /// - Parameters:
    ///   - id: The caller's number.
    ///   - counts: Atoms of each element, none negative, not all 0.
    ///   - energyPerAtom: Energy or enthalpy per atom in eV, finite.
    public init(id: Int, counts: [Int], energyPerAtom: Double) {
      precondition(energyPerAtom.isFinite, "a phase has a finite energy")
      self.id = id
      ratio = ConvexHull.ratio(counts)
      self.energyPerAtom = energyPerAtom
    }
  }

  /// One phase's part of a mixture.
  public struct Part: Sendable, Hashable {
    /// The phase.
    public let phase: Phase
    /// The share of the atoms that belong to it, 0 … 1.
    public let share: Double
  }

  /// The mixture of lowest energy at a composition.
  public struct Mixture: Sendable, Hashable {
    /// Its energy per atom, in eV.
    public let energyPerAtom: Double
    /// The phases it consists of, at most one for each element.
    public let parts: [Part]
  }

  /// How many elements there are.
  public let elementCount: Int
  /// The stable phases: the vertices of the hull, those with least of the first element first.
  public private(set) var phases: [Phase] = []

  /// Points closer to the hull than this, in eV per atom, lie on it and are no vertices.
  private static let resolution = 1e-10

  /// Creates an empty hull.
  public init(elementCount: Int) {
    precondition(elementCount > 0, "a composition has elements")
    self.elementCount = elementCount
  }

  /// Counts divided by their largest common divisor.
  public static func ratio(_ counts: [Int]) -> [Int] {
    func divisor(_ a: Int, _ b: Int) -> Int { b == 0 ? a : divisor(b, a % b) }
    let common = counts.reduce(0, divisor)
    precondition(common > 0 && counts.allSatisfy { $0 >= 0 }, "counts are not negative or all 0")
    return counts.map { $0 / common }
  }

  /// Adds a phase.
  ///
  /// - Returns: Whether the hull has changed.
  /// - Complexity: O(V) where the hull stays, O(V²) where it changes, with V vertices.
  @discardableResult
  public mutating func add(_ phase: Phase) -> Bool {
    precondition(phase.ratio.count == elementCount, "a phase counts every element")
    if let mixture = mixture(at: phase.ratio),
      phase.energyPerAtom > mixture.energyPerAtom - Self.resolution
    {
      return false
    }
    phases.removeAll { $0.ratio == phase.ratio }
    let place = phases.firstIndex { Self.isOrdered(phase.ratio, $0.ratio) }
    phases.insert(phase, at: place ?? phases.endIndex)
    // Phases that lie on or above a mixture with the new one are no vertices any more.
    for other in phases where other != phase {
      var rest = self
      rest.phases.removeAll { $0 == other }
      guard let mixture = rest.mixture(at: other.ratio),
        mixture.parts.contains(where: { $0.phase == phase }),
        other.energyPerAtom > mixture.energyPerAtom - Self.resolution
      else { continue }
      self = rest
    }
    return true
  }

  /// Whether a composition has less of the first element in which it differs from another.
  private static func isOrdered(_ a: [Int], _ b: [Int]) -> Bool {
    let (atomsA, atomsB) = (a.reduce(0, +), b.reduce(0, +))
    for (x, y) in zip(a, b) where x * atomsB != y * atomsA { return x * atomsB < y * atomsA }
    return false
  }

  /// The energy of the hull at a composition, in eV per atom; `nil` outside the known phases.
  ///
  /// - Parameter counts: Atoms of each element.
  /// - Returns: The energy of the best mixture.
  public func energyPerAtom(at counts: [Int]) -> Double? {
    mixture(at: counts)?.energyPerAtom
  }

  /// How far a phase lies above the hull, in eV per atom; negative below it, `nil` where the hull does
  /// not reach.
  public func distance(of phase: Phase) -> Double? {
    energyPerAtom(at: phase.ratio).map { phase.energyPerAtom - $0 }
  }

  /// The stable mixture at a composition.
  ///
  /// - Parameter counts: Atoms of each element, not all 0.
  /// - Returns: `nil` where no mixture of known phases has this composition.
  public func mixture(at counts: [Int]) -> Mixture? {
    precondition(counts.count == elementCount, "a composition counts every element")
    let ratio = Self.ratio(counts)
    if let phase = phases.first(where: { $0.ratio == ratio }) {
      return Mixture(energyPerAtom: phase.energyPerAtom, parts: [Part(phase: phase, share: 1)])
    }
    var programme = MixtureProgramme(phases, at: ratio)
    guard let shares = programme.solve() else { return nil }
    let parts = zip(phases, shares).filter { $1 > 0 }.map { Part(phase: $0, share: $1) }
    return Mixture(
      energyPerAtom: parts.reduce(0) { $0 + $1.share * $1.phase.energyPerAtom }, parts: parts)
  }
}

/// The linear programme of a mixture, solved by the simplex method with Bland's rule.
///
/// The tableau begins with one artificial phase for each element, pure and of infinite energy: costs are
/// pairs, the artificial share first. Bland's rule cannot cycle, whatever points coincide or lie on a
/// line.
private struct MixtureProgramme {
  private let rows: Int
  private let columns: Int
  /// Rows of the tableau: share of each basic phase in every phase, then its share in the mixture.
  private var table: [Double]
  /// Reduced costs of every phase: artificial share and energy.
  private var artificialCosts: [Double]
  private var energyCosts: [Double]
  /// Which phase is basic in a row; from `columns` on the artificial ones.
  private var basis: [Int]
  private let energyScale: Double

  private static let tolerance = 1e-11

  init(_ phases: [ConvexHull.Phase], at ratio: [Int]) {
    rows = ratio.count
    columns = phases.count
    let width = columns + 1
    table = Array(repeating: 0, count: rows * width)
    // Energies from the lowest one: their differences decide.
    let lowest = phases.map(\.energyPerAtom).min() ?? 0
    energyCosts = phases.map { $0.energyPerAtom - lowest }
    energyScale = max(1e-3, energyCosts.max() ?? 0)
    artificialCosts = Array(repeating: -1, count: columns)
    basis = Array(phases.count..<phases.count + ratio.count)
    for (column, phase) in phases.enumerated() {
      let atoms = Double(phase.ratio.reduce(0, +))
      for row in 0..<rows { table[row * width + column] = Double(phase.ratio[row]) / atoms }
    }
    let atoms = Double(ratio.reduce(0, +))
    for row in 0..<rows { table[row * width + columns] = Double(ratio[row]) / atoms }
  }

  /// The share of every phase in the best mixture; `nil` where an artificial phase is needed.
  mutating func solve() -> [Double]? {
    let width = columns + 1
    // Bland's rule ends by itself; rounding must not be able to make that untrue.
    for _ in 0..<100 * (rows + columns) {
      guard let column = entering() else { break }
      guard let row = leaving(column) else { break }
      pivot(row, column)
    }
    var shares = Array(repeating: 0.0, count: columns)
    for row in 0..<rows {
      let share = table[row * width + columns]
      if basis[row] < columns {
        shares[basis[row]] = max(0, share)
      } else if share > 1e-9 {
        return nil
      }
    }
    return shares
  }

  private func entering() -> Int? {
    let limit = Self.tolerance
    for column in 0..<columns {
      let artificial = artificialCosts[column]
      if artificial < -limit || (artificial <= limit && energyCosts[column] < -limit * energyScale)
      {
        return column
      }
    }
    return nil
  }

  private func leaving(_ column: Int) -> Int? {
    let width = columns + 1
    var best: (row: Int, ratio: Double)?
    for row in 0..<rows {
      let element = table[row * width + column]
      guard element > 1e-9 else { continue }
      let ratio = max(0, table[row * width + columns]) / element
      if let known = best {
        let isEqual = abs(ratio - known.ratio) <= Self.tolerance
        guard isEqual ? basis[row] < basis[known.row] : ratio < known.ratio else { continue }
      }
      best = (row, ratio)
    }
    return best?.row
  }

  private mutating func pivot(_ pivotRow: Int, _ column: Int) {
    let width = columns + 1
    let inverse = 1 / table[pivotRow * width + column]
    for k in 0..<width { table[pivotRow * width + k] *= inverse }
    for row in 0..<rows where row != pivotRow {
      let factor = table[row * width + column]
      guard factor != 0 else { continue }
      for k in 0..<width { table[row * width + k] -= factor * table[pivotRow * width + k] }
    }
    let (artificial, energy) = (artificialCosts[column], energyCosts[column])
    for k in 0..<columns {
      artificialCosts[k] -= artificial * table[pivotRow * width + k]
      energyCosts[k] -= energy * table[pivotRow * width + k]
    }
    basis[pivotRow] = column
  }
}

extension ConvexHull: ByteCodable {
  /// Appends the stable phases.
  public func encode(to encoder: inout ByteEncoder) {
    encoder.encode(elementCount)
    encoder.encode(phases.count)
    for phase in phases {
      encoder.encode(phase.id)
      encoder.encode(phase.ratio)
      encoder.encode(phase.energyPerAtom)
    }
  }

  /// Reads the stable phases.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    let elements = try decoder.decode(Int.self)
    let count = try decoder.decode(Int.self)
    guard elements > 0, count >= 0 else { throw .invalid("a hull of \(elements) elements") }
    self.init(elementCount: elements)
    for _ in 0..<count {
      let id = try decoder.decode(Int.self)
      let ratio = try decoder.decode([Int].self)
      let energy = try decoder.decode(Double.self)
      guard ratio.count == elements, ratio.allSatisfy({ $0 >= 0 }),
        ratio.contains(where: { $0 > 0 }),
        energy.isFinite
      else { throw .invalid("phase \(id) of a hull") }
      phases.append(Phase(id: id, counts: ratio, energyPerAtom: energy))
    }
  }
}
