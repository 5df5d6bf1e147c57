import Coordinator
import Foundation
import NumericalCore

/// `Benchmarks melting`: whether melts agree on the lowest temperature of a liquid, and have no pressure there.
enum MeltingBenchmark: Benchmark {
  static let syntax = Syntax(
    "melting", "lowest temperatures of liquids, and their pressures, for several seeds",
    reason:
      "the temperature at which a liquid is sampled decides what a potential learns; a rule that "
      + "gives another one for every seed is none. The pressure is that of the liquid in the cell that the "
      + "melt has found, with its standard error. What is finished in the folder is not done again.",
    arguments: ["PLANS"],
    options: [
      .init("seeds", "1-5", "the seeds of every plan in the folder PLANS", isRequired: true),
      .init("keep", "DIR", "the folder of all runs", isRequired: true),
      .init("output", "FILE.md", "writes the table, anew after every run"),
    ])

  static func run(_ arguments: Arguments) throws -> Report {
    let folder = arguments.argument("PLANS")
    let seeds = try arguments.integers("seeds")
    let kept = arguments.option("keep") ?? ""
    let names = try FileManager.default.contentsOfDirectory(atPath: folder)
      .filter { $0.hasSuffix(".yaml") }.sorted()
    guard !names.isEmpty else { throw WrongCommandLine("melting: \(folder) holds no plan (.yaml)") }
    try FileManager.default.createDirectory(atPath: kept, withIntermediateDirectories: true)
    var table = MeltingTable(seeds: seeds, environment: RunEnvironment.current())
    for name in names {
      let trial = try MeltingTrial(plan: "\(folder)/\(name)", folder: kept)
      table.solids.append(
        .init(title: trial.title, coolingFactor: trial.coolingFactor, melts: []))
      for seed in seeds {
        let melt = try trial.run(seed: seed)
        table.solids[table.solids.count - 1].melts.append(melt)
        StandardError.write(
          "\(name), seed \(seed): \(fixed(melt.temperature, 0)) K, "
            + "\(fixed(melt.pressure, 3)) ± \(fixed(melt.pressureError, 3)) GPa\n")
        if let output = arguments.option("output") {
          try AtomicFile.write(table.markdown, to: output)
        }
      }
    }
    return table.report
  }
}

/// A plan with a melt, for several seeds.
struct MeltingTrial {
  let title: String
  /// By which factor the temperature falls from one test to the next.
  let coolingFactor: Double
  private let text: String
  private let name: String
  private let folder: String

  /// Reads a plan.
  ///
  /// - Throws: `SettingsError`, or `WrongCommandLine` where it has no melt.
  init(plan path: String, folder: String) throws {
    let plan = try DynamicsPlan(path: path)
    guard case .meltQuench(let settings) = plan.program else {
      throw WrongCommandLine("\(path): no melt_quench")
    }
    title = plan.title
    coolingFactor = settings.coolingFactor
    text = try String(contentsOfFile: path, encoding: .utf8)
    name = String(((path as NSString).lastPathComponent as NSString).deletingPathExtension)
    self.folder = folder
  }

  /// Melts with a seed, or takes over what is finished.
  ///
  /// - Throws: `BenchmarkFailure` where the melt cannot go on.
  func run(seed: Int) throws -> MeltingTable.Melt {
    let directory = "\(folder)/\(name)-\(seed)"
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let seeded = lines.filter { !$0.hasPrefix("seed:") } + ["seed: \(seed)", ""]
    try AtomicFile.write(seeded.joined(separator: "\n"), to: directory + ".yaml")
    let plan = try DynamicsPlan(path: directory + ".yaml")
    var options = DynamicsRun.Options(directory: directory)
    options.isResumed = FileManager.default.fileExists(atPath: directory + "/plan.yaml")
    switch try DynamicsRun(plan, options: options, say: { _ in }).run() {
    case .finished: break
    case .stopped: throw BenchmarkFailure("\(directory): interrupted; the same command goes on")
    case .failed(let reason): throw BenchmarkFailure("\(directory): \(reason)")
    }
    return try melt(seed: seed, directory)
  }

  /// What `summary.json` says of a stage, or of the whole melt at its end.
  private struct Stage: Decodable {
    let stage: String?
    let steps: Int?
    let picoseconds: Double?
    let pressure: Double?
    let volumePerAtom: Double?
    let liquidDownTo: Double?
  }

  private struct Summary: Decodable { let stages: [Stage] }

  private func melt(seed: Int, _ directory: String) throws -> MeltingTable.Melt {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let stages = try decoder.decode(
      Summary.self, from: Data(contentsOf: URL(fileURLWithPath: directory + "/summary.json"))
    ).stages
    guard let temperature = stages.last?.liquidDownTo,
      let liquid = stages.last(where: { $0.stage == "liquid" }),
      let pressure = liquid.pressure, let time = liquid.picoseconds, let steps = liquid.steps
    else { throw BenchmarkFailure("\(directory)/summary.json: no liquid") }
    return MeltingTable.Melt(
      seed: seed, temperature: temperature, pressure: pressure,
      pressureError: try pressureError(directory + "/table.csv", steps: steps),
      liquidPicoseconds: time,
      volumePicoseconds: stages.last { $0.stage == "volume" }?.picoseconds ?? 0,
      volumePerAtom: liquid.volumePerAtom ?? 0,
      freezes: stages.count { $0.stage == "liquid, frozen" },
      picoseconds: stages.reduce(0) { $0 + ($1.picoseconds ?? 0) })
  }

  /// Blocks are so many, which is more than the pressure remembers of a long liquid.
  private static let blocks = 20

