import Archive
import Crystal
import Dynamics
import Foundation
import NumericalCore
import Potential
import ReferenceEngines
import Settings
import StructureFormats

/// A plan of molecular dynamics from its file to its summary: what `polymorph dynamics` runs.
///
/// Its folder holds `plan.yaml`, `table.csv`, `frames.extxyz`, g(r) of every stage, `summary.json` and the
/// `checkpoint`. Files that grow are cut back to the checkpoint when a run is taken up, so that they end up the same,
/// byte for byte, as those of a run that nobody interrupted.
public final class DynamicsRun {
  /// How a plan is run, beside its file.
  public struct Options: Sendable {
    /// The folder.
    public var directory: String
    /// Whether to go on with what has begun there.
    public var isResumed = false
    /// End after this many seconds.
    public var timeLimitSeconds: Double?

    /// Creates options for a folder.
    public init(directory: String) { self.directory = directory }
  }

  /// How a run ended.
  public enum Ending: Sendable, Hashable {
    /// Everything was done.
    case finished
    /// The time limit or an interrupt came first; `--resume` goes on.
    case stopped(isInterrupt: Bool)
    /// The dynamics cannot go on, and why.
    case failed(String)
  }

  private let plan: DynamicsPlan
  private let options: Options
  private let potential: any InteratomicPotential
  private let interrupts = InterruptFlag()
  private let say: (String) -> Void
  private let clock = ContinuousClock()
  private let begin: ContinuousClock.Instant
  private var lastCheckpoint: ContinuousClock.Instant

  /// Checkpoints are so many seconds apart at least.
  private static let checkpointInterval = 5.0
  private static let lockPatience = 30.0

  /// Prepares a run.
  ///
  /// - Parameters:
  ///   - plan: What is to be done.
  ///   - options: How.
  ///   - say: Takes a line for people at the end of every stage.
  /// - Throws: `SettingsError` where the reference method cannot be had.
  public init(
    _ plan: DynamicsPlan, options: Options, say: @escaping (String) -> Void
  ) throws {
    self.plan = plan
    self.options = options
    self.say = say
    begin = clock.now
    lastCheckpoint = clock.now
    switch plan.force {
    case .potential(let file, _): potential = file.potential
    case .reference(let settings):
      if let obstacle = settings.obstacleToLabelling { throw obstacle }
      potential = try settings.method(
        folder: options.directory + "/reference", shouldStop: interrupts.question
      ).potential
    }
  }

  private var checkpointPath: String { options.directory + "/checkpoint" }
  private var planPath: String { options.directory + "/plan.yaml" }

  /// Runs the plan.
  ///
  /// - Returns: How it ended.
  /// - Throws: `CampaignError` where the folder is wrong or files cannot be written.
  public func run() throws -> Ending {
    let lock = try openFolder()
    defer { withExtendedLifetime(lock) {} }
    var progress = try options.isResumed ? storedProgress() : firstProgress()
    let files = try Files(
      table: GrowingFile(
        path: options.directory + "/table.csv", keeping: progress.tableLength),
      frames: GrowingFile(
        path: options.directory + "/frames.extxyz", keeping: progress.framesLength),
      motion: plan.hasSpectrum
        ? MotionRecord(
          path: options.directory + "/motion.bin", keeping: progress.motionLength) : nil)
    if progress.tableLength == 0 {
      files.table.append(
        "step,picoseconds,stage,temperature_K,pressure_GPa,energy_eV,conserved_eV,volume_A3\n")
    }
    while true {
      switch progress.position {
      case .finished:
        try writeSummary(progress)
        files.motion?.remove()
        return .finished
      case .stage(let place, let firstStep, let state):
        guard let ending = try runStage(place, firstStep, state, &progress, files) else { continue }
        // What was seen since the last mark is written, too, and cut off where the run is taken up.
        try save(progress, files)
        return ending
      case .meltQuench(let state):
        guard let ending = try runMeltQuench(state, &progress, files) else { continue }
        try save(progress, files)
        return ending
      }
    }
  }

