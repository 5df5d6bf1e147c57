import Coordinator
import Foundation

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
      return (Sample(values).mean, Sample(values).standardError)
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
    var lines = PageHead(
      title: "Liquids",
      introduction:
        "The lowest temperature at which a melt flows, by the rule of Melt and quench (the mean of up to "
        + "five tests decides), for several seeds; the pressure of the liquid there, in the cell that the melt has found, with its "
        + "standard error over 20 blocks.",
      ranks: nil, environment: environment
    ).lines
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
