import Crystal
import Dynamics
import Evolution
import Foundation
import MPIBindings
import NumericalCore
import Potential
import ReferenceEngines
import StructureFormats

/// Checks a campaign's input and shows what it would do, without doing it.
public struct DryRun {
  private let settings: CampaignSettings
  private let file: String
  private let directory: String

  /// Prepares a dry run that writes its samples into a folder.
  ///
  /// - Parameters:
  ///   - settings: The campaign.
  ///   - file: The file that it was read from, for messages.
  ///   - directory: The folder, which may not exist yet.
  public init(_ settings: CampaignSettings, file: String, directory: String) {
    self.settings = settings
    self.file = file
    self.directory = directory
  }

  /// Writes the samples and tells the plan.
  ///
  /// - Returns: The plan for people.
  /// - Throws: `CampaignError.wrongInput` where the composition cannot be realised in the allowed space
  ///   groups, or what writing throws.
  public func run() throws -> String {
    let rules = CampaignRules(settings)
    // The program of the cluster need not be installed where a campaign is checked, and no client called.
    let program = settings.reference.settings.program
    let engine =
      settings.reference.settings.isEmbedded
      ? try settings.reference.method(folder: directory + "/reference").engine : nil
    let samples = try samples(rules).enumerated().map { index, structure in
      LabelRecord(id: index, structure: structure, origin: .initial(index)).unit.structure
    }
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    for (index, structure) in samples.enumerated() {
      let name = "\(directory)/reference-\(index + 1 < 10 ? "0" : "")\(index + 1)"
      try StructureFile.write(
        [StructureRecord(structure: structure, comment: "first reference input \(index + 1)")],
        to: name + ".vasp", format: .poscar)
      if let program { try writeInputs(of: structure, program, to: name) }
    }
    let seedings = seedings(rules)
    for (kind, structure, description) in seedings {
      try StructureFile.write(
        [StructureRecord(structure: structure, comment: description)],
        to: "\(directory)/seeding-\(kind.rawValue).vasp", format: .poscar)
    }
    try AtomicFile.write(settings.yaml(), to: directory + "/campaign.yaml")

    let timing = engine.flatMap { secondsPerLabel(samples[0], $0) }
    let labels = settings.activeLearning.maximumLabels
    let reserved = settings.schedule().reservedLabels
    let learns = settings.potential.kind != .reference
    let parameters = learns ? try rules.untrainedPotential().parameterCount : 0
    let grading =
      learns
      ? try rules.gradingLevel.map { try rules.untrainedPotential(level: $0).parameterCount } : nil
    // The active set is as large as the potential that grades.
    let active = Double(grading ?? parameters)
    let megabytes = Double(settings.search.window * 2 + 8) * active * active * 8 / 1e6
    let potentialText =
      learns
      ? "moment tensor potential of level \(settings.potential.level), \(parameters) parameters, "
        + "cutoff \(settings.potential.cutoff) Å"
        + (grading.map {
          ", graded by one of level \(settings.activeLearning.level), \($0) parameters"
        } ?? "")
      : "none: candidates are relaxed with the reference"
    let labelText =
      learns
      ? "\(settings.initialTraining.labels) initial, at most \(labels) in all"
        + (reserved > 0 ? ", the last \(reserved) for the best minima" : "") + "; one takes "
        + (timing.map {
          "\(Self.short($0)) s here, all together "
            + ProgressReporter.duration($0 * Double(labels))
        } ?? "as long as the program needs")
      : "none; one evaluation of the reference takes "
        + (timing.map { "\(Self.short($0)) s here" } ?? "as long as the program needs")
    let obstacle =
      settings.reference.settings.obstacleToLabelling.map { "\n                not here: \($0)" }
      ?? ""
    return """
      \(settings.title)
      composition     \(settings.target.summary), \
      \(settings.pressure) GPa, seed \(settings.seed)
      potential       \(potentialText)
      reference       \(settings.reference.settings.summary)\(obstacle)
      labels          \(labelText)\(meltText)
      search          \(settings.search.candidates) candidates, population \
      \(settings.search.population), window \(settings.search.window), \
      \(settings.search.spaceGroups.count) space groups
      operators       \(settings.search.operators.filter { $0.ratio > 0 }
        .map { "\($0.kind.rawValue) \(String(format: "%.3g", $0.ratio))" }.joined(separator: ", "))
      re-ranking      the best \(settings.rerank.top)
      memory          about \(Int(megabytes.rounded(.up))) MB per rank beside the program
      ranks           useful up to \(settings.search.window + 1)
      samples         \(samples.count) reference inputs in \(directory), and one structure of each \
      seeding:
      \(seedings.map { "  seeding-\($0.kind.rawValue).vasp: \($0.description)" }
        .joined(separator: "\n"))

      """
  }

