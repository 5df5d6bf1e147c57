import Coordinator
import Crystal
import Foundation
import NumericalCore
import ReferenceEngines
import Settings
import StructureFormats
import TestSupport
import Testing

@Suite("Exports for electronic-structure programs")
struct ExportTests {
  /// The primitive cell of diamond silicon, 2 atoms.
  static func silicon() throws -> Structure {
    let si = try ClassicalModels.element("Si")
    return try Structure(
      lattice: Lattice(
        Matrix3(rows: Vector3(0, 2.73, 2.73), Vector3(2.73, 0, 2.73), Vector3(2.73, 2.73, 0))),
      species: [si, si],
      fractionalPositions: [.zero, Vector3(0.25, 0.25, 0.25)])
  }

  private static func folder() throws -> URL {
    try #require(Bundle.module.url(forResource: "Fixtures", withExtension: nil))
      .appendingPathComponent("export")
  }

  private static let installed = "/usr/share/espresso/pseudo"

  /// An export by its name in the fixtures; pseudopotentials lie in `pseudo/`.
  private static func export(_ name: String, _ place: Workplace) throws -> any CalculationExport {
    switch name {
    case "vasp": return VASPExport(settings: VASPSettings(), pressureGPa: 10)
    case "espresso":
      let fixture = try folder().appendingPathComponent("pseudopotentials.yaml")
      let text = try String(contentsOf: fixture, encoding: .utf8)
      try #require(text.contains("folder: \(installed)\n"))
      try FileManager.default.createDirectory(
        atPath: place.path("pseudo"), withIntermediateDirectories: true)
      try AtomicFile.write("", to: place.path("pseudo/Si.pbe-rrkj.UPF"))
      let path = place.path("pseudo.yaml")
      try AtomicFile.write(text.replacingOccurrences(of: installed, with: "pseudo"), to: path)
      return EspressoExport(pseudopotentials: try PseudopotentialList(path: path), pressureGPa: 10)
    default: return CP2KExport(pressureGPa: 10)
    }
  }

