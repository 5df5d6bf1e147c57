import Crystal
import Foundation
import NumericalCore

/// Labels structures by an external program, one folder for each.
///
/// ```swift
/// let engine = try ExternalEngine(program, folder: "reference", limits: ExternalLimits())
/// switch engine.label(structure) { … }
/// ```
///
/// A label is computed once: what is found finished in its folder is read, also where it was computed
/// elsewhere and copied. So is what other campaigns' folders hold. Several processes may share the root
/// folder.
///
/// - A calculation that was cut off is run anew.
/// - One that failed is kept, and tried once more with safer settings in its subfolder `retry`. When that
///   fails too, or the time is over, the reason is written down and found again; ``label(_:again:)`` asks
///   for another run.
/// - Reasons begin with `time-out:` or `signal:` where something outside the calculation ended it, with
///   `interrupted:` where this process was asked to stop, with `system:` where a file cannot be read or
///   written or the program not be started; of the last two nothing is written down.
/// - Without a command the inputs that are missing are written, and nothing that lies in the folder is removed or
///   overwritten: somebody else may be running it. The reason begins with `waiting:`, and names the folder and
///   what is missing in it.
public struct ExternalEngine: ReferenceEngine {
  /// The program and its settings.
  public let program: any CalculationProgram
  /// The root folder; every label has a folder in it that bears its key.
  public let folder: String
  /// Root folders of other campaigns whose labels, and failures, are taken over.
  public let stores: [String]
  /// What one calculation may take.
  public let limits: ExternalLimits
  /// The program's version as it says itself.
  public let version: String
  private let shouldStop: @Sendable () -> Bool
  /// The divisions of the mesh of k-points for all structures; `nil` for those that each cell asks for.
  private var mesh: [Int]?

  /// Creates the engine and asks the program for its version.
  ///
  /// - Parameters:
  ///   - program: The program and its settings.
  ///   - folder: The root folder; created when the first label is.
  ///   - stores: Root folders of other campaigns, which are only read.
  ///   - limits: What one calculation may take.
  ///   - shouldStop: Asked up to twenty times a second while a program runs; where it says yes, the
  ///     program is ended.
  /// - Throws: `ReferenceEngineError.cannotStart` where the program is not installed or says no version.
  public init(
    _ program: any CalculationProgram, folder: String, stores: [String] = [],
    limits: ExternalLimits = ExternalLimits(),
    shouldStop: @escaping @Sendable () -> Bool = { false }
  ) throws(ReferenceEngineError) {
    self.program = program
    self.folder = Self.absolute(folder)
    self.stores = stores.map(Self.absolute)
    self.limits = limits
    self.shouldStop = shouldStop
    version = try ProgramVersions.version(of: program)
  }

  /// The same with one mesh of k-points for all structures.
  ///
  /// - Parameter mesh: Divisions, as ``CalculationProgram/mesh(for:)`` gives them.
  /// - Returns: An engine that gives the same labels where cells ask for that mesh, and others elsewhere.
  public func keeping(mesh: [Int]) -> ExternalEngine {
    var engine = self
    engine.mesh = mesh
    return engine
  }

  /// The method with its main parameters, and the program's version.
  public var summary: String { "\(program.summary) (\(version))" }

  /// The canonical bytes of the program's settings.
  public var settingsBytes: [UInt8] { program.settingsBytes }

  /// The SHA-256 of structure, settings, the files that they name, the mesh of k-points where it is not the one
  /// that the cell asks for, and the program's version.
  public func labelKey(for structure: Structure) -> String {
    var bytes = program.settingsBytes(for: structure)
    if let mesh, mesh != program.mesh(for: structure) {
      var encoder = ByteEncoder()
      encoder.encode(bytes)
      encoder.encode(mesh)
      bytes = encoder.bytes
    }
    return labelKey(for: structure, settingsBytes: bytes)
  }

  /// Never: every calculation starts from the structure alone.
  public var dependsOnHistory: Bool { false }

  /// Labels a structure, or finds its label or failure from before.
  public func label(_ structure: Structure) -> LabelOutcome { label(structure, again: false) }

  /// Labels a structure.
  ///
  /// - Parameters:
  ///   - structure: What to compute, with atoms and cell as they are.
  ///   - again: Whether a calculation that failed before, by itself or from outside, is run anew.
  /// - Returns: The label, or why there is none.
  public func label(_ structure: Structure, again: Bool) -> LabelOutcome {
    do throws(ReferenceEngineError) {
      return try floored(locked(structure, again: again), structure)
    } catch {
      switch error {
      case .unsupported: return .failed(reason: error.description)
      case .file, .cannotStart: return .failed(reason: "system: \(error.description)")
      }
    }
  }

