import Coordinator
import Crystal
import Evolution
import Foundation
import Potential
import Settings
import TestSupport
import Testing

/// A campaign file with nearly every key, whole or with one text replaced by another.
struct ExampleCampaign {
  static let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Fixtures/tio2-campaign.yaml")

  static func text(replacing old: String = "", by new: String = "") throws -> String {
    let text = try String(contentsOf: url, encoding: .utf8)
    guard !old.isEmpty else { return text }
    try #require(text.contains(old), "the example has no '\(old)'")
    return text.replacingOccurrences(of: old, with: new)
  }

  static func settings(
    replacing old: String = "", by new: String = ""
  ) throws -> CampaignSettings {
    try CampaignSettings(
      SettingsDocument(text: try text(replacing: old, by: new), path: "campaign.yaml"))
  }
}

@Suite("Campaign files")
struct CampaignSettingsTests {
  /// What benchmarks complete or read themselves.
  private static let incomplete = ["/cases.yaml", "/liquid.yaml", "/published.yaml"]

  @Test("Every campaign and every plan of dynamics that comes with the program is a valid one")
  func inputs() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("inputs")
    let files = try #require(
      FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)?
        .compactMap { ($0 as? URL)?.path }
        .filter { file in
          file.hasSuffix(".yaml") && !Self.incomplete.contains { file.hasSuffix($0) }
        })
    #expect(files.count >= 14)
    for file in files {
      #expect(throws: Never.self, "\(file)") {
        if file.contains("/melting/") {
          _ = try DynamicsPlan(path: file)
        } else {
          _ = try CampaignSettings(path: file)
        }
      }
    }
  }

  @Test("The example is read")
  func example() throws {
    let campaign = try CampaignSettings(path: ExampleCampaign.url.path)
    #expect(campaign.title == "TiO2 at ambient pressure")
    #expect(campaign.target == .formulas([try Composition(formula: "TiO2")], units: [2, 4]))
    #expect(campaign.target.name == "TiO2")
    #expect(campaign.space.largestAtomCount == 12)
    #expect(campaign.pressure == 0)
    #expect(campaign.seed == 20_261_120)
    #expect(campaign.potential.level == 12)
    #expect(campaign.potential.cutoff == 5)
    #expect(campaign.potential.radialBasis == 8)
    #expect(campaign.potential.repulsion == .standard)
    #expect(campaign.training.weights.force == 0.01)
    #expect(campaign.training.forceCap == 20)
    #expect(campaign.initialTraining.randomStructures == 40)
    #expect(campaign.activeLearning.select == 2.1)
    #expect(campaign.activeLearning.breaking == 10)
    #expect(campaign.activeLearning.batch == 8)
    #expect(campaign.activeLearning.level == 12)
    #expect(campaign.training.energyWindow == 10 && campaign.training.robustEnergy == 0.5)
    #expect(campaign.activeLearning.verify == 2)
    #expect(campaign.activeLearning.maximumLabels == 250)
    #expect(campaign.distances.fraction == 0.7)
    #expect(campaign.distances.pairs.map(\.distance) == [1.0])
    #expect(campaign.search.candidates == 300)
    #expect(campaign.search.population == 32)
    #expect(campaign.search.window == 8)
    #expect(campaign.search.delays.label == 8)
    #expect(campaign.search.spaceGroups == Array(1...230))
    let ratios = campaign.search.operators.filter { $0.ratio > 0 }
    #expect(
      ratios.map(\.kind) == [.random, .heredity, .permutation, .softMutation, .latticeMutation])
    #expect(ratios.map(\.ratio) == [0.2, 0.4, 0.1, 0.2, 0.1])
    #expect(!ratios.contains { $0.kind == .topological })
    #expect(campaign.search.hessian == .bonds)
    #expect(campaign.search.adaptive)
    #expect(campaign.search.antiseeds.width == 0.005)
    #expect(campaign.relaxation.coarse.stress == 2)
    #expect(campaign.relaxation.tight.force == 0.02)
    #expect(campaign.relaxation.steps == 400)
    #expect(campaign.rerank.top == 10)
  }

  @Test("What is left out gets its default; apart from the operators, the example's values")
  func defaults() throws {
    let full = try SettingsDocument(path: ExampleCampaign.url.path)
    guard case .mapping(let entries) = full.root.content else { throw CancellationError() }
    let kept = ["composition", "reference"]
    let short = SettingsNode.mapping(entries.filter { kept.contains($0.key) }).yaml()
    let campaign = try CampaignSettings(SettingsDocument(text: short, path: "short.yaml"))
    #expect(campaign.title == "TiO2")
    #expect(campaign.target == .formulas([try Composition(formula: "TiO2")], units: [1, 2, 3, 4]))
    #expect(campaign.seed == 1)
    #expect(campaign.search.population == 20)
    #expect(campaign.search.window == 16)
    #expect(campaign.search.delays.refit == 16)
    let example = try ExampleCampaign.settings()
    #expect(campaign.potential == example.potential)
    #expect(campaign.training == example.training)
    #expect(campaign.activeLearning == example.activeLearning)
    #expect(campaign.relaxation == example.relaxation)
    #expect(campaign.rerank == example.rerank)
    // Numbers of formula units from 1 to 4 allow doubled cells; the ratio of elements never varies.
    let kinds = campaign.search.operators.filter { $0.ratio > 0 }.map(\.kind)
    #expect(
      kinds
        == VariationKind.operators.filter {
          $0.defaultRatio > 0 && $0 != .transmutation && $0 != .addRemove
        })
    #expect(abs(campaign.search.operators.map(\.ratio).reduce(0, +) - 1) < 1e-12)
    #expect(campaign.search.topologies.isUsed && campaign.search.topologies.excluded.isEmpty)
  }

  @Test(
    "A campaign written out is read back as itself, also as bytes",
    arguments: [
      ("", ""), ("title: TiO2 at ambient pressure", "title: 'a: \"b\" # c'"),
      ("space_groups: all", "space_groups: [136, 141, 61]"),
      ("adaptive: true", "topologies: none"),
      ("adaptive: true", "topologies: {exclude: [rutile, dia], strain: 0.02, displacement: 0.1}"),
      ("random: 0.2, heredity: 0.4", "random: 3, ripple: 1, supercell: 1"),
      ("adaptive: true", "soft_mutation: {hessian: potential}"),
      ("level: 12", "level: 16, minimum_distance: 1.3"),
      ("level: 12", "level: 12, repulsion: none"),
      ("level: 12", "level: 12, repulsion: {inner: 0.55, outer: 0.8500000000000001}"),
      ("O-O: 1.0", "O-Ti: 1.4, O-O: 1.123456789012345"),
      ("pressure: 0 ", "pressure: 100.1 "),
      ("{random_structures: 40}", "{melt_quench: {}}"),
      (
        "{random_structures: 40}",
        "{random_structures: 3, melt_quench: {runs: 3, atoms: 72, level: 6, starts: 5, samples: 0, max_labels: "
          + "77, volume_per_atom: 11.3, time_step: 0.7, superheat: 3333, superheat_time: 1.1, cooling: 0.87, "
          + "melting_time: 7.3, ballistic_time: 0.3, pressure: 12.3, pressure_tolerance: 0.17, volume_time: 33.3, "
          + "liquid_time: 3.3, quench_rate: 123, glass_temperature: 301, anneal_temperature: 507, anneal_time: 1.7, "
          + "thermostat_time: 70, sample: 30}}"
      ),
      ("{random_structures: 40}", "{melt_quench: {method: reference}}"),
    ])
  func roundTrip(old: String, new: String) throws {
    let campaign = try ExampleCampaign.settings(replacing: old, by: new)
    let text = campaign.yaml()
    let again = try CampaignSettings(SettingsDocument(text: text, path: "campaign.yaml"))
    #expect(again == campaign, "\(text)")
    #expect(again.yaml() == text)
    #expect(try CampaignSettings(canonicalBytes: campaign.canonicalBytes) == campaign)
  }

  @Test("Lists of formulas and variable compositions are read, written and read again")
  func variableCompositions() throws {
    let reference =
      "reference: {kind: buckingham, cutoff: 6, pairs: [{elements: [Ag, Ag], A: 1000, rho: 0.3}, "
      + "{elements: [Ag, Pd], A: 1000, rho: 0.3}, {elements: [Pd, Pd], A: 1000, rho: 0.3}]}\n"
    func read(_ head: String) throws -> CampaignSettings {
      let campaign = try CampaignSettings(
        SettingsDocument(text: head + reference, path: "alloy.yaml"))
      let text = campaign.yaml()
      let again = try CampaignSettings(SettingsDocument(text: text, path: "alloy.yaml"))
      #expect(again == campaign, "\(text)")
      #expect(try CampaignSettings(canonicalBytes: campaign.canonicalBytes) == campaign)
      return campaign
    }
    let alloy = try read("elements: [Pd, Ag]\natoms: [2, 10]\n")
    #expect(alloy.title == "Pd-Ag" && alloy.target.elements.map(\.symbol) == ["Pd", "Ag"])
    #expect(alloy.space == .variable(elements: alloy.target.elements, atoms: 2...10))
    let kinds = alloy.search.operators.filter { $0.ratio > 0 }.map(\.kind)
    #expect(kinds.contains(.transmutation) && kinds.contains(.addRemove))
    #expect(alloy.schedule().search.space == alloy.space)
    let defaults = try read("elements: [Ag, Pd]\n")
    #expect(defaults.space == .variable(elements: defaults.target.elements, atoms: 1...8))
    let list = try read("composition: [Ag, AgPd, Pd]\nformula_units: [2, 3]\n")
    #expect(list.space.canonical(try Composition(formula: "Pd3Ag3"))?.formula == "Ag3Pd3")
    #expect(list.target.name == "Ag-AgPd-Pd" && !list.space.hasOneRatio)
    #expect(list.target.elements.map(\.symbol) == ["Ag", "Pd"])
  }

  @Test("A single element has nothing to permute")
  func singleElement() throws {
    let text =
      "composition: Si\nreference: {kind: buckingham, cutoff: 6, pairs: [{elements: [Si, Si], A: 1000, rho: 0.3}]}\n"
    let campaign = try CampaignSettings(SettingsDocument(text: text, path: "si.yaml"))
    let permutation = campaign.search.operators.first { $0.kind == .permutation }
    #expect(permutation?.ratio == 0)
    #expect(abs(campaign.search.operators.map(\.ratio).reduce(0, +) - 1) < 1e-12)
  }

  struct Mistake: Sendable, CustomTestStringConvertible {
    let old: String
    let new: String
    let line: Int
    let message: String

    init(_ old: String, _ new: String, _ line: Int, _ message: String) {
      self.old = old
      self.new = new
      self.line = line
      self.message = message
    }

    var testDescription: String { new }
  }

  static let operatorNames = VariationKind.operators.map(\.rawValue).joined(separator: ", ")

  static let mistakes: [Mistake] = [
    .init(
      "population: 32", "population: -3", 22,
      "search.population: found -3, allowed: an integer from 2 to 10000; try 20"),
    .init(
      "population: 32", "populaton: 32", 22,
      "search.populaton: found an unknown key, allowed: candidates, population, window, delays, space_groups, topologies, operators, draws, soft_mutation, adaptive, antiseeds, niche, packings; did you mean 'population'?"
    ),
    .init(
      "composition: TiO2", "composition: TiQ2", 3,
      "composition: found TiQ2 (no composition: 'Q' in 'TiQ2' is no element), allowed: one formula, such as TiO2"
    ),
    .init(
      "composition: TiO2", "composition: [TiO2, Ti2O4]", 3,
      "composition[2]: found Ti2O4, the ratio of another, allowed: every ratio of elements once; cells of several sizes belong to formula_units"
    ),
    .init(
      "composition: TiO2", "composition: [TiO2, Ti2O3]", 12,
      "reference.charges: found a charge of 1.0979999999999999 e in Ti2O3, allowed: charges that sum to zero"
    ),
    .init(
      "composition: TiO2\nformula_units: [2, 4]", "elements: [Ti, O]\natoms: [1, 8]", 12,
      "reference.charges: found a charge of 2.196 e in Ti, allowed: charges that sum to zero"),
    .init(
      "composition: TiO2", "elements: [Ti, O]", 4,
      "formula_units: found formula units of a variable composition, allowed: atoms: [least, most], the atoms of a cell"
    ),
    .init(
      "composition: TiO2", "composition: TiO2\nelements: [Ti, O]", 3,
      "composition: found a composition beside elements, allowed: either composition: for given formulas, or elements: for a variable composition"
    ),
    .init(
      "composition: TiO2\nformula_units: [2, 4]", "elements: [Ti]", 3,
      "elements: found 1 elements, allowed: 2 to 4 elements; use composition: Ti"),
    .init(
      "composition: TiO2\nformula_units: [2, 4]", "elements: [Ti, Ti]", 3,
      "elements[2]: found Ti again, allowed: every element once"),
    .init(
      "composition: TiO2\nformula_units: [2, 4]", "elements: [Ti, Q]", 3,
      "elements[2]: found Q, allowed: the symbol of an element, such as Ag"),
    .init(
      "composition: TiO2\nformula_units: [2, 4]", "elements: [Ti, O]\natoms: [8, 1]", 4,
      "atoms: found [8, 1], allowed: the least and the most atoms of a cell"),
    .init(
      "composition: TiO2\nformula_units: [2, 4]", "elements: [Ti, O]\natoms: 8", 4,
      "atoms: found 8, allowed: a list of 2 integers"),
    .init(
      "composition: TiO2", "", 2,
      "composition: found no such key, allowed: one formula, such as TiO2 (required)"),
    .init(
      "formula_units: [2, 4]", "formula_units: [2, 2]", 4,
      "formula_units: found [2, 2], allowed: different numbers of formula units, each of which is tried"
    ),
    .init(
      "formula_units: [2, 4]", "formula_units: 0", 4,
      "formula_units: found 0, allowed: an integer from 1 to 166"),
    .init(
      "pressure: 0 ", "pressure: 10 GPa ", 5,
      "pressure: found 10 GPa, allowed: a number from -100 to 10000 GPa; write the number alone; its unit is GPa"
    ),
    .init(
      "{random_structures: 40}", "{melt_quench: {level: 14}}", 17,
      "initial_training.melt_quench.level: found 14, allowed: an even integer from 2 to potential.level (12); leave it out for 8"
    ),
    .init(
      "{random_structures: 40}", "{melt_quench: {method: reference, samples: 4}}", 17,
      "initial_training.melt_quench.samples: found a number of samples with method: reference, allowed: samples with method: potential; the reference labels every frame; remove the line"
    ),
    .init(
      "{random_structures: 40}", "{melt_quench: {max_labels: 251}}", 17,
      "initial_training.melt_quench.max_labels: found 251, allowed: from the 12 starts to the 250 of active_learning.max_labels; leave it out for 125"
    ),
    .init(
      "{random_structures: 40}", "{melt_quench: {liquid_tme: 3}}", 17,
      "initial_training.melt_quench.liquid_tme: found an unknown key, allowed: time_step, superheat, superheat_time, cooling, melting_time, ballistic_time, pressure, pressure_tolerance, volume_time, liquid_time, quench_rate, glass_temperature, anneal_temperature, anneal_time, press, thermostat_time, sample, method, runs, atoms, level, volume_per_atom, starts, samples, max_labels; did you mean 'liquid_time'?"
    ),
    .init("seed: 20261120", "seed: -1", 6, "seed: found -1, allowed: an integer of at least 0"),
    .init(
      "kind: mtp", "kind: mtb", 7,
      "potential.kind: found mtb, allowed: one of mtp, reference; did you mean 'mtp'?"),
    .init(
      "radial_basis: 8", "radial_basis: 8, repulsion: {inner: 0.9, outer: 0.6}", 7,
      "potential.repulsion: found inner 0.9 and outer 0.6, allowed: outer above inner; try {inner: 0.4, outer: 0.7}"
    ),
    .init(
      "radial_basis: 8", "radial_basis: 8, repulsion: {outer: 3}", 7,
      "potential.repulsion.outer: found 3, allowed: a number from 0.1 to 2"),
    .init(
      "radial_basis: 8", "radial_basis: 8, repulsion: 0.9", 7,
      "potential.repulsion: found 0.9, allowed: none, or inner and outer as fractions of the sum of covalent radii; try {inner: 0.4, outer: 0.7}"
    ),
    .init(
      "cutoff: 5.0", "cutoff: 2.2", 7,
      "potential: found a repulsion up to 2.24 Å between atoms of Ti, allowed: one that ends below potential.cutoff (2.2 Å); try a larger cutoff, or repulsion: none"
    ),
    .init(
      "kind: mtp", "kind: nnp", 7,
      "potential.kind: found nnp, allowed: mtp; searches with a neural network are not in this version"
    ),
    .init(
      "level: 12", "level: 13", 7,
      "potential.level: found 13, allowed: an even integer from 2 to 28; try 14"),
    .init(
      "cutoff: 5.0", "cutoff: .nan", 7,
      "potential.cutoff: found .nan, allowed: a number from 1 to 20 Å; try 5"),
    .init(
      "weights: [1, 0.01, 0.001]", "weights: [1, 0.01]", 8,
      "training.weights: found a list of 2, allowed: a list of 3 numbers"),
    .init(
      "weights: [1, 0.01, 0.001]", "weights: [0, 0, 0]", 8,
      "training.weights: found [0.0, 0.0, 0.0], allowed: weights of energy, force and stress, not all 0; try [1, 0.01, 0.001]"
    ),
    .init(
      "select: 2.1, break: 10", "select: 12, break: 10", 18,
      "active_learning.break: found select 12.0 and break 10.0, allowed: break above select; try select 2.1 and break 10"
    ),
    .init(
      "mode: neighbourhood", "mode: neighborhood", 18,
      "active_learning.mode: found neighborhood, allowed: one of neighbourhood, configuration; did you mean 'neighbourhood'?"
    ),
    .init(
      "mode: neighbourhood", "level: 14", 18,
      "active_learning.level: found 14, allowed: an even integer from 2 to potential.level (12); leave it out for 12"
    ),
    .init(
      "mode: neighbourhood", "level: 7", 18,
      "active_learning.level: found 7, allowed: an even integer from 2 to potential.level (12); leave it out for 12"
    ),
    .init(
      "max_labels: 250", "max_labels: 39", 18,
      "active_learning.max_labels: found 39, allowed: at least the 40 of initial_training; try 240"
    ),
    .init(
      "kind: buckingham", "kind: bukingham", 10,
      "reference.kind: found bukingham, allowed: one of buckingham, lennard-jones, stillinger-weber, tersoff, eam, espresso, vasp, cp2k, i-pi; did you mean 'buckingham'?"
    ),
    .init(
      "O: -1.098}", "O: -1.1}", 12,
      "reference.charges: found a charge of -0.0040000000000000036 e in TiO2, allowed: charges that sum to zero"
    ),
    .init(
      "rho: 0.2340", "rho: -0.2340", 15,
      "reference.pairs[2].rho: found -0.2340, allowed: a number above 0 up to 10 Å"),
    .init(
      "O-O: 1.0", "O-N: 1.0", 19,
      "minimum_distances.O-N: found the pair 'O-N', allowed: default, or pairs of Ti, O as Ti-O"),
    .init(
      "O-O: 1.0", "O-O: 7", 19, "minimum_distances.O-O: found 7, allowed: a number from 0.1 to 5 Å"),
    .init(
      "O-O: 1.0", "O-Ti: 1.0, Ti-O: 1.1", 19,
      "minimum_distances.Ti-O: found the pair 'Ti-O' again, allowed: every pair once"),
    .init(
      "window: 8 ", "window: 64 ", 23,
      "search.window: found 64, allowed: a window up to the population, 32; try 16"),
    .init(
      "label: 8", "label: 0", 24,
      "search.delays.label: found 0, allowed: an integer from 1 to 1000000"),
    .init(
      "space_groups: all", "space_groups: [0, 1]", 25,
      "search.space_groups[1]: found 0, allowed: an integer from 1 to 230"),
    .init(
      "{random: 0.2, heredity: 0.4, permutation: 0.1, soft_mutation: 0.2, lattice_mutation: 0.1}",
      "{random: 0}", 26,
      "search.operators: found no operator above 0, allowed: at least one of \(operatorNames) above 0"
    ),
    .init(
      "soft_mutation: 0.2", "softmutation: 0.2", 26,
      "search.operators.softmutation: found an unknown key, allowed: \(operatorNames); did you mean 'soft_mutation'?"
    ),
    .init(
      "adaptive: true", "topologies: some", 27,
      "search.topologies: found some, allowed: one of all, none"),
    .init(
      "lattice_mutation: 0.1}", "topological: 0.1}\n  topologies: none", 26,
      "search.operators.topological: found 0.1, allowed: 0 where search.topologies is none; remove the line"
    ),
    .init(
      "random: 0.2, heredity: 0.4", "random: 0.2, supercell: 0.4, transmutation: 0.1", 26,
      "search.operators.transmutation: found 0.1, allowed: 0: no two allowed cells differ in elements alone; remove the line"
    ),
    .init(
      "adaptive: true", "soft_mutation: {hessian: model}", 27,
      "search.soft_mutation.hessian: found model, allowed: one of bonds, potential"),
    .init(
      "cutoff: 5.0", "cutoff: 1.0, repulsion: none", 19,
      "minimum_distances: found atoms kept 2.24 Å apart with a potential.cutoff of 1.0 Å, allowed: distances below the cutoff; try potential.cutoff: 5"
    ),
    .init(
      "adaptive: true", "\"a\\e[31m\\nb\": yes", 27,
      "search.a\\u{1B}[31m b: found an unknown key, allowed: candidates, population, window, delays, space_groups, topologies, operators, draws, soft_mutation, adaptive, antiseeds, niche, packings"
    ),
    .init(
      "adaptive: true", "adaptive: yes", 27, "search.adaptive: found yes, allowed: true or false"),
    .init(
      "coarse: {force: 0.1", "coarse: {force: 0.01", 29,
      "relaxation.coarse: found coarse force 0.01, stress 2.0, allowed: values from the tight ones (0.02 eV/Å, 0.4 GPa) upwards"
    ),
    .init(
      "steps: 400", "steps: many", 29,
      "relaxation.steps: found many, allowed: an integer from 1 to 1000000"),
    .init(
      "title: TiO2 at ambient pressure", "tilte: x", 2,
      "tilte: found an unknown key, allowed: title, elements, composition, formula_units, pressure, seed, potential, initial_training, training, reference, active_learning, minimum_distances, search, relaxation, rerank; did you mean 'title'?"
    ),
  ]

  @Test("Potentials are trained for the campaign's pressure")
  func trainingPressure() throws {
    let settings = try ExampleCampaign.settings(replacing: "pressure: 0 ", by: "pressure: 100 ")
    let training = CampaignRules(settings).training(start: .current)
    #expect(training.pressure.isClose(to: 0.6241509, relative: 1e-6, absolute: 0))
    #expect(training.pressure == settings.schedule().training.pressure)
  }

  @Test(
    "Relative paths count from the file's folder, also after the campaign was stored elsewhere",
    arguments: [
      "kind: i-pi\n  command: [sh, '{here}/client.sh']\n  input: {start: start.template}",
      "kind: espresso\n  pseudopotentials: {Si: Si.UPF}\n  pseudopotential_folder: .\n  cutoff: 20",
      "kind: vasp\n  potcar_folder: potcars",
    ])
  func relativePaths(reference: String) throws {
    let folder = try TemporaryFolder()
    try "{natoms} {here}".write(
      toFile: folder.path + "/start.template", atomically: true, encoding: .utf8)
    try """
    <UPF version="2.0.1"><PP_HEADER element="Si" z_valence="4.0" wfc_cutoff="20" rho_cutoff="80"/></UPF>
    """.write(toFile: folder.path + "/Si.UPF", atomically: true, encoding: .utf8)
    let file = folder.path + "/campaign.yaml"
    try "composition: Si\nformula_units: [2]\nseed: 1\nreference:\n  \(reference)\n".write(
      toFile: file, atomically: true, encoding: .utf8)
    let campaign = try CampaignSettings(path: file)
    let stored = try CampaignSettings(
      SettingsDocument(text: campaign.yaml(), path: "/elsewhere/campaign.db (campaign)"))
    #expect(stored.reference.settings.model == campaign.reference.settings.model)
    #expect(stored == campaign)
    #expect(campaign.yaml().contains(folder.path), "\(campaign.yaml())")
  }

  @Test("Packings may be limited, and are not by default")
  func packings() throws {
    func settings(_ packings: String) throws -> CampaignSettings {
      try ExampleCampaign.settings(replacing: "  population: 32", by: "  population: 32" + packings)
    }
    let unsaid = try settings("")
    #expect(unsaid.search.packings == nil)
    #expect(unsaid.yaml().contains("packings: none"))
    let limited = try settings("\n  packings: 3")
    #expect(limited.search.packings == 3 && limited.schedule().search.packings == 3)
    #expect(try settings("\n  packings: none").search.packings == nil)
    let error = #expect(throws: SettingsError.self) { _ = try settings("\n  packings: 0") }
    #expect(error?.description.hasSuffix("try 3, or none for no limit") == true)
  }

  @Test("Weights may be equal whatever the energy")
  func equalWeights() throws {
    let settings = try ExampleCampaign.settings(
      replacing: "force_cap: 20", by: "force_cap: 20, robust_energy: none")
    #expect(settings.training.robustEnergy == nil)
    #expect(settings.yaml().contains("robust_energy: none"))
    let error = #expect(throws: SettingsError.self) {
      _ = try ExampleCampaign.settings(
        replacing: "force_cap: 20", by: "force_cap: 20, robust_energy: 0")
    }
    #expect(error?.description.hasSuffix("try 0.5, or none for equal weights") == true)
  }

  @Test("Potentials of a search repel at short range, unless the campaign says otherwise")
  func repulsion() throws {
    func potential(_ text: String) throws -> MomentTensorPotential {
      let settings = try ExampleCampaign.settings(replacing: "level: 12", by: "level: 4" + text)
      return try CampaignRules(settings).untrainedPotential()
    }
    #expect(try potential("").repulsion == ShortRangeRepulsion(inner: 0.4, outer: 0.7))
    #expect(try potential(", repulsion: none").repulsion == nil)
    #expect(
      try potential(", repulsion: {outer: 0.9}").repulsion
        == ShortRangeRepulsion(inner: 0.4, outer: 0.9))
    let settings = try ExampleCampaign.settings()
    #expect(settings.yaml().contains("repulsion: {inner: 0.4, outer: 0.7}"))
    // With the reference method alone nothing is added.
    let direct = try ExampleCampaign.settings(
      replacing: "{kind: mtp, level: 12, cutoff: 5.0, radial_basis: 8}", by: "{kind: reference}")
    #expect(direct.potential.repulsion == nil && !direct.yaml().contains("repulsion"))
  }

  @Test(
    "Labels for the best minima are kept, but no more than half of those after the initial ones",
    arguments: [(40, 2, 0), (41, 2, 0), (42, 2, 1), (44, 2, 2), (50, 10, 5), (250, 10, 10)])
  func reserve(limit: Int, verify: Int, reserved: Int) throws {
    let text = "max_labels: \(limit)" + (verify == 2 ? "" : ", verify: \(verify)")
    let settings = try ExampleCampaign.settings(replacing: "max_labels: 250", by: text)
    #expect(settings.activeLearning.verify == verify)
    #expect(settings.schedule().reservedLabels == reserved)
  }

  @Test("Every mistake is named with its line and what is allowed", arguments: mistakes)
  func mistake(_ mistake: Mistake) throws {
    let error = #expect(throws: SettingsError.self) {
      _ = try ExampleCampaign.settings(replacing: mistake.old, by: mistake.new)
    }
    #expect(error?.description == "campaign.yaml:\(mistake.line): \(mistake.message)")
  }

  @Test("The program says it in one line and ends with status 2", arguments: mistakes)
  func program(_ mistake: Mistake) throws {
    let folder = try ScratchFolder()
    let text = try ExampleCampaign.text(replacing: mistake.old, by: mistake.new)
    _ = try folder.write(text, "campaign.yaml")
    let outcome = try Polymorph.program.run(
      ["search", "campaign.yaml", "--dry-run"], in: folder.url)
    #expect(outcome.status == 2)
    #expect(outcome.output.isEmpty)
    #expect(outcome.errors == "polymorph: campaign.yaml:\(mistake.line): \(mistake.message)\n")
    let left = try FileManager.default.contentsOfDirectory(atPath: folder.url.path)
    #expect(left == ["campaign.yaml"])
  }
}
