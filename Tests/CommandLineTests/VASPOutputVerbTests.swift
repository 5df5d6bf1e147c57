import Foundation
import TestSupport
import Testing

@Suite("Outputs of VASP on the command line")
struct VASPOutputVerbTests {
  /// A relaxation of squeezed rutile by the stand-in, with the potential of `tio2.yaml`.
  private func relaxation(_ scratch: ScratchFolder) throws {
    _ = try scratch.write(
      """
      rutile
      1.0
      4.5 0.1 0
      0 4.6 0
      0 0 2.9
      Ti O
      2 4
      Direct
      0 0 0
      0.5 0.52 0.5
      0.31 0.3 0
      0.69 0.69 0
      0.8 0.2 0.5
      0.2 0.8 0.48

      """, "POSCAR")
    _ = try scratch.write("k\n0\nGamma\n2 2 2\n", "KPOINTS")
    _ = try scratch.write(
      "  PAW_PBE Ti 08Apr2002\n End of Dataset\n  PAW_PBE O 08Apr2002\n End of Dataset\n", "POTCAR")
    _ = try scratch.write(
      "SYSTEM = squeezed\nIBRION = 2\nISIF = 3\nNSW = 12\nEDIFFG = -0.01\nPSTRESS = 100\n", "INCAR")
    let outcome = try BuiltProgram("VASPStandIn").run(
      [], in: scratch.url,
      environment: ["VASP_STANDIN_MODEL": Polymorph.fixture("tio2.yaml")])
    try #require(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
  }

  private func errors(_ path: String) throws -> [String: Any] {
    let outcome = try Polymorph.program.run(
      ["errors", try Polymorph.fixture("tio2.yaml"), path, "--json"])
    try #require(outcome.status == 0, "\(outcome.errors)")
    return try #require(
      JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
  }

  @Test("The potential that made the numbers agrees with them: energies, forces and stresses")
  func agreement() throws {
    let scratch = try ScratchFolder()
    try relaxation(scratch)
    // vasprun.xml prints positions to 1e-8 of the cell, an OUTCAR to 1e-5 Å; forces change by some
    // 50 eV/Å², stresses by some 500 GPa/Å.
    for (name, force, stress) in [("vasprun.xml", 1e-5, 1e-4), ("OUTCAR", 2e-3, 2e-2)] {
      let report = try errors(scratch.path(name))
      #expect(try #require(report["structures"] as? Int) > 4)
      func largest(_ key: String) throws -> Double {
        try #require((report[key] as? [String: Any])?["maximum"] as? Double)
      }
      #expect(try largest("energy_per_atom") < 1e-5, "\(name)")
      #expect(try largest("force") < force, "\(name)")
      #expect(try largest("stress_gpa") < stress, "\(name)")
    }
  }

  @Test("A potential is trained on them, and they are converted, but never written")
  func verbs() throws {
    let scratch = try ScratchFolder()
    try relaxation(scratch)
    let trained = try Polymorph.program.run([
      "train", "mtp", scratch.path("vasprun.xml"), scratch.path("OUTCAR"), "--level", "4",
      "--trials", "5", "--output", scratch.path("t.mtp"),
    ])
    #expect(trained.status == 0, "\(trained.errors)")
    let converted = try Polymorph.program.run([
      "convert", scratch.path("vasprun.xml"), scratch.path("last.vasp"), "--index", "-1",
    ])
    #expect(converted.status == 0, "\(converted.errors)")
    let contcar = try String(contentsOfFile: scratch.path("CONTCAR"), encoding: .utf8)
    let last = try String(contentsOfFile: scratch.path("last.vasp"), encoding: .utf8)
    func numbers(_ text: String) -> [Double] {
      text.split(separator: "\n").dropFirst().flatMap { $0.split(separator: " ") }
        .compactMap { Double($0) }
    }
    #expect(numbers(last).count == numbers(contcar).count)
    for (a, b) in zip(numbers(last), numbers(contcar)) { #expect(abs(a - b) < 1e-7) }
    try FileManager.default.copyItem(
      atPath: scratch.path("OUTCAR"), toPath: scratch.path("result.txt"))
    let named = try Polymorph.program.run([
      "convert", scratch.path("result.txt"), scratch.path("all.cfg"), "--input-format", "outcar",
    ])
    #expect(named.status == 0, "\(named.errors)")
    for arguments in [["OUTCAR2"], ["x.cfg", "--output-format", "vasprun"], ["x.cfg.gz"]] {
      let refused = try Polymorph.program.run(
        ["convert", scratch.path("POSCAR"), scratch.path(arguments[0])] + arguments.dropFirst())
      #expect(refused.status != 0 && refused.errors.split(separator: "\n").count == 1)
      #expect(!FileManager.default.fileExists(atPath: scratch.path(arguments[0])))
    }
  }

  @Test("A run that broke off is an error that names the way to its complete steps")
  func usableSteps() throws {
    let scratch = try ScratchFolder()
    try relaxation(scratch)
    for name in ["vasprun.xml", "OUTCAR"] {
      let text = try String(contentsOfFile: scratch.path(name), encoding: .utf8)
      let cut = try scratch.write(String(text.prefix(text.count * 3 / 5)), "cut-\(name)")
      let arguments = ["convert", cut, scratch.path("\(name).cfg"), "--input-format"]
      let format = [name == "OUTCAR" ? "outcar" : "vasprun"]
      let refused = try Polymorph.program.run(arguments + format)
      #expect(refused.status == 2)
      #expect(refused.errors.contains("breaks off inside ionic step"), "\(refused.errors)")
      #expect(refused.errors.contains("--usable-steps"), "\(refused.errors)")
      let usable = try Polymorph.program.run(arguments + format + ["--usable-steps"])
      #expect(usable.status == 0, "\(usable.errors)")
      let whole = try Polymorph.program.run([
        "convert", scratch.path(name), scratch.path("whole.cfg"),
      ])
      #expect(whole.status == 0)
      let part = try scratch.bytes("\(name).cfg")
      let all = try scratch.bytes("whole.cfg")
      #expect(part.count < all.count && part == all.prefix(part.count))
    }
  }
}