  private struct Files {
    let table: GrowingFile
    let frames: GrowingFile
    let motion: MotionRecord?
  }

  // MARK: The folder

  private func openFolder() throws -> CampaignLock {
    let files = FileManager.default
    let begun = files.fileExists(atPath: planPath)
    if options.isResumed {
      guard begun, let text = try? String(contentsOfFile: planPath, encoding: .utf8) else {
        throw CampaignError.wrongInput(
          "\(options.directory): no run has begun here; leave out --resume")
      }
      guard text == plan.node.yaml() else {
        throw CampaignError.wrongInput(
          "\(options.directory): began with another plan, \(planPath); "
            + "go on with that one, or choose another --directory")
      }
    } else {
      guard !begun else {
        throw CampaignError.wrongInput(
          "\(options.directory): a run has begun here; continue it with --resume, or choose "
            + "another --directory")
      }
      do {
        try files.createDirectory(
          atPath: options.directory, withIntermediateDirectories: true)
      } catch {
        throw CampaignError.wrongInput(
          "\(options.directory): the folder cannot be made: \(error.localizedDescription)")
      }
    }
    let lock = try CampaignLock(
      directory: options.directory, waitSeconds: options.isResumed ? Self.lockPatience : 0)
    if !begun { try AtomicFile.write(plan.node.yaml(), to: planPath) }
    return lock
  }

  private func firstProgress() throws -> DynamicsProgress {
    let structure = try plan.startStructure()
    switch plan.program {
    case .stages(let stages):
      let state = DynamicalState(
        structure, temperature: plan.initialTemperature, seed: plan.seed)
      return DynamicsProgress(
        position: .stage(0, firstStep: 0, state),
        averages: StageAverages(name: stages[0].name, structure: structure))
    case .meltQuench(let settings):
      let state = MeltQuenchState(structure, settings: settings)
      return DynamicsProgress(
        position: .meltQuench(state),
        averages: StageAverages(name: state.phase.description, structure: structure))
    }
  }

  private func storedProgress() throws -> DynamicsProgress {
    // A run that was interrupted before its first checkpoint begins again.
    guard FileManager.default.fileExists(atPath: checkpointPath) else { return try firstProgress() }
    do {
      let bytes = try Data(contentsOf: URL(fileURLWithPath: checkpointPath))
      return try DynamicsProgress(canonicalBytes: Array(bytes))
    } catch {
      throw CampaignError.failed("\(checkpointPath): cannot be read: \(error)")
    }
  }

  /// Notes that a run may go on from here, and writes that down now and then.
  private func mark(
    _ progress: inout DynamicsProgress, _ files: Files, isForced: Bool = false
  ) throws {
    progress.tableLength = files.table.length
    progress.framesLength = files.frames.length
    progress.motionLength = files.motion?.file.length ?? 0
    guard isForced || (clock.now - lastCheckpoint).inSeconds >= Self.checkpointInterval else {
      return
    }
    try save(progress, files)
  }

  private func save(_ progress: DynamicsProgress, _ files: Files) throws {
    lastCheckpoint = clock.now
    try files.table.flush()
    try files.frames.flush()
    try files.motion?.file.flush()
    try AtomicFile.write(progress.canonicalBytes, to: checkpointPath)
  }

  private func writeSummary(_ progress: DynamicsProgress) throws {
    let summary = JSONValue.object([
      .init("title", .text(plan.title)), .init("stages", .list(progress.summaries)),
    ])
    try AtomicFile.write(summary.text() + "\n", to: options.directory + "/summary.json")
  }

  // MARK: Stages

  private var mustStop: Bool {
    if interrupts.isRaised { return true }
    guard let limit = options.timeLimitSeconds else { return false }
    return (clock.now - begin).inSeconds >= limit
  }

