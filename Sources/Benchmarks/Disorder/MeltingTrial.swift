import Coordinator
import Foundation
import NumericalCore

/// A plan with a melt, for several seeds.
struct MeltingTrial {
  let title: String
  /// By which factor the temperature falls from one test to the next.
  let coolingFactor: Double
  private let document: CampaignDocument
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
    document = try CampaignDocument(path: path)
    name = String(((path as NSString).lastPathComponent as NSString).deletingPathExtension)
    self.folder = folder
  }

  /// Melts with a seed, or takes over what is finished.
  ///
  /// - Throws: `BenchmarkFailure` where the melt cannot go on.
  func run(seed: Int) throws -> MeltingTable.Melt {
    let directory = "\(folder)/\(name)-\(seed)"
    try AtomicFile.write(document.with(seed: seed).text, to: directory + ".yaml")
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
    return Sample(means).standardError
  }
}
