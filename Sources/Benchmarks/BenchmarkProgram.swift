import Coordinator
import Foundation
import Potential
import Settings
import StructureFormats

/// One named case.
protocol Benchmark {
  /// Its words and why it exists.
  static var syntax: Syntax { get }

  /// Measures.
  static func run(_ arguments: Arguments) throws -> Report
}

/// Runs the benchmark that the command line names and turns errors into one message and a status.
struct BenchmarkProgram {
  static var benchmarks: [any Benchmark.Type] {
    [
      EvaluateBenchmark.self, GradeBenchmark.self, TrainBenchmark.self, RelaxBenchmark.self,
      CompareRelaxationsBenchmark.self, ServeBenchmark.self,
      DynamicsBenchmark.self, MeltingBenchmark.self, NeighborsBenchmark.self,
      NeighborScalingBenchmark.self,
      PeakBenchmark.self, FingerprintBenchmark.self,
      OverheadBenchmark.self,
      GenerateBenchmark.self, ScheduleBenchmark.self, CampaignBenchmark.self,
      DisorderBenchmark.self, RadialBenchmark.self,
      SearchBenchmark.self,
      SearchTableBenchmark.self, SearchTemplatesBenchmark.self,
      CompareBenchmark.self, DocumentBenchmark.self,
    ]
  }

  /// Runs a command line.
  ///
  /// - Returns: 0 done, 1 the work failed, 2 the command line or an input file is wrong.
  func run(_ words: [String]) -> Int32 {
    do {
      guard let name = words.first else {
        throw WrongCommandLine("no benchmark given; see Benchmarks --help")
      }
      if ["--help", "-h", "help"].contains(name) {
        print(Self.overview, terminator: "")
        return 0
      }
      let benchmark = try Self.benchmark(name)
      let rest = Array(words.dropFirst())
      if rest.contains("--help") || rest.contains("-h") {
        print(benchmark.syntax.help, terminator: "")
        return 0
      }
      let arguments = try Arguments(rest, for: benchmark.syntax)
      let report = try benchmark.run(arguments)
      print(
        arguments.has("json") ? report.json.text() + "\n" : report.text, terminator: "")
      if let failure = report.failure {
        StandardError.write("Benchmarks: \(failure)\n")
        return 1
      }
      return 0
    } catch {
      StandardError.write("Benchmarks: \(error)\n")
      return Self.status(of: error)
    }
  }

  /// The benchmark of a name.
  ///
  /// - Throws: `WrongCommandLine` where there is none.
  static func benchmark(_ name: String) throws(WrongCommandLine) -> any Benchmark.Type {
    guard let found = benchmarks.first(where: { $0.syntax.name == name }) else {
      throw WrongCommandLine(
        "unknown benchmark '\(name)', allowed: "
          + benchmarks.map { $0.syntax.name }.joined(separator: ", "))
    }
    return found
  }

  private static func status(of error: any Error) -> Int32 {
    switch error {
    case is WrongCommandLine, is SettingsError, is FormatError: 2
    case PotentialError.malformedFile: 2
    default: 1
    }
  }

  private static var overview: String {
    let names = benchmarks.map { $0.syntax }
    let column = 2 + names.map(\.name.count).reduce(0, max)
    return """
      usage: Benchmarks NAME ...

      Measures how fast the parts of polymorph are and how reliably it finds known structures.
      Times are processor times of one core. Build in release, or the numbers mean nothing.


      """ + names.map { "  " + padded($0.name, column) + $0.summary }.joined(separator: "\n")
        + "\n\nBenchmarks NAME --help tells more. Exit status: 0 done, 1 the work failed, 2 the command\n"
        + "line or an input file is wrong.\n"
  }
}

/// The stream for messages to people.
enum StandardError {
  /// Writes a text at once.
  static func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
