import Crystal
import Foundation
import NumericalCore
import ReferenceEngines
import Settings
import TestSupport
import Testing

@Suite("The engine of i-PI clients")
struct IPIEngineTests {
  /// An engine whose clients are the toy in Python; its folder is removed in the end.
  private func withEngine(
    _ fault: [String] = [], _ change: (inout IPISettings) -> Void = { _ in },
    _ body: (IPIEngine, URL) throws -> Void
  ) throws {
    try SocketClients.inFolder { folder in
      var settings = IPISettings(
        method: "toy",
        command: ["python3", "{folder}/toy.py", "unix", "/tmp/ipi_{socket}"]
          + fault.map { $0.replacingOccurrences(of: "MARKER", with: folder.path + "/marker") },
        inputs: [
          ClientTemplate(name: "toy.py", text: SocketClients.toy),
          ClientTemplate(name: "start", text: "{natoms} {elements}\n{cell}\n{positions}"),
        ], timeLimitSeconds: 30)
      change(&settings)
      let engine = try IPIEngine(
        settings, folder: folder.appendingPathComponent("clients").path)
      try body(engine, folder)
    }
  }

  private func folders(_ folder: URL) -> [String] {
    let path = folder.appendingPathComponent("clients").path
    return ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
  }

  private func evaluation(_ outcome: LabelOutcome) throws -> Evaluation {
    guard case .labelled(let evaluation) = outcome else {
      Issue.record("\(outcome)")
      throw CancellationError()
    }
    return evaluation
  }

  /// The number in front of r in the toy's force on every atom: its place among the client's atoms.
  private func places(_ evaluation: Evaluation, _ structure: Structure) -> [Int] {
    let unit =
      PhysicalConstants.electronvoltsPerHartree
      / (PhysicalConstants.angstromsPerBohr * PhysicalConstants.angstromsPerBohr)
    return zip(evaluation.forces, structure.positions).map { force, position in
      Int((-force.dot(position) / (unit * position.squaredLength)).rounded())
    }
  }

  @Test("Forces come back in the order of the structure's atoms")
  func order() throws {
    try withEngine { engine, folder in
      let structure = try SocketProtocolTests.triclinic().reordered([1, 2, 0, 3])
      let evaluation = try evaluation(engine.label(structure))
      // Ar Ne Ar Ar is sent as Ne Ar Ar Ar.
      #expect(places(evaluation, structure) == [2, 1, 3, 4])
      let start = try String(
        contentsOf: folder.appendingPathComponent("clients/client-NeAr3-1/start"),
        encoding: .utf8)
      #expect(start.hasPrefix("4 Ne Ar\n6.1 0.3 -0.4\n"), "\(start)")
      #expect(engine.dependsOnHistory)
      #expect(engine.version.contains("history"))
    }
  }

  @Test("A client lives as long as its atoms are asked for", arguments: [1, 2])
  func pool(liveClients: Int) throws {
    try withEngine(
      [],
      {
        $0.liveClients = liveClients; $0.keepsFolders = true
      }
    ) {
      engine, folder in
      let small = try SocketProtocolTests.triclinic()
      let large = small.supercell(1, 1, 2)
      for structure in [small, small.reordered([3, 2, 1, 0]), large, small, large, large] {
        _ = try evaluation(engine.label(structure))
      }
      #expect(folders(folder).count == (liveClients == 1 ? 4 : 2))
    }
  }

  @Test("Folders of clients that ended in good order are removed")
  func tidiness() throws {
    try withEngine([], { $0.restartAfter = 2 }) { engine, folder in
      let structure = try SocketProtocolTests.triclinic()
      for _ in 1...5 { _ = try evaluation(engine.label(structure)) }
      #expect(folders(folder).count == 1)
    }
  }

