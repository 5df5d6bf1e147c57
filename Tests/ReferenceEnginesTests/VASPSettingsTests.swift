import Crystal
import ReferenceEngines
import Settings
import TestSupport
import Testing

@Suite("The reference block of VASP")
struct VASPSettingsTests {
  static let valid = """
    reference:
      kind: vasp
      command: [mpirun, -n, 16, vasp_std]
      potcar_folder: /opt/vasp/potpaw_PBE
      potentials: {Ti: Ti_pv, O: O}
      cutoff: 600
      k_spacing: 0.2
      smearing: {kind: methfessel-paxton, width: 0.1}
      spin: true
      magnetic_moments: {Ti: 1}
      convergence: 1.0e-7
      steps: 80
      time_limit: 2h
      incar: {LREAL: Auto, NCORE: 4, LDAU: true, LDAUU: [4, 0]}
    """

  private func method(_ text: String) throws -> ExternalMethod {
    var top = try SettingsDocument(text: text, path: "campaign.yaml").mapping()
    let settings = try ReferenceSettings(top.required("reference").mapping())
    guard case .external(let method) = settings.model else {
      throw SettingsError(file: "", line: 0, keyPath: "", found: "no VASP", allowed: "VASP")
    }
    return method
  }

  private func read(_ text: String) throws -> VASPProgram {
    try #require(method(text).program as? VASPProgram)
  }

