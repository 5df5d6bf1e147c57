import Crystal
import Evolution
import Foundation
import NumericalCore

/// A landscape of two funnels over the shapes of a cell: a wide one, in which every random structure
/// begins, and behind a plateau a narrow and deeper one.
///
/// Each point of a grid of shapes is a basin; children step a little way over the grid. Fingerprints,
/// matches and the population are the real ones.
struct DoubleFunnel {
  static let columns = 21
  static let rows = 11
  private static let step = 0.08
  let composition: Composition
  private let structures: [Structure]
  private let fingerprints: [StructureFingerprint]
  private let energies: [Double]

  init() throws {
    composition = try Composition(formula: "CsCl")
    var structures: [Structure] = []
    var energies: [Double] = []
    var roughness = RandomStream(seed: 71, purpose: .test)
    for column in 0..<Self.columns {
      for row in 0..<Self.rows {
        let (p, s) = Self.shape(column, row)
        let lattice = try Lattice(
          Matrix3(
            diagonal: 4 * Vector3(exp(-p / 2 + s), exp(-p / 2 - s), exp(p))))
        structures.append(
          try Structure(
            lattice: lattice, species: composition.species,
            fractionalPositions: [.zero, Vector3(0.5, 0.5, 0.3)]))
        let wide = 0.5 * max(0, 1 - hypot(p + 0.4, s - 0.32) / 0.6)
        let narrow = 0.8 * max(0, 1 - hypot(p - 0.64, s - 0.56) / 0.2)
        energies.append(-wide - narrow + roughness.uniform(-0.02, 0.02))
      }
    }
    self.structures = structures
    self.energies = energies
    fingerprints = structures.map {
      StructureFingerprint($0, settings: .init(volumePerAtom: 32))
    }
  }

  private static func shape(_ column: Int, _ row: Int) -> (p: Double, s: Double) {
    (step * Double(column - columns / 2), step * Double(row))
  }

  /// The candidates until the bottom of the narrow funnel is found; the budget where it is not.
  func candidatesToEscape(height: Double, width: Double, seed: UInt64, budget: Int) -> Int {
    var settings = PopulationSettings(size: 12, compositions: [composition])
    settings.isAdaptive = false
    settings.antiseedHeight = height
    settings.antiseedWidth = width
    settings.operators = VariationKind.operators.map {
      [.random: 0.1, .heredity: 0.4, .latticeMutation: 0.5][$0] ?? 0
    }
    var population = Population(settings: settings)
    let target = energies.min() ?? 0
    for slot in 0..<budget {
      var random = RandomStream(seed: seed, purpose: .test, slot: UInt64(slot))
      let order = population.orderNext(random: &random)
      let place = child(order, &random)
      if energies[place] == target { return slot + 1 }
      _ = population.insert(
        Individual(
          id: slot, structure: structures[place], enthalpyPerAtom: energies[place],
          fingerprint: fingerprints[place], kind: order.kind))
    }
    return budget
  }

  private func child(_ order: BreedingOrder, _ random: inout RandomStream) -> Int {
    var (column, row) = (0, 0)
    switch order.parents.count {
    case 0:
      column = random.integer(below: Self.columns / 2 + 2)
      row = random.integer(below: Self.rows)
    default:
      for parent in order.parents {
        let place = place(of: parent.structure)
        column += place / Self.rows
        row += place % Self.rows
      }
      column = column / order.parents.count + random.integer(below: 5) - 2
      row = row / order.parents.count + random.integer(below: 5) - 2
    }
    column = min(Self.columns - 1, max(0, column))
    row = min(Self.rows - 1, max(0, row))
    return column * Self.rows + row
  }

  private func place(of structure: Structure) -> Int {
    structures.firstIndex(of: structure) ?? 0
  }
}