  @Test("A cell strained beyond the tolerance gets a new client, a rotated one does not")
  func strain() throws {
    try withEngine(
      [],
      {
        $0.cellTolerance = 0.03; $0.keepsFolders = true
      }
    ) { engine, folder in
      let structure = try SocketProtocolTests.triclinic()
      func label(_ strain: Double) throws -> Int {
        let strained = try structure.strained(by: Matrix3(diagonal: Vector3(strain, 0, 0)))
        _ = try evaluation(engine.label(strained))
        return folders(folder).count
      }
      #expect(try label(0) == 1)
      #expect(try label(0.025) == 1)
      #expect(try label(-0.025) == 1)
      #expect(try label(0.05) == 2)
      #expect(try label(0.03) == 2)
      var stream = RandomStream(seed: 3, purpose: .test)
      let rotation = TestStructures.randomRotation(&stream)
      let rotated = try structure.strained(by: Matrix3(diagonal: Vector3(0.05, 0, 0)))
        .strained(by: rotation - .identity)
      _ = try evaluation(engine.label(rotated))
      #expect(folders(folder).count == 2)
    }
  }

  @Test("A client that dies or answers nonsense is replaced once")
  func replacement() throws {
    let structure = try SocketProtocolTests.triclinic()
    try withEngine(["dieonce", "1", "MARKER"]) { engine, folder in
      _ = try evaluation(engine.label(structure))
      #expect(folders(folder).count == 2)
    }
    for (fault, reason) in [
      ("die", "the other side closed the connection while HAVEDATA or READY was awaited"),
      ("nan", "a force is not finite"), ("garbage", "allowed in the i-PI protocol here"),
      ("print", "the client printed 'SCF run NOT converged'"),
    ] {
      try withEngine([fault]) { engine, folder in
        guard case .failed(let found) = engine.label(structure) else {
          Issue.record("\(fault) went unnoticed")
          return
        }
        #expect(found.contains(reason), "\(found)")
        #expect(folders(folder).count == 2)
      }
    }
  }

  @Test("A client whose output cannot be read is replaced: its warnings would be missed")
  func lostOutput() throws {
    try withEngine { engine, folder in
      let structure = try SocketProtocolTests.triclinic()
      _ = try evaluation(engine.label(structure))
      try FileManager.default.removeItem(
        at: folder.appendingPathComponent("clients/client-NeAr3-1/client.out"))
      _ = try evaluation(engine.label(structure))
      #expect(folders(folder).count == 2)
    }
  }

  @Test("Behind a potential a client keeps its folder, and its warnings are seen")
  func potential() throws {
    try SocketClients.inFolder { folder in
      let places = folder.appendingPathComponent("places")
      let settings = IPISettings(
        method: "toy",
        command: [
          "/bin/sh", "-c",
          "pwd -P >> \(places.path); exec python3 toy.py unix /tmp/ipi_{socket} print 2",
        ],
        inputs: [ClientTemplate(name: "toy.py", text: SocketClients.toy)], timeLimitSeconds: 30)
      let potential = try ReferenceSettings(.socket(settings)).potential()
      let structure = try SocketProtocolTests.triclinic()
      func clients() throws -> [String] {
        try String(contentsOf: places, encoding: .utf8).split(separator: "\n").map(String.init)
      }
      _ = try potential.evaluation(of: structure)
      #expect(try clients().count == 1)
      #expect(try FileManager.default.fileExists(atPath: clients()[0] + "/client.out"))
      // The first client warns of its second structure.
      _ = try potential.evaluation(of: structure)
      #expect(try clients().count == 2)
    }
  }

