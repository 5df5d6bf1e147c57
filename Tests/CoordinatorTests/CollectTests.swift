import Coordinator
import Crystal
import Foundation
import NumericalCore
import StructureFormats
import TestSupport
import Testing

/// A campaign, its export, and a program that computes what was exported.
private final class CollectPlace {
  let place: Workplace

  init() throws {
    place = try Workplace()
    try place.search("c")
    for name in ["Ti", "Ti_sv", "Ti_pv", "O"] {
      let folder = place.path("potpaw/\(name)")
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      try AtomicFile.write(
        "  PAW_PBE \(name) 01Jan2001\n   4.00000000\n End of Dataset\n", to: folder + "/POTCAR")
    }
  }

  func polymorph(_ arguments: [String]) throws -> BuiltProgram.Outcome {
    try place.polymorph.run(arguments, in: place.folder)
  }

  /// The names of the candidates' folders.
  func export(to name: String, _ format: [String], of campaign: String = "c") throws -> [String] {
    let outcome = try polymorph(
      ["export", place.path(campaign), "--output", place.path(name), "--format"] + format)
    try #require(outcome.status == 0, "\(outcome.errors)")
    return try FileManager.default.contentsOfDirectory(atPath: place.path(name)).sorted()
      .filter { $0.contains("-candidate") }
  }

  /// The stand-in with the campaign's own reference method as its model.
  func compute(_ export: String, _ candidates: [String]) throws -> BuiltProgram.Outcome {
    try BuiltProgram(at: "/bin/sh").run(
      [place.path("\(export)/run.sh")] + candidates, in: place.folder,
      environment: [
        "VASP": BuiltProgram("VASPStandIn").path, "VASP_STANDIN_MODEL": place.campaign,
      ])
  }

  func collect(_ finished: String, _ more: [String] = []) throws -> [String: Any] {
    let outcome = try polymorph(
      ["rerank", place.path("c"), "--collect", place.path(finished), "--json"] + more)
    try #require(outcome.status == 0, "\(outcome.errors)")
    return try Self.object(outcome.output)
  }

  static func object(_ text: String) throws -> [String: Any] {
    #expect(!text.lowercased().contains("nan") && !text.contains("inf"))
    return try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  func edit(_ path: String, _ old: String, _ new: String) throws {
    let text = try String(contentsOfFile: place.path(path), encoding: .utf8)
    try #require(text.contains(old))
    try AtomicFile.write(text.replacingOccurrences(of: old, with: new), to: place.path(path))
  }

  func run(_ command: String) throws {
    let outcome = try BuiltProgram(at: "/bin/sh").run(["-c", command], in: place.folder)
    try #require(outcome.status == 0, "\(outcome.errors)")
  }
}

extension [String: Any] {
  fileprivate func list(_ key: String) throws -> [[String: Any]] {
    try #require(self[key] as? [[String: Any]])
  }

  fileprivate func object(_ key: String) throws -> [String: Any] {
    try #require(self[key] as? [String: Any])
  }
}

@Suite("Finished calculations are collected", .serialized)
struct CollectTests {
  private func number(_ folder: String) throws -> Int {
    let parts = folder.split(separator: "-")
    return try #require(Int(parts[1].dropFirst("candidate".count)))
  }

