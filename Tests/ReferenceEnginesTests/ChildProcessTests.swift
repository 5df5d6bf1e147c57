import Foundation
import ReferenceEngines
import TestSupport
import Testing

@Suite("Child processes")
struct ChildProcessTests {
  private func launch(_ script: String, input: String? = nil) -> CalculationLaunch {
    CalculationLaunch(command: ["/bin/sh", "-c", script], input: input, output: "out")
  }

  /// Process identifiers in a file, once it holds so many.
  private static func identifiers(_ path: String, count: Int) -> [Int32] {
    for _ in 0..<3000 {
      let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
      let numbers = text.split(whereSeparator: \.isWhitespace).compactMap { Int32($0) }
      if numbers.count >= count, text.hasSuffix("\n") { return numbers }
      usleep(10_000)
    }
    return []
  }

  private static func isAlive(_ identifier: Int32) -> Bool {
    // A zombie that waits for its parent has ended, too.
    let path = "/proc/\(identifier)/stat"
    guard let stat = try? String(contentsOfFile: path, encoding: .utf8) else { return false }
    return !stat.contains(") Z ")
  }

  private static func endsWithinSeconds(_ seconds: Int, _ identifier: Int32) -> Bool {
    for _ in 0..<(100 * seconds) {
      if !isAlive(identifier) { return true }
      usleep(10_000)
    }
    return false
  }

  @Test("Folder, input, output, arguments and exit status are those of the launch")
  func plumbing() throws {
    let folder = try TemporaryFolder()
    try Data("from the input\n".utf8).write(to: folder.url.appendingPathComponent("in"))
    let outcome = try ChildProcess.run(
      launch("cat; echo to stderr >&2; pwd -P; exit 3", input: "in"), in: folder.path)
    #expect(outcome == .exited(status: 3))
    let lines = try folder.read("out").split(separator: "\n")
    #expect(lines.prefix(2) == ["from the input", "to stderr"])
    #expect(try #require(lines.last).hasSuffix(folder.url.lastPathComponent))
    let direct = CalculationLaunch(
      command: ["printf", "%s|", "a b", "$HOME", "*"], input: nil, output: "out")
    #expect(try ChildProcess.run(direct, in: folder.path) == .exited(status: 0))
    #expect(try folder.read("out") == "a b|$HOME|*|")
  }

  @Test("A program has a process group of its own, no files of ours, and usual signals")
  func surroundings() throws {
    let folder = try TemporaryFolder()
    let open = try FileHandle(forReadingFrom: URL(fileURLWithPath: "/dev/zero"))
    // Without O_CLOEXEC, as a library may have opened it.
    let inherited = dup(open.fileDescriptor)
    defer { close(inherited) }
    let script = """
      echo $$ $(cut -d' ' -f5 /proc/$$/stat)
      ls /proc/$$/fd | tr '\\n' ' '; echo
      """
    _ = try ChildProcess.run(launch(script), in: folder.path)
    let lines = try folder.read("out").split(separator: "\n")
    let numbers = lines[0].split(separator: " ")
    #expect(numbers[0] == numbers[1])
    #expect(lines[1].split(separator: " ").allSatisfy { (Int($0) ?? 99) < 3 || $0 == "255" })
    let status = CalculationLaunch(
      command: ["grep", "-E", "SigBlk|SigIgn", "/proc/self/status"], input: nil, output: "out")
    _ = try ChildProcess.run(status, in: folder.path)
    let masks = try folder.read("out").split(separator: "\n").map { $0.drop { $0 != "\t" } }
    #expect(masks.count == 2)
    for mask in masks {
      // Two signals beyond these are the C library's own.
      let bits = try #require(UInt64(mask.dropFirst(), radix: 16))
      #expect(bits & 0x7fff_ffff == 0, "\(mask)")
    }
  }

