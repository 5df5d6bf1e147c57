import Foundation
import Settings
import Testing

@Suite("Text that is no YAML is refused with its line")
struct SettingsDocumentTests {
  @Test(
    "Malformed text gives one message with the right line",
    arguments: [
      ("a: 1\n\tb: 2\n", 2, "tab"),
      ("a: 1\nb: [1, 2\n", 3, "no YAML"),
      ("a: 1\nb: 2\na: 3\n", 3, "a second time (first on line 1)"),
      ("a: *nowhere\n", 1, "alias *nowhere"),
      ("a: 1\n---\nb: 2\n", 3, "second document"),
      ("", 1, "empty file"),
      ("# only a comment\n", 1, "empty file"),
      ("a: 1\nb: 'open\n", 3, "no YAML"),
      ("a: 1\n  b: 2\n", 2, "no YAML"),
      ("? [a, b]\n: 1\n", 1, "a key that is a list"),
      ("a: 1\nb: %x\n", 2, "no YAML"),
    ])
  func malformed(text: String, line: Int, part: String) throws {
    let error = #expect(throws: SettingsError.self) {
      try SettingsDocument(text: text, path: "x.yaml")
    }
    #expect(error?.line == line)
    #expect(error?.description.contains(part) == true, "\(error?.description ?? "")")
    #expect(error?.description.contains("\n") == false)
  }

  @Test("Bytes that are no text are refused with their line")
  func notText() throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent(
      "polymorph-settings-\(UUID().uuidString).yaml")
    try Data("a: 1\nb: ".utf8 + [0xFF, 0xFE, 0x00]).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let error = #expect(throws: SettingsError.self) { try SettingsDocument(path: file.path) }
    #expect(error?.line == 2)
  }

  @Test("A missing file is named")
  func missing() throws {
    let error = #expect(throws: SettingsError.self) {
      try SettingsDocument(path: "/nonexistent/campaign.yaml")
    }
    #expect(error?.file == "/nonexistent/campaign.yaml")
    #expect(error?.line == nil)
    #expect(error?.found.contains("No such file") == true, "\(error?.found ?? "")")
  }

  @Test("A list at the top is no campaign")
  func listAtTop() throws {
    let error = #expect(throws: SettingsError.self) {
      try SettingsDocument(text: "- 1\n- 2\n", path: "x.yaml").mapping()
    }
    #expect(
      error?.description == "x.yaml:1: found a list of 2, allowed: keys with values (key: value)")
  }

  @Test("Nested aliases cannot fill the memory")
  func billionLaughs() throws {
    var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for level in 1...9 {
      let alias = "*a\(level - 1)"
      text +=
        "a\(level): &a\(level) [\(Array(repeating: alias, count: 10).joined(separator: ", "))]\n"
    }
    let error = #expect(throws: SettingsError.self) {
      try SettingsDocument(text: text, path: "x.yaml")
    }
    #expect(error?.allowed == "a smaller file")
    let deep = String(repeating: "[", count: 5000) + String(repeating: "]", count: 5000)
    #expect(throws: SettingsError.self) { try SettingsDocument(text: deep, path: "x.yaml") }
  }

  @Test("What is written is read back as the same tree")
  func roundTrip() throws {
    let tree = SettingsNode.mapping([
      .init("title", .text("TiO2 at: \"high\" pressure # really\nsecond line \\ é 結晶")),
      .init(
        "number-like", .list([.text("5"), .text("true"), .text("null"), .text(""), .text("- x")])),
      .init("seed", .integer(-20)),
      .init(
        "numbers",
        .list([.number(0.1), .number(1e-300), .number(5), .number(-0.0), .number(1.0 / 3.0)])),
      .init("flag", .flag(true)),
      .init(
        "reference",
        .mapping([
          .init("kind", .text("buckingham")),
          .init(
            "pairs",
            .list(
              (0..<5).map { index in
                .mapping([
                  .init("elements", .list([.text("Ti"), .text("O")])),
                  .init("A", .number(16957.5 * Double(index))), .init("path", .text("a/b c.d")),
                ])
              })),
        ])),
      .init("empty", .mapping([])), .init("none", .list([])),
    ])
    let text = tree.yaml()
    let read = try SettingsDocument(text: text, path: "x").root
    #expect(Self.plain(read) == Self.plain(tree), "\(text)")
    #expect(read.yaml() == text)
    // A text that looks like a number stays a text.
    var reader = try SettingsDocument(text: text, path: "x").mapping()
    let first = try reader.required("number-like").list()[0]
    #expect(throws: SettingsError.self) { try first.integer(in: 0...10) }
    let numbers = try reader.required("numbers").numbers(in: -10...10)
    #expect(numbers.map(\.bitPattern) == [0.1, 1e-300, 5, -0.0, 1.0 / 3.0].map(\.bitPattern))
  }

  /// The tree without lines and quotes.
  private static func plain(_ node: SettingsNode) -> SettingsNode {
    switch node.content {
    case .scalar(let text, _): .text(text)
    case .list(let values): .list(values.map(plain))
    case .mapping(let entries): .mapping(entries.map { .init($0.key, plain($0.value)) })
    }
  }
}

@Suite("Close names are suggested")
struct NameSuggestionTests {
  @Test(
    "The closest name wins",
    arguments: [
      ("populaton", "population"), ("windwo", "window"), ("space-groups", "space_groups"),
      ("Population", "population"), ("candidate", "candidates"),
    ])
  func close(name: String, expected: String) {
    let known = ["candidates", "population", "window", "space_groups"]
    #expect(NameSuggestion.closest(to: name, among: known) == expected)
  }

  @Test("A far name suggests nothing", arguments: ["zzz", "x", "temperature"])
  func far(name: String) {
    #expect(NameSuggestion.closest(to: name, among: ["window", "population"]) == nil)
  }
}