  private func steps(_ time: Double) -> Int { max(1, Int((time / plan.timeStep).rounded())) }

  private func runStage(
    _ place: Int, _ firstStep: Int, _ start: DynamicalState, _ progress: inout DynamicsProgress,
    _ files: Files
  ) throws -> Ending? {
    guard case .stages(let stages) = plan.program else { return nil }
    let count = steps(stages[place].time)
    let settings = MolecularDynamicsSettings(
      timeStep: plan.timeStep,
      ensemble: stages[place].ensemble.ensemble(beginning: firstStep, over: count),
      seed: plan.seed)
    var dynamics = MolecularDynamics(start, with: potential, settings: settings)
    let end = firstStep + count
    while dynamics.state.step < end {
      let portion = portion(dynamics.state.step, settings.renewalInterval, end)
      var isStopped = false
      var averages = progress.averages
      let outcome = dynamics.advance(by: portion) { step in
        let passed = step.state.step - firstStep
        record(step, passed: passed, &averages, files, isFrame: nil)
        if let interval = stages[place].spectrumInterval, passed.isMultiple(of: steps(interval)) {
          files.motion?.add(step.state)
        }
        isStopped = mustStop
        return !isStopped
      }
      if isStopped { return .stopped(isInterrupt: interrupts.isRaised) }
      guard outcome == .finished else { return failure(outcome, progress.averages.name) }
      progress.averages = averages
      progress.position = .stage(place, firstStep: firstStep, dynamics.state)
      if dynamics.state.step < end { try mark(&progress, files) }
    }
    try endStage(&progress, dynamics.state)
    if let interval = stages[place].spectrumInterval, let motion = files.motion {
      try writeMotion(
        motion.trajectory(
          species: dynamics.state.structure.species,
          interval: Double(steps(interval)) * plan.timeStep),
        stageFile(progress))
      motion.file.startOver()
    }
    if place + 1 < stages.count {
      progress.position = .stage(place + 1, firstStep: end, dynamics.state.settled())
      progress.averages = StageAverages(
        name: stages[place + 1].name, structure: dynamics.state.structure)
    } else {
      progress.position = .finished(dynamics.state)
    }
    try mark(&progress, files, isForced: true)
    try files.motion?.file.cut()
    return nil
  }

  private func writeMotion(_ trajectory: DynamicsTrajectory, _ stage: String) throws {
    if let table = MotionRecord.spectrumTable(trajectory) {
      try AtomicFile.write(table, to: options.directory + "/spectrum-\(stage).csv")
    }
    try AtomicFile.write(
      MotionRecord.displacementTable(trajectory),
      to: options.directory + "/displacement-\(stage).csv")
  }

  private func runMeltQuench(
    _ start: MeltQuenchState, _ progress: inout DynamicsProgress, _ files: Files
  ) throws -> Ending? {
    guard case .meltQuench(let settings) = plan.program else { return nil }
    var run = MeltQuench(start, with: potential, settings: settings)
    var state = start
    while state.phase != .finished {
      let portion = portion(state.dynamics.step, MeltQuench.renewalInterval, .max)
      var isStopped = false
      let tests = state.tests
      var (averages, ended) = (progress.averages, [StageAverages]())
      let outcome = run.advance(by: portion) { step in
        if step.isRestart || averages.name != step.phase.description {
          if step.isRestart { averages.name += ", frozen" }
          ended.append(averages)
          averages = StageAverages(
            name: step.phase.description, structure: step.dynamics.state.structure)
        }
        record(
          step.dynamics, passed: step.dynamics.state.step, &averages, files,
          isFrame: step.isSampled)
        isStopped = mustStop
        return !isStopped
      }
      if isStopped { return .stopped(isInterrupt: interrupts.isRaised) }
      guard outcome == .finished else { return failure(outcome, averages.name) }
      for test in run.state.tests where !tests.contains(test) {
        say(
          "  \(TextColumn.fixed(test.temperature, 0)) K: slope \(TextColumn.fixed(test.slope, 2)), "
            + "\(TextColumn.fixed(test.displacement, 2)) Å: \(test.isLiquid ? "liquid" : "solid")")
      }
      for stage in ended {
        progress.averages = stage
        try endStage(&progress, run.state.dynamics)
      }
      progress.averages = averages
      state = run.state
      progress.position = .meltQuench(state)
      if state.phase != .finished { try mark(&progress, files, isForced: !ended.isEmpty) }
    }
    try endStage(&progress, state.dynamics)
    if let temperature = state.meltingTemperature {
      say("lowest temperature of the liquid: \(TextColumn.fixed(temperature, 0)) K")
      progress.summaries.append(
        .object([
          .init("liquid_down_to", .number(temperature)), .init("tests", JSONValue(state.tests)),
          .init(
            "volume_per_atom",
            .number(state.glassVolumePerAtom ?? state.dynamics.structure.volumePerAtom)),
        ]))
    }
    progress.position = .finished(state.dynamics)
    try mark(&progress, files, isForced: true)
    return nil
  }