  @Test(
    "From the export through its script to the table; what cannot be used is listed with its reason"
  )
  func vasp() throws {
    let it = try CollectPlace()
    let digest = try it.place.digest("c")
    let names = try it.export(
      to: "out", ["vasp", "--top", "5", "--potcar-folder", it.place.path("potpaw")])
    try #require(names.count >= 4)
    let mark = try CollectPlace.object(
      String(contentsOfFile: it.place.path("out/\(names[0])/candidate.json"), encoding: .utf8))
    #expect(mark["candidate"] as? Int == (try number(names[0])))
    #expect(mark["program"] as? String == "vasp" && (mark["campaign"] as? String)?.count == 64)

    let nothing = try it.polymorph([
      "rerank", it.place.path("c"), "--collect", it.place.path("out"),
    ])
    #expect(nothing.status == 1 && nothing.errors.contains("no calculation can be used"))
    #expect(!FileManager.default.fileExists(atPath: it.place.path("c/rerank.json")))

    for (name, mode) in [(names[0], "unconverged"), (names[1], "truncated")] {
      try it.edit("out/\(name)/static/INCAR", "single point", "single point [\(mode)]")
    }
    // The third one was never sent.
    let computed = try it.compute("out", names.filter { $0 != names[2] })
    #expect(computed.status == 1 && computed.errors == "\(names[1]): failed\n")
    try FileManager.default.createDirectory(
      atPath: it.place.path("out/notes"), withIntermediateDirectories: true)
    try it.run("gzip out/\(names[3])/static/vasprun.xml && rm out/\(names[3])/static/OUTCAR")
    let part = try it.collect("out")
    #expect(try part.list("best").count == names.count - 3)
    let left = try part.list("left_out").map {
      (try #require($0["folder"] as? String), try #require($0["reason"] as? String))
    }
    #expect(left.map(\.0) == names[..<3] + ["notes"])
    for (reason, mention) in zip(
      left.map(\.1),
      ["electronic loop", "breaks off", "neither static/ nor relax/", "no candidate of an export"])
    {
      #expect(reason.contains(mention), "\(reason)")
    }
    let written = try CollectPlace.object(
      String(contentsOfFile: it.place.path("c/rerank.json"), encoding: .utf8))
    #expect(try written.list("left_out").count == 4)

    // Sent again, all are there.
    for (name, mode) in [(names[0], "unconverged"), (names[1], "truncated")] {
      try it.edit("out/\(name)/static/INCAR", " [\(mode)]", "")
      try it.run("rm out/\(name)/static/OUTCAR out/\(name)/static/vasprun.xml")
    }
    #expect(try it.compute("out", Array(names[..<3])).status == 0)
    let whole = try it.collect("out")
    #expect(try whole.list("left_out").count == 1)
    #expect((whole["without_single_point"] as? [Int])?.isEmpty ?? false)
    // The stand-in computes what the campaign's own re-ranking did, to tighter tolerances: some candidate may
    // leave a saddle where that stayed.
    let rows = try whole.object("comparison").list("rows")
    #expect(rows.count == names.count)
    let own = try it.place.status("c").object("comparison").list("rows")
    for row in rows {
      let other = try #require(
        own.first { $0["candidate"] as? Int == row["candidate"] as? Int })
      let a = try #require(row["reference_enthalpy_ev_per_atom"] as? Double)
      let b = try #require(other["reference_enthalpy_ev_per_atom"] as? Double)
      #expect(a < b + 3e-3, "\(a), \(b)")
      if row["reference_place"] as? Int == 1 { #expect(abs(a - b) < 1e-3, "\(a), \(b)") }
      #expect(
        row["model_enthalpy_ev_per_atom"] as? Double
          == other["model_enthalpy_ev_per_atom"] as? Double)
      #expect(row["converged"] as? Bool == true)
    }
    #expect(try it.place.digest("c") == digest)
    let text = try it.polymorph(
      ["rerank", it.place.path("c"), "--collect", it.place.path("out"), "--top", "1"])
    #expect(
      text.status == 0 && text.output.contains("Pearson") && text.output.contains("dE reference"))
    #expect(text.output.contains("left out: notes: "))
    #expect(try it.collect("out", ["--top", "1"]).list("best").count == 1)

    // Another candidate's numbers are another basin; the copy of a folder is not counted twice.
    try it.run(
      "rm -r out/\(names[0])/static && cp -r out/\(names[names.count - 1])/static out/\(names[0])/"
        + " && cp -r out/\(names[1]) out/zz-copy && rm -r out/\(names[2])/static")
    let mixed = try it.collect("out")
    let moved = try #require(try mixed.object("comparison")["moved"] as? [Int])
    #expect(moved.contains(try number(names[0])))
    #expect(try mixed.list("left_out").contains { $0["folder"] as? String == "zz-copy" })
    #expect(mixed["without_single_point"] as? [Int] == [try number(names[2])])
  }

