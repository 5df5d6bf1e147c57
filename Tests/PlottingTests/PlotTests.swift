import Foundation
import Plotting
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

@Suite("Plots as SVG")
struct PlotTests {
  /// What an XML parser finds.
  private final class Reader: NSObject, XMLParserDelegate {
    var elements: [(name: String, attributes: [String: String], text: String)] = []
    private var open: [Int] = []

    func parser(
      _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
      qualifiedName: String?, attributes: [String: String]
    ) {
      open.append(elements.count)
      elements.append((name, attributes, ""))
    }

    func parser(
      _ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?
    ) { open.removeLast() }

    func parser(_ parser: XMLParser, foundCharacters text: String) {
      if let last = open.last { elements[last].text += text }
    }

    func paths(_ kind: String) -> [String] {
      elements.filter { $0.attributes["class"] == kind }.compactMap { $0.attributes["d"] }
    }
  }

  private func read(_ plot: Plot) throws -> Reader {
    let reader = Reader()
    let parser = XMLParser(data: Data(plot.svg().utf8))
    parser.delegate = reader
    try #require(parser.parse(), "\(parser.parserError.map { "\($0)" } ?? "no XML")")
    return reader
  }

  /// A square of 100 pixels from (78, 48) on, with axes from 0 to 10.
  private func plot(_ marks: [PlotMark], name: String? = nil, title: String = "t") -> Plot {
    Plot(
      identifier: "a", title: title, summary: "s", horizontal: PlotAxis("x", range: 0...10),
      vertical: PlotAxis("y", range: 0...10), series: [PlotSeries(name, marks)], side: 100)
  }

  @Test("A plot is well-formed, whatever its words hold, and tells title and summary")
  func wellFormed() throws {
    let title = "A < B & \"C\" > D\u{1}"
    let reader = try read(
      plot([.text("<&>", PlotPoint(5, 5))], name: "a & b", title: title))
    #expect(reader.elements.first?.name == "svg")
    #expect(reader.elements.first?.attributes["role"] == "img")
    let titles = reader.elements.filter { $0.name == "title" }
    #expect(titles.map(\.text) == ["A < B & \"C\" > D "])
    #expect(reader.elements.filter { $0.name == "desc" }.map(\.text) == ["s"])
    let names = (reader.elements.first?.attributes["aria-labelledby"] ?? "").split(separator: " ")
    let identifiers = reader.elements.compactMap { $0.attributes["id"] }
    #expect(names.map(String.init) == identifiers)
    let texts = reader.elements.filter { $0.name == "text" }.map(\.text)
    #expect(texts.contains("<&>") && texts.contains("a & b") && texts.contains("x"))
  }

  @Test("The same values give the same bytes, and nothing outside is referred to")
  func deterministic() {
    let marks: [PlotMark] = [
      .points((0..<50).map { PlotPoint(Double($0) / 5, Double($0 * $0) / 250) }, .blue),
      .line([PlotPoint(0, 0), PlotPoint(10, 10)], .neutral, dash: .dashed),
    ]
    let text = plot(marks).svg()
    #expect(text == plot(marks).svg())
    #expect(!text.contains("href") && !text.contains("url("))
    #expect(text.contains("prefers-color-scheme:dark"))
  }

  @Test("Points stand where their values are, and those outside of the axes are left out")
  func points() throws {
    let points = [
      PlotPoint(0, 0), PlotPoint(5, 2.5), PlotPoint(10, 10), PlotPoint(10.1, 5), PlotPoint(5, -1),
      PlotPoint(.nan, 3), PlotPoint(3, .infinity),
    ]
    for (shape, path) in [
      (PlotMark.Shape.circle, "M78 148h0M128 123h0M178 48h0"),
      (.square, "M78 148h0M128 123h0M178 48h0"),
      (.diamond, "M78 145l3 3 -3 3 -3 -3zM128 120l3 3 -3 3 -3 -3zM178 45l3 3 -3 3 -3 -3z"),
      (.triangle, "M78 145l3 6h-6zM128 120l3 6h-6zM178 45l3 6h-6z"),
    ] {
      let reader = try read(plot([.points(points, .green, shape: shape, radius: 3)]))
      let isFilled = shape == .diamond || shape == .triangle
      #expect(reader.paths(isFilled ? "plot-fill-green" : "plot-line-green") == [path])
    }
  }

  @Test("Lines are cut at the axes, and broken where a value is missing")
  func lines() throws {
    func path(_ points: [PlotPoint]) throws -> [String] {
      try read(plot([.line(points, .blue)])).paths("plot-line-blue")
    }
    // From (−5, 0) to (15, 20): inside from (0, 5) to (5, 10).
    #expect(try path([PlotPoint(-5, 0), PlotPoint(15, 20)]) == ["M78 98L128 48"])
    #expect(
      try path([
        PlotPoint(2, 2), PlotPoint(4, 2), PlotPoint(.nan, 0), PlotPoint(6, 2), PlotPoint(8, 2),
      ])
        == ["M98 128L118 128M138 128L158 128"])
    // Leaves through the top and comes back.
    #expect(
      try path([PlotPoint(2, 5), PlotPoint(4, 15), PlotPoint(6, 5)])
        == ["M98 98L108 48M128 48L138 98"])
    #expect(try path([PlotPoint(-1, 3), PlotPoint(-1, 8)]).isEmpty)
    #expect(try path([PlotPoint(20, 0), PlotPoint(0, 20.5)]).isEmpty)
  }

  @Test("Areas are cut at the axes")
  func areas() throws {
    func path(_ points: [PlotPoint]) throws -> [String] {
      try read(plot([.area(points, .orange)])).paths("plot-fill-orange")
    }
    let wide = [PlotPoint(-5, -5), PlotPoint(15, -5), PlotPoint(15, 15), PlotPoint(-5, 15)]
    let corners = try #require(try path(wide).first)
    for corner in ["78 48", "78 148", "178 48", "178 148"] { #expect(corners.contains(corner)) }
    #expect(corners.filter { $0 == "L" }.count == 3)
    #expect(
      try path([PlotPoint(2, 0), PlotPoint(4, 0), PlotPoint(4, 3)]) == ["M98 148L118 148L118 118z"])
    #expect(try path([PlotPoint(-3, 1), PlotPoint(-1, 1), PlotPoint(-2, 4)]).isEmpty)
  }

  @Test("The legend names every series once, with its signs, beside the axes")
  func legend() throws {
    let reader = try read(
      plot(
        [.points([PlotPoint(5, 5)], .blue), .line([PlotPoint(0, 0), PlotPoint(1, 1)], .blue)],
        name: "all"))
    #expect(reader.elements.filter { $0.text == "all" }.count == 1)
    // One path of points and one line inside, and one of each in the legend.
    #expect(reader.paths("plot-line-blue").count == 4)
    let bare = try read(plot([.points([PlotPoint(5, 5)], .blue)]))
    #expect(bare.paths("plot-line-blue").count == 1)
  }

  @Test(
    "Colours differ in lightness or hue for all, and each has one for light and one for dark ground"
  )
  func colors() {
    let text = plot([]).svg()
    for color in PlotColor.allCases {
      #expect(text.components(separatedBy: ".plot-fill-\(color.rawValue){fill:").count == 3)
    }
    let values = Set(text.matches(of: /\{fill:(#[0-9a-f]{6})\}/).map { String($0.output.1) })
    // Five on light and five on dark ground, two grounds and two inks.
    #expect(values.count == 14)
  }
}
