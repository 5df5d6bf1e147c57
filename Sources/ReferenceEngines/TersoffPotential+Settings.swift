import Crystal
import Potential
import Settings

extension TersoffPotential.Parameters {
  /// Reads the keys of a `reference:` block of this kind.
  ///
  /// ```yaml
  /// kind: tersoff
  /// parameters:                # A, B eV; lambda, mu 1/Å; R, S Å
  ///   - {elements: [Si], A: 1830.8, B: 471.18, lambda: 2.4799, mu: 1.7322, beta: 1.1e-6,
  ///      n: 0.78734, c: 1.0039e5, d: 16.217, h: -0.59825, R: 2.7, S: 3.0}
  /// mixing:                    # of every pair of unlike elements
  ///   - {elements: [C, Si], chi: 0.9776}
  /// ```
  init(_ reader: inout SettingsReader) throws(SettingsError) {
    let entries = try reader.required("parameters", "a list with the parameters of every element")
    var elements: [TersoffPotential.ElementParameters] = []
    for value in try entries.list("elements' parameters", counts: 1...Int.max) {
      let parameters = try TersoffPotential.ElementParameters(value)
      if elements.contains(where: { $0.element == parameters.element }) {
        throw value.error(found: "\(parameters.element) again", allowed: "every element once")
      }
      elements.append(parameters)
    }
    var mixing: [TersoffPotential.Mixing] = []
    for value in try reader.optional("mixing")?.list("factors") ?? [] {
      let factor = try TersoffPotential.Mixing(value)
      if mixing.contains(where: { $0.joins(factor.first, factor.second) }) {
        throw value.error(
          found: "\(factor.first)–\(factor.second) again", allowed: "every pair once")
      }
      mixing.append(factor)
    }
    for (index, a) in elements.enumerated() {
      for b in elements[..<index]
      where !mixing.contains(where: { $0.joins(a.element, b.element) }) {
        throw (reader.optional("mixing") ?? entries).error(
          found: "no chi of \(b.element)–\(a.element)",
          allowed: "mixing: with chi for every pair of unlike elements")
      }
    }
    self.init(elements: elements, mixing: mixing)
  }
}

extension TersoffPotential.ElementParameters {
  fileprivate init(_ value: SettingsValue) throws(SettingsError) {
    var reader = try value.mapping()
    let element = try reader.required("elements", "one element symbol").elementSymbols(1)[0]
    let repulsion = try reader.required("A", "an energy in eV").positiveNumber(
      upTo: 1e9, unit: "eV")
    let attraction = try reader.required("B", "an energy in eV").positiveNumber(
      upTo: 1e9, unit: "eV")
    let lambda = try reader.required("lambda", "a number in 1/Å").positiveNumber(
      upTo: 100, unit: "1/Å")
    let mu = try reader.required("mu", "a number in 1/Å").positiveNumber(upTo: 100, unit: "1/Å")
    let beta = try reader.required("beta", "a number").number(in: 0...1e9)
    let n = try reader.required("n", "a number").positiveNumber(upTo: 100)
    let c = try reader.required("c", "a number").number(in: 0...1e9)
    let d = try reader.required("d", "a number").positiveNumber(upTo: 1e9)
    let h = try reader.required("h", "a cosine").number(in: -10...10)
    let inner = try reader.required("R", "a length in Å").positiveNumber(upTo: 20, unit: "Å")
    let end = try reader.required("S", "a length in Å")
    let outer = try end.positiveNumber(upTo: 20, unit: "Å")
    guard outer > inner else { throw end.error(allowed: "a length beyond R (\(inner) Å)") }
    try reader.finish()
    self.init(
      element, repulsion: repulsion, attraction: attraction, repulsiveDecay: lambda,
      attractiveDecay: mu, beta: beta, exponent: n, c: c, d: d, h: h, innerCutoff: inner,
      outerCutoff: outer)
  }
}

extension TersoffPotential.Mixing {
  fileprivate init(_ value: SettingsValue) throws(SettingsError) {
    var reader = try value.mapping()
    let names = try reader.required("elements", "two element symbols")
    let elements = try names.elementSymbols(2)
    guard elements[0] != elements[1] else {
      throw names.error(allowed: "two unlike elements")
    }
    let chi = try reader.required("chi", "a number").number(in: 0...100)
    try reader.finish()
    self.init(elements[0], elements[1], chi: chi)
  }
}