  /// Steps to the next renewal or to the end.
  private func portion(_ step: Int, _ interval: Int, _ end: Int) -> Int {
    min(interval - step % interval, end - step)
  }

  private func failure(_ outcome: DynamicsOutcome, _ stage: String) -> Ending {
    // An engine that was ended on demand has no result either.
    if interrupts.isRaised { return .stopped(isInterrupt: true) }
    return .failed("\(stage): \(outcome)")
  }

  private func endStage(_ progress: inout DynamicsProgress, _ state: DynamicalState) throws {
    let atoms = state.structure.atomCount
    say(progress.averages.line(timeStep: plan.timeStep, atoms: atoms))
    progress.summaries.append(progress.averages.json(timeStep: plan.timeStep, atoms: atoms))
    if let table = progress.averages.radialTable() {
      try AtomicFile.write(
        table, to: options.directory + "/radial-\(stageFile(progress)).csv")
    }
  }

  /// The number and name of the stage that has ended, in names of files.
  private func stageFile(_ progress: DynamicsProgress) -> String {
    let name = progress.averages.name.map { $0.isLetter || $0.isNumber ? $0 : "-" }
    return "\(progress.summaries.count)-\(String(name))"
  }

  // MARK: Records

  /// Writes what is due at a step.
  private func record(
    _ step: DynamicsStep, passed: Int, _ averages: inout StageAverages, _ files: Files,
    isFrame: Bool?
  ) {
    averages.add(step)
    let picoseconds = Double(step.state.step) * plan.timeStep / 1000
    let isBulk = step.state.structure.periodicity == .full
    if passed.isMultiple(of: steps(plan.tableInterval)) {
      let pressure =
        isBulk
        ? PhysicalConstants.gigapascalsPerElectronvoltPerCubicAngstrom
          * step.state.pressureTensor(step.evaluation).trace / 3 : 0
      files.table.append(
        "\(step.state.step),\(picoseconds),\(averages.name),\(step.state.temperature),"
          + "\(pressure),\(step.evaluation.energy),\(step.conservedEnergy),"
          + "\(step.state.structure.volume)\n")
    }
    guard isFrame ?? passed.isMultiple(of: steps(plan.frameInterval)) else { return }
    averages.addFrame(step.state.structure)
    let record = StructureRecord(
      structure: step.state.structure, evaluation: step.evaluation,
      features: [
        (key: "time", value: "\(picoseconds)"),
        (key: "temperature", value: "\(step.state.temperature)"),
        (key: "stage", value: averages.name),
      ])
    // The format holds every structure; a title that it cannot quote is refused when the plan is read.
    if let text = try? StructureFile.text(of: [record], format: .extxyz) {
      files.frames.append(text)
    }
  }
}
