import Crystal
import Foundation
import NumericalCore
import Potential
import ReferenceEngines
import Settings
import TestSupport
import Testing

@Suite("The reference block")
struct ReferenceSettingsTests {
  static let valid = """
    reference:
      kind: buckingham
      cutoff: 15.0
      charges: {Ti: 2.196, O: -1.098}
      pairs:
        - {elements: [Ti, Ti], A: 31120.1, rho: 0.1540, C: 5.25, wall: 1.0}
        - {elements: [O, O],   A: 11782.7, rho: 0.2340, C: 30.22, wall: 1.0}
        - {elements: [Ti, O],  A: 16957.5, rho: 0.1940, C: 12.59, wall: 1.0}
    """

  private func read(_ text: String) throws -> ReferenceSettings {
    var top = try SettingsDocument(text: text, path: "campaign.yaml").mapping()
    return try ReferenceSettings(top.required("reference").mapping())
  }

  private func fixture(_ name: String) throws -> ReferenceSettings {
    let folder = try #require(Bundle.module.url(forResource: "Fixtures", withExtension: nil))
    return try ReferenceSettings(path: folder.appendingPathComponent(name).path)
  }

  @Test("The block describes the potential")
  func reading() throws {
    let settings = try read(Self.valid)
    let expected = try ClassicalModels.titaniumDioxide().parameters
    guard case .buckingham(let parameters) = settings.model else {
      Issue.record("another kind")
      return
    }
    #expect(parameters.canonicalBytes == expected.canonicalBytes)
    let rutile = try Prototypes.rutile()
    let energy = try settings.potential().evaluation(of: rutile).energy
    #expect(try ClassicalModels.titaniumDioxide().evaluation(of: rutile).energy == energy)
    #expect(try fixture("tio2.yaml").canonicalBytes == settings.canonicalBytes)
  }

  @Test(
    "Mistakes are named with file, line and key",
    arguments: [
      ("kind: buckingham", "kind: buckinham", 2, "reference.kind"),
      ("kind: buckingham", "kind: eam", 2, "reference.kind"),
      ("cutoff: 15.0", "cutoff: -1", 3, "reference.cutoff"),
      ("cutoff: 15.0", "cutof: 15.0", 3, "reference.cutoff"),
      ("cutoff: 15.0", "cutoff: 15.0\n  smoothing: 20", 4, "reference.smoothing"),
      ("Ti: 2.196", "Tj: 2.196", 4, "reference.charges.Tj"),
      ("[O, O]", "[O]", 7, "reference.pairs[2].elements"),
      ("[O, O]", "[Ti, Ti]", 7, "reference.pairs[2]"),
      ("rho: 0.2340", "rho: 0", 7, "reference.pairs[2].rho"),
      ("rho: 0.2340", "row: 0.2340", 7, "reference.pairs[2].rho"),
      (
        "wall: 1.0}\n    - {elements: [Ti, O]", "wal: 1.0}\n    - {elements: [Ti, O]", 7,
        "reference.pairs[2].wal"
      ),
    ])
  func mistakes(old: String, new: String, line: Int, key: String) throws {
    let text = Self.valid.replacingOccurrences(of: old, with: new)
    #expect(text != Self.valid)
    do {
      _ = try read(text)
      Issue.record("accepted: \(new)")
    } catch let error as SettingsError {
      #expect(error.file == "campaign.yaml")
      #expect(error.line == line, "\(error)")
      #expect(error.keyPath == key, "\(error)")
    }
  }

  @Test("A kind that this build lacks is told from one that nobody knows")
  func kinds() throws {
    do {
      _ = try read("reference:\n  kind: eam")
      Issue.record("accepted")
    } catch let error as SettingsError {
      #expect(error.description.contains("one of buckingham"))
      #expect(error.description.contains("cannot evaluate 'eam'"))
    }
  }

  @Test("Compositions are checked: missing elements and pairs, charged formulas")
  func compositions() throws {
    let settings = try read(Self.valid)
    try settings.check(Composition(formula: "Ti4O8"))
    // Cations repel each other by their charges; no pair is needed.
    try fixture("mgal2o4-100gpa.yaml").check(Composition(formula: "MgAl2O4"))
    try fixture("mg-si-o.yaml").check(Composition(formula: "Mg2SiO4"))

    func message(_ text: String, _ formula: String) throws -> SettingsError? {
      let settings = try read(text)
      do {
        try settings.check(Composition(formula: formula))
        return nil
      } catch let error as SettingsError { return error }
    }
    let foreign = try #require(try message(Self.valid, "MgTiO3"))
    #expect(foreign.line == 4 && foreign.description.contains("Mg"))
    let charged = try #require(try message(Self.valid, "Ti2O3"))
    #expect(charged.line == 4 && charged.keyPath == "reference.charges")
    let missing = Self.valid.replacingOccurrences(of: "[Ti, O]", with: "[Mg, O]")
    let pair = try #require(try message(missing, "TiO2"))
    #expect(pair.line == 5 && pair.found == "missing pair parameters of Ti–O")
  }
}