  private var meltText: String {
    guard let melts = settings.initialTraining.meltQuench else { return "" }
    let counted = melts.runs == 1 ? "1 melt" : "\(melts.runs) melts"
    let mover =
      melts.method == .reference
      ? "moved by the reference, whose sampled frames are all labels"
      : "moved by a potential of level \(melts.level), with at most \(melts.maximumLabels) of these labels"
    return "\nmelts           \(counted) of about \(melts.atoms) atoms, \(mover)"
  }

  /// What the first labels would be of.
  private func samples(_ rules: CampaignRules) throws -> [Structure] {
    let most = 10
    let random = settings.initialTraining.randomStructures
    return try random > 0 ? randomStructures(min(most, random), rules) : starts(most, rules)
  }

  /// Disordered structures, where melts are all that the first potential learns from.
  private func starts(_ most: Int, _ rules: CampaignRules) throws -> [Structure] {
    let schedule = settings.schedule()
    guard let melts = schedule.melts else { return [] }
    return try (0..<min(most, max(1, melts.starts))).map { number in
      let start = melts.start(number, in: schedule.search.space, seed: settings.seed)
      return try DisorderedStructure.make(
        start.composition, volumePerAtom: start.volumePerAtom, seed: rules.scatteringSeed(number))
    }
  }

  private func randomStructures(_ wanted: Int, _ rules: CampaignRules) throws -> [Structure] {
    var breeder = Breeder()
    var samples: [Structure] = []
    var reason = ""
    for stream in 0..<4 * wanted where samples.count < wanted {
      var random = RandomStream(
        seed: settings.seed, purpose: .initialTraining, slot: UInt64(stream))
      let order = BreedingOrder.initial(stream, in: settings.space, seed: settings.seed)
      switch breeder.breed(order, settings: rules.breeding, random: &random) {
      case .offspring(let structure, _, _): samples.append(structure)
      case .rejected(let why): reason = why.rawValue
      }
    }
    guard !samples.isEmpty else {
      throw CampaignError.wrongInput(
        "\(file): minimum_distances: found no structure of \(settings.target.name) that could be made "
          + "(\(reason)); allow more space groups in search.space_groups or smaller distances")
    }
    return samples
  }

  /// One structure of every method in use that needs nothing found before.
  private func seedings(
    _ rules: CampaignRules
  ) -> [(kind: VariationKind, structure: Structure, description: String)] {
    var breeder = Breeder()
    let composition = settings.space.initial(0, seed: settings.seed)
    return settings.search.operators.compactMap { share in
      guard share.ratio > 0, [.random, .topological].contains(share.kind) else { return nil }
      var random = RandomStream(seed: settings.seed, purpose: .breeding)
      let order = BreedingOrder(
        kind: share.kind, composition: composition,
        targetVolumePerAtom: VolumeEstimate.fromRadii(composition))
      guard
        case .offspring(let structure, let description, _) = breeder.breed(
          order, settings: rules.breeding, random: &random)
      else { return nil }
      return (share.kind, structure, description)
    }
  }

  private static func short(_ number: Double) -> String { String(format: "%.3g", number) }

  /// Writes what an external program would be given.
  private func writeInputs(
    of structure: Structure, _ program: any CalculationProgram, to folder: String
  ) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    for file in try program.inputs(for: structure, attempt: .regular) {
      // Pseudopotentials stay where they are.
      if case .text(let text) = file.content {
        try AtomicFile.write(text, to: "\(folder)/\(file.name)")
      }
    }
  }

  /// What one label takes in seconds; `nil` for clients of a socket, which a dry run does not start.
  private func secondsPerLabel(_ structure: Structure, _ engine: any ReferenceEngine) -> Double? {
    guard engine is EmbeddedReference else { return nil }
    let clock = ContinuousClock()
    let times = (0..<5).map { _ in
      clock.measure { _ = engine.label(structure) }.inSeconds
    }
    return times.sorted()[2]
  }
}
