import Coordinator
import Foundation
import Plotting

/// Radial distributions beside published ones, for people and programs.
struct RadialPage {
  let title: String
  let published: [PublishedDistribution]
  let ranks: Int
  let environment: RunEnvironment
  var campaign: RadialStudy.Campaign?
  var cells: [RadialStudy.Cell] = []
  var errors: RadialStudy.Errors?

  /// The report of the benchmark.
  var report: Report {
    var quantities: [Report.Quantity] = [
      .init("labels", "labels", .integer(campaign?.labels ?? 0))
    ]
    for cell in cells {
      for found in cell.distributions {
        let name = "\(found.stage), \(cell.atoms) atoms"
        quantities.append(
          .init(
            "\(found.stage)_\(cell.atoms)", name,
            .numbers([found.firstPeak, found.secondPeak, found.coordination]),
            shown: "peaks \(fixed(found.firstPeak, 2)), \(fixed(found.secondPeak, 2)) Å, "
              + "\(fixed(found.coordination, 2)) neighbors"))
      }
    }
    return Report(quantities)
  }

  /// The page for people.
  func markdown(plot: String) -> String {
    var lines = PageHead(
      title: title,
      introduction:
        "Radial distributions of liquid and glass, moved by a potential that a campaign has trained "
        + "on melts alone.",
      ranks: ranks, environment: environment, items: costs
    ).lines
    lines += [
      "",
      "| what | K | Å³/atom | first peak (Å) | second peak (Å) | first hollow (Å) | neighbors up to there |",
      "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for stage in PublishedDistribution.stages(published) {
      for cell in cells {
        for found in cell.distributions where found.stage == stage {
          lines.append(
            tableRow([
              "\(stage), \(cell.atoms) atoms, \(fixed(found.picoseconds, 0)) ps",
              fixed(found.temperature, 0), fixed(found.volumePerAtom, 2), fixed(found.firstPeak, 2),
              fixed(found.secondPeak, 2), fixed(found.hollow, 2), fixed(found.coordination, 2),
            ]))
        }
      }
      for known in published where known.stage == stage {
        lines.append(
          tableRow([
            "\(stage), \(known.source)", "", "", known.firstPeak.map { fixed($0, 2) } ?? "–",
            known.secondPeak.map { fixed($0, 2) } ?? "–", "",
            known.coordination.map { fixed($0, 2) } ?? "–",
          ]))
      }
    }
    lines += ["", "![g(r) of both](\(plot))", ""]
    lines += wrapped(
      "The first peak is the largest value of g(r) with a parabola through its neighbors, the second the largest "
        + "beyond the first hollow, averaged over 0.3 Å. In a cell of few atoms distances beyond half of its edge are "
        + "those of images, too.")
    return lines.joined(separator: "\n") + "\n"
  }

  /// What the campaign cost, and how well its potential knows what it has not learnt.
  private var costs: [String] {
    var items: [String] = []
    if let campaign {
      let temperatures = campaign.temperatures.map { fixed($0, 0) }.joined(separator: ", ")
      items += [
        "labels: \(campaign.labels), \(campaign.starts) of them scattered atoms; "
          + "\(fixed(campaign.labelSeconds / Double(max(1, campaign.labels)), 1)) s each",
        "liquids of the campaign down to \(temperatures) K",
        "the campaign took \(fixed(campaign.seconds, 0)) s",
      ]
    }
    if let errors {
      items.append(
        "errors on \(errors.frames) frames of \(errors.atoms) atoms that were not learnt: "
          + "\(fixed(errors.energy, 1)) meV/atom, \(fixed(errors.force, 3)) eV/Å (RMSE)")
    }
    return items
  }

  /// g(r) of the plan's cell, with published first peaks as lines.
  var plot: Plot {
    let colors: [PlotColor] = [.blue, .orange, .green, .purple]
    let found = cells.first?.distributions ?? []
    let top = found.flatMap(\.values).max() ?? 1
    var series: [PlotSeries] = []
    for (place, one) in found.enumerated() {
      let color = colors[place % colors.count]
      let points = zip(one.distances, one.values).map { PlotPoint($0, $1) }
      series.append(PlotSeries(one.stage, [.line(points, color)]))
      for known in published where known.stage == one.stage {
        for peak in [known.firstPeak, known.secondPeak].compactMap({ $0 }) {
          series.append(
            PlotSeries(
              nil,
              [.line([PlotPoint(peak, 0), PlotPoint(peak, top)], color, width: 1, dash: .dotted)]))
        }
      }
    }
    return Plot(
      identifier: "radial", title: title,
      summary: "Radial distribution functions of \(found.map(\.stage).joined(separator: " and ")); "
        + "dotted lines are published peaks.",
      horizontal: PlotAxis("distance (Å)", range: 0...8),
      vertical: PlotAxis("g(r)", range: 0...(1.05 * top)), series: series)
  }
}