  @Test("Every input file is the one that was checked", arguments: ["vasp", "espresso", "cp2k"])
  func golden(name: String) throws {
    let place = try Workplace()
    let export = try Self.export(name, place)
    let files = try export.files(for: Self.silicon(), title: "Si2 candidate 7")
    let golden = try Self.folder().appendingPathComponent(name)
    let names = try #require(
      FileManager.default.enumerator(atPath: golden.path)?.allObjects as? [String]
    ).filter { !["relax", "static"].contains($0) }
    #expect(files.map(\.path).sorted() == names.sorted())
    for file in files {
      let expected = try String(
        contentsOf: golden.appendingPathComponent(file.path), encoding: .utf8)
      // A relative folder is written as an absolute one.
      let text = file.text.replacingOccurrences(
        of: "'\(place.path("pseudo"))'", with: "'\(Self.installed)'")
      let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
      let others = expected.split(separator: "\n", omittingEmptySubsequences: false)
      #expect(lines.count == others.count)
      for (line, other) in zip(lines, others) {
        #expect(Self.isEqual(line, other), "\(name)/\(file.path): \(line), expected \(other)")
      }
    }
  }

  /// Whether lines agree word by word, numbers to roundoff: fractional positions come by division.
  private static func isEqual(_ line: Substring, _ other: Substring) -> Bool {
    let indent = line.prefix { $0 == " " }.count
    let (words, others) = (line.split(separator: " "), other.split(separator: " "))
    guard indent == other.prefix(while: { $0 == " " }).count, words.count == others.count else {
      return false
    }
    return zip(words, others).allSatisfy { word, other in
      if word == other { return true }
      guard let a = Double(word), let b = Double(other) else { return false }
      return abs(a - b) < 1e-12
    }
  }

  @Test("The script relaxes with two restarts, then computes, and does nothing twice")
  func script() throws {
    let place = try Workplace()
    let library = place.path("potpaw")
    try FileManager.default.createDirectory(
      atPath: library + "/Si", withIntermediateDirectories: true)
    try AtomicFile.write("  PAW_PBE Si 05Jan2001\n End of Dataset\n", to: library + "/Si/POTCAR")
    var settings = VASPSettings()
    settings.potentials.folder = library
    let export = VASPExport(settings: settings, pressureGPa: 10)
    // At 10 GPa the stand-in's cell is far from rest.
    let files = try export.files(for: Self.silicon(), title: "Si2")
    let common = export.commonFiles()
    for file in files.map({ ("one/\($0.path)", $0.text) }) + common.map({ ($0.path, $0.text) }) {
      let url = place.folder.appendingPathComponent("out/\(file.0)")
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try AtomicFile.write(file.1, to: url.path)
    }
    let run = BuiltProgram(at: "/bin/sh")
    let standIn = BuiltProgram("VASPStandIn").path
    let outcome = try run.run(
      [place.path("out/run.sh")], in: place.folder, environment: ["VASP": standIn])
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output == "one/\n")
    let one = place.path("out/one")
    let label = try #require(try StructureFile.read(one + "/static/vasprun.xml").first)
    #expect(label.labelled != nil)
    for number in 1...3 {
      #expect(FileManager.default.fileExists(atPath: "\(one)/relax/OUTCAR.\(number)"))
    }
    let gigapascals = PhysicalConstants.gigapascalsPerElectronvoltPerCubicAngstrom
    let pressure = -(try #require(label.stress)).trace / 3 * gigapascals
    #expect(abs(pressure - 10) < 0.3, "\(pressure) GPa")
    #expect(abs(label.structure.volume - (try Self.silicon().volume)) > 1)
    let again = try run.run(
      [place.path("out/run.sh")], in: place.folder, environment: ["VASP": "false"])
    #expect(again.status == 0 && again.output.isEmpty, "\(again.output)\(again.errors)")
    // One that fails does not keep the next from being tried.
    for name in ["three", "two"] {
      try FileManager.default.createDirectory(
        atPath: place.path("out/\(name)/relax"), withIntermediateDirectories: true)
    }
    let failing = try run.run(
      [place.path("out/run.sh")], in: place.folder, environment: ["VASP": standIn])
    #expect(failing.status == 1 && failing.output == "three/\ntwo/\n", "\(failing.output)")
    #expect(failing.errors == "three/: failed\ntwo/: failed\n", "\(failing.errors)")
    let unset = try run.run([place.path("out/run.sh")], in: place.folder)
    #expect(unset.status != 0 && unset.errors.contains("mpirun"), "\(unset.errors)")
  }

  @Test("Potentials come from the library, or their names are listed")
  func potentials() throws {
    let structure = try Self.silicon()
    let listed = try VASPExport(settings: VASPSettings(), pressureGPa: 0)
      .files(for: structure, title: "Si2")
    #expect(listed.filter { $0.path.hasSuffix("POTCAR.list") }.map(\.text) == ["Si\n", "Si\n"])
    #expect(!listed.contains { $0.text.contains("PSTRESS") })
    var settings = VASPSettings()
    settings.potentials.folder = "/nowhere"
    #expect {
      try VASPExport(settings: settings, pressureGPa: 0).files(for: structure, title: "Si2")
    } throws: { "\($0)".contains("/nowhere/Si/POTCAR") }
  }

  @Test("Pseudopotentials that are not named are asked for")
  func pseudopotentials() throws {
    let place = try Workplace()
    let path = place.path("pseudo.yaml")
    func list(_ text: String) throws -> PseudopotentialList {
      try AtomicFile.write(text, to: path)
      return try PseudopotentialList(path: path)
    }
    for name in ["Ti.upf", "a"] { try AtomicFile.write("", to: place.path(name)) }
    let other = try list("folder: .\nfiles: {Ti: Ti.upf}\n")
    #expect {
      try EspressoExport(pseudopotentials: other, pressureGPa: 0)
        .files(for: Self.silicon(), title: "Si2")
    } throws: { "\($0)".contains("no pseudopotential of Si") }
    for (text, mention) in [
      ("files: {Si: a}\n", "folder"), ("folder: .\n", "files"),
      ("folder: .\nfiles: {Sj: a}\n", "element symbols"),
      ("folder: .\nfiles: {Si: a}\ncutof: 300\n", "cutoff"),
      ("folder: .\nfiles: {Si: a}\ncutoff: 300\ndensity_cutoff: 300\n", "density_cutoff"),
      (
        "folder: .\nfiles:\n  Si: b\n",
        "\(path):3: files.Si: found no file \(place.path("b")), allowed: a pseudopotential"
      ),
      ("folder: /x\nfiles: {Si: a}\n", "found no file /x/a"),
    ] {
      #expect(throws: SettingsError.self) { try list(text) }
      #expect {
        try list(text)
      } throws: { "\($0)".contains(mention) }
    }
  }

  /// The lines of the two inputs that an export by a campaign's own method writes, and of the engine's.
  private static func inputs(
    _ program: some CalculationProgram, _ format: CandidateExport.Format, _ names: [String]
  ) throws -> (relaxation: [Substring], single: [Substring], own: [Substring], common: [String]) {
    func lines(_ text: String) -> [Substring] { text.split(separator: "\n") }
    let options = ExportOptions(for: ReferenceSettings(.external(ExternalMethod(program))))
    let export = try #require(try options.calculation(format, pressureGPa: 10))
    let files = try export.files(for: silicon(), title: "Si2")
    try #require(files.map(\.path) == names)
    let own = try #require(try program.inputs(for: silicon(), attempt: .regular).first)
    guard case .text(let text) = own.content else { throw CampaignError.failed("no input") }
    return (
      lines(files[0].text), lines(files[1].text), lines(text),
      export.commonFiles().map(\.path) + (try export.copies().map(\.name))
    )
  }

  @Test("A campaign by Quantum ESPRESSO exports the inputs of its own labels")
  func espressoCampaign() throws {
    let place = try Workplace()
    let si = try ClassicalModels.element("Si")
    try AtomicFile.write("<UPF version=\"2.0.1\">\n", to: place.path("Si.upf"))
    var parameters = EspressoProgram.Parameters(
      pseudopotentials: [si: try PseudopotentialFile(path: place.path("Si.upf"))], cutoff: 20)
    parameters.kPointSpacing = 0.5
    parameters.isSpinPolarized = true
    parameters.extra = ["control": ["etot_conv_thr": "1d-3"]]
    let program = EspressoProgram(parameters)
    let it = try Self.inputs(program, .espresso, ["relax.in", "static.in"])
    #expect(Set(it.single).subtracting(it.own) == ["! Si2", "  pseudo_dir = '../'"])
    #expect(Set(it.own).subtracting(it.single) == ["  pseudo_dir = './'"])
    #expect(
      Set(it.relaxation).subtracting(it.single) == [
        "  calculation = 'vc-relax'", "  forc_conv_thr = 0.000777876", "  etot_conv_thr = 1.0e-5",
        "  nstep = 200", "&IONS", "  ion_dynamics = 'bfgs'", "&CELL", "  cell_dynamics = 'bfgs'",
        "  press = 100.0", "  press_conv_thr = 0.5",
      ])
    #expect(
      Set(it.single).subtracting(it.relaxation)
        == ["  calculation = 'scf'", "  etot_conv_thr = 1d-3"])
    // The script cuts here: three vectors, and two atoms under a heading.
    for lines in [it.single, it.relaxation] {
      let cell = try #require(lines.firstIndex { $0.hasPrefix("CELL_PARAMETERS") })
      #expect(lines.count - cell == 7 && lines[cell + 4].hasPrefix("ATOMIC_POSITIONS"))
    }
    #expect(it.common == ["README.md", "run.sh", "Si.upf"])
    // Two that differ cannot lie in one folder.
    try FileManager.default.createDirectory(
      atPath: place.path("other"), withIntermediateDirectories: true)
    try AtomicFile.write("<UPF version=\"2.0.0\">\n", to: place.path("other/Si.upf"))
    parameters.pseudopotentials[try ClassicalModels.element("Ge")] =
      try PseudopotentialFile(path: place.path("other/Si.upf"))
    let both = EspressoExport(campaign: EspressoProgram(parameters), pressureGPa: 10)
    #expect {
      try both.copies()
    } throws: { "\($0)".contains("need different names") }
    // What is named on the command line is preferred; an element that the campaign does not know is refused.
    let export = EspressoExport(campaign: program, pressureGPa: 10)
    let silicon = try Self.silicon()
    let oxygen = try Structure(
      lattice: silicon.lattice, species: [ClassicalModels.element("O"), si],
      positions: silicon.positions)
    #expect {
      try export.files(for: oxygen, title: "OSi")
    } throws: { "\($0)".contains("no pseudopotential of O") }
    var options = ExportOptions(for: ReferenceSettings(.external(ExternalMethod(program))))
    try AtomicFile.write("folder: .\nfiles: {Si: Si.upf}\n", to: place.path("pseudo.yaml"))
    options.pseudopotentials = place.path("pseudo.yaml")
    let named = try #require(try options.calculation(.espresso, pressureGPa: 10))
    #expect(try named.files(for: silicon, title: "Si2")[1].text.contains("&CONTROL"))
    #expect(named.commonFiles().count == 2)
    #expect(try named.copies().isEmpty)
    #expect {
      try ExportOptions().calculation(.espresso, pressureGPa: 10)
    } throws: { "\($0)".contains("--pseudopotentials FILE") }
  }

  @Test("A campaign by CP2K exports the inputs of its own labels")
  func cp2kCampaign() throws {
    let place = try Workplace()
    let si = try ClassicalModels.element("Si")
    for (name, entry) in [("BASIS", "Si DZVP"), ("POTENTIALS", "Si GTH-LDA\n 2 2")] {
      try AtomicFile.write(entry + "\n", to: place.path(name))
    }
    var parameters = Cp2kProgram.Parameters(
      basisFile: try Cp2kDataFile(path: place.path("BASIS")),
      potentialFile: try Cp2kDataFile(path: place.path("POTENTIALS")),
      kinds: [si: .init(basis: "DZVP", potential: "GTH-LDA")], cutoff: 250)
    parameters.functional = .lda
    parameters.isSpinPolarized = true
    parameters.kPointSpacing = 1
    let it = try Self.inputs(Cp2kProgram(parameters), .cp2k, ["relax.inp", "static.inp"])
    #expect(
      Set(it.single).subtracting(it.own) == [
        "! Si2", "  PROJECT static", "&EXT_RESTART", "  RESTART_FILE_NAME relax-1.restart",
        "  RESTART_DEFAULT F", "  RESTART_CELL T", "  RESTART_POS T", "&END EXT_RESTART",
        "      FILENAME =static.forces", "      FILENAME =static.stress",
      ])
    #expect(it.own.contains { $0 == "    MULTIPLICITY 3" })
    let files: Set<Substring> = ["      FILENAME =cp2k.forces", "      FILENAME =cp2k.stress"]
    #expect(Set(it.own).subtracting(it.single) == files.union(["  PROJECT cp2k"]))
    #expect(
      Set(it.own).subtracting(it.relaxation)
        == files.union(["  PROJECT cp2k", "  RUN_TYPE ENERGY_FORCE"]))
    for line in ["  RUN_TYPE CELL_OPT", "    EXTERNAL_PRESSURE 100000.0", "&END MOTION"] {
      #expect(it.relaxation.contains { $0 == line }, "\(line)")
    }
    #expect(it.common == ["README.md", "run.sh"])
  }

  @Test("A campaign's candidates are exported for each program")
  func campaign() throws {
    let place = try Workplace()
    try place.search("c")
    func export(_ format: String, _ more: [String] = []) throws -> BuiltProgram.Outcome {
      try place.polymorph.run(
        [
          "export", place.path("c"), "--top", "2", "--format", format, "--output",
          place.path("out-\(format)"),
        ] + more, in: place.folder)
    }
    let nameless = try export("espresso")
    #expect(nameless.status == 2 && nameless.errors.contains("--pseudopotentials FILE"))
    for name in ["Ti.upf", "O.upf"] { try AtomicFile.write("", to: place.path(name)) }
    try AtomicFile.write(
      "folder: .\nfiles: {Ti: Ti.upf, O: O.upf}\n", to: place.path("pseudo.yaml"))
    for (format, more, expected) in [
      ("espresso", ["--pseudopotentials", place.path("pseudo.yaml")], ["relax.in", "static.in"]),
      ("cp2k", [], ["relax.inp", "static.inp"]),
      ("vasp", [], ["POSCAR", "relax/POTCAR.list", "relax/INCAR", "static/KPOINTS"]),
    ] {
      let outcome = try export(format, more)
      #expect(outcome.status == 0, "\(outcome.errors)")
      let written = outcome.output.split(separator: "\n").map(String.init)
      #expect(written.count == 4)
      for file in expected {
        #expect(FileManager.default.fileExists(atPath: "\(written[0])/\(file)"), "\(file)")
      }
      #expect(
        FileManager.default.isExecutableFile(atPath: place.path("out-\(format)/run.sh")))
    }
    let refused = try export("vasp", ["--potcar-folder", "/nowhere"])
    #expect(refused.status == 2, "\(refused.errors)")

    // The pseudopotentials of a campaign go along byte for byte, in whatever encoding their comments are.
    let bytes: [UInt8] = [0x3C, 0x21, 0xFC, 0xFF, 0xC3, 0x0D, 0x0A, 0x00, 0x0A]
    try AtomicFile.write(bytes, to: place.path("Ti.upf"))
    var parameters = EspressoProgram.Parameters(pseudopotentials: [:], cutoff: 20)
    for symbol in ["Ti", "O"] {
      parameters.pseudopotentials[try #require(ChemicalElement(symbol: symbol))] =
        try PseudopotentialFile(path: place.path("\(symbol).upf"))
    }
    var options = ExportOptions()
    options.espresso = EspressoProgram(parameters)
    let (settings, runner) = try CampaignFolder(path: place.path("c")).replayed()
    let table = ResultTable(of: runner.schedule.state, top: 1)
    let names = try CandidateExport(settings, table, campaign: "none", options: options)
      .write(.espresso, to: place.path("copied"))
    #expect(names.suffix(2) == [place.path("copied/O.upf"), place.path("copied/Ti.upf")])
    let copied = try Data(contentsOf: URL(fileURLWithPath: place.path("copied/Ti.upf")))
    #expect([UInt8](copied) == bytes)
  }
}
