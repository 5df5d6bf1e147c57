import Crystal
import Foundation
import Potential
import ReferenceEngines
import Settings
import TestSupport
import Testing

@Suite("Reference blocks of classical potentials without charges")
struct ClassicalSettingsTests {
  static let lennardJones = """
    reference:
      kind: lennard-jones
      truncation: force-shift
      pairs:
        - {elements: [Ar, Ar], epsilon: 1.0, sigma: 2.00, cutoff: 10.0}
        - {elements: [Ar, Ne], epsilon: 1.5, sigma: 1.60, cutoff_sigma: 5}
        - {elements: [Ne, Ne], epsilon: 0.5, sigma: 1.76, cutoff: 8.8}
    """
  static let stillingerWeber = """
    reference:
      kind: stillinger-weber
      parameters:
        - {elements: [Si], epsilon: 2.1675, sigma: 2.0951, A: 7.049556277, B: 0.6022245584, p: 4, q: 0, a: 1.80, lambda: 21.0, gamma: 1.20}
    """
  static let tersoff = """
    reference:
      kind: tersoff
      parameters:
        - {elements: [Si], A: 1830.8, B: 471.18, lambda: 2.4799, mu: 1.7322, beta: 1.1e-6, n: 0.78734, c: 1.0039e5, d: 16.217, h: -0.59825, R: 2.7, S: 3.0}
        - {elements: [C], A: 1393.6, B: 346.74, lambda: 3.4879, mu: 2.2119, beta: 1.5724e-7, n: 0.72751, c: 3.8049e4, d: 4.3484, h: -0.57058, R: 1.8, S: 2.1}
      mixing:
        - {elements: [Si, C], chi: 0.9776}
    """

  private func read(_ text: String) throws -> ReferenceSettings {
    var top = try SettingsDocument(text: text, path: "campaign.yaml").mapping()
    return try ReferenceSettings(top.required("reference").mapping())
  }

  private func fixture(_ name: String) throws -> ReferenceSettings {
    let folder = try #require(Bundle.module.url(forResource: "Fixtures", withExtension: nil))
    return try ReferenceSettings(path: folder.appendingPathComponent(name).path)
  }

  @Test("The blocks describe the potentials, and so do the files")
  func reading() throws {
    let lj = try ClassicalModels.binaryLennardJones(.forceShift).parameters
    guard case .lennardJones(let parameters) = try read(Self.lennardJones).model else {
      Issue.record("another kind")
      return
    }
    #expect(parameters == lj)
    #expect(
      try fixture("binary-lennard-jones.yaml").canonicalBytes
        == ReferenceSettings(.lennardJones(lj)).canonicalBytes)

    let sw = ReferenceSettings(
      .stillingerWeber(try ClassicalModels.stillingerWeberSilicon().parameters))
    #expect(try read(Self.stillingerWeber).canonicalBytes == sw.canonicalBytes)
    #expect(try fixture("si-stillinger-weber.yaml").canonicalBytes == sw.canonicalBytes)

