import Dataset
import Plotting

extension EnvironmentMap {
  /// How densely both sets lie along the first and the second axis of the map, in the same bins.
  var marginals: (training: [Histogram], pool: [Histogram]) {
    let columns = [(training.first, pool.first), (training.second, pool.second)]
    let ranges = columns.map { known, other in
      let all = known + other
      return (all.min() ?? 0)...(all.max() ?? 0)
    }
    return (
      zip(columns, ranges).map { Histogram($0.0, over: $1) },
      zip(columns, ranges).map { Histogram($0.1, over: $1) }
    )
  }

  // A picture with more points than this shows no more, and takes long to draw.
  private static let largestPointCount = 4000

  /// The map with the densities above and at the right of it.
  var plot: Plot {
    let (side, strip, gap) = (380.0, 80.0, 12.0)
    let (left, top) = (78.0, 48 + strip + gap)
    let first = axis("first", training.first + pool.first, 0)
    let second = axis("second", training.second + pool.second, 1)
    let densities = marginals
    let names = ["training set (\(training.count))", "pool (\(pool.count))"]
    let map = PlotPanel(
      frame: .init(left: left, top: top, width: side, height: side), horizontal: first,
      vertical: second,
      series: [
        PlotSeries(
          names[0], [.points(Self.thinned(training), .blue, radius: 2, opacity: 0.5)]),
        PlotSeries(
          names[1],
          [.points(Self.thinned(pool), .orange, shape: .diamond, radius: 2.5, opacity: 0.6)]),
      ])
    let above = PlotPanel(
      frame: .init(left: left, top: top - gap - strip, width: side, height: strip),
      horizontal: Self.bare(first), vertical: Self.densityAxis(densities, 0),
      series: [
        PlotSeries(nil, Self.outline(densities.training[0], .blue, isUpright: true)),
        PlotSeries(nil, Self.outline(densities.pool[0], .orange, isUpright: true)),
      ])
    let beside = PlotPanel(
      frame: .init(left: left + side + gap, top: top, width: strip, height: side),
      horizontal: Self.densityAxis(densities, 1), vertical: Self.bare(second),
      series: [
        PlotSeries(nil, Self.outline(densities.training[1], .blue, isUpright: false)),
        PlotSeries(nil, Self.outline(densities.pool[1], .orange, isUpright: false)),
      ])
    return Plot(
      identifier: "map-\(element.symbol)", title: "Environments of \(element)", summary: summary,
      width: left + side + gap + strip + 170, height: top + side + 62,
      panels: [above, map, beside],
      legend: PlotPoint(left + side + gap + 4, 56))
  }

  private var summary: String {
    var text =
      "Environments of \(element) on the first two principal components of the training set: "
      + "\(training.count) of the training set, \(pool.count) of the pool, \(outsideMap) of which lie "
      + "outside of the training set's range on this map. Densities of both along each axis are above "
      + "and at the right."
    if max(training.count, pool.count) > Self.largestPointCount {
      text += " Not more than \(Self.largestPointCount) points of each are drawn, evenly chosen."
    }
    return text
  }

  private func axis(_ name: String, _ values: [Double], _ component: Int) -> PlotAxis {
    let fraction = component < components.fractions.count ? components.fractions[component] : 0
    return PlotAxis(
      "\(name) component (\(TextColumn.fixed(100 * fraction, 0)) % of variance)", covering: values)
  }

  // The same axis without words: those of the map beside it are enough.
  private static func bare(_ axis: PlotAxis) -> PlotAxis {
    var bare = PlotAxis("", range: axis.range, ticks: axis.ticks)
    bare.showsNumbers = false
    return bare
  }

  private static func densityAxis(
    _ densities: (training: [Histogram], pool: [Histogram]), _ component: Int
  ) -> PlotAxis {
    let all = densities.training[component].densities + densities.pool[component].densities
    return PlotAxis("", range: 0...1.05 * max(1e-12, all.max() ?? 1), tickCount: 0)
  }

  private static func thinned(_ points: Points) -> [PlotPoint] {
    let count = min(points.count, largestPointCount)
    return (0..<count).map { number in
      let place = number * points.count / count
      return PlotPoint(points.first[place], points.second[place])
    }
  }

  // The steps of a histogram from its first edge to its last, down to zero at both.
  private static func outline(
    _ histogram: Histogram, _ color: PlotColor, isUpright: Bool
  ) -> [PlotMark] {
    let edges = histogram.edges
    var steps = [(edges[0], 0.0)]
    for (bin, density) in histogram.densities.enumerated() {
      steps += [(edges[bin], density), (edges[bin + 1], density)]
    }
    steps.append((edges[edges.count - 1], 0))
    let points = steps.map { isUpright ? PlotPoint($0.0, $0.1) : PlotPoint($0.1, $0.0) }
    return [.area(points, color), .line(points, color, width: 1.2)]
  }
}