  @Test(
    "A launcher's variables are not inherited; permission to run as root and the launch's own are")
  func environment() throws {
    let folder = try TemporaryFolder()
    // Names that nobody reads: programs of other tests start meanwhile, and would believe them.
    let foreign = [
      "OMPI_TEST_X", "PMIX_TEST_X", "PRTE_TEST_X", "ORTE_TEST_X", "PMI_TEST_X", "OMP_NUM_THREADS",
    ]
    for name in foreign { setenv(name, "7", 1) }
    setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 1)
    setenv("POLYMORPH_TEST_VARIABLE", "kept", 1)
    defer { for name in foreign { unsetenv(name) } }
    var launch = CalculationLaunch(
      command: ["env"], input: nil, output: "out", environment: ["OWN": "x"])
    _ = try ChildProcess.run(launch, in: folder.path)
    let variables = Set(try folder.read("out").split(separator: "\n").map(String.init))
    #expect(variables.isSuperset(of: ["OMP_NUM_THREADS=1", "OWN=x", "OMPI_ALLOW_RUN_AS_ROOT=1"]))
    #expect(variables.contains("POLYMORPH_TEST_VARIABLE=kept"))
    // No daemon for a program that no launcher started.
    #expect(variables.contains("OMPI_MCA_ess_singleton_isolated=1"))
    for name in foreign.dropLast() {
      #expect(!variables.contains { $0.hasPrefix(name + "=") }, "\(name)")
    }
    launch.environment["OMP_NUM_THREADS"] = "4"
    _ = try ChildProcess.run(launch, in: folder.path)
    #expect(try folder.read("out").contains("OMP_NUM_THREADS=4\n"))
  }

  @Test(
    "When the time is over nothing is left: not the program, its children, or what left its group")
  func timeLimit() throws {
    let folder = try TemporaryFolder()
    let script = """
      sleep 600 &
      first=$!
      setsid sh -c 'echo $$ > other; exec sleep 600' &
      while [ ! -s other ]; do sleep 0.01; done
      echo $$ $first $(cat other)
      wait
      """
    let outcome = try ChildProcess.run(
      launch(script), in: folder.path, timeLimitSeconds: 2, graceSeconds: 0.3)
    #expect(outcome == .timedOut(seconds: 2))
    let identifiers = Self.identifiers(folder.path + "/out", count: 3)
    #expect(identifiers.count == 3)
    for identifier in identifiers { #expect(!Self.isAlive(identifier), "\(identifier)") }
  }

  @Test("A program that hears no TERM is killed after the grace, one that does may clean up")
  func grace() throws {
    let folder = try TemporaryFolder()
    let start = ContinuousClock().now
    let deaf = try ChildProcess.run(
      launch("trap '' TERM; while :; do sleep 0.05; done"), in: folder.path,
      timeLimitSeconds: 0.3, graceSeconds: 0.5)
    #expect(deaf == .timedOut(seconds: 0.3))
    #expect(start.duration(to: ContinuousClock().now) < .seconds(60))
    let polite = try ChildProcess.run(
      launch("trap 'echo cleaned; exit 0' TERM; while :; do sleep 0.05; done"), in: folder.path,
      timeLimitSeconds: 1, graceSeconds: 60)
    #expect(polite == .timedOut(seconds: 1))
    #expect(try folder.read("out").hasSuffix("cleaned\n"))
  }

  @Test("A signal is told from an exit, and being asked to stop from both")
  func signals() throws {
    let folder = try TemporaryFolder()
    #expect(try ChildProcess.run(launch("kill -SEGV $$"), in: folder.path) == .signalled(SIGSEGV))
    var questions = 0
    let stopped = try ChildProcess.run(launch("sleep 600"), in: folder.path) {
      questions += 1
      return questions > 3
    }
    #expect(stopped == .stopped)
  }

  @Test("What a program leaves behind in the background ends with it")
  func leftovers() throws {
    let folder = try TemporaryFolder()
    let outcome = try ChildProcess.run(
      launch("setsid sleep 600 & echo $!; exit 0"), in: folder.path, graceSeconds: 0.3)
    #expect(outcome == .exited(status: 0))
    let identifiers = Self.identifiers(folder.path + "/out", count: 1)
    #expect(identifiers.count == 1 && !Self.isAlive(identifiers[0]))
  }

  @Test(
    "Programs that are not there or are none are named",
    arguments: ["no-such-program", "/etc/passwd", "/"])
  func missing(name: String) throws {
    let folder = try TemporaryFolder()
    let launch = CalculationLaunch(command: [name], input: nil, output: "out")
    #expect {
      try ChildProcess.run(launch, in: folder.path)
    } throws: { error in
      if case .cannotStart(name, _) = error as? ReferenceEngineError { true } else { false }
    }
    #expect(ChildProcess.path(of: name) == nil)
    #expect(ChildProcess.path(of: "sh")?.hasSuffix("/sh") == true)
  }

  @Test("A file that is executable but no program says so")
  func malformed() throws {
    let folder = try TemporaryFolder()
    try Data([0x7f, 0x45, 0x4c, 0x46, 0]).write(to: folder.url.appendingPathComponent("program"))
    chmod(folder.path + "/program", 0o755)
    let launch = CalculationLaunch(
      command: [folder.path + "/program"], input: nil, output: "out")
    #expect(throws: ReferenceEngineError.self) { try ChildProcess.run(launch, in: folder.path) }
  }

  @Test("A program dies with the process that started it, even by SIGKILL, and so do its children")
  func parentDeath() throws {
    let folder = try TemporaryFolder()
    // It answers like pw.x when asked for its version, and never when it is to compute.
    try folder.write(
      "program",
      """
      #!/bin/sh
      [ -e pw.in ] || { echo "     Program PWSCF v.0 starts on"; exit; }
      sleep 600 &
      echo $$ $! > \(folder.path)/identifiers
      wait
      """)
    chmod(folder.path + "/program", 0o755)
    try folder.write("Si.UPF", "<PP_HEADER pseudo_type=\"NC\" element=\"Si\"/>")
    try folder.write(
      "reference.yaml",
      """
      reference:
        kind: espresso
        command: \(folder.path)/program
        pseudopotential_folder: .
        pseudopotentials: {Si: Si.UPF}
        cutoff: 10
      """)
    try folder.write("POSCAR", "Si\n1.0\n3 0 0\n0 3 0\n0 0 3\nSi\n1\nDirect\n0 0 0\n")
    let search = try RunningProgram(
      BuiltProgram("polymorph"),
      [
        "evaluate", folder.path + "/reference.yaml", folder.path + "/POSCAR", "--output", "out.xyz",
      ],
      in: folder.url)
    let identifiers = Self.identifiers(folder.path + "/identifiers", count: 2)
    try #require(identifiers.count == 2, "\(search.printed())")
    for identifier in identifiers { #expect(Self.isAlive(identifier)) }
    kill(search.identifier, SIGKILL)
    for identifier in identifiers { #expect(Self.endsWithinSeconds(20, identifier)) }
  }
}