  /// The folder of a structure's label, whether or not it exists.
  public func folder(for structure: Structure) -> String {
    "\(folder)/\(labelKey(for: structure))"
  }

  /// What is written down of a structure's calculation.
  ///
  /// - Parameter structure: The structure.
  /// - Returns: `nil` where nothing is.
  public func record(for structure: Structure) -> LabelRecord? {
    LabelRecord.read(in: folder(for: structure))
  }

  private func locked(
    _ structure: Structure, again: Bool
  ) throws(ReferenceEngineError) -> LabelOutcome {
    let place = folder(for: structure)
    // Without the lock: a label that is there stays as it is.
    if let outcome = known(structure, in: place), !again || outcome.isLabel { return outcome }
    try create(place)
    if !again, let (record, outcome) = stored(structure) {
      try record.write(in: place)
      return outcome
    }
    guard let lock = try FolderLock.acquire(place, shouldStop: shouldStop) else {
      return .failed(reason: "interrupted: while another process computes this label")
    }
    var calculation = Calculation(
      structure: structure, folder: place, lock: lock.descriptor,
      record: LabelRecord(
        key: labelKey(for: structure), engine: program.kind, version: version,
        command: program.launch.command, processes: Self.processes(program.launch.command),
        attempt: 1))
    let outcome = try compute(&calculation, again: again)
    // The lock ends here, after the record is written.
    withExtendedLifetime(lock) {}
    return outcome
  }

  private func known(_ structure: Structure, in place: String) -> LabelOutcome? {
    guard let record = LabelRecord.read(in: place), record.key == labelKey(for: structure) else {
      return nil
    }
    return record.outcome(for: structure)
  }

  /// What another campaign has found out.
  private func stored(_ structure: Structure) -> (LabelRecord, LabelOutcome)? {
    let key = labelKey(for: structure)
    for store in stores {
      if let record = LabelRecord.read(in: "\(store)/\(key)"), record.key == key,
        let outcome = record.outcome(for: structure)
      {
        return (record, outcome)
      }
    }
    return nil
  }

  private func compute(
    _ calculation: inout Calculation, again: Bool
  ) throws(ReferenceEngineError) -> LabelOutcome {
    // While the lock was waited for, its holder may have finished.
    if let outcome = known(calculation.structure, in: calculation.folder),
      !again || outcome.isLabel
    {
      return outcome
    }
    var end = try attempt(.regular, &calculation, again: again)
    if case .failed(let first) = end {
      end = try attempt(.safer, &calculation, again: again)
      if case .waiting(let place, let said) = end {
        end = .waiting(place: place, said: "\(first); with safer settings: \(said)")
      }
    }
    switch end {
    case .stopped: return .failed(reason: "interrupted: the calculation was asked to stop")
    case .waiting(let place, let said):
      return .failed(
        reason: LabelOutcome.waitingMark
          + " the inputs are in \(place); run them, or give a 'command:' (\(said))")
    case .labelled(let evaluation): return .labelled(evaluation)
    case .failed(let reason), .ended(let reason):
      calculation.record.failure = reason
      try calculation.record.write(in: calculation.folder)
      return .failed(reason: reason)
    }
  }

  /// One try: what lies in its folder, or else a run.
  private func attempt(
    _ attempt: CalculationAttempt, _ calculation: inout Calculation, again: Bool
  ) throws(ReferenceEngineError) -> AttemptEnd {
    let structure = calculation.structure
    let place = calculation.folder + (attempt == .safer ? "/retry" : "")
    calculation.record.attempt = attempt == .safer ? 2 : 1
    let said: String
    switch program.result(in: place, for: structure) {
    case .finished(let evaluation, let details):
      removeScratch(in: place)
      return try finish(evaluation, details, &calculation)
    case .failed(let reason):
      if !again { return .failed(reason) }
      said = reason
    case .unfinished(let reason): said = reason
    }
    // Without a command somebody else runs it: nothing is known of it yet, and nothing written down.
    let isRunElsewhere = program.launch.command.isEmpty
    try prepare(
      place, program.inputs(for: structure, mesh: mesh, attempt: attempt),
      keepingFiles: isRunElsewhere)
    guard !isRunElsewhere else { return .waiting(place: place, said: said) }
    let start = ContinuousClock().now
    let outcome = try ChildProcess.run(
      program.launch, in: place, timeLimitSeconds: limits.timeLimitSeconds,
      graceSeconds: limits.graceSeconds, heldDescriptor: calculation.lock, shouldStop: shouldStop)
    let seconds = start.duration(to: ContinuousClock().now) / .seconds(1)
    calculation.record.seconds = (calculation.record.seconds ?? 0) + seconds
    // Nothing goes on from the scratch of a run, however it ended: the next try begins anew.
    defer { removeScratch(in: place) }
    if outcome == .stopped { return .stopped }
    let result = program.result(in: place, for: structure)
    // A run may finish in the instant in which it is ended.
    if case .finished(let evaluation, let details) = result {
      return try finish(evaluation, details, &calculation)
    }
    return Self.end(outcome, result)
  }

