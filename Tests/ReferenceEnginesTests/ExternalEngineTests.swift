import Crystal
import Foundation
import NumericalCore
import Potential
import ReferenceEngines
import TestSupport
import Testing

@Suite("Engines that start programs")
struct ExternalEngineTests {
  let root: TemporaryFolder
  let structure: Structure

  init() throws {
    root = try TemporaryFolder()
    structure = try Prototypes.zincBlende("Si", "Si", a: 5.43)
  }

  /// Every run leaves a line in `runs` beside the root.
  private func engine(
    _ script: String, limits: ExternalLimits = ExternalLimits(), version: String = "1",
    shouldStop: @escaping @Sendable () -> Bool = { false }
  ) throws -> ExternalEngine {
    let counted = "cat attempt >> \(root.path)/runs\nATTEMPT=$(cat attempt)\n" + script
    let program = StandInProgram(script: counted, versionScript: "echo version \(version)")
    return try ExternalEngine(
      program, folder: root.path + "/reference", limits: limits, shouldStop: shouldStop)
  }

  /// The attempts that were run, in order.
  private func runs() -> [String] {
    ((try? root.read("runs")) ?? "").split(separator: "\n").map(String.init)
  }

  private func reason(_ outcome: LabelOutcome) throws -> String {
    guard case .failed(let reason) = outcome else {
      Issue.record("labelled")
      return ""
    }
    return reason
  }

  private func energy(_ outcome: LabelOutcome) throws -> Double? {
    if case .labelled(let evaluation) = outcome { return evaluation.energy }
    Issue.record("no label: \(outcome)")
    return nil
  }

  private let success = "echo energy -0.1; echo done"

  @Test("A label is computed once and then found with all its bits")
  func once() throws {
    let engine = try engine(success)
    let first = engine.label(structure)
    #expect(try energy(first) == -0.1)
    #expect(engine.label(structure) == first)
    #expect(runs() == ["regular"])
    // What was printed is not needed any more.
    try FileManager.default.removeItem(atPath: engine.folder(for: structure) + "/out")
    #expect(engine.label(structure) == first)
    #expect(engine.label(structure, again: true) == first)
    #expect(runs() == ["regular"])
    let other = try Prototypes.zincBlende("Si", "Si", a: 5.44)
    #expect(try energy(engine.label(other)) == -0.1)
    #expect(runs().count == 2)
  }

  @Test("The record says what was computed by what")
  func record() throws {
    let engine = try engine(success)
    guard case .labelled(let label) = engine.label(structure) else {
      Issue.record("no label")
      return
    }
    let key = engine.labelKey(for: structure)
    #expect(engine.folder(for: structure) == "\(root.path)/reference/\(key)")
    let bytes = Data(try root.read("reference/\(key)/label.json").utf8)
    let record = try #require(try JSONSerialization.jsonObject(with: bytes) as? [String: Any])
    #expect(record["key"] as? String == key)
    #expect(record["engine"] as? String == "stand-in")
    #expect(record["version"] as? String == "version 1")
    #expect(record["program_version"] as? String == "stand-in 1.0")
    #expect(record["history_dependent"] as? Bool == false)
    #expect(record["attempt"] as? Int == 1)
    #expect(record["processes"] as? Int == 1)
    #expect(record["energy"] as? Double == -0.1)
    #expect(try #require(record["seconds"] as? Double) > 0)
    #expect((record["forces"] as? [[Double]])?[1] == [0.1, -1.0 / 3, 1.0 / 7])
    #expect(label.virial == (-0.1 / 3) * .identity)
    #expect(!engine.dependsOnHistory)
  }

