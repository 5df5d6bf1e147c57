import Crystal
import Foundation
import NumericalCore
import ReferenceEngines
import Settings
import TestSupport
import Testing

@Suite("Quantum ESPRESSO")
struct EspressoTests {
  private func program() throws -> any CalculationProgram {
    try ExternalMethods.method(ExternalMethods.espresso).program
  }

  private func result(_ output: String?, of structure: Structure) throws -> CalculationResult {
    let folder = try TemporaryFolder()
    if let output { try folder.write("pw.out", output) }
    return try program().result(in: folder.path, for: structure)
  }

  private func isUnfinished(_ result: CalculationResult) -> Bool {
    if case .unfinished = result { true } else { false }
  }

  private func inputText(
    _ settings: String, _ structure: Structure, _ attempt: CalculationAttempt = .regular
  ) throws -> String {
    let files = try ExternalMethods.method(settings).program.inputs(
      for: structure, attempt: attempt)
    guard case .text(let text) = files.first(where: { $0.name == "pw.in" })?.content else {
      return ""
    }
    return text
  }

  @Test("The input is the one on file, and the pseudopotential lies beside it")
  func input() throws {
    let structure = try ExternalMethods.silicon()
    #expect(
      try inputText(ExternalMethods.espresso, structure)
        == ExternalMethods.fixture("espresso/pw.in"))
    let files = try program().inputs(for: structure, attempt: .regular)
    #expect(
      files.last?.content == .link(path: "/usr/share/espresso/pseudo/Si.pbe-rrkj.UPF"))
  }

  @Test("A mesh that is kept is written in place of the one that the cell asks for")
  func keptMesh() throws {
    let structure = try ExternalMethods.silicon()
    let mesh = try #require(try program().mesh(for: structure))
    let text = try inputText(ExternalMethods.espresso, structure)
    func card(_ mesh: [Int]) -> String {
      "K_POINTS automatic\n  \(mesh.map(String.init).joined(separator: " ")) 0 0 0\n"
    }
    #expect(text.contains(card(mesh)))
    let other = [mesh[0] + 1, mesh[1], mesh[2] + 2]
    let files = try program().inputs(for: structure, mesh: other, attempt: .regular)
    #expect(files.first?.content == .text(text.replacing(card(mesh), with: card(other))))
  }

  @Test("Safer settings change the way to the minimum, and nothing of the physics")
  func safer() throws {
    let structure = try ExternalMethods.silicon()
    let regular = try inputText(ExternalMethods.espresso, structure).split(separator: "\n")
    let safer = try inputText(ExternalMethods.espresso, structure, .safer).split(separator: "\n")
    let removed = Set(regular).subtracting(safer).sorted()
    let added = Set(safer).subtracting(regular).sorted()
    #expect(
      removed == [
        "  diagonalization = 'david'", "  electron_maxstep = 100", "  mixing_beta = 0.4",
      ])
    #expect(
      added == [
        "  diagonalization = 'cg'", "  electron_maxstep = 300", "  mixing_beta = 0.2",
        "  mixing_mode = 'local-TF'", "  nosym = .true.",
      ])
  }

  @Test("Keys of the block reach the input")
  func keys() throws {
    let text = """
      reference:
        kind: espresso
        command: [mpirun, -n, 2, pw.x, -nk, 2]
        pseudopotentials: {O: O.pbe-rrkjus.UPF, Si: Si.pbe-rrkj.UPF}
        pseudopotential_folder: /usr/share/espresso/pseudo
        cutoff: 30
        k_spacing: 0.4
        smearing: {kind: marzari-vanderbilt, width: 0.2}
        spin: true
        magnetization: {O: 0.25}
        convergence: 1.0e-7
        steps: 50
        mixing: 0.3
        time_limit: 45m
        environment: {OMP_NUM_THREADS: 2}
        extra: {system: {nbnd: 40, vdw_corr: grimme-d3, nosym: true}, electrons: {mixing_ndim: 12}}
      """
    let method = try ExternalMethods.method(text)
    #expect(method.limits.timeLimitSeconds == 2700)
    #expect(method.elements?.map(\.symbol) == ["O", "Si"])
    #expect(method.program.launch.command == ["mpirun", "-n", "2", "pw.x", "-nk", "2"])
    #expect(method.program.launch.environment == ["OMP_NUM_THREADS": "2"])
    let structure = try Prototypes.zincBlende("Si", "O", a: 4.5)
    let input = try inputText(text, structure)
    for line in [
      "ecutwfc = 30.0", "ecutrho = 300.0", "smearing = 'marzari-vanderbilt'", "nspin = 2",
      "starting_magnetization(1) = 0.25", "starting_magnetization(2) = 0.5", "conv_thr = 1e-07",
      "electron_maxstep = 50", "mixing_beta = 0.3", "nbnd = 40", "vdw_corr = 'grimme-d3'",
      "nosym = .true.", "mixing_ndim = 12", "ntyp = 2", "4 4 4 0 0 0",
    ] {
      #expect(input.contains("  \(line)\n"), "\(line)")
    }
    #expect(input.contains("K_POINTS automatic"))
    #expect(
      try inputText(text.replacing("k_spacing: 0.4", with: "k_spacing: 5"), structure)
        .hasSuffix("K_POINTS gamma\n"))
  }

  @Test("Every setting that decides a label is part of its key; how it is run is not")
  func settingsBytes() throws {
    let base = ExternalMethods.espresso
    let bytes = try ExternalMethods.method(base).program.settingsBytes
    func changed(_ line: String) throws -> Bool {
      try ExternalMethods.method(base + "\n  " + line).program.settingsBytes != bytes
    }
    for line in [
      "density_cutoff: 60", "smearing: {width: 0.2}", "smearing: {kind: fermi-dirac}",
      "spin: true", "convergence: 1e-8", "steps: 90", "mixing: 0.3",
      "extra: {system: {nbnd: 9}}",
    ] {
      #expect(try changed(line), "\(line)")
    }
    for line in ["command: [pw.x, -nk, 1]", "time_limit: 100", "environment: {A: b}"] {
      #expect(try !changed(line), "\(line)")
    }
    #expect(try !changed("density_cutoff: 48"))
  }

  @Test("A finished output gives energy, forces and stress in our units and signs")
  func output() throws {
    let structure = try ExternalMethods.silicon()
    let output = try ExternalMethods.fixture("espresso/pw.out")
    guard case .finished(let label, let details) = try result(output, of: structure) else {
      Issue.record("not finished")
      return
    }
    // From the file: -15.53316271 Ry, 0.01858731 Ry/a₀ and 0.00035115 Ry/a₀³ (51.66 kbar).
    #expect(label.energy.isClose(to: -211.3394451, relative: 1e-7, absolute: 0))
    #expect(label.forces[0].x.isClose(to: 0.477899, relative: 1e-5, absolute: 0))
    #expect(label.forces[1].x == -label.forces[0].x)
    let pressureUnit = PhysicalConstants.gigapascalsPerElectronvoltPerCubicAngstrom
    #expect((label.stress[0, 0] * pressureUnit).isClose(to: -5.166, relative: 1e-3, absolute: 0))
    #expect(label.stress[0, 1] == label.stress[1, 0])
    #expect(details.programVersion == "PWSCF v.6.7MaX" && details.iterations == 11)
    #expect(try #require(details.seconds) > 0.1)
  }

  @Test("An output without end is unfinished, wherever it was cut")
  func cut() throws {
    let structure = try ExternalMethods.silicon()
    let output = try ExternalMethods.fixture("espresso/pw.out")
    #expect(isUnfinished(try result(nil, of: structure)))
    for share in [0.0, 0.3, 0.7, 0.9, 0.95] {
      let part = String(output.prefix(Int(share * Double(output.count))))
      #expect(isUnfinished(try result(part, of: structure)), "\(share)")
    }
  }

  @Test("The output of another structure is not taken")
  func foreign() throws {
    let output = try ExternalMethods.fixture("espresso/pw.out")
    let structure = try ExternalMethods.silicon()
    #expect(isUnfinished(try result(output, of: structure.supercell(2, 1, 1))))
    let larger = try structure.strained(by: 0.001 * .identity)
    #expect(isUnfinished(try result(output, of: larger)))
    // The volume stays.
    let sheared = try structure.strained(
      by: Matrix3(rows: Vector3(0, 0.001, 0), Vector3(0, 0, 0), Vector3(0, 0, 0)))
    #expect(isUnfinished(try result(output, of: sheared)))
    var positions = structure.positions
    positions[1].x += 3e-4
    #expect(isUnfinished(try result(output, of: structure.replacing(positions: positions))))
    #expect(isUnfinished(try result(output.replacing("tau(", with: "tau "), of: structure)))
    // What did not converge elsewhere is no failure here.
    let failed = try ExternalMethods.fixture("espresso/not-converged.out")
    #expect(isUnfinished(try result(failed, of: larger)))
    positions[1] = structure.positions[1] + structure.lattice.vectors.b
    guard case .finished = try result(output, of: structure.replacing(positions: positions)) else {
      Issue.record("whole lattice vectors make no other structure")
      return
    }
  }

  @Test("Numbers of atoms that are none are no crash", arguments: ["NaN", "1e30", "2.5"])
  func atomCounts(number: String) throws {
    let output = try ExternalMethods.fixture("espresso/pw.out")
    let broken = output.replacing(
      "number of atoms/cell      =            2", with: "number of atoms/cell      = \(number)")
    #expect(broken != output)
    #expect(isUnfinished(try result(broken, of: ExternalMethods.silicon())))
  }

  @Test(
    "What went wrong becomes the reason",
    arguments: [
      ("espresso/not-converged.out", "convergence NOT achieved after   2 iterations: stopping"),
      ("espresso/too-few-bands.out", "too few bands"),
    ])
  func failures(file: String, reason: String) throws {
    let output = try ExternalMethods.fixture(file)
    let outcome = try result(output, of: ExternalMethods.silicon())
    guard case .failed(let said) = outcome else {
      Issue.record("\(outcome)")
      return
    }
    #expect(said.contains(reason), "\(said)")
  }

  @Test("Numbers that did not fit their columns are no label")
  func overflow() throws {
    let output = try ExternalMethods.fixture("espresso/pw.out")
    let structure = try ExternalMethods.silicon()
    for number in ["-15.53316271 Ry", "0.01858731", "0.00035115"] {
      let broken = output.replacing(number, with: "************")
      #expect(broken != output, "\(number)")
      if case .finished = try result(broken, of: structure) { Issue.record("finished: \(number)") }
    }
  }

  @Test("A cluster, and an element without pseudopotential, are refused with a reason")
  func unsupported() throws {
    let silicon = try ExternalMethods.silicon()
    let slab = try Structure(
      lattice: silicon.lattice, periodicity: Periodicity(true, true, false),
      species: silicon.species, positions: silicon.positions)
    for structure in [slab, try Prototypes.zincBlende("Ge", "Ge", a: 5.6)] {
      #expect(throws: ReferenceEngineError.self) {
        try program().inputs(for: structure, attempt: .regular)
      }
    }
  }

  @Test("pw.x labels silicon, and gives the numbers on file")
  func label() throws {
    let folder = try TemporaryFolder()
    let settings = try ExternalMethods.settings(ExternalMethods.espresso)
    let engine = try settings.engine(folder: folder.path)
    #expect(engine.version.hasPrefix("PWSCF v."))
    let structure = try ExternalMethods.silicon()
    let output = try ExternalMethods.fixture("espresso/pw.out")
    guard case .labelled(let label) = engine.label(structure),
      case .finished(let expected, _) = try result(output, of: structure)
    else {
      Issue.record("no label: \(engine.label(structure))")
      return
    }
    // Ten times what the threshold of the self-consistent field leaves; other versions and libraries.
    #expect(label.energy.isClose(to: expected.energy, relative: 0, absolute: 1e-5))
    for (a, b) in zip(label.forces, expected.forces) {
      #expect(a.isClose(to: b, Tolerance(relative: 0, absolute: 2e-3)))
    }
    #expect(label.stress.isClose(to: expected.stress, Tolerance(relative: 0, absolute: 1e-4)))
    let place = "\(folder.path)/\(engine.labelKey(for: structure))"
    #expect(!FileManager.default.fileExists(atPath: place + "/scratch"))
    // The same behind the face of a potential.
    let evaluation = try settings.potential().evaluation(of: structure)
    #expect(evaluation.energy.isClose(to: label.energy, relative: 0, absolute: 1e-6))
  }

  @Test(
    "Forces and stress are derivatives of the energy",
    .tags(.slow), .enabled(if: ProcessInfo.processInfo.environment["POLYMORPH_SLOW"] == "1"))
  func derivatives() throws {
    let folder = try TemporaryFolder()
    // At 40 Ry the basis that changes with the cell no longer matters.
    let text =
      ExternalMethods.espresso.replacing("cutoff: 12", with: "cutoff: 40")
      + "\n  convergence: 1e-10"
    let engine = try ExternalMethods.settings(text).engine(folder: folder.path)
    try ExternalMethods.checkDerivatives(engine, forceTolerance: 2e-3, stressTolerance: 0.05)
  }

  @Test(
    "With a constant-cutoff functional the stress is the derivative at low cutoffs, too",
    .tags(.slow), .enabled(if: ProcessInfo.processInfo.environment["POLYMORPH_SLOW"] == "1"))
  func constantCutoff() throws {
    let folder = try TemporaryFolder()
    let text =
      ExternalMethods.espresso.replacing("cutoff: 12", with: "cutoff: 25")
      + "\n  convergence: 1e-10\n  extra: {system: {ecfixed: 18, qcutz: 30, q2sigma: 3}}"
    let engine = try ExternalMethods.settings(text).engine(folder: folder.path)
    try ExternalMethods.checkDerivatives(engine, forceTolerance: 2e-3, stressTolerance: 0.05)
  }
}