@Suite("The embedded reference")
struct EmbeddedReferenceTests {
  private func engine(floor: Double? = nil) throws -> EmbeddedReference {
    try EmbeddedReference(
      ReferenceSettings(
        .buckingham(ClassicalModels.titaniumDioxide().parameters), energyFloor: floor))
  }

  @Test("A label is the potential's evaluation, and the same bits every time")
  func label() throws {
    let engine = try engine()
    let rutile = try Prototypes.rutile()
    let expected = try engine.potential.evaluation(of: rutile)
    #expect(engine.label(rutile) == .labelled(expected))
    #expect(engine.label(rutile) == engine.label(rutile))
    #expect(!engine.dependsOnHistory)
  }

  @Test("Energies below the floor and refused structures are failures with a reason")
  func failures() throws {
    let rutile = try Prototypes.rutile()
    guard case .failed(let reason) = try engine(floor: -10).label(rutile) else {
      Issue.record("labelled below the floor")
      return
    }
    #expect(reason.hasPrefix("invalid: energy below floor"))
    guard case .labelled = try engine(floor: -20).label(rutile) else {
      Issue.record("refused above the floor")
      return
    }
    let foreign = try Structure(
      lattice: rutile.lattice, species: [ClassicalModels.element("Mg")], positions: [.zero])
    guard case .failed = try engine().label(foreign) else {
      Issue.record("labelled an unknown element")
      return
    }
  }

  @Test("A pair behind the barrier of a hole is no label")
  func hole() throws {
    let folder = try #require(Bundle.module.url(forResource: "Fixtures", withExtension: nil))
    let settings = try ReferenceSettings(
      path: folder.appendingPathComponent("mg-si-o.yaml").path)
    let engine = try EmbeddedReference(settings)
    let forsterite = try Prototypes.forsterite()
    guard case .labelled = engine.label(forsterite) else {
      Issue.record("forsterite refused")
      return
    }
    var positions = forsterite.positions
    let oxygen = try #require(forsterite.species.lastIndex { $0.symbol == "O" })
    positions[oxygen - 1] = positions[oxygen] + Vector3(0.6, 0, 0)
    guard case .failed(let reason) = engine.label(forsterite.replacing(positions: positions)) else {
      Issue.record("labelled a hole")
      return
    }
    #expect(reason.contains("O–O"))
    // The hole is seen before the energy is known.
    let floored = try EmbeddedReference(ReferenceSettings(settings.model, energyFloor: 1e6))
    #expect(
      floored.label(forsterite.replacing(positions: positions)) == .failed(reason: reason))
  }

  @Test("The label key changes with structure and settings, and with nothing else")
  func keys() throws {
    let rutile = try Prototypes.rutile()
    let key = try engine().labelKey(for: rutile)
    #expect(key.count == 64)
    #expect(try engine().labelKey(for: rutile) == key)
    #expect(try engine(floor: -20).labelKey(for: rutile) != key)
    #expect(try engine().labelKey(for: Prototypes.anatase()) != key)
    var parameters = try ClassicalModels.titaniumDioxide().parameters
    parameters.pairs.reverse()
    let shuffled = try EmbeddedReference(ReferenceSettings(.buckingham(parameters)))
    #expect(shuffled.labelKey(for: rutile) == key)
  }

  @Test("Outcomes come back from their bytes")
  func bytes() throws {
    let outcomes = [try engine().label(Prototypes.rutile()), .failed(reason: "no")]
    for outcome in outcomes {
      #expect(try LabelOutcome(canonicalBytes: outcome.canonicalBytes) == outcome)
    }
  }

  @Test("The rehearsal's stand-in holds any elements at bonding distances")
  func rehearsal() throws {
    let elements = try ["Ag", "Te", "In"].map(ClassicalModels.element)
    let settings = ReferenceSettings.rehearsal(for: elements)
    let engine = try EmbeddedReference(settings)
    for seed in 0..<5 {
      let structure = try TestStructures.randomCrystal(
        elements + elements, volumePerAtom: 25, minimumDistance: 2, seed: UInt64(seed))
      guard case .labelled(let evaluation) = engine.label(structure) else {
        Issue.record("seed \(seed)")
        continue
      }
      #expect(evaluation.isFinite())
    }
  }
}
