import Crystal
import NumericalCore

/// What the primitive cells of candidates may hold.
public enum CompositionSpace: Sendable, Hashable {
  /// These cells and no others, such as TiO2 times 2 and times 4; at least one.
  case listed([Composition])
  /// Any numbers of atoms of two to four elements, the sum within a range.
  case variable(elements: [ChemicalElement], atoms: ClosedRange<Int>)

  /// How many elements a variable composition may have.
  public static let elementCounts = 2...4

  /// The elements that occur, in the order in which they were named.
  public var elements: [ChemicalElement] {
    switch self {
    case .listed(let compositions):
      compositions.reduce(into: []) { known, composition in
        for element in composition.elements where !known.contains(element) { known.append(element) }
      }
    case .variable(let elements, _): elements
    }
  }

  /// The number of atoms of the largest cell.
  public var largestAtomCount: Int {
    switch self {
    case .listed(let compositions): compositions.map(\.atomCount).max() ?? 1
    case .variable(_, let atoms): atoms.upperBound
    }
  }

  /// Whether all cells have the elements in the same ratio, so that energies per atom compare.
  public var hasOneRatio: Bool {
    switch self {
    case .listed(let compositions):
      compositions.allSatisfy { $0.hasRatio(of: compositions[0]) }
    case .variable: false
    }
  }

  /// Whether operators may change the ratio of the elements.
  public var canChangeComposition: Bool { !hasOneRatio }

  /// The cell as the space names it, elements in its order; `nil` where the cell is not allowed.
  public func canonical(_ composition: Composition) -> Composition? {
    switch self {
    case .listed(let compositions): return compositions.first { $0.hasCounts(of: composition) }
    case .variable(let elements, let atoms):
      guard atoms.contains(composition.atomCount),
        composition.elements.allSatisfy(elements.contains)
      else { return nil }
      return Self.composition(elements, elements.map { composition.count(of: $0) })
    }
  }

  /// The cell of a candidate without parents.
  ///
  /// Of a variable composition the pure elements come first, twice each; then cells spread evenly over
  /// the simplex of compositions, cells of N atoms with a chance ∝ N.
  ///
  /// - Parameters:
  ///   - number: How many candidates were drawn before.
  ///   - random: The stream to draw from.
  /// - Returns: An allowed cell.
  public func drawn(number: Int, _ random: inout RandomStream) -> Composition {
    switch self {
    case .listed(let compositions):
      return compositions[random.integer(below: compositions.count)]
    case .variable(let elements, let atoms):
      let total = atoms.lowerBound + (random.index(weights: atoms.map(Double.init)) ?? 0)
      if number < 2 * elements.count {
        var counts = Array(repeating: 0, count: elements.count)
        counts[number % elements.count] = total
        return Self.composition(elements, counts)
      }
      // Gaps between sorted uniform numbers are even over the simplex.
      let cuts = [0] + elements.dropLast().map { _ in random.uniform() }.sorted() + [1]
      return Self.composition(
        elements, Self.rounded(zip(cuts, cuts.dropFirst()).map { $1 - $0 }, to: total))
    }
  }

  /// After so many structures for the first training their cells come round again; 1 where they are drawn.
  public var initialTurn: Int {
    if case .listed(let compositions) = self { compositions.count } else { 1 }
  }

  /// The cell of a structure for the first training of a potential: the listed ones in turn, or drawn
  /// as those of the first candidates are.
  ///
  /// - Parameters:
  ///   - number: The structure's number, from 0.
  ///   - seed: The campaign's seed.
  /// - Returns: An allowed cell.
  public func initial(_ number: Int, seed: UInt64) -> Composition {
    if case .listed(let compositions) = self { return compositions[number % compositions.count] }
    // The structure itself is drawn from attempt 0 of the same stream.
    var random = RandomStream(
      seed: seed, purpose: .initialTraining, slot: UInt64(number), attempt: 1)
    return drawn(number: number, &random)
  }

  /// Whether a structure has a ratio of elements that occurs here, in a cell of any size.
  public func hasRatio(of structure: Structure) -> Bool {
    let composition = structure.composition()
    return switch self {
    case .listed(let compositions): compositions.contains { $0.hasRatio(of: composition) }
    case .variable(let elements, _): composition.elements.allSatisfy(elements.contains)
    }
  }

  static func composition(_ elements: [ChemicalElement], _ counts: [Int]) -> Composition {
    let present = elements.indices.filter { counts[$0] > 0 }
    guard
      let composition = try? Composition(
        present.map { elements[$0] }, present.map { counts[$0] })
    else { preconditionFailure("a cell holds atoms of different elements") }
    return composition
  }

  /// Counts closest to shares of a total, by the largest remainders.
  static func rounded(_ shares: [Double], to total: Int) -> [Int] {
    let exact = shares.map { $0 * Double(total) }
    var counts = exact.map { Int($0.rounded(.down)) }
    let order = exact.indices.sorted {
      let (a, b) = (exact[$0] - Double(counts[$0]), exact[$1] - Double(counts[$1]))
      return (-a, $0) < (-b, $1)
    }
    for index in order.prefix(max(0, total - counts.reduce(0, +))) { counts[index] += 1 }
    return counts
  }
}

extension Composition {
  /// The atoms of an element, 0 where there are none.
  func count(of element: ChemicalElement) -> Int {
    elements.firstIndex(of: element).map { counts[$0] } ?? 0
  }

  /// Whether both hold the same atoms, in whatever order the elements are named.
  func hasCounts(of other: Composition) -> Bool {
    atomCount == other.atomCount && hasRatio(of: other)
  }

  /// Whether both have the same elements in the same ratio.
  func hasRatio(of other: Composition) -> Bool {
    guard elements.count == other.elements.count else { return false }
    let (own, their) = (atomCount, other.atomCount)
    return zip(elements, counts).allSatisfy { $1 * their == other.count(of: $0) * own }
  }
}

extension CompositionSpace: ByteCodable {
  /// Appends the case and its values.
  public func encode(to encoder: inout ByteEncoder) {
    switch self {
    case .listed(let compositions):
      encoder.encode(UInt8(0))
      encoder.encode(compositions)
    case .variable(let elements, let atoms):
      encoder.encode(UInt8(1))
      encoder.encode(elements)
      encoder.encode(atoms.lowerBound)
      encoder.encode(atoms.upperBound)
    }
  }

  /// Reads the case and its values.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    switch try decoder.decode(UInt8.self) {
    case 0: self = .listed(try decoder.decode([Composition].self))
    case 1:
      let elements = try decoder.decode([ChemicalElement].self)
      let (least, most) = (try decoder.decode(Int.self), try decoder.decode(Int.self))
      guard least <= most else { throw .invalid("cells of \(least) to \(most) atoms") }
      self = .variable(elements: elements, atoms: least...most)
    case let tag: throw .invalid("composition space \(tag)")
    }
    guard isValid else { throw .invalid("composition space of \(elements)") }
  }

  /// Whether the values make a space: at least one cell, or 2–4 different elements and atoms.
  public var isValid: Bool {
    switch self {
    case .listed(let compositions): !compositions.isEmpty
    case .variable(let elements, let atoms):
      Self.elementCounts.contains(elements.count) && Set(elements).count == elements.count
        && atoms.lowerBound >= 1
    }
  }
}
