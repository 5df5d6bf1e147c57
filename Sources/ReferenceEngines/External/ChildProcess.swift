import CProcess
import Foundation

/// A program that is started without a shell and waited for.
///
/// It runs in a process group of its own, below a small supervisor. The supervisor ends the program and
/// everything that descends from it (the ranks below an `mpirun`, what a script started in the
/// background) when the time is over, when it is asked to stop, and when this process is gone, even by
/// SIGKILL: TERM to the group first, KILL to all that is left after a grace.
public enum ChildProcess {
  /// How a program ended.
  public enum Outcome: Sendable, Hashable {
    /// By itself.
    case exited(status: Int32)
    /// By a signal that this process did not send.
    case signalled(Int32)
    /// It was ended after so many seconds.
    case timedOut(seconds: Double)
    /// It was ended because `shouldStop` said so.
    case stopped
  }

  /// Variables of a launcher that would make an MPI program believe to be one of this program's ranks.
  static let launcherPrefixes = ["OMPI_", "PMIX_", "PRTE_", "ORTE_", "PMI_"]

  /// Runs a program to its end.
  ///
  /// - Parameters:
  ///   - launch: What is started; input and output are files of the folder.
  ///   - folder: The working directory.
  ///   - timeLimitSeconds: After so many seconds it is ended; `nil` for no limit.
  ///   - graceSeconds: How long it may take to end when asked to, before it is killed.
  ///   - heldDescriptor: An open file, such as a lock, that stays open until nothing of the program is
  ///     left, even if this process ends before.
  ///   - shouldStop: Asked up to twenty times a second; where it says yes, the program is ended.
  /// - Returns: How it ended; nothing that descends from it is left.
  /// - Throws: `ReferenceEngineError.cannotStart` where the program is not found or not executable,
  ///   `.file` where its input or output cannot be opened.
  public static func run(
    _ launch: CalculationLaunch, in folder: String, timeLimitSeconds: Double? = nil,
    graceSeconds: Double = 5, heldDescriptor: Int32? = nil,
    shouldStop: () -> Bool = { false }
  ) throws(ReferenceEngineError) -> Outcome {
    let program = try resolved(launch.command)
    let input = try open(launch.input.map { folder + "/" + $0 } ?? "/dev/null", O_RDONLY)
    defer { close(input) }
    let output = try open(folder + "/" + launch.output, O_WRONLY | O_CREAT | O_TRUNC)
    defer { close(output) }
    var supervisor = try Supervisor(
      program: program, launch: launch, folder: folder, input: input, output: output,
      heldDescriptor: heldDescriptor ?? -1, graceSeconds: graceSeconds)
    return try supervisor.wait(timeLimitSeconds: timeLimitSeconds, shouldStop: shouldStop)
  }

  /// Where a program is, looked up on the PATH as a shell would.
  ///
  /// - Parameter name: A name, or a path.
  /// - Returns: An absolute path of an executable file; `nil` where there is none.
  public static func path(of name: String) -> String? {
    let files = FileManager.default
    func isProgram(_ path: String) -> Bool {
      var isFolder: ObjCBool = false
      return files.fileExists(atPath: path, isDirectory: &isFolder) && !isFolder.boolValue
        && files.isExecutableFile(atPath: path)
    }
    if name.contains("/") {
      let path = name.hasPrefix("/") ? name : files.currentDirectoryPath + "/" + name
      return isProgram(path) ? path : nil
    }
    let folders = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
    return folders.split(separator: ":").map { "\($0)/\(name)" }.first(where: isProgram)
  }

  /// The inherited environment without a launcher's variables, and with what a launch sets.
  ///
  /// Programs run on one thread in each process unless the launch says otherwise.
  static func environment(
    _ inherited: [String: String], setting added: [String: String]
  ) -> [String: String] {
    var result = inherited.filter { variable in
      !launcherPrefixes.contains { variable.key.hasPrefix($0) }
    }
    // Without them Open MPI refuses to run as root; they say nothing of ranks.
    for name in ["OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] {
      result[name] = inherited[name]
    }
    // A program of Open MPI that no launcher started would start a daemon that serves nobody, and wait for it.
    result["OMPI_MCA_ess_singleton_isolated"] = "1"
    result["OMP_NUM_THREADS"] = "1"
    return result.merging(added) { $1 }
  }

  private static func resolved(_ command: [String]) throws(ReferenceEngineError) -> String {
    guard let name = command.first else {
      throw .cannotStart(program: "(nothing)", reason: "the command is empty")
    }
    guard let path = path(of: name) else {
      throw .cannotStart(
        program: name,
        reason: name.contains("/")
          ? "no such executable file" : "no such program on the PATH; install it or give its path")
    }
    return path
  }

