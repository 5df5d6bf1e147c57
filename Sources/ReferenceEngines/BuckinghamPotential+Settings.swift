import Crystal
import Potential
import Settings

extension BuckinghamPotential.Pair {
  /// Whether the pair is the one of two elements, in either order.
  func joins(_ a: ChemicalElement, _ b: ChemicalElement) -> Bool {
    (first, second) == (a, b) || (first, second) == (b, a)
  }

  /// Reads `{elements: [O, O], A: 11782.7, rho: 0.2340, C: 30.22, wall: 1.0}`.
  init(_ value: SettingsValue) throws(SettingsError) {
    var reader = try value.mapping()
    let elements = try reader.required("elements", "two element symbols").elementSymbols(2)
    let limits = -1e15...1e15
    let amplitude = try reader.required("A", "a number in eV").number(in: limits, unit: "eV")
    let length = try reader.required("rho", "a length in Å").positiveNumber(upTo: 10, unit: "Å")
    let dispersion = try reader.optional("C")?.number(in: limits, unit: "eV Å⁶") ?? 0
    let wall = try reader.optional("wall")?.number(in: limits, unit: "eV Å¹²") ?? 0
    try reader.finish()
    self.init(
      elements[0], elements[1], amplitude: amplitude, decayLength: length, dispersion: dispersion,
      wall: wall)
  }
}

extension BuckinghamPotential.Parameters {
  /// Reads the keys of a `reference:` block of this kind.
  init(_ reader: inout SettingsReader) throws(SettingsError) {
    let cutoff = try reader.required("cutoff", "a length in Å").positiveNumber(upTo: 50, unit: "Å")
    let smoothing =
      try reader.optional("smoothing")?.number(in: 0...cutoff.nextDown, unit: "Å") ?? 0
    let accuracy = try reader.optional("ewald_accuracy")?.number(in: 1e-15...1e-3) ?? 1e-10
    var charges: [BuckinghamPotential.Ion] = []
    if var section = try reader.optional("charges")?.mapping() {
      for (key, value) in section.allValues() {
        guard let element = ChemicalElement(symbol: key) else {
          throw value.error(found: "'\(key)'", allowed: "element symbols with charges")
        }
        let charge = try value.number(in: -20...20, unit: "e")
        charges.append(BuckinghamPotential.Ion(element, charge: charge))
      }
    }
    var pairs: [BuckinghamPotential.Pair] = []
    for value in try reader.optional("pairs")?.list("pairs") ?? [] {
      let pair = try BuckinghamPotential.Pair(value)
      if pairs.contains(where: { $0.joins(pair.first, pair.second) }) {
        throw value.error(
          found: "\(pair.first)–\(pair.second) again", allowed: "every pair once")
      }
      pairs.append(pair)
    }
    guard !pairs.isEmpty || !charges.isEmpty else {
      throw reader.error(found: "neither charges nor pairs", allowed: "at least one of them")
    }
    self.init(
      cutoff: cutoff, smoothing: smoothing, charges: charges, pairs: pairs,
      ewaldAccuracy: accuracy)
  }
}
