import Crystal
import NumericalCore

/// What enthalpies of individuals are measured from: nothing where all cells have one ratio, else the
/// convex hull of the enthalpies found so far.
struct EnthalpyReference: Sendable, Hashable {
  private let elements: [ChemicalElement]
  /// The hull; `nil` where all cells have one ratio.
  private(set) var hull: ConvexHull?
  /// The hull's enthalpy at every ratio that was seen, in eV per atom.
  private var enthalpies: [[Int]: Double] = [:]

  init(_ space: CompositionSpace) {
    elements = space.elements
    hull = space.hasOneRatio ? nil : ConvexHull(elementCount: elements.count)
  }

  /// The atoms of every element; `nil` where there are others.
  private func counts(_ composition: Composition) -> [Int]? {
    let counts = elements.map { composition.count(of: $0) }
    return counts.reduce(0, +) == composition.atomCount ? counts : nil
  }

  /// An individual's enthalpy above the reference, in eV per atom.
  ///
  /// Outside what is known of the hull, as before both pure elements are found, nothing is better:
  /// such an individual counts as stable.
  func height(of individual: Individual) -> Double {
    guard hull != nil else { return individual.enthalpyPerAtom }
    let known = enthalpies[individual.identity.ratio] ?? enthalpy(at: individual.composition)
    return known.map { individual.enthalpyPerAtom - $0 } ?? 0
  }

  private func enthalpy(at composition: Composition) -> Double? {
    counts(composition).flatMap { hull?.energyPerAtom(at: $0) }
  }

  /// Adds an individual.
  ///
  /// - Parameters:
  ///   - individual: What was found.
  ///   - index: All basins, for the ratios to keep at hand.
  /// - Returns: Whether heights have changed.
  mutating func add(_ individual: Individual, _ index: DuplicateIndex) -> Bool {
    guard var hull, let counts = counts(individual.composition) else { return false }
    self.hull = nil  // One owner, so that adding copies nothing.
    let hasChanged = hull.add(
      ConvexHull.Phase(
        id: individual.id, counts: counts, energyPerAtom: individual.enthalpyPerAtom))
    self.hull = hull
    if hasChanged {
      tabulate(index)
    } else if enthalpies[individual.identity.ratio] == nil {
      enthalpies[individual.identity.ratio] = hull.energyPerAtom(at: counts)
    }
    return hasChanged
  }

  /// Begins anew with the individuals of one version of the potential.
  mutating func rebuild(_ index: DuplicateIndex, version: Int) {
    guard hull != nil else { return }
    var fresh = ConvexHull(elementCount: elements.count)
    for basin in index.basins
    where !basin.isDiscarded && basin.representative.potentialVersion == version {
      guard let counts = counts(basin.representative.composition) else { continue }
      fresh.add(
        ConvexHull.Phase(
          id: basin.representative.id, counts: counts,
          energyPerAtom: basin.representative.enthalpyPerAtom))
    }
    hull = fresh
    tabulate(index)
  }

  /// Puts a hull that was stored in place.
  mutating func restore(_ stored: ConvexHull?, _ index: DuplicateIndex) throws(ByteCodingError) {
    guard (stored == nil) == (hull == nil),
      stored.map({ $0.elementCount == elements.count }) ?? true
    else { throw .invalid("a convex hull of other elements") }
    hull = stored
    tabulate(index)
  }

  private mutating func tabulate(_ index: DuplicateIndex) {
    guard let hull else { return }
    enthalpies.removeAll(keepingCapacity: true)
    for basin in index.basins where enthalpies[basin.representative.identity.ratio] == nil {
      guard let counts = counts(basin.representative.composition) else { continue }
      enthalpies[basin.representative.identity.ratio] = hull.energyPerAtom(at: counts)
    }
  }
}