  @Test("A folder that is none of this campaign's exports is a mistake of the command line")
  func wrong() throws {
    let it = try CollectPlace()
    func refused(_ folder: String, _ mention: String) throws {
      let outcome = try it.polymorph(["rerank", it.place.path("c"), "--collect", folder])
      #expect(outcome.status == 2, "\(outcome.errors)")
      #expect(outcome.errors.contains(mention), "\(outcome.errors)")
      #expect(outcome.errors.split(separator: "\n").count == 1 && outcome.output.isEmpty)
    }
    try refused(it.place.path("nowhere"), "is no folder")
    try refused(it.place.path("c"), "no candidate.json")
    let names = try it.export(to: "cp2k", ["cp2k", "--top", "2"])
    let mark = "cp2k/\(names[0])/candidate.json"
    let text = try String(contentsOfFile: it.place.path(mark), encoding: .utf8)
    for name in names { try it.edit("cp2k/\(name)/candidate.json", "\"cp2k\"", "\"siesta\"") }
    try refused(
      it.place.path("cp2k"),
      "calculations of siesta cannot be read; known are those of vasp, espresso, cp2k")
    for name in names { try it.edit("cp2k/\(name)/candidate.json", "\"siesta\"", "\"cp2k\"") }
    let campaign = try #require(try CollectPlace.object(text)["campaign"] as? String)
    for name in names {
      try it.edit("cp2k/\(name)/candidate.json", campaign, String(campaign.reversed()))
    }
    try refused(it.place.path("cp2k"), "of another campaign")
    let other = try it.polymorph(["rerank", it.place.path("x"), "--collect", it.place.path("cp2k")])
    #expect(other.status == 2 && other.errors.contains("holds no campaign"))
  }

  /// A search for silicon with two atoms at 10 GPa, in the folder `c`.
  private func silicon() throws -> Workplace {
    let place = try Workplace()
    let campaign = place.path("si.yaml")
    try AtomicFile.write(
      """
      composition: Si
      formula_units: [2]
      pressure: 10
      seed: 3
      potential: {kind: reference}
      reference:
        kind: stillinger-weber
        parameters:
          - {elements: [Si], epsilon: 2.1675, sigma: 2.0951, A: 7.049556277, B: 0.6022245584, p: 4, q: 0, a: 1.80, lambda: 21.0, gamma: 1.20}
      search: {candidates: 24, population: 8, window: 4}
      rerank: {top: 4}
      """, to: campaign)
    let search = try place.polymorph.run(
      ["search", campaign, "--directory", place.path("c"), "--quiet"], in: place.folder)
    try #require(search.status == 0, "\(search.errors)")
    return place
  }

  /// What an export of it wrote, by the names of the candidates' folders.
  private func exported(_ place: Workplace, _ format: [String]) throws -> [String] {
    let export = try place.polymorph.run(
      [
        "export", place.path("c"), "--top", "4", "--output", place.path("out"), "--format",
      ] + format, in: place.folder)
    try #require(export.status == 0, "\(export.errors)")
    let names = try FileManager.default.contentsOfDirectory(atPath: place.path("out")).sorted()
      .filter { $0.contains("-candidate") }
    try #require(names.count >= 3, "\(names)")
    return names
  }

  /// Puts a fixture into a candidate's folder.
  private func put(
    _ fixture: String, of program: String, _ place: Workplace, _ name: String, as file: String
  ) throws {
    let fixtures = try #require(Bundle.module.url(forResource: "Fixtures", withExtension: nil))
      .appendingPathComponent("finished/\(program)")
    let target = place.path("out/\(name)/\(file)")
    if FileManager.default.fileExists(atPath: target) {
      try FileManager.default.removeItem(atPath: target)
    }
    try FileManager.default.copyItem(
      atPath: fixtures.appendingPathComponent(fixture).path, toPath: target)
  }

  private func collect(_ place: Workplace) throws -> [String: Any] {
    let outcome = try place.polymorph.run(
      ["rerank", place.path("c"), "--collect", place.path("out"), "--json"], in: place.folder)
    try #require(outcome.status == 0, "\(outcome.errors)")
    return try CollectPlace.object(outcome.output)
  }

