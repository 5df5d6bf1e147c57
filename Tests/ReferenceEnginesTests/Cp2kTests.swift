import Crystal
import Foundation
import NumericalCore
import ReferenceEngines
import Settings
import TestSupport
import Testing

@Suite("CP2K")
struct Cp2kTests {
  private let folder: TemporaryFolder
  private let text: String

  /// Stands in for CP2K and its data, which need not be installed.
  init() throws {
    folder = try TemporaryFolder()
    try folder.write(
      "BASIS",
      """
      # a comment
       Si DZVP-MOLOPT-SR-GTH DZVP-MOLOPT-SR-GTH-q4
       1
       2 0 2 6 2 2 1
          2.693604434572 0.015333179500
      O  DZVP-MOLOPT-SR-GTH DZVP-MOLOPT-SR-GTH-q6
      O  TZVP
      """)
    try folder.write("POTENTIALS", "Si GTH-PBE-q4 GTH-PBE\n  2 2\nGe GTH-PBE-q4 GTH-PBE\n")
    text = """
      reference:
        kind: cp2k
        command: echo
        basis: {Si: DZVP-MOLOPT-SR-GTH}
        basis_file: \(folder.path)/BASIS
        potential_file: \(folder.path)/POTENTIALS
        cutoff: 200
        rel_cutoff: 40
        k_spacing: 1.0
      """
  }

  private func program(_ text: String) throws -> any CalculationProgram {
    try ExternalMethods.method(text).program
  }

  private func input(
    _ text: String, _ structure: Structure, _ attempt: CalculationAttempt = .regular
  ) throws -> String {
    let files = try program(text).inputs(for: structure, attempt: attempt)
    guard case .text(let input) = files.first?.content else { return "" }
    return input.replacing("\(folder.path)/BASIS", with: "/usr/share/cp2k/BASIS_MOLOPT")
      .replacing("\(folder.path)/POTENTIALS", with: "/usr/share/cp2k/GTH_POTENTIALS")
  }

  private func result(
    output: String, forces: String = "", stress: String = "", of structure: Structure
  ) throws -> CalculationResult {
    let place = try TemporaryFolder()
    try place.write("cp2k.out", output)
    try place.write("cp2k.forces", forces)
    try place.write("cp2k.stress", stress)
    return try program(text).result(in: place.path, for: structure)
  }

  @Test("The input is the one on file")
  func input() throws {
    let structure = try ExternalMethods.silicon()
    #expect(try input(text, structure) == ExternalMethods.fixture("cp2k/cp2k.inp"))
    #expect(try program(text).launch.command == ["echo", "-i", "cp2k.inp"])
  }

  @Test("Safer settings change the way to the minimum, and nothing of the physics")
  func safer() throws {
    let structure = try ExternalMethods.silicon()
    func lines(_ attempt: CalculationAttempt) throws -> [String] {
      try input(text, structure, attempt).split(separator: "\n").map {
        $0.trimmingCharacters(in: .whitespaces)
      }
    }
    let (regular, safer) = (try lines(.regular), try lines(.safer))
    let changed = zip(regular, safer).filter { $0 != $1 }.map(\.1)
    #expect(regular.count == safer.count)
    #expect(changed == ["MAX_SCF 300", "ALPHA 0.1", "NBROYDEN 16"])
  }

  @Test("A mesh that is kept is written in place of the one that the cell asks for")
  func keptMesh() throws {
    let structure = try ExternalMethods.silicon()
    let finer = text.replacing("k_spacing: 1.0", with: "k_spacing: 0.55")
    let mesh = try #require(try program(finer).mesh(for: structure))
    #expect(try program(text).mesh(for: structure) != mesh)
    let kept = try program(text).inputs(for: structure, mesh: mesh, attempt: .regular)
    #expect(try kept == program(finer).inputs(for: structure, attempt: .regular))
  }