  /// The standard error of the liquid's mean pressure in GPa, from the means of blocks.
  private func pressureError(_ path: String, steps: Int) throws -> Double {
    var rows: [(step: Int, pressure: Double)] = []
    for line in try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n") {
      let cells = line.split(separator: ",")
      guard cells.count == 8, cells[2] == "liquid", let step = Int(cells[0]),
        let pressure = Double(cells[4])
      else { continue }
      rows.append((step, pressure))
    }
    guard let end = rows.last?.step else { throw BenchmarkFailure("\(path): no liquid") }
    // Of a liquid that set out again, the last attempt counts.
    let pressures = rows.filter { $0.step > end - steps }.map(\.pressure)
    let length = pressures.count / Self.blocks
    guard length > 0 else { throw BenchmarkFailure("\(path): the liquid is too short") }
    var means: [Double] = []
    for block in 0..<Self.blocks {
      let first = block * length
      means.append(Sample(Array(pressures[first..<first + length])).mean)
    }
    return standardError(means)
  }
}

/// The standard error of the mean of independent values; 0 of one.
func standardError(_ values: [Double]) -> Double {
  guard values.count > 1 else { return 0 }
  let mean = Sample(values).mean
  let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
  return (squares / Double(values.count * (values.count - 1))).squareRoot()
}

/// Melts of several solids, for people and programs.
struct MeltingTable {
  /// One melt.
  struct Melt {
    let seed: Int
    /// The lowest one of the liquid in K.
    let temperature: Double
    /// The liquid's mean in GPa, and its standard error.
    let pressure: Double
    let pressureError: Double
    let liquidPicoseconds: Double
    /// How long the volume was averaged for.
    let volumePicoseconds: Double
    /// The liquid's in Å³.
    let volumePerAtom: Double
    /// How often the liquid froze while it was sampled.
    let freezes: Int
    /// Of the whole melt.
    let picoseconds: Double
  }

  /// Melts of one plan.
  struct Solid {
    let title: String
    let coolingFactor: Double
    var melts: [Melt]

    /// Between the highest and the lowest temperature, in steps of the tests.
    var spread: Int {
      let temperatures = Sample(melts.map(\.temperature))
      return Int((log(temperatures.least / temperatures.largest) / log(coolingFactor)).rounded())
    }

    /// The mean over the melts in GPa, and its standard error.
    var pressure: (mean: Double, error: Double) {
      let values = melts.map(\.pressure)
      return (Sample(values).mean, standardError(values))
    }
  }

  let seeds: [Int]
  let environment: RunEnvironment
  var solids: [Solid] = []

  /// The report of the benchmark.
  var report: Report {
    let spread = solids.map(\.spread).max() ?? 0
    let pressure = solids.map { abs($0.pressure.mean) }.max() ?? 0
    let heads: [Report.Quantity] = [
      .init(
        "largest_spread", "steps between temperatures of one solid (largest)", .integer(spread)),
      .init(
        "largest_pressure", "mean pressure of a solid's liquids in GPa (farthest from 0)",
        .number(pressure)),
    ]
    return Report(heads + solids.map(quantity))
  }

  private func quantity(_ solid: Solid) -> Report.Quantity {
    let melts = solid.melts.map { melt -> JSONValue in
      .object([
        .init("seed", .integer(melt.seed)), .init("temperature", .number(melt.temperature)),
        .init("pressure", .number(melt.pressure)),
        .init("pressure_error", .number(melt.pressureError)),
      ])
    }
    return Report.Quantity(
      solid.title, solid.title, .list(melts),
      shown: "\(solid.spread) steps, \(fixed(solid.pressure.mean, 3)) GPa")
  }

  /// The page for people.
  var markdown: String {
    let command = (["Benchmarks"] + CommandLine.arguments.dropFirst()).joined(separator: " ")
    var lines = ["# Liquids", ""]
    lines += wrapped(
      "The lowest temperature at which a melt flows, by the rule of Melt and quench (two of three tests decide), for several seeds; the pressure of the liquid there, in the cell "
        + "that the melt has found, with its standard error over 20 blocks. Written by the benchmark; do not "
        + "edit.")
    lines += [
      "", "```", command, "```", "", "- date: \(today)",
      "- processor: \(environment.processor), \(coreCount) cores",
    ]
    for solid in solids where !solid.melts.isEmpty {
      let pressure = solid.pressure
      lines += [
        "", "## \(solid.title)", "",
        "- highest and lowest temperature: \(solid.spread) steps apart",
        "- mean pressure: \(fixed(pressure.mean, 3)) ± \(fixed(pressure.error, 3)) GPa", "",
        "| seed | liquid down to (K) | pressure (GPa) | averaged (ps) | volume (Å³/atom) | found in (ps) | "
          + "froze | whole melt (ps) |",
        "|--:|--:|--:|--:|--:|--:|--:|--:|",
      ]
      lines += solid.melts.map { melt in
        tableRow([
          "\(melt.seed)", fixed(melt.temperature, 0),
          "\(fixed(melt.pressure, 3)) ± \(fixed(melt.pressureError, 3))",
          fixed(melt.liquidPicoseconds, 0), fixed(melt.volumePerAtom, 3),
          fixed(melt.volumePicoseconds, 0), "\(melt.freezes)", fixed(melt.picoseconds, 0),
        ])
      }
    }
    lines += [""]
    lines += wrapped(
      "Froze: how often the liquid froze while it was sampled, and set out again with other velocities; what "
        + "was seen of the solid is not averaged.")
    return lines.joined(separator: "\n") + "\n"
  }
}
