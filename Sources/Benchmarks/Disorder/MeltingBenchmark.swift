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