@Suite("Reference blocks of external programs")
struct ExternalSettingsTests {
  @Test(
    "Mistakes are named with file, line and key",
    arguments: [
      (
        "pseudopotentials: {Si: Si.pbe-rrkj.UPF}", "pseudopotentials: {Si: Sx.UPF}", 3,
        "reference.pseudopotentials.Si"
      ),
      ("pseudopotentials: {Si:", "pseudopotentials: {Ge:", 3, "reference.pseudopotentials.Ge"),
      ("pseudopotentials: {Si:", "pseudopotentials: {Sx:", 3, "reference.pseudopotentials.Sx"),
      ("pseudopotentials: {", "pseudopotential: {", 3, "reference.pseudopotentials"),
      ("espresso/pseudo", "espresso/no", 3, "reference.pseudopotentials.Si"),
      ("cutoff: 12", "cutoff: 12 Ry", 5, "reference.cutoff"),
      ("cutoff: 12", "cutoff: 12\n  density_cutoff: 20", 6, "reference.density_cutoff"),
      ("cutoff: 12", "cutoff: 12\n  smearing: {kind: fermi}", 6, "reference.smearing.kind"),
      ("cutoff: 12", "cutoff: 12\n  time_limit: soon", 6, "reference.time_limit"),
      ("cutoff: 12", "cutoff: 12\n  command: pw.x -nk 2", 6, "reference.command"),
      (
        "cutoff: 12", "cutoff: 12\n  extra: {system: {ecutrho: 1}}", 6,
        "reference.extra.system.ecutrho"
      ),
      ("cutoff: 12", "cutoff: 12\n  extra: {system: {a b: 1}}", 6, "reference.extra.system.a b"),
      ("cutoff: 12", "cutoff: 12\n  extra: {ions: {pot: 1}}", 6, "reference.extra.ions"),
      ("cutoff: 12", "cutoff: 12\n  magnetization: {Si: 2}", 6, "reference.magnetization.Si"),
    ])
  func mistakes(old: String, new: String, line: Int, key: String) throws {
    let text = ExternalMethods.espresso.replacing(old, with: new)
    #expect(text != ExternalMethods.espresso)
    do {
      _ = try ExternalMethods.settings(text)
      Issue.record("accepted: \(new)")
    } catch let error as SettingsError {
      #expect(error.line == line, "\(error)")
      #expect(error.keyPath == key, "\(error)")
    }
  }

