import Crystal
import Evolution
import Settings

extension CampaignSettings {
  /// What a campaign searches for.
  public enum Target: Sendable, Hashable {
    /// Formula units, and how many of them a candidate's cell may hold: each number is tried.
    case formulas([Composition], units: [Int])
    /// Any composition of some elements, with so many atoms in a cell.
    case variable(elements: [ChemicalElement], atoms: ClosedRange<Int>)

    /// The cells that are searched.
    public var space: CompositionSpace {
      switch self {
      case .formulas(let formulas, let units):
        .listed(formulas.flatMap { formula in units.map(formula.repeated) })
      case .variable(let elements, let atoms): .variable(elements: elements, atoms: atoms)
      }
    }

    /// All elements, in the order in which the file names them.
    public var elements: [ChemicalElement] { space.elements }

    /// A name such as `TiO2` or, of a variable composition, `Ag-Pd`.
    public var name: String {
      switch self {
      case .formulas(let formulas, _): formulas.map(\.formula).joined(separator: "-")
      case .variable(let elements, _): elements.map(\.symbol).joined(separator: "-")
      }
    }

    /// The cells in words, such as `TiO2, cells of 6, 12 atoms`.
    public var summary: String {
      switch self {
      case .formulas(let formulas, let units):
        let cells = formulas.map { formula in
          let sizes = units.map { "\(formula.atomCount * $0)" }
          return "\(formula.formula), cells of \(sizes.joined(separator: ", ")) atoms"
        }
        return cells.joined(separator: "; ")
      case .variable(let elements, let atoms):
        return "any of \(elements.map(\.symbol).joined(separator: ", ")), cells of "
          + "\(atoms.lowerBound) to \(atoms.upperBound) atoms, ranked by distance above the hull"
      }
    }

    /// Compositions that a method must know and find neutral to know all that may occur: the formulas,
    /// or every element alone and all together.
    var extremes: [Composition] {
      switch self {
      case .formulas(let formulas, _): return formulas
      case .variable(let elements, _):
        // Different elements, one atom of each: nothing to refuse.
        return (elements.map { [$0] } + [elements]).compactMap {
          try? Composition($0, $0.map { _ in 1 })
        }
      }
    }

    /// The volume per atom in Å³ that fingerprints are scaled to; any number will do that does not
    /// change within a campaign.
    var fingerprintVolumePerAtom: Double {
      switch self {
      case .formulas(let formulas, _): VolumeEstimate.fromRadii(formulas[0])
      case .variable: extremes.last.map(VolumeEstimate.fromRadii) ?? 1
      }
    }
  }
}

extension CampaignSettings.Target {
  private static let oneFormula = "one formula, such as TiO2"
  private static let largestCell = 500
  private static let largestVariableCell = 64

  /// Reads `composition:` and `formula_units:`, or `elements:` and `atoms:`.
  init(_ campaign: inout SettingsReader) throws(SettingsError) {
    guard let elements = campaign.optional("elements") else {
      let formulas = try Self.formulas(&campaign)
      self = .formulas(formulas, units: try Self.formulaUnits(&campaign, formulas))
      return
    }
    if let composition = campaign.optional("composition") {
      throw composition.error(
        found: "a composition beside elements",
        allowed: "either composition: for given formulas, or elements: for a variable composition")
    }
    if let units = campaign.optional("formula_units") {
      throw units.error(
        found: "formula units of a variable composition",
        allowed: "atoms: [least, most], the atoms of a cell")
    }
    self = .variable(
      elements: try Self.elements(elements), atoms: try Self.atoms(campaign.optional("atoms")))
  }

  private static func elements(_ value: SettingsValue) throws(SettingsError) -> [ChemicalElement] {
    var elements: [ChemicalElement] = []
    for item in try value.list("elements, such as [Ag, Pd]", counts: 1...Int.max) {
      let symbol = try item.string("an element")
      guard let element = ChemicalElement(symbol: symbol) else {
        throw item.error(allowed: "the symbol of an element, such as Ag")
      }
      guard !elements.contains(element) else {
        throw item.error(found: "\(symbol) again", allowed: "every element once")
      }
      elements.append(element)
    }
    let counts = CompositionSpace.elementCounts
    guard counts.contains(elements.count) else {
      throw value.error(
        found: "\(elements.count) elements",
        allowed: "\(counts.lowerBound) to \(counts.upperBound) elements",
        suggestion: elements.count == 1 ? "use composition: \(elements[0])" : nil)
    }
    return elements
  }

  private static func atoms(_ value: SettingsValue?) throws(SettingsError) -> ClosedRange<Int> {
    guard let value else { return 1...8 }
    let bounds = try value.integers(in: 1...largestVariableCell, counts: 2...2)
    guard bounds[0] <= bounds[1] else {
      throw value.error(found: "\(bounds)", allowed: "the least and the most atoms of a cell")
    }
    return bounds[0]...bounds[1]
  }

  private static func formulas(
    _ campaign: inout SettingsReader
  ) throws(SettingsError) -> [Composition] {
    let value = try campaign.required("composition", oneFormula)
    guard value.isList else { return [try formula(value)] }
    var formulas: [Composition] = []
    for item in try value.list("formulas, such as [MgO, SiO2]", counts: 1...Int.max) {
      let formula = try formula(item)
      guard !formulas.contains(where: { CompositionSpace.listed([$0, formula]).hasOneRatio }) else {
        throw item.error(
          found: "\(formula.formula), the ratio of another",
          allowed: "every ratio of elements once; cells of several sizes belong to formula_units")
      }
      formulas.append(formula)
    }
    return formulas
  }

  private static func formula(_ value: SettingsValue) throws(SettingsError) -> Composition {
    let text = try value.string(oneFormula)
    do {
      return try Composition(formula: text)
    } catch {
      throw value.error(found: "\(text) (\(error))", allowed: oneFormula)
    }
  }

  // Default: every number up to four that keeps the cell at 24 atoms or fewer.
  private static func formulaUnits(
    _ campaign: inout SettingsReader, _ formulas: [Composition]
  ) throws(SettingsError) -> [Int] {
    let atoms = formulas.map(\.atomCount).max() ?? 1
    let largest = max(1, largestCell / atoms)
    guard let value = campaign.optional("formula_units") else {
      return Array(1...max(1, min(4, 24 / atoms)))
    }
    guard value.isList else { return [try value.integer(in: 1...largest)] }
    let counts = try value.integers(in: 1...largest, counts: 1...Int.max)
    guard Set(counts).count == counts.count else {
      throw value.error(
        found: "\(counts)", allowed: "different numbers of formula units, each of which is tried")
    }
    return counts.sorted()
  }

  /// The keys of the file.
  var entries: [SettingsNode.Entry] {
    switch self {
    case .formulas(let formulas, let units):
      [
        .init(
          "composition",
          formulas.count == 1
            ? .text(formulas[0].formula) : .list(formulas.map { .text($0.formula) })),
        .init("formula_units", .list(units.map { .integer($0) })),
      ]
    case .variable(let elements, let atoms):
      [
        .init("elements", .list(elements.map { .text($0.symbol) })),
        .init("atoms", .list([.integer(atoms.lowerBound), .integer(atoms.upperBound)])),
      ]
    }
  }
}
