import Coordinator
import Foundation

/// The memory of a process that does nothing but move atoms, in megabytes (10⁶ bytes).
struct DynamicsMemory: Decodable {
  /// Resident before anything was read.
  let startMegabytes: Double
  /// Resident after the last step.
  let residentMegabytes: Double
  /// The most that was resident at any time.
  let peakMegabytes: Double

  /// What this process holds now; `nil` where the system does not tell.
  init?(since startMegabytes: Double?) {
    guard let startMegabytes, let resident = ProcessMemory.residentMegabytes(),
      let peak = ProcessMemory.peakMegabytes()
    else { return nil }
    (self.startMegabytes, residentMegabytes, peakMegabytes) = (startMegabytes, resident, peak)
  }

  /// Runs this program in another process: what benchmarks before this one left behind does not count.
  ///
  /// - Parameter words: Name and arguments of a benchmark that reports its memory as JSON.
  /// - Returns: What it reports.
  /// - Throws: `BenchmarkFailure` where it fails.
  static func ofProgram(_ words: [String]) throws -> DynamicsMemory {
    let folder = try ScratchFolder()
    defer { folder.remove() }
    let (output, errors) = (folder.path + "/memory.json", folder.path + "/errors")
    let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let status = try ChildProgram.run([program] + words, output: output, errors: errors)
    guard status == 0, let data = FileManager.default.contents(atPath: output) else {
      let message = FileManager.default.contents(atPath: errors) ?? Data()
      throw BenchmarkFailure(
        "the run that measures memory ended with status \(status): "
          + String(decoding: message, as: UTF8.self))
    }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(DynamicsMemory.self, from: data)
  }

  /// The numbers for a report.
  func quantities(atoms: Int) -> [Report.Quantity] {
    [
      .init("peak_megabytes", "peak of the resident memory (MB)", .number(peakMegabytes)),
      .init("resident_megabytes", "at the end (MB)", .number(residentMegabytes)),
      .init("start_megabytes", "of the program alone (MB)", .number(startMegabytes)),
      .init(
        "kilobytes_per_atom", "kB per atom, peak less program",
        .number(1000 * (peakMegabytes - startMegabytes) / Double(atoms))),
    ]
  }
}