  private static func open(_ path: String, _ flags: Int32) throws(ReferenceEngineError) -> Int32 {
    let descriptor = Glibc.open(path, flags | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw .file(path: path, reason: String(cString: strerror(errno)))
    }
    return descriptor
  }
}

/// The process between this one and the program.
private struct Supervisor: ~Copyable {
  private let name: String
  private let identifier: pid_t
  /// Closed to say that all is to be ended; the kernel closes it with this process.
  private var life: Int32
  private let report: Int32

  init(
    program: String, launch: CalculationLaunch, folder: String, input: Int32, output: Int32,
    heldDescriptor: Int32, graceSeconds: Double
  ) throws(ReferenceEngineError) {
    let life = try Self.pipe()
    let report: (reading: Int32, writing: Int32)
    do throws(ReferenceEngineError) { report = try Self.pipe() } catch {
      close(life.reading)
      close(life.writing)
      throw error
    }
    let environment = ChildProcess.environment(
      ProcessInfo.processInfo.environment, setting: launch.environment)
    let arguments = CStringList(launch.command)
    let variables = CStringList(environment.sorted { $0.key < $1.key }.map { "\($0)=\($1)" })
    let identifier = program.withCString { program in
      folder.withCString { folder in
        withExtendedLifetime((arguments, variables)) {
          var all = polymorph_launch(
            program: program, arguments: arguments.pointer, environment: variables.pointer,
            folder: folder, input: input, output: output, life: life.reading,
            report: report.writing, held: heldDescriptor, grace: Int32(graceSeconds * 1000))
          return polymorph_start(&all)
        }
      }
    }
    let reason = errno
    close(life.reading)
    close(report.writing)
    guard identifier > 0 else {
      close(life.writing)
      close(report.reading)
      throw .cannotStart(program: launch.command[0], reason: String(cString: strerror(reason)))
    }
    name = launch.command[0]
    self.identifier = identifier
    self.life = life.writing
    self.report = report.reading
  }

  deinit {
    if life >= 0 { close(life) }
    close(report)
  }

  mutating func wait(
    timeLimitSeconds: Double?, shouldStop: () -> Bool
  ) throws(ReferenceEngineError) -> ChildProcess.Outcome {
    let clock = ContinuousClock()
    let start = clock.now
    var interruption: ChildProcess.Outcome?
    var end: ChildProcess.Outcome?
    var startError: Int32?
    var pause: Int32 = 1
    // Until the end of the report: the supervisor has then seen the last descendant end.
    while true {
      var file = pollfd(fd: report, events: Int16(POLLIN), revents: 0)
      if poll(&file, 1, pause) > 0 {
        guard let message = Self.message(from: report) else { break }
        if message.kind == Int32(POLYMORPH_NOT_STARTED) {
          startError = message.value
        } else if polymorph_exited(message.value) != 0 {
          end = .exited(status: polymorph_exit_status(message.value))
        } else {
          end = .signalled(polymorph_signal(message.value))
        }
      }
      // Growing to 50 ms: short programs are noticed at once, long ones cost nothing.
      pause = min(50, 2 * pause)
      guard interruption == nil, end == nil else { continue }
      if let limit = timeLimitSeconds, start.duration(to: clock.now) > .seconds(limit) {
        interruption = .timedOut(seconds: limit)
      } else if shouldStop() {
        interruption = .stopped
      }
      if interruption != nil {
        close(life)
        life = -1
      }
    }
    var status: Int32 = 0
    while waitpid(identifier, &status, 0) < 0 && errno == EINTR {}
    if let startError {
      throw .cannotStart(program: name, reason: String(cString: strerror(startError)))
    }
    // Somebody killed the supervisor, and with it the program.
    return interruption ?? end ?? .signalled(SIGKILL)
  }

  /// `nil` at the end of the report.
  private static func message(from descriptor: Int32) -> polymorph_report? {
    var report = polymorph_report(kind: 0, value: 0)
    let size = MemoryLayout<polymorph_report>.size
    while true {
      let count = read(descriptor, &report, size)
      if count < 0 && errno == EINTR { continue }
      return count == size ? report : nil
    }
  }

  private static func pipe() throws(ReferenceEngineError) -> (reading: Int32, writing: Int32) {
    var ends: [Int32] = [-1, -1]
    guard polymorph_pipe(&ends) == 0 else {
      throw .cannotStart(program: "a program", reason: String(cString: strerror(errno)))
    }
    return (ends[0], ends[1])
  }
}

/// Texts as C takes them: an array of pointers that ends with a null pointer.
private final class CStringList {
  let pointer: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
  private let count: Int

  init(_ texts: [String]) {
    count = texts.count
    pointer = .allocate(capacity: texts.count + 1)
    for (index, text) in texts.enumerated() { pointer[index] = strdup(text) }
    pointer[count] = nil
  }

  deinit {
    for index in 0..<count { free(pointer[index]) }
    pointer.deallocate()
  }
}
