/// A pair of axes with what is drawn between them.
public struct PlotPanel: Sendable, Hashable {
  /// Where the axes stand in the picture, in pixels from its upper left corner.
  public struct Frame: Sendable, Hashable {
    /// The left end of the horizontal axis.
    public let left: Double
    /// The upper end of the vertical axis.
    public let top: Double
    /// The length of the horizontal axis.
    public let width: Double
    /// The length of the vertical axis.
    public let height: Double

    /// Creates a frame.
    public init(left: Double, top: Double, width: Double, height: Double) {
      self.left = left
      self.top = top
      self.width = width
      self.height = height
    }
  }

  /// Where the axes stand.
  public let frame: Frame
  /// The horizontal axis.
  public let horizontal: PlotAxis
  /// The vertical axis.
  public let vertical: PlotAxis
  /// What is drawn, the first below the others.
  public let series: [PlotSeries]

  /// Creates a panel.
  public init(
    frame: Frame, horizontal: PlotAxis, vertical: PlotAxis, series: [PlotSeries]
  ) {
    self.frame = frame
    self.horizontal = horizontal
    self.vertical = vertical
    self.series = series
  }

  /// Where a point lies between the axes: (0, 0) at the lower left, (1, 1) at the upper right.
  func fraction(of point: PlotPoint) -> PlotPoint {
    PlotPoint(horizontal.fraction(of: point.x), vertical.fraction(of: point.y))
  }

  /// Pixels of the picture from a place between the axes.
  func pixels(of fraction: PlotPoint) -> PlotPoint {
    PlotPoint(
      frame.left + frame.width * fraction.x, frame.top + frame.height * (1 - fraction.y))
  }
}