  @Test("A program beside the settings is looked for where calculations begin")
  func programBesideSettings() throws {
    try SocketClients.inFolder { folder in
      let script = folder.appendingPathComponent("client.sh")
      try Data("#!/bin/sh\n".utf8).write(to: script)
      try FileManager.default.setAttributes(
        [.posixPermissions: 0o755], ofItemAtPath: script.path)
      func engine(_ program: String) throws -> any ReferenceEngine {
        let text = "reference:\n  kind: i-pi\n  method: toy\n  command: [\"\(program)\"]"
        return try ExternalMethods.settings(text, path: folder.path + "/campaign.yaml")
          .engine(folder: folder.path)
      }
      _ = try engine("{here}/client.sh")
      _ = try engine("{folder}/client.sh")
      #expect { _ = try engine("{here}/none.sh") } throws: {
        "\($0)".contains("campaign.yaml:4: reference.command: found no program")
      }
    }
  }

  @Test("What cannot work is told at once, with the client's output")
  func failures() throws {
    let structure = try SocketProtocolTests.triclinic()
    func reason(_ change: (inout IPISettings) -> Void) throws -> String {
      var found = ""
      try withEngine([], change) { engine, _ in
        if case .failed(let reason) = engine.label(structure) { found = reason }
      }
      return found
    }
    let script = try reason { $0.command = ["python3", "-c", "raise SystemExit(4)"] }
    #expect(script.contains("ended with status 4"), "\(script)")
    #expect(script.contains("clients/client-NeAr3-"), "\(script)")
    let missing = try reason { $0.command = ["no-such-program"] }
    #expect(missing.contains("no-such-program cannot be started"), "\(missing)")
    let low = try reason { $0.energyFloor = 1e9 }
    #expect(low.hasPrefix("invalid: energy below floor"), "\(low)")
    let silent = try reason {
      $0.command = ["sleep", "60"]
      $0.timeLimitSeconds = 0.2
    }
    #expect(silent.hasPrefix("time-out: "), "\(silent)")
    #expect(silent.contains("within 0.2 s"), "\(silent)")
    // The warning belongs to the second structure alone.
    try withEngine(["print", "2"]) { engine, folder in
      _ = try evaluation(engine.label(structure))
      _ = try evaluation(engine.label(structure))
      #expect(folders(folder).count == 2)
    }
    try withEngine { engine, _ in
      let cluster = try Structure(
        lattice: structure.lattice, periodicity: .none, species: structure.species,
        positions: structure.positions)
      guard case .failed = engine.label(cluster) else {
        Issue.record("a cluster was labelled")
        return
      }
    }
  }

  @Test("A campaign that is asked to stop does not wait for a client", arguments: [0, 1])
  func interruption(labels: Int) throws {
    try SocketClients.inFolder { folder in
      let start = ContinuousClock.now
      let engine = try IPIEngine(
        IPISettings(
          method: "toy",
          command: labels == 0
            ? ["sleep", "60"]
            : ["python3", "toy.py", "unix", "/tmp/ipi_{socket}", "silent", "1"],
          inputs: [ClientTemplate(name: "toy.py", text: SocketClients.toy)], timeLimitSeconds: 60),
        folder: folder.path, shouldStop: { ContinuousClock.now - start > .seconds(1) })
      guard case .failed(let reason) = engine.label(try SocketProtocolTests.triclinic()) else {
        Issue.record("labelled")
        return
      }
      #expect(reason.hasPrefix("interrupted: "), "\(reason)")
      #expect(ContinuousClock.now - start < .seconds(20))
    }
  }

  @Test("Clients may be started by hand")
  func byHand() throws {
    let settings = IPISettings(
      method: "lennard-jones", transport: .unix(name: SocketClients.uniqueName()),
      timeLimitSeconds: 30)
    let engine = try IPIEngine(settings, folder: "/nonexistent")
    let structure = try SocketProtocolTests.triclinic().reordered([2, 0, 1, 3])
    let outcome = try SocketProtocolTests.serve(structure, at: #require(engine.address))
    let crossed = try evaluation(engine.label(structure))
    let direct = try SocketProtocolTests.lennardJones().evaluation(of: structure)
    #expect(crossed.energy.isClose(to: direct.energy, .roundoff))
    for (a, b) in zip(crossed.forces, direct.forces) { #expect(a.isClose(to: b, .roundoff)) }
    _ = outcome
  }

  static let valid = """
    reference:
      kind: i-pi
      command: [pw.x, --ipi, "{socket}:UNIX", -in, pw.in]
      input: {pw.in: si.in}
      time_limit: 10m
      restart_after: 200
      cell_tolerance: 0.02
      live_clients: 2
      k_spacing: 0.3
    """
  static let template =
    "&system\n nosym=.true. nat={natoms}\n/\nCELL_PARAMETERS {angstrom}\n"
    + "{cell}\n"

  private func read(_ text: String, _ template: String = template) throws -> IPISettings {
    try SocketClients.inFolder { folder in
      try Data(template.utf8).write(to: folder.appendingPathComponent("si.in"))
      let document = try SettingsDocument(text: text, path: folder.path + "/campaign.yaml")
      var top = try document.mapping()
      var reader = try top.required("reference").mapping()
      _ = reader.optional("kind")
      let settings = try IPISettings(&reader)
      try reader.finish()
      return settings
    }
  }

  @Test("Settings are read, and only what decides a label belongs to its key")
  func settings() throws {
    let settings = try read(Self.valid)
    #expect(settings.method == "pw.x pw.in")
    #expect(settings.timeLimitSeconds == 600)
    #expect(settings.restartAfter == 200)
    #expect(settings.cellTolerance == 0.02)
    #expect(settings.liveClients == 2)
    #expect(settings.inputs.first?.text == Self.template)
    let bytes = settings.canonicalBytes
    let other = Self.valid.replacingOccurrences(of: "[pw.x", with: "[mpirun, -n, 4, pw.x")
    #expect(try read(other + "\n  method: pw.x pw.in").canonicalBytes == bytes)
    #expect(try read(Self.valid, Self.template + "x").canonicalBytes != bytes)
    let byHand = try read("reference: {kind: i-pi, method: PBE}")
    #expect(byHand.cellTolerance == nil)
    #expect(byHand.transport == .unix(name: "polymorph"))
  }

  @Test(
    "Mistakes are named with line and key",
    arguments: [
      ("time_limit: 10m", "time_limit: 10x", 5, "reference.time_limit"),
      ("pw.in: si.in", "pw.in: no.in", 4, "reference.input.pw.in"),
      ("pw.in: si.in", "../pw.in: si.in", 4, "reference.input.../pw.in"),
      ("{socket}", "{soket}", 3, "reference.command"),
      ("restart_after: 200", "restart_after: 0", 6, "reference.restart_after"),
      ("cell_tolerance: 0.02", "cell_tolerance: no", 7, "reference.cell_tolerance"),
      ("live_clients: 2", "socket: tpc", 8, "reference.socket"),
      ("live_clients: 2", "socket: tcp\n  address: here", 9, "reference.address"),
      ("  input: {pw.in: si.in}\n", "", 1, "reference"),
      (
        "command: [pw.x, --ipi, \"{socket}:UNIX\", -in, pw.in]",
        "method: PBE\n  refused_output: [no]", 4, "reference.refused_output"
      ),
    ])
  func mistakes(old: String, new: String, line: Int, key: String) throws {
    let text = Self.valid.replacingOccurrences(of: old, with: new)
    #expect(text != Self.valid)
    do {
      _ = try read(text)
      Issue.record("accepted: \(new)")
    } catch let error as SettingsError {
      #expect(error.line == line, "\(error)")
      #expect(error.keyPath == key, "\(error)")
    }
  }

  @Test("Templates with mistyped places, a symmetry or a cell to be kept are refused")
  func templates() throws {
    for template in [
      "{natom}", "&SYSTEM\n nat={natoms}\n/\n{cell}", "&SYSTEM\n nosym=.true.\n/\n",
      "&SYSTEM\n nosym = .false.\n/\n{cell}", "&SYSTEM\n nat=2 ! nosym = .true.\n/\n{cell}",
      "&SYSTEM\n nosym_evc = .true.\n/\n{cell}",
    ] {
      #expect(throws: SettingsError.self) { try read(Self.valid, template) }
    }
    // What Fortran takes for true, whatever follows the letter.
    for value in [
      ".true.", ".TRUE.", ".t.", ".T.", "t", "T", "true", "TRUE", ".true", ".t", "t.", "tt",
    ] {
      for end in [" nat=2\n/", ", nat=2\n/", "\n/", "/", " ! fixed\n/"] {
        _ = try read(Self.valid, "&SYSTEM\n nat=2 nosym=\(value)\(end)\n{cell}")
      }
    }
    for value in [
      ".false.", ".f.", "F", "false", ".f", "1", "''", "", ".", "..t", "! .true.",
      "tot_charge = 1",
    ] {
      #expect(throws: SettingsError.self, "\(value)") {
        try read(Self.valid, "&SYSTEM\n nosym = \(value)\n/\n{cell}")
      }
    }
    #expect(throws: SettingsError.self) {
      try read(Self.valid, "&SYSTEM\n no_nosym=.true.\n/\n{cell}")
    }
    _ = try read(Self.valid, "&SYSTEM\n nat=2, NoSym  = .TRUE., ntyp=1 ! fixed\n/\n{cell}")
  }

  @Test("The address of another transport is a mistake, in the command and in an input")
  func foreignAddress() throws {
    let tcp = Self.valid + "\n  socket: tcp\n  address: 127.0.0.1:0"
    for (settings, word, allowed) in [
      (Self.valid, "host", "unix', allowed: {socket}"),
      (Self.valid, "port", "unix', allowed: {socket}"),
      (
        tcp.replacing("{socket}:UNIX", with: "{host}:{port}"), "socket",
        "tcp', allowed: {host} and {port}"
      ),
    ] {
      #expect {
        try read(settings, Self.template + "{\(word)}\n")
      } throws: { "\($0)".contains("{\(word)} with 'socket: \(allowed)") }
    }
    _ = try read(Self.valid, Self.template + "{socket}\n")
    let fitting = tcp.replacing("{socket}:UNIX", with: "{host}:{port}")
    _ = try read(fitting, Self.template + "{host} {port}\n")
    // The command holds the socket of the other transport.
    #expect {
      try read(tcp, Self.template)
    } throws: { "\($0)".contains("reference.command: found {socket} with 'socket: tcp'") }
  }

  @Test("Words in braces near a variable are mistakes, with capitals, digits and '_', too")
  func variables() throws {
    for (word, meant) in [
      ("Cell", "cell"), ("CELL", "cell"), ("cell1", "cell"), ("cell_a", "cella"),
      ("k_mesh", "kmesh"), ("kMesh", "kmesh"), ("nAtoms", "natoms"), ("n_types", "ntypes"),
      ("Positions", "positions"), ("FOLDER", "folder"),
    ] {
      #expect {
        try read(Self.valid, Self.template + "{\(word)}\n")
      } throws: {
        let message = "\($0)"
        return message.contains("{\(word)}") && message.contains("did you mean '{\(meant)}'?")
      }
    }
    for text in [
      "{angstrom}", "{Angstrom}", "{bohr}", "{crystal_sg}", "{X1}", "{1}", "{_}", "{}", "{cell",
      "{ Cell }", "{Cell-1}", "${HOST}", "${n_atoms}", "{{x}}",
    ] {
      let template = Self.template + text
      #expect(try read(Self.valid, template).inputs.map(\.text) == [template])
    }
  }

  @Test("An input of pw.x has the variables of the whole cell, not words that look like them")
  func espressoCell() throws {
    let head = "&SYSTEM\n nosym=.true.\n/\nCELL_PARAMETERS {angstrom}\n"
    for cell in ["{cell}", "{cella}\n{cellb}\n{cellc}", "{cellc}{cella}{cellb}"] {
      _ = try read(Self.valid, head + cell)
    }
    for cell in ["{cella}", "{cella}\n{cellb}", "{cell", "{cell }", "5 0 0 {cella}", "cell"] {
      #expect {
        try read(Self.valid, head + cell)
      } throws: { "\($0)".contains("with a fixed cell") }
    }
  }
}
