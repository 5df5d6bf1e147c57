/// Writes a plot as SVG.
struct SVGWriter {
  private(set) var text = ""

  private static let fontSize = 12.0
  private static let lineHeight = 18.0

  /// Appends a plot.
  mutating func write(_ plot: Plot) {
    let (width, height) = (Self.number(plot.width), Self.number(plot.height))
    let (title, summary) = ("\(plot.identifier)-title", "\(plot.identifier)-summary")
    line(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" width=\"\(width)\" height=\"\(height)\" "
        + "viewBox=\"0 0 \(width) \(height)\" role=\"img\" aria-labelledby=\"\(title) \(summary)\" "
        + "font-family=\"system-ui, sans-serif\" font-size=\"\(Self.number(Self.fontSize))\">")
    line("<title id=\"\(title)\">\(Self.escaped(plot.title))</title>")
    line("<desc id=\"\(summary)\">\(Self.escaped(plot.summary))</desc>")
    line("<style>\(Self.style)</style>")
    line("<rect class=\"plot-ground\" width=\"\(width)\" height=\"\(height)\"/>")
    for panel in plot.panels {
      axes(panel)
      for series in panel.series { series.marks.forEach { mark($0, panel) } }
    }
    heading(plot)
    legend(plot)
    line("</svg>")
  }

  // Colours by class, so that a reader's dark ground changes them all. Fills and strokes have classes of
  // their own: a mark has one of both.
  private static let style: String = {
    func rules(_ color: (PlotColor) -> String) -> String {
      PlotColor.allCases.map {
        ".plot-fill-\($0.rawValue){fill:\(color($0))}.plot-line-\($0.rawValue){stroke:\(color($0))}"
      }.joined()
    }
    return ".plot-ground{fill:#ffffff}.plot-ink{fill:#1f2328}.plot-frame{stroke:#57606a}"
      + ".plot-grid{stroke:#e4e8ec}" + rules(\.onLight)
      + "@media (prefers-color-scheme:dark){.plot-ground{fill:#0d1117}.plot-ink{fill:#e6edf3}"
      + ".plot-frame{stroke:#8b949e}.plot-grid{stroke:#262c34}" + rules(\.onDark) + "}"
  }()

  // MARK: Axes

  private mutating func axes(_ panel: PlotPanel) {
    let frame = panel.frame
    var grid = ""
    for tick in panel.horizontal.ticks {
      let x = panel.pixels(of: PlotPoint(panel.horizontal.fraction(of: tick.value), 0)).x
      grid += "M\(Self.number(x)) \(Self.number(frame.top))v\(Self.number(frame.height))"
      guard panel.horizontal.showsNumbers else { continue }
      write(tick.label, at: PlotPoint(x, frame.top + frame.height + 17), anchor: "middle")
    }
    for tick in panel.vertical.ticks {
      let y = panel.pixels(of: PlotPoint(0, panel.vertical.fraction(of: tick.value))).y
      grid += "M\(Self.number(frame.left)) \(Self.number(y))h\(Self.number(frame.width))"
      guard panel.vertical.showsNumbers else { continue }
      write(tick.label, at: PlotPoint(frame.left - 7, y + 4), anchor: "end")
    }
    if !grid.isEmpty { line("<path class=\"plot-grid\" fill=\"none\" d=\"\(grid)\"/>") }
    line(
      "<rect class=\"plot-frame\" fill=\"none\" x=\"\(Self.number(frame.left))\" "
        + "y=\"\(Self.number(frame.top))\" width=\"\(Self.number(frame.width))\" "
        + "height=\"\(Self.number(frame.height))\"/>")
    if !panel.horizontal.label.isEmpty {
      write(
        panel.horizontal.label,
        at: PlotPoint(frame.left + frame.width / 2, frame.top + frame.height + 42),
        anchor: "middle")
    }
    if !panel.vertical.label.isEmpty {
      let (x, y) = (frame.left - 56, frame.top + frame.height / 2)
      let place = "\(Self.number(x)) \(Self.number(y))"
      line(
        "<text class=\"plot-ink\" text-anchor=\"middle\" transform=\"translate(\(place)) rotate(-90)\">"
          + "\(Self.escaped(panel.vertical.label))</text>")
    }
  }

  // MARK: Marks

  private mutating func mark(_ mark: PlotMark, _ panel: PlotPanel) {
    switch mark {
    case .points(let points, let color, let shape, let radius, let opacity):
      let places = points.map(panel.fraction).filter(PlotClipping.contains).map(panel.pixels)
      self.points(places, color, shape, radius: radius, opacity: opacity)
    case .line(let points, let color, let width, let dash):
      let parts = PlotClipping.line(points.map(panel.fraction)).map { $0.map(panel.pixels) }
      stroke(parts, color, width: width, dash: dash)
    case .area(let points, let color, let opacity):
      fill(
        PlotClipping.polygon(points.map(panel.fraction)).map(panel.pixels), color, opacity: opacity)
    case .text(let text, let point):
      let place = panel.fraction(of: point)
      guard PlotClipping.contains(place) else { return }
      write(text, at: panel.pixels(of: place), anchor: "start")
    }
  }

