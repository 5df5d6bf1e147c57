/// A picture of one or more panels, written as SVG.
///
/// The text depends on nothing but the values, and holds no reference to anything outside. It can be a file of
/// its own, or stand inside a page: names in it begin with `identifier`.
public struct Plot: Sendable, Hashable {
  /// What the names inside begin with; letters, digits and hyphens, different for each plot of one page.
  public let identifier: String
  /// The heading, which screen readers tell too.
  public let title: String
  /// What can be seen, in a sentence or two for those who cannot see it.
  public let summary: String
  /// Width in pixels.
  public let width: Double
  /// Height in pixels.
  public let height: Double
  /// The panels.
  public let panels: [PlotPanel]
  /// The upper left corner of the legend in pixels; `nil` for no legend.
  public let legend: PlotPoint?

  /// Creates a plot.
  ///
  /// - Parameters:
  ///   - identifier: What the names inside begin with.
  ///   - title: The heading.
  ///   - summary: What can be seen.
  ///   - width: In pixels.
  ///   - height: In pixels.
  ///   - panels: The panels.
  ///   - legend: The upper left corner of the legend in pixels.
  public init(
    identifier: String, title: String, summary: String, width: Double, height: Double,
    panels: [PlotPanel], legend: PlotPoint? = nil
  ) {
    precondition(
      !identifier.isEmpty
        && identifier.utf8.allSatisfy { byte in
          byte == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte & 0xDF)
        }, "an identifier is made of letters, digits and hyphens")
    precondition(width > 0 && height > 0, "a plot has a size")
    self.identifier = identifier
    self.title = title
    self.summary = summary
    self.width = width
    self.height = height
    self.panels = panels
    self.legend = legend
  }

  /// Creates a plot of one panel, with the legend at its right where a series has a name.
  ///
  /// - Parameters:
  ///   - identifier: What the names inside begin with.
  ///   - title: The heading.
  ///   - summary: What can be seen.
  ///   - horizontal: The horizontal axis.
  ///   - vertical: The vertical axis.
  ///   - series: What is drawn.
  ///   - side: The length of both axes in pixels.
  public init(
    identifier: String, title: String, summary: String, horizontal: PlotAxis, vertical: PlotAxis,
    series: [PlotSeries], side: Double = 400
  ) {
    let hasLegend = series.contains { $0.name != nil }
    let frame = PlotPanel.Frame(left: 78, top: 48, width: side, height: side)
    self.init(
      identifier: identifier, title: title, summary: summary,
      width: frame.left + side + (hasLegend ? 190 : 24), height: frame.top + side + 62,
      panels: [
        PlotPanel(frame: frame, horizontal: horizontal, vertical: vertical, series: series)
      ],
      legend: hasLegend ? PlotPoint(frame.left + side + 18, frame.top + 8) : nil)
  }

  /// The plot as a complete SVG 1.1 document.
  ///
  /// - Complexity: O(points)
  public func svg() -> String {
    var writer = SVGWriter()
    writer.write(self)
    return writer.text
  }
}
