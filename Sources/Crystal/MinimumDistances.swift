import NumericalCore

/// How close atoms of each pair of elements may come.
///
/// Structures that break a limit are not worth an
/// evaluation, and reference methods may fail on them.
public struct MinimumDistances: Sendable, Hashable {
  /// The elements of the table, by atomic number.
  public let elements: [ChemicalElement]
  /// The fraction of the sum of covalent radii that holds for pairs not named.
  public let covalentFraction: Double
  // Square table in Å, symmetric.
  private let table: [Double]

  /// Two atoms that are too close.
  public struct Violation: Sendable, Hashable, CustomStringConvertible {
    /// The index of the first atom.
    public let first: Int
    /// The index of the second atom, or of the first again where it is too close to its own image.
    public let second: Int
    /// Their distance in Å.
    public let distance: Double
    /// The limit in Å.
    public let limit: Double

    /// The message for people; atoms are counted from 1.
    public var description: String {
      "atoms \(first + 1) and \(second + 1) are \(distance) Å apart, the limit is \(limit) Å"
    }
  }

  /// Creates a table.
  ///
  /// - Parameters:
  ///   - elements: The elements that occur.
  ///   - covalentFraction: Limits are this fraction of the sum of covalent radii; not negative.
  ///   - pairs: Limits in Å of single pairs, in either order; the last one counts.
  public init(
    elements: [ChemicalElement], covalentFraction: Double = 0.7,
    pairs: [(ChemicalElement, ChemicalElement, Double)] = []
  ) {
    precondition(covalentFraction >= 0 && covalentFraction.isFinite, "a fraction is not negative")
    let all = Set(elements + pairs.flatMap { [$0.0, $0.1] }).sorted()
    var table: [Double] = []
    for a in all {
      for b in all { table.append(covalentFraction * (a.covalentRadius + b.covalentRadius)) }
    }
    for (a, b, limit) in pairs {
      precondition(limit >= 0 && limit.isFinite, "a minimum distance is not negative")
      guard let i = all.firstIndex(of: a), let j = all.firstIndex(of: b) else { continue }
      table[i * all.count + j] = limit
      table[j * all.count + i] = limit
    }
    self.elements = all
    self.covalentFraction = covalentFraction
    self.table = table
  }

  private init(elements: [ChemicalElement], covalentFraction: Double, table: [Double]) {
    self.elements = elements
    self.covalentFraction = covalentFraction
    self.table = table
  }

  /// The limit in Å for a pair of elements; from covalent radii where the table does not hold them.
  public subscript(a: ChemicalElement, b: ChemicalElement) -> Double {
    guard let i = elements.firstIndex(of: a), let j = elements.firstIndex(of: b) else {
      return covalentFraction * (a.covalentRadius + b.covalentRadius)
    }
    return table[i * elements.count + j]
  }

  /// All limits multiplied by a factor.
  public func scaled(by factor: Double) -> MinimumDistances {
    precondition(factor >= 0 && factor.isFinite, "a factor is not negative")
    return MinimumDistances(
      elements: elements, covalentFraction: factor * covalentFraction,
      table: table.map { factor * $0 })
  }

  /// The first pair of atoms that is too close, by index of the first and then of the second atom.
  ///
  /// - Complexity: O(N)
  public func firstViolation(in structure: Structure) -> Violation? {
    let distinct = structure.distinctElements()
    let types = structure.species.map { distinct.firstIndex(of: $0) ?? 0 }
    let limits = distinct.flatMap { a in distinct.map { b in self[a, b] } }
    let largest = limits.max() ?? 0
    guard largest > 0 else { return nil }
    let list = NeighborList(structure, cutoff: largest)
    for i in 0..<structure.atomCount {
      for place in list.neighbors(of: i) {
        let j = Int(list.indices[place])
        let limit = limits[types[i] * distinct.count + types[j]]
        let square = list.displacements[place].squaredLength
        if square < limit * limit {
          return Violation(first: i, second: j, distance: square.squareRoot(), limit: limit)
        }
      }
    }
    return nil
  }
}

extension MinimumDistances: ByteCodable {
  /// Appends elements, fraction and table.
  public func encode(to encoder: inout ByteEncoder) {
    encoder.encode(elements)
    encoder.encode(covalentFraction)
    encoder.encode(table)
  }

  /// Reads elements, fraction and table.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    let elements = try decoder.decode([ChemicalElement].self)
    let fraction = try decoder.decode(Double.self)
    let table = try decoder.decode([Double].self)
    guard table.count == elements.count * elements.count,
      zip(elements, elements.dropFirst()).allSatisfy(<),
      (table + [fraction]).allSatisfy({ $0 >= 0 && $0.isFinite })
    else { throw .invalid("minimum distances of \(elements)") }
    self.init(elements: elements, covalentFraction: fraction, table: table)
  }
}
