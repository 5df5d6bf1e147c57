import Crystal
import Potential
import Settings

extension LennardJonesPotential.Parameters {
  /// Reads the keys of a `reference:` block of this kind.
  ///
  /// ```yaml
  /// kind: lennard-jones
  /// truncation: force-shift    # none (default), shift, force-shift
  /// cutoff_sigma: 5            # of all pairs that have none of their own, in σ; or `cutoff:` in Å
  /// pairs:                     # epsilon eV, sigma Å
  ///   - {elements: [Ar, Ar], epsilon: 0.01, sigma: 3.4}
  ///   - {elements: [Ar, Ne], epsilon: 0.006, sigma: 3.1, cutoff: 12}
  /// ```
  init(_ reader: inout SettingsReader) throws(SettingsError) {
    let truncation =
      try reader.optional("truncation")?.enumeration(LennardJonesPotential.Truncation.self)
      ?? .none
    let common = try Reach(&reader)
    let values = try reader.required("pairs", "a list of pairs").list("pairs", counts: 1...Int.max)
    var pairs: [LennardJonesPotential.Pair] = []
    for value in values {
      let pair = try LennardJonesPotential.Pair(value, common, truncation)
      if pairs.contains(where: { $0.joins(pair.first, pair.second) }) {
        throw value.error(
          found: "\(pair.first)–\(pair.second) again", allowed: "every pair once")
      }
      pairs.append(pair)
    }
    let elements = Set(pairs.flatMap { [$0.first, $0.second] }).sorted()
    for (index, a) in elements.enumerated() {
      for b in elements[index...] where !pairs.contains(where: { $0.joins(a, b) }) {
        throw try reader.required("pairs").error(
          found: "missing pair parameters of \(a)–\(b)",
          allowed: "every pair of \(elements.map(\.symbol).joined(separator: ", "))")
      }
    }
    self.init(truncation: truncation, pairs: pairs)
  }
}

/// Where pairs end, as a settings file says it.
private enum Reach {
  /// In Å.
  case length(Double)
  /// In units of σ.
  case diameters(Double)
  /// Nowhere.
  case unlimited

  /// Reads `cutoff:` (Å, or `none`) or `cutoff_sigma:`, where one of them is there.
  init?(_ reader: inout SettingsReader) throws(SettingsError) {
    let length = reader.optional("cutoff")
    let diameters = reader.optional("cutoff_sigma")
    if let length, diameters != nil {
      throw length.error(
        found: "cutoff and cutoff_sigma", allowed: "one of them",
        suggestion: "cutoff is in Å, cutoff_sigma in units of sigma")
    }
    if let length {
      if (try? length.word(of: ["none"])) != nil {
        self = .unlimited
      } else {
        self = .length(try length.positiveNumber(upTo: 100, unit: "Å"))
      }
    } else if let diameters {
      self = .diameters(try diameters.positiveNumber(upTo: 100, unit: "sigma"))
    } else {
      return nil
    }
  }

  func cutoff(diameter: Double) -> Double? {
    switch self {
    case .length(let length): length
    case .diameters(let number): number * diameter
    case .unlimited: nil
    }
  }
}

extension LennardJonesPotential.Pair {
  /// Reads `{elements: [Ar, Ne], epsilon: 1.5, sigma: 1.6, cutoff: 8.0}`.
  fileprivate init(
    _ value: SettingsValue, _ common: Reach?, _ truncation: LennardJonesPotential.Truncation
  ) throws(SettingsError) {
    var reader = try value.mapping()
    let elements = try reader.required("elements", "two element symbols").elementSymbols(2)
    let depth = try reader.required("epsilon", "an energy in eV").number(in: 0...1e6, unit: "eV")
    let diameter = try reader.required("sigma", "a length in Å").positiveNumber(
      upTo: 50, unit: "Å")
    guard let reach = try Reach(&reader) ?? common else {
      throw reader.error(
        found: "no cutoff", allowed: "cutoff in Å, cutoff_sigma, or 'cutoff: none' for clusters")
    }
    let cutoff = reach.cutoff(diameter: diameter)
    guard cutoff != nil || truncation == .none else {
      throw reader.error(
        found: "no cutoff", allowed: "a cutoff, which 'truncation: \(truncation.rawValue)' needs")
    }
    try reader.finish()
    self.init(elements[0], elements[1], depth: depth, diameter: diameter, cutoff: cutoff)
  }
}