  @Test("Versions of the program have labels of their own; one that says none cannot be used")
  func versions() throws {
    let one = try engine(success)
    let two = try engine(success, version: "2")
    #expect(one.version == "version 1" && two.version == "version 2")
    #expect(one.labelKey(for: structure) != two.labelKey(for: structure))
    #expect {
      _ = try ExternalEngine(
        StandInProgram(script: "", versionScript: "echo what?"), folder: root.path)
    } throws: { error in
      "\(error)".contains("does not say its version") && "\(error)".contains("what?")
    }
  }

  @Test("Each way to start a program is asked for its version")
  func versionsByEnvironment() throws {
    let versions = try ["3", "4"].map { number in
      try ExternalEngine(
        StandInProgram(
          script: success, versionScript: "echo version $NUMBER", environment: ["NUMBER": number]),
        folder: root.path
      ).version
    }
    #expect(versions == ["version 3", "version 4"])
  }

  @Test("Without a command nothing in the folder is touched, and missing inputs are written")
  func withoutCommand() throws {
    let engine = try ExternalEngine(
      StandInProgram(script: success, command: []), folder: root.path + "/reference")
    let place = "reference/\(engine.labelKey(for: structure))"
    // Somebody else is running it.
    try root.write(place + "/out", "energy 5\n")
    try root.write(place + "/script", "mine")
    try root.write(place + "/big/file", "x")
    for again in [false, true] {
      #expect(try reason(engine.label(structure, again: again)).hasPrefix("waiting: "))
      #expect(try root.read(place + "/out") == "energy 5\n")
      #expect(try root.read(place + "/script") == "mine")
      #expect(root.has(place + "/big/file"))
      #expect(try root.read(place + "/attempt") == "regular\n")
    }
    #expect(engine.record(for: structure) == nil)
    try root.write(place + "/out", "energy 5\ndone\n")
    #expect(try energy(engine.label(structure)) == 5)
  }

  @Test("Without a command the folder to run in is named, and why there is no result yet")
  func waitingReasons() throws {
    let engine = try ExternalEngine(
      StandInProgram(script: success, command: []), folder: root.path + "/reference")
    let place = "reference/\(engine.labelKey(for: structure))"
    let own = engine.folder(for: structure)
    func waiting(_ folder: String, _ said: String) throws {
      let outcome = engine.label(structure)
      #expect(outcome.isWaiting)
      #expect(
        try reason(outcome)
          == "waiting: the inputs are in \(folder); run them, or give a 'command:' (\(said))")
    }
    try waiting(own, "no output")
    try root.write(place + "/out", "energy 5\n")
    try waiting(own, "no end")
    // What failed waits in a folder of its own, and its reason is not lost.
    try root.write(place + "/out", "failed not converged\n")
    try waiting(own + "/retry", "not converged; with safer settings: no output")
    #expect(try root.read(place + "/retry/attempt") == "safer\n")
    try root.write(place + "/retry/out", "energy 5\n")
    try waiting(own + "/retry", "not converged; with safer settings: no end")
    let again = engine.label(structure, again: true)
    #expect(try reason(again).hasSuffix("\(own); run them, or give a 'command:' (not converged)"))
    try root.write(place + "/retry/out", "energy 5\ndone\n")
    #expect(try energy(engine.label(structure)) == 5)
    #expect(!engine.label(structure).isWaiting)
    #expect(!LabelOutcome.failed(reason: "interrupted: by a signal").isWaiting)
  }

  @Test("A calculation that was made elsewhere is read, not run; scratch files go")
  func elsewhere() throws {
    let engine = try engine(success)
    let place = "reference/\(engine.labelKey(for: structure))"
    try root.write(place + "/out", "energy -2.5\ndone\n")
    try root.write(place + "/big/file", "x")
    #expect(try energy(engine.label(structure)) == -2.5)
    #expect(runs().isEmpty)
    #expect(root.has(place + "/label.json") && !root.has(place + "/big"))
  }

  @Test("A calculation that was cut off runs anew in a clean folder")
  func cutOff() throws {
    let engine = try engine("[ ! -e CRASH ] || exit 1; mkdir big; " + success)
    let place = "reference/\(engine.labelKey(for: structure))"
    try root.write(place + "/out", "energy -2.5\n")
    try root.write(place + "/CRASH", "x")
    try root.write(place + "/label.json", "{\"key\": \"ab")
    #expect(try energy(engine.label(structure)) == -0.1)
    #expect(runs() == ["regular"])
    #expect(!root.has(place + "/CRASH") && !root.has(place + "/big"))
  }

  @Test("Scratch files stay where they are asked for")
  func keptScratch() throws {
    let engine = try engine("mkdir big; " + success, limits: ExternalLimits(keepsScratch: true))
    #expect(try energy(engine.label(structure)) == -0.1)
    #expect(root.has("reference/\(engine.labelKey(for: structure))/big"))
  }

  @Test("What failed is tried once more with safer settings, and both tries are kept")
  func safer() throws {
    let engine = try engine(
      "if [ $ATTEMPT = safer ]; then \(success); else echo failed not converged; fi")
    #expect(try energy(engine.label(structure)) == -0.1)
    #expect(runs() == ["regular", "safer"])
    let place = "reference/\(engine.labelKey(for: structure))"
    #expect(try root.read(place + "/out") == "failed not converged\n")
    #expect(try root.read(place + "/retry/out").hasSuffix("done\n"))
    #expect(try root.read(place + "/label.json").contains("\"attempt\" : 2"))
    #expect(try energy(engine.label(structure)) == -0.1)
    #expect(runs().count == 2)
  }

  @Test("Where the safer try was cut off only that one runs")
  func saferCutOff() throws {
    let engine = try engine(success)
    let place = "reference/\(engine.labelKey(for: structure))"
    try root.write(place + "/out", "failed once\n")
    try root.write(place + "/retry/out", "energy 5\n")
    #expect(try energy(engine.label(structure)) == -0.1)
    #expect(runs() == ["safer"])
  }

  @Test("What failed twice is not run again unless that is asked for")
  func failure() throws {
    let engine = try engine(
      "if [ -e \(root.path)/cure ]; then \(success); else echo failed $ATTEMPT; fi")
    #expect(try reason(engine.label(structure)) == "safer")
    #expect(try reason(engine.label(structure)) == "safer")
    #expect(runs() == ["regular", "safer"])
    try root.write("cure", "")
    #expect(try reason(engine.label(structure)) == "safer")
    #expect(try energy(engine.label(structure, again: true)) == -0.1)
    #expect(runs() == ["regular", "safer", "regular"])
    #expect(try energy(engine.label(structure)) == -0.1)
  }

  @Test("A program that ends without a word fails with its exit status")
  func silence() throws {
    #expect(try reason(engine("exit 4").label(structure)) == "no end (exit status 4)")
  }

  @Test("A calculation that takes too long ends; there is no slower second try")
  func timeLimit() throws {
    let engine = try engine(
      "[ -e \(root.path)/fast ] || sleep 600; " + success,
      limits: ExternalLimits(timeLimitSeconds: 1, graceSeconds: 0.2))
    #expect(try reason(engine.label(structure)) == "time-out: ended after 1 s")
    #expect(try reason(engine.label(structure)) == "time-out: ended after 1 s")
    #expect(runs() == ["regular"])
    try root.write("fast", "")
    #expect(try energy(engine.label(structure, again: true)) == -0.1)
  }

  @Test("A signal from outside is named, also where a launcher passes it on as a status")
  func signals() throws {
    #expect(try reason(engine("kill -KILL $$").label(structure)).hasPrefix("signal: 9 "))
    let other = try Prototypes.zincBlende("Si", "Si", a: 5.44)
    #expect(try reason(engine("exit 137").label(other)).hasPrefix("signal: 9 "))
  }

  @Test("An interruption leaves no verdict behind")
  func interruption() throws {
    let waits = "[ -e \(root.path)/fast ] || sleep 600; " + success
    let isRunning = root.path + "/runs"
    let engine = try engine(waits, limits: ExternalLimits(graceSeconds: 0.2)) {
      access(isRunning, F_OK) == 0
    }
    #expect(try reason(engine.label(structure)).hasPrefix("interrupted:"))
    try root.write("fast", "")
    #expect(try energy(self.engine(waits).label(structure)) == -0.1)
  }

  @Test("Of several that want the same label one computes, and the others take what it found")
  func concurrency() async throws {
    let engine = try engine("sleep 0.5; " + success)
    let structure = structure
    let labels = await withTaskGroup(of: LabelOutcome.self) { group in
      for _ in 0..<3 { group.addTask { engine.label(structure) } }
      return await group.reduce(into: []) { $0.append($1) }
    }
    #expect(labels.count == 3 && Set(labels).count == 1)
    #expect(try energy(labels[0]) == -0.1)
    #expect(runs() == ["regular"])
  }

  @Test("An energy below the floor is no label, whichever floor it was computed with")
  func floor() throws {
    #expect(try energy(engine(success).label(structure)) == -0.1)
    let floored = try engine(success, limits: ExternalLimits(energyFloor: -0.01))
    #expect(try reason(floored.label(structure)).hasPrefix("invalid: energy below floor"))
    let low = try engine(success, limits: ExternalLimits(energyFloor: -0.02))
    #expect(try energy(low.label(structure)) == -0.1)
    #expect(runs().count == 1)
  }

  @Test("A root folder that cannot be made is a reason")
  func unwritable() throws {
    let engine = try ExternalEngine(StandInProgram(script: success), folder: "/proc/nowhere")
    #expect(try reason(engine.label(structure)).hasPrefix("system: /proc/nowhere"))
  }

  @Test("A program that cannot be started is the system's fault, and nothing is written down")
  func missingProgram() throws {
    let engine = try ExternalEngine(
      StandInProgram(script: success, command: ["no-such-program"]),
      folder: root.path + "/reference")
    #expect(try reason(engine.label(structure)).hasPrefix("system: no-such-program cannot be"))
    #expect(engine.record(for: structure) == nil)
  }

  @Test("Behind a potential, calculations go one by one, and never one that is under way")
  func scratch() throws {
    // The first waits for the second to be over.
    let script = """
      pwd -P >> \(root.path)/places
      if mkdir \(root.path)/first; then while [ ! -e \(root.path)/go ]; do sleep 0.02; done; fi
      \(success)
      """
    let structure = structure
    let other = try Prototypes.zincBlende("Si", "Si", a: 5.44)
    do {
      let settings = ReferenceSettings(.external(ExternalMethod(StandInProgram(script: script))))
      let potential = try settings.potential()
      let slow = Outcome<Result<Evaluation, any Error>>()
      Thread.detachNewThread {
        slow.set(Result { try potential.evaluation(of: structure) })
      }
      for _ in 0..<3000 where !root.has("first") { usleep(10_000) }
      #expect(try potential.evaluation(of: other).energy == -0.1)
      try root.write("go", "")
      #expect(try slow.wait().get().energy == -0.1)
      // Each potential has a place of its own.
      #expect(try settings.potential().evaluation(of: other).energy == -0.1)
    }
    let places = try root.read("places").split(separator: "\n").map {
      URL(fileURLWithPath: String($0))
    }
    let roots = places.map { $0.deletingLastPathComponent().path }
    #expect(roots.count == 3 && roots[0] == roots[1] && roots[0] != roots[2])
    #expect(!places.contains { FileManager.default.fileExists(atPath: $0.path) })
  }
}
