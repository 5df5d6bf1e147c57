import Settings
import Testing

/// Reads `text` with `read` and returns the message of the error, which must come.
func message(
  _ text: String, _ read: (inout SettingsReader) throws -> Void
) throws -> String {
  let error = #expect(throws: SettingsError.self) {
    var reader = try SettingsDocument(text: text, path: "campaign.yaml").mapping()
    try read(&reader)
    try reader.finish()
  }
  return try #require(error).description
}

@Suite("Settings are read with their place in the file")
struct SettingsReaderTests {
  enum Engine: String, CaseIterable { case buckingham, vasp, espresso }

  @Test("A complete file gives its values")
  func complete() throws {
    var reader = try SettingsDocument(
      text: """
        # a comment
        title: "rutile: the test"
        seed: 20261120
        pressure: -1.5e2   # GPa
        adaptive: true
        engine: vasp
        weights: [1, 0.01, 1e-3]
        counts:
          - 2
          - 4
        search: &anchor
          window: 16
        other: *anchor
        nothing: null
        """, path: "campaign.yaml"
    ).mapping()
    #expect(try reader.required("title").string() == "rutile: the test")
    #expect(try reader.required("seed").integer(in: 0...Int.max) == 20_261_120)
    #expect(try reader.required("pressure").number(in: -500...500, unit: "GPa") == -150)
    #expect(try reader.required("adaptive").flag())
    #expect(try reader.required("engine").enumeration(Engine.self) == .vasp)
    #expect(try reader.required("weights").numbers(in: 0...1, counts: 3...3) == [1, 0.01, 0.001])
    #expect(try reader.required("counts").integers(in: 1...100) == [2, 4])
    for key in ["search", "other", "absent"] {
      var section = try reader.section(key)
      let window = try section.optional("window")?.integer(in: 1...100)
      #expect(window == (key == "absent" ? nil : 16))
      try section.finish()
    }
    #expect(reader.optional("nothing") == nil)
    try reader.finish()
  }

  @Test(
    "A wrong value is named with file, line, key, what was found and what is allowed",
    arguments: [
      ("population: -3", "found -3, allowed: an integer from 2 to 10000; try 32"),
      ("population: 3.5", "found 3.5, allowed: an integer from 2 to 10000; try 32"),
      ("population: '32'", "found the text '32', allowed: an integer from 2 to 10000; try 32"),
      ("population: [1, 2]", "found a list of 2, allowed: an integer from 2 to 10000; try 32"),
      ("population:", "found nothing, allowed: an integer from 2 to 10000; try 32"),
      (
        "population: 99999999999999999999",
        "found 99999999999999999999, allowed: an integer from 2 to 10000; try 32"
      ),
    ])
  func wrongInteger(line: String, expected: String) throws {
    let text = "title: x\nsearch:\n  \(line)\n"
    let found = try message(text) { reader in
      _ = reader.optional("title")
      var search = try reader.section("search")
      _ = try search.required("population").integer(in: 2...10000, suggestion: "try 32")
    }
    #expect(found == "campaign.yaml:3: search.population: \(expected)")
  }

  @Test(
    "Only finite decimal numbers inside the range are numbers",
    arguments: [
      ".nan", ".inf", "-.inf", "nan", "inf", "0x10", "1e400", "abc", "'5'", "-1", "101", "[5]",
      "1_000", "--5", "e5", "5 eV",
    ])
  func wrongNumber(text: String) throws {
    let found = try message("cutoff: \(text)") {
      _ = try $0.required("cutoff").number(in: 0...100, unit: "Å")
    }
    #expect(found.hasPrefix("campaign.yaml:1: cutoff: found "))
    #expect(found.contains("allowed: a number from 0 to 100 Å"))
  }

  @Test("A number with its unit is answered with the unit to leave out")
  func numberWithUnit() throws {
    let found = try message("cutoff: 5.0 nm") {
      _ = try $0.required("cutoff").positiveNumber(unit: "Å")
    }
    #expect(
      found
        == "campaign.yaml:1: cutoff: found 5.0 nm, allowed: a number above 0 Å; "
        + "write the number alone; its unit is Å")
  }

  @Test("An unknown key is named with the closest known one")
  func unknownKey() throws {
    let found = try message("search:\n  window: 4\n  populaton: 32\n") { reader in
      var search = try reader.section("search")
      _ = search.optional("window")
      _ = search.optional("population")
      try search.finish()
    }
    #expect(
      found
        == "campaign.yaml:3: search.populaton: found an unknown key, allowed: window, population; "
        + "did you mean 'population'?")
  }

  @Test("A missing key points to the line that probably means it")
  func missingKey() throws {
    let found = try message("title: x\nsed: 5\n") {
      _ = $0.optional("title")
      _ = try $0.required("seed", "an integer")
    }
    #expect(
      found
        == "campaign.yaml:2: seed: found no such key, allowed: an integer (required); "
        + "did you mean 'seed' by 'sed'?")
  }

  @Test("An unknown word is answered with the known ones")
  func unknownWord() throws {
    let found = try message("engine: vsap") {
      _ = try $0.required("engine").enumeration(Engine.self)
    }
    #expect(
      found
        == "campaign.yaml:1: engine: found vsap, allowed: one of buckingham, vasp, espresso; "
        + "did you mean 'vasp'?")
  }

  @Test("The place in a list counts from one")
  func listPlace() throws {
    let found = try message("pairs:\n  - {rho: 1}\n  - {rho: x}\n") { reader in
      for value in try reader.required("pairs").list() {
        var pair = try value.mapping()
        _ = try pair.required("rho").number(in: 0...1)
      }
    }
    #expect(
      found == "campaign.yaml:3: pairs[2].rho: found x, allowed: a number from 0 to 1")
  }

  @Test("Truth values are true and false", arguments: ["yes", "True", "1", "'true'"])
  func truth(text: String) throws {
    let found = try message("adaptive: \(text)") { _ = try $0.required("adaptive").flag() }
    #expect(found.hasSuffix("allowed: true or false"))
  }
}
