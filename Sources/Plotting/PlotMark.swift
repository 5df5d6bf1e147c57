/// A place in a plot, in the units of its axes.
public struct PlotPoint: Sendable, Hashable {
  /// Along the horizontal axis.
  public var x: Double
  /// Along the vertical axis.
  public var y: Double

  /// Creates a point.
  public init(_ x: Double, _ y: Double) {
    self.x = x
    self.y = y
  }

  var isFinite: Bool { x.isFinite && y.isFinite }
}

/// Colours that are told apart with any kind of colour vision, and on light and dark ground.
///
/// After M. Okabe & K. Ito, Color Universal Design (2008); for dark ground lighter ones.
public enum PlotColor: String, Sendable, Hashable, CaseIterable {
  /// The first to use.
  case blue
  /// The second.
  case orange
  /// The third.
  case green
  /// The fourth.
  case purple
  /// Guides and what is no data.
  case neutral

  /// As it is on light ground.
  var onLight: String {
    switch self {
    case .blue: "#0072b2"
    case .orange: "#d55e00"
    case .green: "#009e73"
    case .purple: "#aa4499"
    case .neutral: "#6e7781"
    }
  }

  /// As it is on dark ground.
  var onDark: String {
    switch self {
    case .blue: "#56b4e9"
    case .orange: "#f5a142"
    case .green: "#2cc295"
    case .purple: "#dd8fbf"
    case .neutral: "#8b949e"
    }
  }
}

/// What is drawn inside the axes; whatever leaves them is cut off.
public enum PlotMark: Sendable, Hashable {
  /// The shape of a point, a second sign beside its colour.
  public enum Shape: Sendable, Hashable {
    /// A disc.
    case circle
    /// A square.
    case square
    /// A square on its corner.
    case diamond
    /// A triangle with its point up.
    case triangle
  }

  /// How a line is drawn.
  public enum Dash: String, Sendable, Hashable {
    /// In one stroke.
    case solid
    /// In long parts.
    case dashed
    /// In short parts.
    case dotted
  }

  /// Points; `radius` in pixels, `opacity` from 0 to 1.
  case points(
    [PlotPoint], PlotColor, shape: Shape = .circle, radius: Double = 3, opacity: Double = 0.75)
  /// A line from point to point, broken where one is not finite; `width` in pixels.
  case line([PlotPoint], PlotColor, width: Double = 1.5, dash: Dash = .solid)
  /// The inside of a closed curve; `opacity` from 0 to 1.
  case area([PlotPoint], PlotColor, opacity: Double = 0.25)
  /// A text that begins at a point.
  case text(String, PlotPoint)
}

/// Marks that belong together under one name.
public struct PlotSeries: Sendable, Hashable {
  /// The name in the legend; `nil` for none.
  public let name: String?
  /// What is drawn, the first below the others; the legend shows the sign of each kind.
  public let marks: [PlotMark]

  /// Creates a series.
  public init(_ name: String? = nil, _ marks: [PlotMark]) {
    self.name = name
    self.marks = marks
  }
}