    let both = try ClassicalModels.tersoffSiliconCarbon().parameters
    #expect(
      try read(Self.tersoff).canonicalBytes == ReferenceSettings(.tersoff(both)).canonicalBytes)
    let silicon = TersoffPotential.Parameters(elements: [both.elements[0]])
    #expect(
      try fixture("si-tersoff.yaml").canonicalBytes
        == ReferenceSettings(.tersoff(silicon)).canonicalBytes)
  }

  @Test("A cutoff of the block is the one of pairs without their own")
  func commonCutoff() throws {
    let text = """
      reference:
        kind: lennard-jones
        cutoff_sigma: 2.5
        pairs:
          - {elements: [Ar, Ar], epsilon: 1, sigma: 2}
          - {elements: [Ar, Ne], epsilon: 1, sigma: 3, cutoff: 4}
          - {elements: [Ne, Ne], epsilon: 1, sigma: 4, cutoff: none}
      """
    guard case .lennardJones(let parameters) = try read(text).model else {
      Issue.record("another kind")
      return
    }
    #expect(parameters.pairs.map(\.cutoff) == [5, 4, nil])
    #expect(parameters.truncation == .none)
  }

  @Test(
    "Mistakes are named with file, line and key",
    arguments: [
      (Self.lennardJones, "force-shift", "forceshift", 3, "reference.truncation"),
      (Self.lennardJones, "epsilon: 1.5", "epsilon: -1", 6, "reference.pairs[2].epsilon"),
      (Self.lennardJones, "sigma: 1.60", "sigma: 0", 6, "reference.pairs[2].sigma"),
      (Self.lennardJones, ", cutoff_sigma: 5", "", 6, "reference.pairs[2]"),
      (Self.lennardJones, "cutoff_sigma: 5", "cutoff: none", 6, "reference.pairs[2]"),
      (
        Self.lennardJones, "cutoff_sigma: 5", "cutoff: 8, cutoff_sigma: 5", 6,
        "reference.pairs[2].cutoff"
      ),
      (Self.lennardJones, "[Ar, Ne]", "[Ar, Ar]", 6, "reference.pairs[2]"),
      (Self.lennardJones, "[Ar, Ne]", "[Ar, Xx]", 6, "reference.pairs[2].elements[2]"),
      (Self.lennardJones, "[Ne, Ne]", "[Kr, Ne]", 4, "reference.pairs"),
      (
        Self.lennardJones, "kind: lennard-jones", "kind: lennard-jones\n  charges: {Ar: 0}", 3,
        "reference.charges"
      ),
      (Self.stillingerWeber, "p: 4", "p: 4.5", 4, "reference.parameters[1].p"),
      (Self.stillingerWeber, "gamma: 1.20", "gama: 1.20", 4, "reference.parameters[1].gamma"),
      (Self.stillingerWeber, "[Si]", "[Si, Si]", 4, "reference.parameters[1].elements"),
      (
        Self.stillingerWeber, "sigma: 2.0951", "sigma: 2.0951 Å", 4,
        "reference.parameters[1].sigma"
      ),
      (Self.tersoff, "S: 3.0", "S: 2.6", 4, "reference.parameters[1].S"),
      (Self.tersoff, "[C]", "[Si]", 5, "reference.parameters[2]"),
      (Self.tersoff, "n: 0.72751", "n: 0", 5, "reference.parameters[2].n"),
      (Self.tersoff, "[Si, C]", "[Si, Si]", 7, "reference.mixing[1].elements"),
      (Self.tersoff, "[Si, C]", "[Si, Ge]", 6, "reference.mixing"),
      (Self.tersoff, "chi: 0.9776", "chi: much", 7, "reference.mixing[1].chi"),
    ])
  func mistakes(block: String, old: String, new: String, line: Int, key: String) throws {
    let text = block.replacingOccurrences(of: old, with: new)
    #expect(text != block)
    do {
      _ = try read(text)
      Issue.record("accepted: \(new)")
    } catch let error as SettingsError {
      #expect(error.file == "campaign.yaml")
      #expect(error.line == line, "\(error)")
      #expect(error.keyPath == key, "\(error)")
    }
  }

  @Test("A composition needs parameters of all its elements")
  func compositions() throws {
    for (block, formula, foreign, line) in [
      (Self.lennardJones, "Ar4Ne", "Kr", 4), (Self.stillingerWeber, "Si", "C", 3),
      (Self.tersoff, "SiC", "Ge", 3),
    ] {
      let settings = try read(block)
      try settings.check(Composition(formula: formula))
      do {
        try settings.check(Composition(formula: "\(foreign)2"))
        Issue.record("accepted \(foreign)")
      } catch let error as SettingsError {
        #expect(error.line == line && error.found == "no parameters of \(foreign)")
      }
    }
  }

  @Test("Labels come from the potentials; keys tell the kinds apart")
  func labels() throws {
    let diamond = try Prototypes.zincBlende("Si", "Si", a: 5.43)
    let engines = try [Self.stillingerWeber, Self.tersoff].map { try read($0).engine() }
    for engine in engines {
      guard case .labelled(let evaluation) = engine.label(diamond) else {
        Issue.record("\(engine.summary)")
        continue
      }
      #expect(evaluation.energy < -8 * 4.3 && !engine.summary.isEmpty)
    }
    #expect(engines[0].labelKey(for: diamond) != engines[1].labelKey(for: diamond))
  }
}