  private func finish(
    _ evaluation: Evaluation, _ details: CalculationDetails, _ calculation: inout Calculation
  ) throws(ReferenceEngineError) -> AttemptEnd {
    guard evaluation.isFinite(), evaluation.forces.count == calculation.structure.atomCount else {
      return .failed("invalid: energy, force or stress is not finite")
    }
    calculation.record.set(evaluation, details)
    try calculation.record.write(in: calculation.folder)
    return .labelled(evaluation)
  }

  private func removeScratch(in place: String) {
    if !limits.keepsScratch { Self.remove(program.scratch, in: place) }
  }

  private static func end(_ outcome: ChildProcess.Outcome, _ result: CalculationResult)
    -> AttemptEnd
  {
    var said = ""
    if case .failed(let reason) = result { said = reason }
    if case .unfinished(let reason) = result { said = reason }
    switch outcome {
    case .timedOut(let seconds):
      // Safer settings are slower: another try would end the same way.
      return .ended("time-out: ended after \(Int(seconds.rounded())) s")
    case .stopped: return .stopped
    case .signalled(let number): return .failed("signal: \(number) ended the program")
    case .exited(let status):
      // A launcher or shell passes on a signal as 128 + its number.
      if case .unfinished = result, (129...192).contains(status) {
        return .failed("signal: \(status - 128) ended the program below its launcher")
      }
      let with = status == 0 ? "" : " (exit status \(status))"
      return .failed(said.isEmpty ? "no result\(with)" : said + with)
    }
  }

  private func floored(_ outcome: LabelOutcome, _ structure: Structure) -> LabelOutcome {
    guard case .labelled(let evaluation) = outcome, let floor = limits.energyFloor else {
      return outcome
    }
    let energy = evaluation.energy / Double(structure.atomCount)
    guard energy < floor else { return outcome }
    return .failed(reason: "invalid: energy below floor, \(energy) eV/atom, floor \(floor)")
  }
}

/// A calculation under way.
private struct Calculation {
  let structure: Structure
  let folder: String
  let lock: Int32
  var record: LabelRecord
}

/// How a try ended.
private enum AttemptEnd {
  case labelled(Evaluation)
  /// By itself: safer settings may help.
  case failed(String)
  /// From outside.
  case ended(String)
  case stopped
  /// The inputs are written, and somebody else is to run them; `said` is why there is no result yet.
  case waiting(place: String, said: String)
}

extension LabelOutcome {
  fileprivate var isLabel: Bool { if case .labelled = self { true } else { false } }
}

// Files.
extension ExternalEngine {
  private static var currentFolder: String { FileManager.default.currentDirectoryPath }

  private static func absolute(_ path: String) -> String {
    path.hasPrefix("/") ? path : currentFolder + "/" + path
  }

  private func create(_ path: String) throws(ReferenceEngineError) {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw .file(path: path, reason: error.localizedDescription)
    }
  }

  /// Makes a folder that holds the inputs, and nothing of an earlier run unless files are kept.
  private func prepare(
    _ place: String, _ inputs: [CalculationFile], keepingFiles isKeeping: Bool
  ) throws(ReferenceEngineError) {
    try create(place)
    // A folder that was just made and cannot be listed is as good as empty: writing into it will tell.
    let old = (try? FileManager.default.contentsOfDirectory(atPath: place)) ?? []
    if !isKeeping { Self.remove(old.filter { $0 != "lock" }, in: place) }
    for input in inputs where !(isKeeping && old.contains(input.name)) {
      let path = "\(place)/\(input.name)"
      do {
        switch input.content {
        case .text(let text): try AtomicFile.write(text, to: path)
        case .link(let target):
          try FileManager.default.createSymbolicLink(
            atPath: path,
            withDestinationPath: Self.absolute(target))
        }
      } catch {
        throw .file(path: path, reason: "\(error)")
      }
    }
  }

  private static func remove(_ names: [String], in place: String) {
    for name in names {
      // What is not there need not be removed.
      try? FileManager.default.removeItem(atPath: "\(place)/\(name)")
    }
  }

  /// The number behind `-n` or `-np` of a launcher.
  private static func processes(_ command: [String]) -> Int {
    for (flag, number) in zip(command, command.dropFirst()) where ["-n", "-np"].contains(flag) {
      if let count = Int(number) { return count }
    }
    return 1
  }
}
