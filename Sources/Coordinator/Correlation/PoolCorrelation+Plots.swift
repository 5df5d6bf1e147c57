import Dataset
import Plotting

extension PoolCorrelation {
  /// The plots with the names of their files: `parity.svg`, `parity-relaxed.svg`, `map-X.svg` for every element X,
  /// `learning-curve.svg`.
  public var plots: [(name: String, plot: Plot)] {
    var plots = [
      (
        name: "parity.svg",
        plot: Self.parity(
          comparison, identifier: "parity", title: "Energy differences in the pool's geometry")
      )
    ]
    if let comparison = relaxed?.comparison {
      plots.append(
        (
          "parity-relaxed.svg",
          Self.parity(
            comparison, identifier: "parity-relaxed",
            title: "Energy differences, relaxed by the potential")
        ))
    }
    for map in environments?.maps ?? [] {
      plots.append(("map-\(map.element.symbol).svg", map.plot))
    }
    if !learningCurve.isEmpty { plots.append(("learning-curve.svg", curvePlot)) }
    return plots
  }

  private static let signs: [(PlotColor, PlotMark.Shape)] = [
    (.blue, .circle), (.orange, .square), (.green, .diamond), (.purple, .triangle),
  ]

  // MARK: Parity

  private static func parity(
    _ comparison: PoolComparison, identifier: String, title: String
  ) -> Plot {
    let s = comparison.statistics
    let reference = s.referenceDifferences.map { 1000 * $0 }
    let model = s.modelDifferences.map { 1000 * $0 }
    // A structure that the potential puts far away must not squeeze the others together.
    let highest = max(reference.max() ?? 0, 1000 * s.window)
    let shown = model.filter { (-0.5 * highest...1.5 * highest).contains($0) }
    let axis = PlotAxis("", covering: reference + shown + [0, highest])
    let (low, high) = (axis.range.lowerBound, axis.range.upperBound)
    let outside = model.count { !axis.range.contains($0) }
    // More compositions than signs share one.
    let groups = s.groups.count <= signs.count && s.groups.count > 1 ? s.groups : []
    func points(_ members: [Int]) -> [PlotPoint] {
      members.map { PlotPoint(reference[$0], model[$0]) }
    }
    var series = [
      PlotSeries(
        "equal",
        [.line([PlotPoint(low, low), PlotPoint(high, high)], .neutral, width: 1.2)]),
      PlotSeries(
        "window",
        [
          .line(
            [PlotPoint(1000 * s.window, low), PlotPoint(1000 * s.window, high)], .neutral,
            width: 1.2, dash: .dashed)
        ]),
    ]
    if groups.isEmpty {
      series.append(
        PlotSeries("structures", [.points(points(Array(reference.indices)), .blue)]))
    }
    for (group, sign) in zip(groups, signs) {
      series.append(
        PlotSeries(group.name, [.points(points(group.members), sign.0, shape: sign.1)]))
    }
    var summary =
      "The potential's energy above that of the ground state against the reference method's, for "
      + "\(model.count) structures. Pearson's coefficient is \(number(s.ranking.pearson, 3)); below "
      + "\(number(1000 * s.window, 0)) meV per atom the root mean square error is "
      + "\(number(s.low.fromGroundState.map { 1000 * $0 }, 1)) meV per atom."
    if outside > 0 { summary += " \(outside) structures lie outside of the axes." }
    return Plot(
      identifier: identifier, title: title, summary: summary,
      horizontal: PlotAxis("ΔE reference (meV/atom)", range: axis.range),
      vertical: PlotAxis("ΔE potential (meV/atom)", range: axis.range), series: series)
  }

  private static func number(_ value: Double?, _ digits: Int) -> String {
    value.map { TextColumn.fixed($0, digits) } ?? "undefined"
  }

  // MARK: Learning curve

  private var curvePlot: Plot {
    let sizes = learningCurve.map { Double($0.structureCount) }
    let statistics = learningCurve.map(\.comparison.statistics)
    func points(_ values: [Double?]) -> [PlotPoint] {
      zip(sizes, values).map { PlotPoint($0, $1 ?? .nan) }
    }
    func series(
      _ name: String, _ values: [Double?], _ color: PlotColor, _ shape: PlotMark.Shape
    ) -> PlotSeries {
      PlotSeries(
        name,
        [
          .line(points(values), color),
          .points(points(values), color, shape: shape, radius: 4, opacity: 1),
        ])
    }
    let fromGround = statistics.map { $0.low.fromGroundState.map { 1000 * $0 } }
    let fromMean = statistics.map { $0.low.fromMean.map { 1000 * $0 } }
    let pearson = statistics.map(\.ranking.pearson)
    let ticks = learningCurve.map { AxisTick(Double($0.structureCount), "\($0.structureCount)") }
    let range = 0.8 * (sizes.min() ?? 1)...1.25 * (sizes.max() ?? 1)
    let horizontal = PlotAxis(
      "training structures", range: range, scale: .logarithmic, ticks: ticks)
    let errors = (fromGround + fromMean).compactMap(\.self)
    let window = Self.number(1000 * comparison.statistics.window, 0)
    let side = 320.0
    return Plot(
      identifier: "learning-curve", title: "Learning curve",
      summary:
        "Error of energy differences below \(window) meV per atom, and Pearson's coefficient, of "
        + "refits to growing parts of the training set: "
        + learningCurve.indices.map {
          "\(learningCurve[$0].structureCount) structures, \(Self.number(fromGround[$0], 1)) meV per atom, "
            + "\(Self.number(pearson[$0], 3))"
        }.joined(separator: "; ") + ".",
      width: 78 + side + 90 + side + 170, height: 48 + side + 62,
      panels: [
        PlotPanel(
          frame: .init(left: 78, top: 48, width: side, height: side), horizontal: horizontal,
          vertical: PlotAxis("RMSE of ΔE (meV/atom)", covering: errors + [0]),
          series: [
            series("RMSE of ΔE", fromGround, .blue, .circle),
            series("RMSE from mean", fromMean, .green, .diamond),
          ]),
        PlotPanel(
          frame: .init(left: 78 + side + 90, top: 48, width: side, height: side),
          horizontal: horizontal,
          vertical: PlotAxis("Pearson's coefficient", covering: pearson.compactMap(\.self) + [1]),
          series: [series("Pearson", pearson, .orange, .square)]),
      ], legend: PlotPoint(78 + side + 90 + side + 14, 56))
  }
}