  /// The reasons of what was left out, by folder.
  private func reasons(_ result: [String: Any]) throws -> [String: String] {
    var reasons: [String: String] = [:]
    for left in try result.list("left_out") {
      reasons[try #require(left["folder"] as? String)] = left["reason"] as? String
    }
    return reasons
  }

  @Test("Relaxations of Quantum ESPRESSO are read with their single points")
  func espresso() throws {
    let place = try silicon()
    try AtomicFile.write(
      "folder: .\nfiles: {Si: Si.pbe-rrkj.UPF}\n", to: place.path("pseudo.yaml"))
    try AtomicFile.write("no pseudopotential: nothing reads it", to: place.path("Si.pbe-rrkj.UPF"))
    let names = try exported(
      place, ["espresso", "--pseudopotentials", place.path("pseudo.yaml")])
    let fixtures = try #require(Bundle.module.url(forResource: "Fixtures", withExtension: nil))
      .appendingPathComponent("finished/espresso")
    func put(_ fixture: String, _ name: String, as file: String) throws {
      try self.put(fixture, of: "espresso", place, name, as: file)
    }
    func collect() throws -> [String: Any] { try self.collect(place) }
    try put("relax.out.gz", names[0], as: "relax.out.gz")
    try put("static.out", names[0], as: "static.out")
    try put("step-limit.out.gz", names[1], as: "relax.out.gz")
    try put("not-converged.out.gz", names[2], as: "relax.out.gz")
    var result = try collect()
    let best = try result.list("best")
    #expect(best.count == 1)
    // static.out: −15.52998664 Ry at 264.8146 a₀³, and 10 GPa.
    let energy = -15.52998664 * PhysicalConstants.electronvoltsPerHartree / 2
    let work = 10 / PhysicalConstants.gigapascalsPerElectronvoltPerCubicAngstrom * 39.24148
    let found = try #require(best[0]["enthalpy_ev_per_atom"] as? Double)
    #expect(abs(found - (energy + work) / 2) < 1e-5, "\(found)")
    #expect(best[0]["atoms"] as? Int == 2)
    let comparison = try result.object("comparison")
    #expect(comparison["pearson"] is NSNull && comparison["rmse_mev_per_atom"] is NSNull)
    var reasons = try result.list("left_out").map { $0["reason"] as? String ?? "" }
    #expect(reasons[0].contains("limit of steps"), "\(reasons)")
    #expect(reasons[1].contains("convergence NOT achieved after   2 iterations"), "\(reasons)")

    // Without the single point, the calculation that pw.x adds at the relaxed cell is the same.
    try FileManager.default.removeItem(atPath: place.path("out/\(names[0])/static.out"))
    result = try collect()
    let again = try #require(try result.list("best")[0]["enthalpy_ev_per_atom"] as? Double)
    #expect(abs(again - found) < 1e-6)
    #expect((result["without_single_point"] as? [Int])?.count == 1)

    // Cut off, and with the output of another cell.
    let single = try String(
      contentsOf: fixtures.appendingPathComponent("static.out"), encoding: .utf8)
    try put("relax.out.gz", names[1], as: "relax.out.gz")
    try AtomicFile.write(
      String(single.prefix(single.count * 2 / 3)), to: place.path("out/\(names[1])/static.out"))
    try put("relax.out.gz", names[2], as: "relax.out.gz")
    try AtomicFile.write(
      single.replacingOccurrences(of: "264.8146", with: "275.0000"),
      to: place.path("out/\(names[2])/static.out"))
    result = try collect()
    reasons = try result.list("left_out").map { $0["reason"] as? String ?? "" }
    #expect(reasons[0].contains("has no end") && reasons[1].contains("another cell"), "\(reasons)")

    // A file that is there and cannot be read is told from one that is missing.
    let mark = place.path("out/\(names[1])/candidate.json")
    let content = try String(contentsOfFile: mark, encoding: .utf8)
    for (damaged, mention) in [
      (
        String(content.prefix(content.count / 2)), "candidate.json is damaged: it is no JSON object"
      ),
      ("", "candidate.json is damaged"),
      ("{}", "candidate.json is damaged: 'campaign' is missing"),
      (
        content.replacingOccurrences(of: "\"espresso\"", with: "7"),
        "candidate.json is damaged: 'program' is of another kind"
      ),
    ] {
      try AtomicFile.write(damaged, to: mark)
      let left = try collect().list("left_out").first { $0["folder"] as? String == names[1] }
      let reason = left?["reason"] as? String ?? ""
      #expect(reason.contains(mention), "\(reason)")
    }
  }

  @Test("Relaxations of CP2K are read with their single points")
  func cp2k() throws {
    let place = try silicon()
    let names = try exported(place, ["cp2k"])
    let files = FileManager.default
    func put(_ name: String, _ fixtures: [String]) throws {
      for file in fixtures { try self.put(file, of: "cp2k", place, name, as: file) }
    }
    func remove(_ name: String, _ file: String) throws {
      try files.removeItem(atPath: place.path("out/\(name)/\(file)"))
    }
    let relaxation = ["relax.out.gz", "relax-1.restart", "relax.forces.gz", "relax.stress.gz"]
    let single = ["static.out.gz", "static.forces", "static.stress"]
    for name in names[..<3] { try put(name, relaxation + single) }
    try self.put("not-converged.out.gz", of: "cp2k", place, names[1], as: "static.out.gz")
    try self.put("step-limit.out.gz", of: "cp2k", place, names[2], as: "relax.out.gz")
    var result = try collect(place)
    // static.out: −7.821853430845463 Hartree at 38.724913 Å³, and 10 GPa.
    let energy = -7.821853430845463 * PhysicalConstants.electronvoltsPerHartree
    let work = 10 / PhysicalConstants.gigapascalsPerElectronvoltPerCubicAngstrom * 38.724913
    let best = try result.list("best")
    #expect(best.count == 1 && best[0]["atoms"] as? Int == 2)
    let found = try #require(best[0]["enthalpy_ev_per_atom"] as? Double)
    #expect(abs(found - (energy + work) / 2) < 1e-7, "\(found)")
    let rows = try result.object("comparison").list("rows")
    #expect(rows.count == 1 && rows[0]["converged"] as? Bool == true)
    #expect((result["without_single_point"] as? [Int])?.isEmpty == true)
    var left = try reasons(result)
    #expect(left[names[1]]?.contains("self-consistent field did not converge") == true, "\(left)")
    #expect(left[names[2]]?.contains("limit of steps") == true, "\(left)")

    // Without the single point, the last step of the relaxation: its grid is that of the first cell.
    try remove(names[0], "static.out.gz")
    // The structure in other units, as CP2K writes it where the input has them.
    try put(names[1], ["static.out.gz"])
    let restart = place.path("out/\(names[1])/relax-1.restart")
    let text = try String(contentsOfFile: restart, encoding: .utf8)
    try AtomicFile.write(try Self.inBohr(text), to: restart)
    try remove(names[2], "relax.out.gz")
    result = try collect(place)
    #expect(result["without_single_point"] as? [Int] == [try number(names[0])])
    let enthalpies = try result.object("comparison").list("rows").compactMap {
      $0["reference_enthalpy_ev_per_atom"] as? Double
    }
    #expect(enthalpies.count == 2)
    // Both have the cutoff of this cell here; the fields end 2e-7 Hartree apart.
    for value in enthalpies { #expect(abs(value - found) < 1e-5, "\(value), \(found)") }
    left = try reasons(result)
    #expect(left[names[2]]?.contains("no relax.out") == true, "\(left)")

    // What is missing, cut off, or of another structure.
    func rewrite(_ name: String, _ file: String, _ change: (String) throws -> String) throws {
      let path = place.path("out/\(name)/\(file)")
      let zipped = files.fileExists(atPath: path + ".gz")
      let bytes = try StructureFile.bytes(of: zipped ? path + ".gz" : path)
      if zipped { try files.removeItem(atPath: path + ".gz") }
      try AtomicFile.write(change(String(decoding: bytes, as: UTF8.self)), to: path)
    }
    // A good one must be left for the others to be listed.
    func refused(
      _ mention: String, _ spoil: (String) throws -> Void, line: Int = #line
    ) throws {
      for file in try files.contentsOfDirectory(atPath: place.path("out/\(names[1])"))
      where file != "candidate.json" { try remove(names[1], file) }
      try put(names[0], relaxation + single)
      try put(names[1], relaxation + single)
      try spoil(names[1])
      let left = try reasons(collect(place))
      #expect(left[names[1]]?.contains(mention) == true, "line \(line): \(left)")
    }
    try refused("static.out: the output of cp2k has no end") {
      try rewrite($0, "static.out") { String($0.prefix($0.count * 2 / 3)) }
    }
    try refused("relax.out: the output of cp2k has no end") {
      try rewrite($0, "relax.out") { String($0.prefix($0.count / 2)) }
    }
    try refused("relax.out: the relaxation did not end at rest") {
      try rewrite($0, "relax.out") {
        $0.replacingOccurrences(of: "GEOMETRY OPTIMIZATION COMPLETED", with: "")
      }
    }
    try refused("no relax-1.restart") { try remove($0, "relax-1.restart") }
    try refused("cell and atoms cannot be read") {
      try rewrite($0, "relax-1.restart") { String($0.prefix($0.count / 2)) }
    }
    try refused("of another structure") {
      try rewrite($0, "relax-1.restart") {
        $0.replacingOccurrences(of: "Si    2.", with: "Si    3.")
      }
    }
    try refused("no readable static.forces") { try remove($0, "static.forces") }
    try refused("no readable static.stress") { try remove($0, "static.stress") }
    try refused("the last step of the relaxation has another cell") {
      try remove($0, "static.out.gz")
      try rewrite($0, "relax-1.restart") {
        $0.replacingOccurrences(of: "3.702185", with: "3.712185")
      }
    }
    // The field of the last step alone counts: CP2K goes on after one that did not converge.
    let (good, bad) = ("SCF run converged in", "SCF run NOT converged in")
    try refused("self-consistent field of the last step did not converge") {
      try rewrite($0, "relax.out") { text in
        let last = try #require(text.range(of: good, options: .backwards))
        return text.replacingCharacters(in: last, with: bad)
      }
    }
    try rewrite(names[1], "relax.out") { text in
      let early = text.replacingOccurrences(of: bad, with: good)
      let first = try #require(early.range(of: good))
      return early.replacingCharacters(in: first, with: bad)
    }
    result = try collect(place)
    #expect(try reasons(result)[names[1]] == nil)
    #expect(
      try result.object("comparison").list("rows").compactMap { $0["candidate"] as? Int }
        .contains(number(names[1])))
  }

  /// A restart file with cell and Cartesian positions in Bohr radii.
  private static func inBohr(_ restart: String) throws -> String {
    var lines = restart.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let bohr = PhysicalConstants.angstromsPerBohr
    func numbers(_ line: String) -> [Double] {
      line.split(separator: " ").dropFirst().compactMap { Double($0) }
    }
    func text(_ vector: Vector3) -> String { "\(vector.x) \(vector.y) \(vector.z)" }
    let cell = try #require(lines.firstIndex { $0.hasSuffix("&CELL") })
    let rows = (1...3).map { numbers(lines[cell + $0]) }
    let vectors = try rows.map { row in
      try #require(row.count == 3)
      return Vector3(row[0], row[1], row[2])
    }
    for (axis, name) in ["A", "B", "C"].enumerated() {
      lines[cell + 1 + axis] = "       \(name) [bohr] \(text(vectors[axis] / bohr))"
    }
    let atoms = try #require(lines.firstIndex { $0.hasSuffix("&COORD") })
    for place in [atoms + 1, atoms + 2] {
      let f = numbers(lines[place])
      let position = f[0] * vectors[0] + f[1] * vectors[1] + f[2] * vectors[2]
      lines[place] = "Si \(text(position / bohr))"
    }
    #expect(lines[atoms + 3].contains("SCALED"))
    lines[atoms + 3] = "       UNIT bohr"
    return lines.joined(separator: "\n")
  }
}