  @Test(
    "A program that is not installed is missed where calculations begin, not where settings are read"
  )
  func missingProgram() throws {
    let settings = try ExternalMethods.settings(
      ExternalMethods.espresso + "\n  command: no-such-program")
    try settings.check(Composition(formula: "Si4"))
    #expect(settings.summary.hasPrefix("espresso: "))
    let message = "campaign.yaml:7: reference.command: found no program 'no-such-program'"
    #expect { _ = try settings.engine() } throws: { "\($0)".contains(message) }
    #expect { _ = try settings.potential() } throws: { "\($0)".contains(message) }
    #expect { _ = try settings.method(folder: "x") } throws: { "\($0)".contains(message) }
  }

  @Test("Two pseudopotentials of one name are told apart before one takes the other's place")
  func sameNames() throws {
    let folder = try TemporaryFolder()
    try folder.write("a/own.upf", "<PP_HEADER pseudo_type=\"NC\" element=\"Si\"")
    try folder.write("b/own.upf", "<PP_HEADER pseudo_type=\"NC\" element=\"Ge\"")
    let text = ExternalMethods.espresso.replacing(
      "{Si: Si.pbe-rrkj.UPF}",
      with: "\n      Si: \(folder.path)/a/own.upf\n      Ge: \(folder.path)/b/own.upf")
    do {
      _ = try ExternalMethods.settings(text)
      Issue.record("accepted")
    } catch let error as SettingsError {
      #expect(error.line == 5 && error.keyPath == "reference.pseudopotentials.Ge", "\(error)")
      #expect(error.found.contains("own.upf"))
    }
    let (si, ge) = (try ClassicalModels.element("Si"), try ClassicalModels.element("Ge"))
    let program = EspressoProgram(
      EspressoProgram.Parameters(
        pseudopotentials: [
          si: try PseudopotentialFile(path: folder.path + "/a/own.upf"),
          ge: try PseudopotentialFile(path: folder.path + "/b/own.upf"),
        ], cutoff: 12))
    #expect {
      _ = try program.inputs(for: Prototypes.zincBlende("Si", "Ge", a: 5.5), attempt: .regular)
    } throws: { "\($0)".contains("need different names") }
  }

  @Test("A composition needs a pseudopotential of all its elements")
  func compositions() throws {
    let settings = try ExternalMethods.settings(ExternalMethods.espresso)
    try settings.check(Composition(formula: "Si4"))
    do {
      try settings.check(Composition(formula: "SiO2"))
      Issue.record("accepted")
    } catch let error as SettingsError {
      #expect(error.description.hasPrefix("campaign.yaml:3: reference.pseudopotentials: "))
      #expect(error.found == "no parameters of O")
    }
  }

  @Test(
    "Pseudopotentials are found beside the settings file, and their kind sets the density's cutoff")
  func relativePaths() throws {
    let folder = try TemporaryFolder()
    for (header, cutoff) in [
      ("<UPF version=\"2.0.1\">\n<PP_HEADER\npseudo_type=\"NC\"\nelement=\"Si\"", 48.0),
      ("<PP_HEADER pseudo_type=\"USPP\" element=\"Si\"", 120),
      ("<PP_HEADER pseudo_type=\"PAW\" element=\"Si \"", 120),
      ("<PP_HEADER>\n 0 Version\n Si Element\n NC Norm - Conserving pseudopotential", 48),
      ("<PP_HEADER>\n 0 Version\n Si Element\n US Ultrasoft pseudopotential", 120),
    ] {
      try folder.write("pseudo/own.upf", header)
      let text = ExternalMethods.espresso.replacing("Si.pbe-rrkj.UPF", with: "own.upf")
        .replacing("/usr/share/espresso/pseudo", with: "pseudo")
      try folder.write("reference.yaml", text)
      let settings = try ReferenceSettings(path: folder.path + "/reference.yaml")
      guard case .external(let method) = settings.model,
        let program = method.program as? EspressoProgram
      else {
        Issue.record("another kind")
        return
      }
      #expect(program.parameters.densityCutoff == cutoff, "\(header)")
      let file = try #require(program.parameters.pseudopotentials.values.first)
      #expect(file.path.hasSuffix("/pseudo/own.upf") && file.element?.symbol == "Si")
    }
  }

  @Test("Methods are equal where their labels and their way to run are")
  func equality() throws {
    let one = try ExternalMethods.method(ExternalMethods.espresso)
    #expect(try one == ExternalMethods.method(ExternalMethods.espresso))
    #expect(try one != ExternalMethods.method(ExternalMethods.espresso + "\n  mixing: 0.5"))
    #expect(try one != ExternalMethods.method(ExternalMethods.espresso + "\n  time_limit: 5s"))
  }

  @Test("A program that is no pw.x cannot be used")
  func otherProgram() throws {
    let settings = try ExternalMethods.settings(
      ExternalMethods.espresso + "\n  command: [echo, hello]")
    #expect { _ = try settings.engine() } throws: { "\($0)".contains("does not say its version") }
    #expect { _ = try settings.potential() } throws: { "\($0)".contains("echo hello") }
  }
}
