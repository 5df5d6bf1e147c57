import Crystal
import Potential
import Settings

extension StillingerWeberPotential.Parameters {
  /// Reads the keys of a `reference:` block of this kind.
  ///
  /// ```yaml
  /// kind: stillinger-weber
  /// parameters:                # epsilon eV, sigma Å, a in sigma; cosine: −1/3 unless given
  ///   - {elements: [Si], epsilon: 2.1675, sigma: 2.0951, A: 7.049556277, B: 0.6022245584,
  ///      p: 4, q: 0, a: 1.80, lambda: 21.0, gamma: 1.20}
  /// ```
  init(_ reader: inout SettingsReader) throws(SettingsError) {
    let entries = try reader.required("parameters", "a list of one element's parameters")
    let values = try entries.list("element's parameters", counts: 1...Int.max)
    guard values.count == 1 else {
      throw entries.error(
        found: "\(values.count) entries", allowed: "one: this form is for a single element")
    }
    var entry = try values[0].mapping()
    let element = try entry.required("elements", "one element symbol").elementSymbols(1)[0]
    let exponents = 0...Self.largestExponent
    let epsilon = try entry.required("epsilon", "an energy in eV").positiveNumber(
      upTo: 1e6, unit: "eV")
    let sigma = try entry.required("sigma", "a length in Å").positiveNumber(upTo: 20, unit: "Å")
    let pairStrength = try entry.required("A", "a number").number(in: 0...1e9)
    let repulsion = try entry.required("B", "a number").number(in: 0...1e9)
    let p = try entry.required("p", "an exponent").integer(in: exponents)
    let q = try entry.required("q", "an exponent").integer(in: exponents)
    let reach = try entry.required("a", "the cutoff in units of sigma").positiveNumber(
      upTo: 10, unit: "sigma")
    let angleStrength = try entry.required("lambda", "a number").number(in: 0...1e9)
    let angleDecay = try entry.required("gamma", "a number").positiveNumber(upTo: 100)
    let cosine = try entry.optional("cosine")?.number(in: -1...1) ?? -1.0 / 3
    try entry.finish()
    self.init(
      element, epsilon: epsilon, sigma: sigma, pairStrength: pairStrength, repulsion: repulsion,
      repulsiveExponent: p, attractiveExponent: q, reach: reach, angleStrength: angleStrength,
      angleDecay: angleDecay, cosine: cosine)
  }
}