  // All points are one path: a circle or a square is the cap of a line without length.
  private mutating func points(
    _ places: [PlotPoint], _ color: PlotColor, _ shape: PlotMark.Shape, radius: Double,
    opacity: Double
  ) {
    guard !places.isEmpty else { return }
    let r = Self.number(radius)
    var path = ""
    for place in places {
      let (x, y) = (Self.number(place.x), Self.number(place.y))
      switch shape {
      case .circle, .square: path += "M\(x) \(y)h0"
      case .diamond:
        path += "M\(x) \(Self.number(place.y - radius))l\(r) \(r) -\(r) \(r) -\(r) -\(r)z"
      case .triangle:
        path +=
          "M\(x) \(Self.number(place.y - radius))l\(r) \(Self.number(2 * radius))"
          + "h-\(Self.number(2 * radius))z"
      }
    }
    switch shape {
    case .circle, .square:
      line(
        "<path class=\"plot-line-\(color.rawValue)\" fill=\"none\" stroke-opacity=\"\(Self.number(opacity))\" "
          + "stroke-width=\"\(Self.number(2 * radius))\" "
          + "stroke-linecap=\"\(shape == .circle ? "round" : "square")\" d=\"\(path)\"/>")
    case .diamond, .triangle:
      line(
        "<path class=\"plot-fill-\(color.rawValue)\" fill-opacity=\"\(Self.number(opacity))\" d=\"\(path)\"/>"
      )
    }
  }

  private mutating func stroke(
    _ parts: [[PlotPoint]], _ color: PlotColor, width: Double, dash: PlotMark.Dash
  ) {
    guard !parts.isEmpty else { return }
    let pattern =
      switch dash {
      case .solid: ""
      case .dashed: " stroke-dasharray=\"6 4\""
      case .dotted: " stroke-dasharray=\"1.5 3\""
      }
    line(
      "<path class=\"plot-line-\(color.rawValue)\" fill=\"none\" stroke-linejoin=\"round\" "
        + "stroke-width=\"\(Self.number(width))\"\(pattern) d=\"\(parts.map(Self.path).joined())\"/>"
    )
  }

  private mutating func fill(_ polygon: [PlotPoint], _ color: PlotColor, opacity: Double) {
    guard polygon.count > 2 else { return }
    line(
      "<path class=\"plot-fill-\(color.rawValue)\" fill-opacity=\"\(Self.number(opacity))\" "
        + "d=\"\(Self.path(polygon))z\"/>")
  }

  private static func path(_ points: [PlotPoint]) -> String {
    let places = points.map { "\(number($0.x)) \(number($0.y))" }
    return "M" + places.joined(separator: "L")
  }

  // MARK: Words

  private mutating func heading(_ plot: Plot) {
    let x = plot.panels.first?.frame.left ?? 12
    line(
      "<text class=\"plot-ink\" font-size=\"15\" font-weight=\"600\" x=\"\(Self.number(x))\" y=\"26\">"
        + "\(Self.escaped(plot.title))</text>")
  }

  // Every name once, with the signs of the first series that bears it.
  private mutating func legend(_ plot: Plot) {
    guard let corner = plot.legend else { return }
    var known: [String] = []
    for series in plot.panels.flatMap(\.series) {
      guard let name = series.name, !known.contains(name) else { continue }
      let y = corner.y + Self.lineHeight * Double(known.count)
      known.append(name)
      for mark in series.marks {
        switch mark {
        case .points(_, let color, let shape, let radius, _):
          points(
            [PlotPoint(corner.x + 10, y)], color, shape, radius: max(3, radius), opacity: 1)
        case .line(_, let color, let width, let dash):
          stroke(
            [[PlotPoint(corner.x, y), PlotPoint(corner.x + 20, y)]], color, width: width, dash: dash
          )
        case .area(_, let color, let opacity):
          let (left, right) = (corner.x, corner.x + 20)
          fill(
            [
              PlotPoint(left, y - 5), PlotPoint(right, y - 5), PlotPoint(right, y + 5),
              PlotPoint(left, y + 5),
            ], color, opacity: opacity)
        case .text: break
        }
      }
      write(name, at: PlotPoint(corner.x + 27, y + 4), anchor: "start")
    }
  }

  private mutating func write(_ text: String, at place: PlotPoint, anchor: String) {
    line(
      "<text class=\"plot-ink\" text-anchor=\"\(anchor)\" x=\"\(Self.number(place.x))\" "
        + "y=\"\(Self.number(place.y))\">\(Self.escaped(text))</text>")
  }

  private mutating func line(_ line: String) { text += line + "\n" }

  // MARK: Text of XML

  /// A number with at most two decimals, without language or exponent.
  static func number(_ value: Double) -> String {
    let hundredths = Int((100 * value).rounded())
    let (whole, rest) = (abs(hundredths) / 100, abs(hundredths) % 100)
    let sign = hundredths < 0 ? "-" : ""
    guard rest > 0 else { return "\(sign)\(whole)" }
    return "\(sign)\(whole)."
      + (rest % 10 == 0 ? "\(rest / 10)" : rest < 10 ? "0\(rest)" : "\(rest)")
  }

  /// A text as XML may hold it; control characters, which it may not, become blanks.
  static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case _ where scalar.value < 32 || (0xFFFE...0xFFFF).contains(scalar.value): result += " "
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