  @Test("The block describes the method")
  func reading() throws {
    let program = try read(Self.valid)
    let settings = program.settings
    #expect(program.command == ["mpirun", "-n", "16", "vasp_std"])
    #expect(program.launch.command == program.command && program.launch.input == nil)
    #expect(try method(Self.valid).limits.timeLimitSeconds == 7200)
    let (ti, o) = (try ClassicalModels.element("Ti"), try ClassicalModels.element("O"))
    #expect(settings.potentials.names == [ti: "Ti_pv", o: "O"])
    #expect(settings.potentials.folder == "/opt/vasp/potpaw_PBE")
    #expect(settings.cutoff == 600 && settings.kSpacing == 0.2)
    #expect(settings.smearing == .methfesselPaxton && settings.smearingWidth == 0.1)
    #expect(settings.isSpinPolarized && settings.magneticMoments == [ti: 1])
    #expect(settings.convergence == 1e-7 && settings.steps == 80)
    #expect(
      settings.tags == [
        .init("LDAU", ".TRUE."), .init("LDAUU", "4 0"), .init("LREAL", "Auto"),
        .init("NCORE", "4"),
      ])
    let plain = try read("reference:\n  kind: vasp\n")
    #expect(plain.settings == VASPSettings() && plain.command.isEmpty)
    #expect(try method("reference:\n  kind: vasp\n").limits.timeLimitSeconds == nil)
  }

  @Test("A command that is not installed is missed where something must be computed")
  func missingProgram() throws {
    let text = Self.valid.replacing("[mpirun, -n, 16, vasp_std]", with: "[no-such-vasp, -v]")
    let message = "campaign.yaml:3: reference.command: found no program 'no-such-vasp'"
    #expect(try method(text).problem?.description.hasPrefix(message) == true)
    let settings = try ExternalMethods.settings(text)
    // VASP tells its version nowhere but in results: found results are read without the program.
    _ = try settings.engine()
    _ = try settings.method(folder: "x")
    #expect(settings.obstacleToLabelling?.description.hasPrefix(message) == true)
    #expect { _ = try settings.potential() } throws: { "\($0)".hasPrefix(message) }
    #expect(try method("reference:\n  kind: vasp\n").problem == nil)
  }

  @Test("Without a command there are inputs, but no potential: nobody could run what it removes")
  func byHand() throws {
    let settings = try ExternalMethods.settings("reference:\n  cutoff: 300\n  kind: vasp\n")
    let obstacle = try #require(settings.obstacleToLabelling)
    #expect(obstacle.description.hasPrefix("campaign.yaml:1: reference.command: found none"))
    #expect(throws: obstacle) { _ = try settings.potential() }
    _ = try settings.engine(folder: "x")
    let started = try ExternalMethods.settings(
      "reference:\n  kind: vasp\n  command: sh\n  potcar_folder: /opt\n")
    #expect(started.obstacleToLabelling == nil)
    _ = try started.potential()
  }

  @Test("What decides a label decides its key; how the work is spread does not")
  func key() throws {
    let bytes = try read(Self.valid).settingsBytes
    for (old, new) in [
      ("cutoff: 600", "cutoff: 610"), ("k_spacing: 0.2", "k_spacing: 0.3"), ("Ti_pv", "Ti_sv"),
      ("methfessel-paxton", "gaussian"), ("width: 0.1", "width: 0.2"), ("{Ti: 1}", "{Ti: 2}"),
      ("1.0e-7", "1.0e-8"), ("LREAL: Auto", "LREAL: false"), ("potpaw_PBE", "potpaw_PBE.64"),
    ] {
      let text = Self.valid.replacingOccurrences(of: old, with: new)
      #expect(text != Self.valid)
      #expect(try read(text).settingsBytes != bytes, "\(new)")
    }
    for (old, new) in [
      ("16", "32"), ("2h", "3h"), ("NCORE: 4", "NCORE: 8"), ("/opt/vasp/", "/home/me/"),
    ] {
      let text = Self.valid.replacingOccurrences(of: old, with: new)
      #expect(text != Self.valid)
      #expect(try read(text).settingsBytes == bytes, "\(new)")
    }
  }

  @Test(
    "Mistakes are named with file, line and key",
    arguments: [
      (
        "command: [mpirun, -n, 16, vasp_std]", "command: vasp_std -v", 3, "command",
        "a list such as"
      ),
      ("command: [mpirun, -n, 16, vasp_std]", "command: []", 3, "command", "words of a command"),
      ("  potcar_folder: /opt/vasp/potpaw_PBE\n", "", 3, "command", "potcar_folder"),
      ("Ti: Ti_pv", "Tj: Ti_pv", 5, "potentials.Tj", "element symbols"),
      ("Ti: Ti_pv", "Ti: Si_pv", 5, "potentials.Ti", "a potential of Ti"),
      ("Ti: Ti_pv", "Ti: ../Ti", 5, "potentials.Ti", "a potential of Ti"),
      ("cutoff: 600", "cutoff: 6", 6, "cutoff", "from 50 to 5000 eV"),
      ("cutoff: 600", "cutof: 600", 6, "cutof", "cutoff"),
      ("k_spacing: 0.2", "k_spacing: 0", 7, "k_spacing", "1/Å"),
      ("methfessel-paxton", "tetrahedron", 8, "smearing.kind", "gaussian"),
      ("methfessel-paxton", "fermi", 8, "smearing.kind", "fermi-dirac"),
      ("width: 0.1", "widht: 0.1", 8, "smearing.widht", "width"),
      ("width: 0.1", "width: 0", 8, "smearing.width", "above 0"),
      ("spin: true", "spin: 2", 9, "spin", "true or false"),
      ("spin: true", "spin: false", 10, "magnetic_moments", "spin: true"),
      ("1.0e-7", "0.1 eV", 11, "convergence", "eV"), ("steps: 80", "steps: 1", 12, "steps", "2 to"),
      ("2h", "2 weeks", 13, "time_limit", "45m"), ("2h", "0", 13, "time_limit", "above 0"),
      ("LREAL: Auto", "ENCUT: 400", 14, "incar.ENCUT", "use the key 'cutoff'"),
      ("LREAL: Auto", "ISIF: 3", 14, "incar.ISIF", "leave it out"),
      ("LREAL: Auto", "nsw: 3", 14, "incar.nsw", "the engine sets"),
      ("LREAL: Auto", "lreal: Auto", 14, "incar.lreal", "capitals"),
      ("LREAL: Auto", "LREAL: 'A; NSW = 5'", 14, "incar.LREAL", "one value"),
      ("LREAL: Auto", "LREAL: {a: 1}", 14, "incar.LREAL", "a value of the INCAR"),
    ])
  func mistakes(old: String, new: String, line: Int, key: String, mention: String) throws {
    let text = Self.valid.replacingOccurrences(of: old, with: new)
    #expect(text != Self.valid)
    do {
      _ = try read(text)
      Issue.record("accepted: \(new)")
    } catch let error as SettingsError {
      #expect(error.file == "campaign.yaml")
      #expect(error.line == line, "\(error)")
      #expect(error.keyPath == "reference.\(key)", "\(error)")
      #expect(error.description.contains(mention), "\(error)")
    }
  }
}