  @Test("Meshes hold Γ, one point of each pair k and −k, and weights that add up to the mesh")
  func mesh() throws {
    let structure = try ExternalMethods.silicon()
    for (spacing, counts) in [(1.0, 2), (0.7, 3), (0.55, 4)] {
      let input = try input(
        text.replacing("k_spacing: 1.0", with: "k_spacing: \(spacing)"), structure)
      let points = input.split(separator: "\n").filter { $0.contains(" KPOINT ") }
        .map { $0.split(separator: " ").compactMap { Double($0) } }
      #expect(points.first == [0, 0, 0, 1])
      #expect(points.reduce(0) { $0 + $1[3] } == Double(counts * counts * counts), "\(spacing)")
      let places = Set(
        points.map { point in (0..<3).map { Int((point[$0] * Double(counts)).rounded()) } })
      #expect(places.count == points.count)
      for (point, place) in zip(
        points, points.map { point in (0..<3).map { Int((point[$0] * Double(counts)).rounded()) } })
      {
        let opposite = place.map { (counts - $0) % counts }
        #expect((opposite == place) == (point[3] == 1))
        #expect(opposite == place || !places.contains(opposite))
      }
    }
    #expect(
      try !input(text.replacing("k_spacing: 1.0", with: "k_spacing: 5"), structure).contains(
        "KPOINT"))
  }

  @Test("A finished output gives energy, forces and stress in our units and signs")
  func output() throws {
    let structure = try ExternalMethods.silicon()
    let outcome = try result(
      output: ExternalMethods.fixture("cp2k/cp2k.out"),
      forces: ExternalMethods.fixture("cp2k/cp2k.forces"),
      stress: ExternalMethods.fixture("cp2k/cp2k.stress"), of: structure)
    guard case .finished(let label, let details) = outcome else {
      Issue.record("\(outcome)")
      return
    }
    // From the files: -7.779435437 Hartree, 0.007002464 Hartree/a₀ and 6.591558134 GPa.
    #expect(label.energy.isClose(to: -211.68922245, relative: 1e-8, absolute: 0))
    #expect(label.forces[0].x.isClose(to: 0.360081173, relative: 1e-6, absolute: 0))
    let pressureUnit = PhysicalConstants.gigapascalsPerElectronvoltPerCubicAngstrom
    #expect(
      (label.stress[0, 0] * pressureUnit).isClose(to: -6.591558134, relative: 1e-6, absolute: 0))
    #expect(details.programVersion == "CP2K version 2023.1" && details.iterations == 12)
    #expect(try #require(details.seconds) > 0)
  }

  /// The forces of the fixture as versions from 2025 on print them: written by hand in their layout, no run.
  private static let numberedForces = """

     FORCES| Atomic forces [hartree/bohr]
     FORCES|   Atom     x               y               z               |f|
     FORCES|      1  7.00246394E-03 -1.38018146E-02  4.18338174E-03  1.60330882E-02
     FORCES|      2 -7.00326683E-03  1.38033638E-02 -4.18402309E-03  1.60349246E-02
     FORCES| Sum    -8.02893080E-07  1.54927760E-06 -6.41354590E-07
     FORCES| Total atomic force   1.85909497E-06

    """

  @Test("Forces are read in the forms of old and new versions, the last ones of several steps")
  func forces() throws {
    let structure = try ExternalMethods.silicon()
    let old = try ExternalMethods.fixture("cp2k/cp2k.forces")
    let new = Self.numberedForces
    func forces(_ text: String) throws -> [Vector3] {
      let outcome = try result(
        output: ExternalMethods.fixture("cp2k/cp2k.out"), forces: text,
        stress: ExternalMethods.fixture("cp2k/cp2k.stress"), of: structure)
      guard case .finished(let label, _) = outcome else {
        Issue.record("\(outcome)")
        return []
      }
      return label.forces
    }
    // 0.00700246394 Hartree/a₀ and the like.
    let unit = PhysicalConstants.electronvoltsPerHartree / PhysicalConstants.angstromsPerBohr
    let expected = [
      unit * Vector3(0.00700246394, -0.0138018146, 0.00418338174),
      unit * Vector3(-0.00700326683, 0.0138033638, -0.00418402309),
    ]
    // Steps before have other forces, and may break off.
    let oldStep = old.replacing("0.0070", with: "0.5070")
    let newStep = new.replacing("7.00", with: "5.00")
    let part = new.split(separator: "\n").prefix(3).joined(separator: "\n") + "\n"
    #expect(oldStep != old && newStep != new)
    for text in [
      old, new, oldStep + old, newStep + new, oldStep + new, newStep + old, part + new, part + old,
      new.replacing("\n", with: "\r\n"),
    ] {
      let found = try forces(text)
      #expect(found.count == 2, "\(text)")
      for (one, other) in zip(found, expected) { #expect((one - other).length < 1e-6, "\(text)") }
    }
  }

  @Test(
    "Forces that are not those of the structure are refused, and the reason says what was found",
    arguments: [
      (" FORCES|      2 ", " FORCES|      x ", "has 1 atoms, expected 2"),
      (" FORCES| Sum ", " FORCES|      3  0.0  0.0  0.0  0.0\n FORCES| Sum ", "has 3 atoms"),
      (" FORCES|      2 ", " FORCES|      3 ", "expected the force on atom 2, Si"),
      (" FORCES|      1 ", " FORCES|      2 ", "expected the force on atom 1, Si"),
      ("1.38033638E-02", "**************", "expected the force on atom 2, Si"),
      ("  1.60349246E-02", "", "expected the force on atom 2, Si"),
      ("[hartree/bohr]", "[eV/angstrom]", "forces [eV/angstrom]', expected [hartree/bohr]"),
    ])
  func wrongForces(old: String, new: String, reason: String) throws {
    try refused(Self.numberedForces, old, new, reason)
  }

  @Test(
    "The same for the form of old versions",
    arguments: [
      ("      2      1      Si  ", "      x      1      Si  ", "has 1 atoms, expected 2"),
      (" SUM OF", "      3      1      Si   0.0  0.0  0.0\n SUM OF", "has 3 atoms, expected 2"),
      ("      2      1      Si  ", "      3      1      Si  ", "expected the force on atom 2, Si"),
      ("      2      1      Si  ", "      2      1      Ge  ", "expected the force on atom 2, Si"),
      ("0.01380336383742", "****************", "expected the force on atom 2, Si"),
    ])
  func wrongOldForces(old: String, new: String, reason: String) throws {
    try refused(ExternalMethods.fixture("cp2k/cp2k.forces"), old, new, reason)
  }

  @Test("A file of forces without a table that is known is refused")
  func unknownForces() throws {
    for (forces, old, new) in [
      (Self.numberedForces, "FORCES| Atomic forces", "FORCES| Forces"),
      (try ExternalMethods.fixture("cp2k/cp2k.forces"), "# Atom", "# Kind"),
    ] {
      let wrong = forces.replacing(old, with: new)
      try #require(wrong != forces)
      try refused(wrong, "found none of the tables that are known")
    }
  }

  /// A good table of an earlier step does not stand in for a wrong last one.
  private func refused(_ forces: String, _ old: String, _ new: String, _ reason: String) throws {
    let wrong = forces.replacing(old, with: new)
    try #require(wrong != forces)
    for text in [wrong, forces + wrong] { try refused(text, reason) }
  }

  private func refused(_ forces: String, _ reason: String) throws {
    let outcome = try result(
      output: ExternalMethods.fixture("cp2k/cp2k.out"), forces: forces,
      stress: ExternalMethods.fixture("cp2k/cp2k.stress"), of: ExternalMethods.silicon())
    guard case .failed(let said) = outcome else {
      Issue.record("\(outcome)")
      return
    }
    #expect(said.contains("cp2k.forces") && said.contains(reason), "\(said)")
  }

  @Test("An output without end, or of another structure, is unfinished")
  func unfinished() throws {
    let structure = try ExternalMethods.silicon()
    let output = try ExternalMethods.fixture("cp2k/cp2k.out")
    let forces = try ExternalMethods.fixture("cp2k/cp2k.forces")
    let stress = try ExternalMethods.fixture("cp2k/cp2k.stress")
    for share in [0.0, 0.4, 0.9] {
      let part = String(output.prefix(Int(share * Double(output.count))))
      guard
        case .unfinished = try result(output: part, forces: forces, stress: stress, of: structure)
      else {
        Issue.record("\(share)")
        continue
      }
    }
    let larger = try structure.strained(by: 0.001 * .identity)
    guard case .unfinished = try result(output: output, forces: forces, stress: stress, of: larger)
    else {
      Issue.record("another cell was taken")
      return
    }
    // The volume stays.
    let sheared = try structure.strained(
      by: Matrix3(rows: Vector3(0, 0.001, 0), Vector3(0, 0, 0), Vector3(0, 0, 0)))
    var positions = structure.positions
    positions[1].x += 3e-4
    for other in [sheared, structure.replacing(positions: positions)] {
      let outcome = try result(output: output, forces: forces, stress: stress, of: other)
      guard case .unfinished(let reason) = outcome else {
        Issue.record("another structure was taken")
        continue
      }
      #expect(reason.contains("another structure"), "\(reason)")
    }
    let bare = output.replacing("ATOMIC COORDINATES", with: "COORDINATES")
    guard case .unfinished = try result(output: bare, forces: forces, stress: stress, of: structure)
    else {
      Issue.record("an output that does not name its atoms was taken")
      return
    }
    for (a, b) in [("", stress), (forces, "")] {
      guard case .failed = try result(output: output, forces: a, stress: b, of: structure) else {
        Issue.record("taken without forces or stress")
        return
      }
    }
  }

  @Test(
    "What went wrong becomes the reason",
    arguments: [
      ("cp2k/not-converged.out", "did not converge"), ("cp2k/no-basis.out", "DZVP"),
    ])
  func failures(file: String, reason: String) throws {
    let outcome = try result(
      output: ExternalMethods.fixture(file), of: ExternalMethods.silicon())
    guard case .failed(let said) = outcome else {
      Issue.record("\(outcome)")
      return
    }
    #expect(said.contains(reason), "\(said)")
  }

  @Test(
    "Mistakes are named with line and key",
    arguments: [
      ("{Si: DZVP-MOLOPT-SR-GTH}", "{Si: TZVP}", 4, "reference.basis.Si"),
      ("{Si: DZVP-MOLOPT-SR-GTH}", "SZV", 4, "reference.basis"),
      ("/BASIS", "/NONE", 5, "reference.basis_file"),
      ("cutoff: 200", "cutoff: 1", 7, "reference.cutoff"),
      ("cutoff: 200", "cutoff: 200\n  functional: PBE0", 8, "reference.functional"),
      ("cutoff: 200", "cutoff: 200\n  smearing: {kind: gaussian}", 8, "reference.smearing.kind"),
      (
        "{Si: DZVP-MOLOPT-SR-GTH}", "{Si: DZVP-MOLOPT-SR-GTH, O: DZVP-MOLOPT-SR-GTH}", 4,
        "reference.basis.O"
      ),
      (
        "cutoff: 200", "cutoff: 200\n  spin: false\n  magnetic_moments: {Si: 1}", 9,
        "reference.magnetic_moments"
      ),
    ])
  func mistakes(old: String, new: String, line: Int, key: String) throws {
    let wrong = text.replacing(old, with: new)
    #expect(wrong != text)
    do {
      _ = try ExternalMethods.settings(wrong)
      Issue.record("accepted: \(new)")
    } catch let error as SettingsError {
      #expect(error.line == line && error.keyPath == key, "\(error)")
    }
  }

  @Test(
    "A program that is not installed is missed where calculations begin, not where settings are read"
  )
  func missingProgram() throws {
    let settings = try ExternalMethods.settings(
      text.replacing("command: echo", with: "command: no-such-program"))
    try settings.check(Composition(formula: "Si4"))
    let message = "campaign.yaml:3: reference.command: found no program 'no-such-program'"
    #expect { _ = try settings.engine() } throws: { "\($0)".contains(message) }
  }

  @Test("With spin, atoms start from moments")
  func moments() throws {
    let structure = try ExternalMethods.silicon()
    for word in ["MAGNETIZATION", "MULTIPLICITY"] {
      #expect(try !input(text, structure).contains(word))
    }
    let spin = text + "\n  spin: true"
    let plain = try input(spin, structure)
    #expect(plain.contains("UKS ON\n    MULTIPLICITY 3\n"))
    #expect(plain.contains("POTENTIAL GTH-PBE\n      MAGNETIZATION 1.0\n    &END KIND"))
    let given = text + "\n  magnetic_moments: {Si: 2.5}"
    #expect(try input(given, structure).contains("UKS ON"))
    #expect(try input(given, structure).contains("MAGNETIZATION 2.5\n"))
    let keys = try [text, spin, given].map { try program($0).settingsBytes }
    #expect(Set(keys).count == 3)
  }

  @Test("Calculations without spin are found under the keys of before there was a multiplicity")
  func keys() throws {
    func begin(_ words: String) -> [UInt8] {
      var encoder = ByteEncoder()
      encoder.encode(words)
      return encoder.bytes
    }
    #expect(try program(text).settingsBytes.starts(with: begin("cp2k 2")))
    #expect(try program(text + "\n  spin: false").settingsBytes == program(text).settingsBytes)
    #expect(try program(text + "\n  spin: true").settingsBytes.starts(with: begin("cp2k 3")))
  }

  @Test("Tabs part the words of data files as blanks do")
  func tabs() throws {
    let spin = text + "\n  spin: true"
    let structure = try ExternalMethods.silicon()
    let expected = try input(spin, structure)
    try folder.write("BASIS", "\tSi\tDZVP-MOLOPT-SR-GTH \t DZVP-MOLOPT-SR-GTH-q4\n\t1\n")
    try folder.write("POTENTIALS", "Si\tGTH-PBE-q4\tGTH-PBE\n\t2\t2\n\t0.44\t1\t-6.27\n")
    #expect(expected.contains("MULTIPLICITY 3\n"))
    #expect(try input(spin, structure) == expected)
  }

  @Test("With spin, an element whose electrons the file does not tell is refused")
  func unknownElectrons() throws {
    try folder.write("BASIS", "Ge DZVP-MOLOPT-SR-GTH\n 1\n")
    try folder.write("POTENTIALS", "Ge GTH-PBE-q4 GTH-PBE\n    0.54000000    0\n")
    let silicon = try ExternalMethods.silicon()
    let germanium = try ClassicalModels.element("Ge")
    let structure = try Structure(
      lattice: silicon.lattice, species: [germanium, germanium], positions: silicon.positions)
    let own = text.replacing("{Si: DZVP-MOLOPT-SR-GTH}", with: "{Ge: DZVP-MOLOPT-SR-GTH}")
    #expect(try input(own, structure).contains("&KIND Ge"))
    #expect {
      _ = try program(own + "\n  spin: true").inputs(for: structure, attempt: .regular)
    } throws: { error in
      guard case .unsupported(let reason)? = error as? ReferenceEngineError else { return false }
      return reason.contains("/POTENTIALS: found no numbers of electrons below 'Ge GTH-PBE'")
    }
    // Where the entry is named, before any calculation.
    let named = own + "\n  potentials: {Ge: GTH-PBE}"
    #expect(try input(named, structure).contains("&KIND Ge"))
    #expect { _ = try program(named + "\n  spin: true") } throws: {
      "\($0)".contains("potentials.Ge: found 'GTH-PBE' without numbers of electrons")
    }
  }

  @Test(
    "The multiplicity is that of the moments, as near as the electrons allow; the majority is up",
    arguments: [
      ("{Si: 1, P: 1}", 4, [1.0, 1]), ("{Si: 0, P: 0}", 2, [0, 0]), ("{Si: 2, P: -3}", 2, [-2, 3]),
      ("{Si: -1.1, P: -2}", 4, [1.1, 2]), ("{Si: 0.2, P: 4.6}", 6, [0.2, 4.6]),
      ("{Si: 20, P: 20}", 10, [20, 20]),
    ])
  func multiplicity(moments: String, expected: Int, magnetizations: [Double]) throws {
    try folder.write("BASIS", "Si DZVP-MOLOPT-SR-GTH\n 1\nP DZVP-MOLOPT-SR-GTH\n 1\n")
    // Nine electrons together.
    try folder.write(
      "POTENTIALS",
      """
      Si GTH-PBE-q4 GTH-PBE
          2    2
           0.44000000    1    -6.26928833
      # phosphorus
      P GTH-PBE-q5 GTH-PBE
      # s and p
          2    3
           0.43000000    1    -5.87594327
      P GTH-PBE
          7
      """)
    let silicon = try ExternalMethods.silicon()
    let structure = try Structure(
      lattice: silicon.lattice,
      species: ["Si", "P"].map { try ClassicalModels.element($0) }, positions: silicon.positions)
    let input = try input(
      text.replacing(
        "{Si: DZVP-MOLOPT-SR-GTH}", with: "{Si: DZVP-MOLOPT-SR-GTH, P: DZVP-MOLOPT-SR-GTH}")
        + "\n  magnetic_moments: \(moments)", structure)
    #expect(input.contains("UKS ON\n    MULTIPLICITY \(expected)\n"), "\(input)")
    #expect(
      Self.magnetizations(input) == ["Si": magnetizations[0], "P": magnetizations[1]], "\(input)")
  }

  /// The moments of an input, by the names of its kinds.
  private static func magnetizations(_ input: String) -> [String: Double] {
    var moments: [String: Double] = [:]
    var kind = ""
    for line in input.split(separator: "\n") {
      let words = line.split(separator: " ")
      if words.count == 2, words[0] == "&KIND" { kind = String(words[1]) }
      if words.count == 2, words[0] == "MAGNETIZATION" { moments[kind] = Double(words[1]) }
    }
    return moments
  }

  @Test("Elements are those with both a basis set and a pseudopotential")
  func elements() throws {
    let common = text.replacing("{Si: DZVP-MOLOPT-SR-GTH}", with: "DZVP-MOLOPT-SR-GTH")
    #expect(try ExternalMethods.method(common).elements?.map(\.symbol) == ["Si"])
    #expect(throws: SettingsError.self) {
      try ExternalMethods.settings(text).check(Composition(formula: "SiO2"))
    }
    let other = common.replacing("rel_cutoff: 40", with: "rel_cutoff: 50")
    #expect(try program(other).settingsBytes != program(common).settingsBytes)
  }

  @Test(
    "Forces and stress are derivatives of the energy, with k-points and smearing",
    .tags(.slow), .enabled(if: ProcessInfo.processInfo.environment["POLYMORPH_SLOW"] == "1"))
  func derivatives() throws {
    let text =
      ExternalMethods.cp2k.replacing("cutoff: 200", with: "cutoff: 400") + "\n  convergence: 1e-9"
    let engine = try ExternalMethods.settings(text).engine(folder: folder.path + "/reference")
    #expect(engine.version.hasPrefix("CP2K version "))
    // The grid of the density moves with the cell and not with the atoms: an egg-box of some meV/Å.
    try ExternalMethods.checkDerivatives(engine, forceTolerance: 0.005, stressTolerance: 0.1)
  }
}
