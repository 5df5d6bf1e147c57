import Crystal
import Foundation
import NumericalCore
import StructureFormats
import TestSupport
import Testing

/// Real outputs with one thing changed, as other runs and other versions write it.
@Suite("Variations of VASP's outputs")
struct VASPVariationTests {
  private let xml = "vasprun-Si-noncollinear.xml"
  private let outcar = "OUTCAR_relax"

  /// A real file with changes, each of which must be there to be made.
  private func changed(
    _ name: String, _ changes: [(old: String, new: String)], every: Bool = false
  ) throws -> VASPOutput {
    var text = try VASPFixture.text(name)
    for change in changes {
      let range = try #require(text.range(of: change.old), "\(change.old) is not in \(name)")
      if every {
        text = text.replacingOccurrences(of: change.old, with: change.new)
      } else {
        text.replaceSubrange(range, with: change.new)
      }
    }
    return try VASPFixture.output(text, VASPFixture.kind(name))
  }

  private func original(_ name: String) throws -> StructureRecord {
    try #require(try VASPOutput(path: VASPFixture.path(name)).records().first)
  }

  /// All numbers of a record.
  private func numbers(_ record: StructureRecord) -> [Double] {
    let lattice = record.structure.lattice.vectors
    let stress = record.stress ?? .zero
    let vectors =
      [lattice.a, lattice.b, lattice.c, stress.a, stress.b, stress.c]
      + record.structure.positions + (record.forces ?? [])
    return [record.energy ?? .nan] + vectors.flatMap { [$0.x, $0.y, $0.z] }
  }

  private func refusal(_ output: @autoclosure () throws -> VASPOutput) -> FormatError? {
    do {
      _ = try output().records()
      return nil
    } catch { return error as? FormatError }
  }

  @Test("Without a stress the rest is read, and the entry is no label of a crystal")
  func noStress() throws {
    let text = try VASPFixture.text(xml)
    let start = try #require(text.range(of: "  <varray name=\"stress\" >"))
    let end = try #require(text.range(of: "</varray>", range: start.upperBound..<text.endIndex))
    let output = try VASPFixture.output(
      text.replacingCharacters(in: start.lowerBound..<end.upperBound, with: ""), .vasprun)
    let record = try #require(try output.records().first)
    #expect(record.stress == nil && record.forces != nil && record.energy != nil)
    #expect(record.labelled == nil)
    let none = try changed(outcar, [("  in kB ", "  ")], every: true)
    #expect(try none.records().allSatisfy { $0.stress == nil && $0.forces?.count == 32 })
  }

  @Test("ISIF 1 computes the trace of the stress alone, so that it is left out")
  func traceOnly() throws {
    let old = "<i type=\"int\" name=\"ISIF\">     2</i>"
    let output = try changed(xml, [(old, old.replacingOccurrences(of: "2<", with: "1<"))])
    #expect(try output.records().first?.stress == nil)
    let second = try changed(outcar, [("   ISIF   =      3 ", "   ISIF   =      1 ")])
    #expect(try second.records().allSatisfy { $0.stress == nil })
  }

  @Test("A fixed density (ICHARG 11) makes no label")
  func fixedDensity() throws {
    let old = "<i type=\"int\" name=\"ICHARG\">     2</i>"
    let xmlError = refusal(
      try changed(xml, [(old, old.replacingOccurrences(of: " 2<", with: "11<"))]))
    #expect(xmlError?.description.contains("ICHARG = 11") == true)
    let outcarError = refusal(
      try changed(outcar, [("   ICHARG =      1 ", "   ICHARG =     11 ")]))
    #expect(outcarError?.description.contains("ICHARG = 11") == true)
  }

  @Test("Electronic steps up to NELM are not known to have converged")
  func limit() throws {
    // This run took 17 steps; the second NELM of the file is another one.
    let old = "<i type=\"int\" name=\"NELM\">    60</i>"
    let output = try changed(xml, [(old, old.replacingOccurrences(of: "60<", with: "17<"))])
    let error = try #require(refusal(output))
    #expect(error.line == 573)
    #expect(error.description.contains("all 17 steps that NELM allows"), "\(error)")
    #expect(try output.records(.usable).isEmpty)
    let enough = try changed(xml, [(old, old.replacingOccurrences(of: "60<", with: "18<"))])
    #expect(try enough.records().count == 1)
  }

  @Test("An electronic loop that was stopped by hand is no label")
  func stopped() throws {
    // As if the loop had ended before its last five steps.
    let text = try VASPFixture.text(xml)
    let start = try #require(
      text.range(of: "  <scstep>\n   <time name=\"dav\">", options: .backwards))
    var cut = text
    var from = start.lowerBound
    for _ in 0..<8 {
      from = try #require(
        text.range(of: "  <scstep>", options: .backwards, range: text.startIndex..<from)
      ).lowerBound
    }
    let end = try #require(text.range(of: "  </scstep>\n", options: .backwards)).upperBound
    cut.removeSubrange(from..<end)
    let error = try #require(refusal(try VASPFixture.output(cut, .vasprun)))
    #expect(error.description.contains("stopped after"), "\(error)")
    let hard = try changed(
      outcar,
      [
        (
          "------------------------ aborting loop because",
          " hard stop encountered!  aborting job ...\n"
        )
      ])
    let second = try #require(refusal(hard))
    #expect(second.description.contains("stopped after 11 steps"), "\(second)")
  }

  @Test("More than ten types of ions continue on the next line")
  func manyTypes() throws {
    let pair = "   VRHFIN =Ag : s1 d10"
    let output = try changed(
      outcar,
      [
        (
          "   ions per type =               0  32",
          "   ions per type =               3   3   3   3   3   3   3   3   3   3\n                                 2"
        ), (pair, String(repeating: "   TITEL  = PAW_PBE Ag 02Apr2005\n", count: 9) + pair),
      ])
    let species = try #require(try output.records().first).structure.species.map(\.symbol)
    #expect(species == Array(repeating: "Pd", count: 3) + Array(repeating: "Ag", count: 29))
  }

  @Test("VASP 6 says whether the last allowed step was enough; earlier versions do not")
  func versionSix() throws {
    let few = ("   NELM   =     80;", "   NELM   =     11;")
    let old = try #require(refusal(try changed(outcar, [few])))
    #expect(old.description.contains("ionic step 1: the electronic loop"), "\(old)")
    #expect(try changed(outcar, [few]).records(.usable).count == 2)
    let six = (" vasp.5.4.1 ", " vasp.6.4.1 ")
    #expect(try changed(outcar, [few, six]).records().count == 3)
    let reached = "aborting loop because EDIFF is reached "
    let missed = "aborting loop EDIFF was not reached (unconverged) "
    let error = try #require(refusal(try changed(outcar, [six, (reached, missed)])))
    #expect(error.description.contains("ionic step 1"), "\(error)")
    #expect(try changed(outcar, [six, (reached, missed)]).records(.usable).count == 2)
  }

  @Test("Numbers that touch are told apart")
  func touching() throws {
    let record = try original(outcar)
    let output = try changed(
      outcar,
      [
        ("      2.79032      6.42301     -0.51454 ", "      2.79032      6.42301-1000.51454"),
        (" 8.458526959  1.656720733  1.673168563", " 8.458526959-11.656720733101.673168563"),
        ("  in kB       1.25062     1.93247", "  in kB  -12345.25062101234.93247"),
      ])
    // The lattice before the first step is not the step's.
    let second = try changed(
      outcar,
      [
        (
          "     8.458526959  1.656720733  1.673168563     0.129208067 -0.027792090 -0.028010439\n     1.573491987",
          "   108.458526959101.656720733-11.673168563     0.129208067 -0.027792090 -0.028010439\n     1.573491987"
        )
      ], every: true)
    let first = try #require(try output.records().first)
    #expect(first.structure.positions[4].z == -1000.51454)
    #expect(first.structure.positions[3] == record.structure.positions[3])
    let gigapascals = PhysicalConstants.gigapascalsPerElectronvoltPerCubicAngstrom
    #expect(abs(try #require(first.stress).a.x * gigapascals - 1234.525062) < 1e-9)
    #expect(abs(try #require(first.stress).b.y * gigapascals + 10123.493247) < 1e-9)
    #expect(
      try second.records().first?.structure.lattice.vectors.a
        == Vector3(108.458526959, 101.656720733, -11.673168563))
  }

  @Test("A number that did not fit into its column refuses its step, with the line")
  func stars() throws {
    let changes = [
      ("         0.018838      0.047343", " **************      0.047343"),
      (
        "  free  energy   TOTEN  =       -88.79099344",
        "  free  energy   TOTEN  = ******************"
      ),
      ("  in kB       1.25062", "  in kB  ************"),
    ]
    for (change, line) in zip(changes, [1465, 1507, 1407]) {
      let output = try changed(outcar, [change])
      let error = try #require(refusal(output))
      #expect(error.line == line, "\(error)")
      #expect(error.description.contains("*"), "\(error)")
      #expect(try output.records(.usable).count == 2)
    }
    let xmlForces = try changed(
      xml, [("<varray name=\"forces\" >\n   <v>      ", "<varray name=\"forces\" >\n   <v> *****")])
    let error = try #require(refusal(xmlForces))
    #expect(error.line == 765, "\(error)")
    let nan = try changed(
      xml,
      [
        (
          "   <i name=\"e_fr_energy\">    -10.83456657 </i>\n   <i name=\"e_wo",
          "   <i name=\"e_fr_energy\">            NaN </i>\n   <i name=\"e_wo"
        )
      ])
    #expect(refusal(nan)?.description.contains("NaN") == true)
  }

  @Test("An end tag that fits no start is refused, wherever it stands")
  func malformed() throws {
    for old in ["  </incar>", "  <varray name=\"forces\" >"] {
      let text = try VASPFixture.text("vasprun-kpoints-opt-spin.xml")
      let range = try #require(text.range(of: old.trimmingCharacters(in: .whitespaces)))
      #expect {
        try VASPFixture.output(text.replacingCharacters(in: range, with: "</b>"), .vasprun)
      } throws: { "\($0)".contains("malformed") }
    }
  }

  @Test("Titles that are no XML and bytes outside ASCII do not matter")
  func titles() throws {
    let expected = try original(xml)
    let old = "<i type=\"string\" name=\"SYSTEM\">unknown system</i>"
    var bytes = try VASPFixture.bytes(xml)
    let range = try #require(bytes.firstRange(of: Array(old.utf8)))
    let title = "<i type=\"string\" name=\"SYSTEM\">Si & <111> <b></i> 5 < 7 ".utf8
    bytes.replaceSubrange(
      range, with: Array(title) + [0xE4, 0xFC, 0x00, 0x1B] + Array("</i>".utf8))
    let record = try #require(
      try VASPOutput(bytes: bytes, path: "x", kind: .vasprun).records().first)
    #expect(record.structure == expected.structure && record.energy == expected.energy)
  }

  @Test("Line ends of Windows change nothing")
  func windows() throws {
    for name in [xml, outcar] {
      let text = try VASPFixture.text(name).replacingOccurrences(of: "\n", with: "\r\n")
      let output = try VASPFixture.output(text, VASPFixture.kind(name))
      let records = try output.records()
      let expected = try VASPOutput(path: VASPFixture.path(name)).records()
      #expect(records.map(\.structure) == expected.map(\.structure))
      #expect(records.map(\.energy) == expected.map(\.energy))
      #expect(records.map(\.stress) == expected.map(\.stress))
    }
  }

  @Test("One element in several potentials is one element")
  func repeatedElement() throws {
    let row = "<rc><c>Si</c><c>   1</c></rc>\n   </set>"
    let output = try changed(xml, [(row, row.replacingOccurrences(of: "1<", with: "2<"))])
    #expect(try output.records().first?.structure.species.map(\.symbol) == ["Si", "Si"])
    let split = try changed(
      outcar,
      [
        ("   ions per type =               0  32", "   ions per type =              12  20"),
        ("  VRHFIN =Pd : s1 d9", "  VRHFIN =Ag : s1 d9"),
        ("   TITEL  = PAW_PBE Pd 04Jan2005", "   TITEL  = PAW_PBE Ag_pv 04Jan2005"),
      ])
    #expect(try split.records().first?.structure.species == original(outcar).structure.species)
  }

  @Test(
    "VASP's names of potentials stand for their elements",
    arguments: [
      ("PAW_PBE Ti_pv 07Sep2000", "Ti"), ("PAW_PBE Si_GW 04May2012", "Si"),
      ("PAW_PBE H.75 08Apr2002", "H"),
      ("PAW Gd_3 06Mar2002", "Gd"), ("US O_s", "O"), ("PAW_GGA Cu 05Jan2001", "Cu"),
      ("PAW_PBE_52 N 08Apr2002", "N"), ("Zr_sv", "Zr"),
    ])
  func potentialNames(title: String, symbol: String) {
    #expect(VASPElementName.element(title: title)?.symbol == symbol)
  }

  @Test("A name that VASP has cut is found in the potential's title")
  func cutNames() throws {
    let output = try changed(
      xml,
      [
        ("<rc><c>Si</c><c>   1</c></rc>", "<rc><c>r </c><c>   1</c></rc>"),
        ("PAW_PBE Si", "PAW_PBE Zr_sv"),
      ])
    #expect(try output.records().first?.structure.species.map(\.symbol) == ["Zr", "Si"])
  }

  @Test("Thousands of ions, whose numbers touch, are counted by columns")
  func touchingCounts() throws {
    let output = try changed(
      outcar,
      [
        ("number of ions     NIONS =     32", "number of ions     NIONS =   3234"),
        ("   ions per type =               0  32", "   ions per type =            12342000"),
      ])
    let error = try #require(refusal(output))
    #expect(error.description.contains("32 positions and 32 forces for 3234 atoms"), "\(error)")
  }

  @Test(
    "Numbers of ions that no file has are refused, and exhaust no memory",
    arguments: [
      ("    32", "9223372036854775807 9223372036854775807"), ("    32", "999999999999999999"),
      ("    32", "-32 64"), ("999999999999999999", "0 999999999999999999"),
      ("20000000", "10000000 10000000"), ("    32", "0\n 9223372036854775807 9223372036854775807"),
    ])
  func absurdCounts(total: String, counts: String) throws {
    let error = try #require(
      refusal(
        try changed(
          outcar,
          [
            ("number of ions     NIONS =     32", "number of ions     NIONS = \(total)"),
            ("   ions per type =               0  32", "   ions per type =   \(counts)"),
          ])))
    #expect(error.description.contains("the numbers of ions per type are"), "\(error)")
  }

  @Test("A type that no potential has is refused", arguments: [Int.min, -1, 0, 2, Int.max])
  func absurdTypes(type: Int) throws {
    let error = try #require(
      refusal(
        try changed(xml, [("<rc><c>Si</c><c>   1</c></rc>", "<rc><c>r </c><c>\(type)</c></rc>")])))
    #expect(error.description.contains("unknown element 'r'"), "\(error)")
  }

  @Test("With PSTRESS, vasprun.xml holds the enthalpy: the energy is read")
  func enthalpy() throws {
    let expected = try original(xml)
    let volume = expected.structure.volume
    let work = 250 * volume / (10 * PhysicalConstants.gigapascalsPerElectronvoltPerCubicAngstrom)
    let old = "   <i name=\"e_fr_energy\">    -10.83456657 </i>\n   <i name=\"e_wo_entrp\">"
    let enthalpy = String(format: "%16.8f", -10.83456657 + work)
    let pressure = ("name=\"PSTRESS\">      0.00000000", "name=\"PSTRESS\">    250.00000000")
    let output = try changed(
      xml, [pressure, (old, old.replacingOccurrences(of: "    -10.83456657", with: enthalpy))])
    let record = try #require(try output.records().first)
    #expect(abs(try #require(record.energy) + 10.83456657) < 1e-8)
    #expect(record.stress == expected.stress)
    #expect(work > 5)
    // Where the energy is that of the electronic steps, nothing is taken off.
    #expect(try changed(xml, [pressure]).records().first?.energy == expected.energy)
  }

  @Test("Steps of VASP's own force field are not taken for DFT")
  func forceField() throws {
    let output = try changed(
      outcar,
      [
        (
          "free  energy   TOTEN  =       -88.79508029",
          "free  energy ML TOTEN  =       -88.79508029"
        )
      ])
    let error = try #require(refusal(output))
    #expect(error.description.contains("ionic step 2"), "\(error)")
    #expect(error.description.contains("ML_LMLFF"), "\(error)")
    #expect(try output.records(.usable).map(\.energy) == [-88.79099344, -88.79549823])
    let text = try VASPFixture.text(xml)
    let start = try #require(text.range(of: "  <scstep>"))
    let end = try #require(text.range(of: "</scstep>", options: .backwards))
    let none = try VASPFixture.output(
      text.replacingCharacters(in: start.lowerBound..<end.upperBound, with: ""), .vasprun)
    #expect(refusal(none)?.description.contains("no electronic step") == true)
  }

  /// What VASP 6.3 prints of its force field: the geometry is another one than that of the step around it.
  private let prediction = """
      ML FORCE on cell =-STRESS in cart. coord. units (eV/cell)
      in kB       9.00000     9.00000     9.00000     0.00000     0.00000     0.00000
      VOLUME and BASIS-vectors are now :
          direct lattice vectors                 reciprocal lattice vectors
         9.000000000  0.000000000  0.000000000     0.111111111  0.000000000  0.000000000
         0.000000000  9.000000000  0.000000000     0.000000000  0.111111111  0.000000000
         0.000000000  0.000000000  9.000000000     0.000000000  0.000000000  0.111111111

      POSITION                                       TOTAL-FORCE (eV/Angst) (ML)
     -----------------------------------------------------------------------------------
      free  energy ML TOTEN  =       -80.00000000 eV


    """

  @Test("The force field's prediction of the next geometry leaves a step's own numbers alone")
  func predictedGeometry() throws {
    let plain = try VASPOutput(path: VASPFixture.path(outcar)).records()
    let text = try VASPFixture.text(outcar)
    let end = "     LOOP+:"
    let onTheWay = try VASPFixture.output(
      text.replacingOccurrences(of: end, with: prediction + end), .outcar)
    #expect(try onTheWay.records().map(numbers) == plain.map(numbers))
    // Before the first step of DFT, too, it speaks of that step.
    let iteration = "------------------------------- Iteration    1(   1)"
    let place = try #require(text.range(of: iteration)?.lowerBound)
    var before = text
    before.insert(contentsOf: prediction, at: text[..<place].lastIndex(of: "\n") ?? place)
    #expect(try VASPFixture.output(before, .outcar).records().map(numbers) == plain.map(numbers))
  }

  @Test("Steps of the force field alone, which have no heading in VASP 6.3, are told and left out")
  func predictedSteps() throws {
    let plain = try VASPOutput(path: VASPFixture.path(outcar)).records()
    var text = try VASPFixture.text(outcar)
    let end = try #require(text.range(of: "     LOOP+:"))
    let next = try #require(text.range(of: "\n", range: end.upperBound..<text.endIndex)).upperBound
    let step = prediction + "     LOOP+:  cpu time      0.0015: real time      0.0017\n"
    text.insert(contentsOf: step + step, at: next)
    let output = try VASPFixture.output(text, .outcar)
    #expect(output.steps.map { $0.record == nil } == [false, true, true, false, false])
    #expect(try output.records(.usable).map(numbers) == plain.map(numbers))
    #expect(refusal(output)?.description.contains("ML_LMLFF") == true)
  }

  @Test("VASP 6 says that a hard stop ended the electronic loop")
  func hardStop() throws {
    let output = try changed(
      outcar,
      [
        (" vasp.5.4.1 ", " vasp.6.4.1 "),
        (
          "aborting loop because EDIFF is reached ",
          "aborting loop because hard stop was set"
        ),
      ])
    #expect(refusal(output)?.description.contains("ionic step 1: the electronic loop") == true)
    #expect(try output.records(.usable).count == 2)
    let five = try changed(
      outcar,
      [
        (
          "------------------------ aborting loop because",
          " hard stop encountered!  aborting job ...\n------------------------ aborting loop because"
        )
      ])
    #expect(try five.records(.usable).count == 2)
  }

  @Test("Steps without energies before one that has them are passed over")
  func emptySteps() throws {
    let output = try changed(
      xml,
      [
        (
          " <calculation>\n",
          " <calculation>\n  <scstep>\n  </scstep>\n </calculation>\n <calculation>\n"
        )
      ])
    #expect(output.steps.map(\.number) == [2])
    #expect(try output.records().map(\.energy) == [original(xml).energy])
  }

  @Test("The primitive cell, the first and the last structure are no steps")
  func otherStructures() throws {
    let text = try VASPFixture.text("vasprun-kpoints-opt-spin.xml")
    #expect(text.contains("primitive_cell") && text.contains("finalpos"))
    #expect(text.contains("kpoints_opt"))
    #expect(try VASPOutput(path: VASPFixture.path("vasprun-kpoints-opt-spin.xml")).steps.count == 1)
  }

  @Test("Flags of selective dynamics lie beside the positions")
  func selective() throws {
    let old = "  </structure>\n  <varray name=\"forces\" >"
    let flags =
      "   <varray name=\"selective\" >\n    <v type=\"logical\"> T F T </v>\n   </varray>\n"
    let output = try changed(xml, [(old, flags + old)])
    #expect(try output.records().first?.structure == original(xml).structure)
  }
}

@Suite("Compressed files")
struct GzipArchiveTests {
  /// Made by Python's zlib, so that the peer decides what is right.
  private func packed(_ bytes: [UInt8], _ python: String) throws -> [UInt8] {
    let folder = try ScratchFolder()
    try Data(bytes).write(to: URL(fileURLWithPath: folder.file("in")))
    _ = try PythonASE.run(
      "import sys, zlib, gzip\ndata = open(sys.argv[1], 'rb').read()\n"
        + "open(sys.argv[2], 'wb').write(\(python))",
      [folder.file("in"), folder.file("out")])
    return Array(try Data(contentsOf: URL(fileURLWithPath: folder.file("out"))))
  }

  @Test(
    "What zlib packs is unpacked: stored, fixed and dynamic codes, several members",
    arguments: [
      "gzip.compress(data, 0)", "gzip.compress(data, 9)", "gzip.compress(data, 1)",
      "gzip.compress(data[:1000]) + gzip.compress(data[1000:])", "gzip.compress(data) + bytes(512)",
    ])
  func unpacking(python: String) throws {
    var random = RandomStream(seed: 3, purpose: .test, slot: 1)
    let words = (0..<40).map { _ in
      (0..<Int(1 + random.uniform() * 12)).map { _ in UInt8(random.uniform() * 256) }
    }
    var bytes: [UInt8] = []
    while bytes.count < 100_000 { bytes += words[Int(random.uniform() * 40)] }
    for sample in [bytes, Array("a".utf8), []] {
      #expect(try GzipArchive.unpacked(packed(sample, python)) == sample)
    }
  }

  @Test(
    "More content than the limit is refused before it is made",
    arguments: [
      "gzip.compress(data, 0)", "gzip.compress(data, 9)",
      "gzip.compress(data[:60000]) + gzip.compress(data[60000:])",
    ])
  func limit(python: String) throws {
    // One run of a byte, and bytes that do not repeat.
    let samples: [[UInt8]] = [
      Array(repeating: 7, count: 100_000),
      (0..<100_000).map { UInt8(truncatingIfNeeded: $0 * $0 / 128) },
    ]
    for sample in samples {
      let archive = try packed(sample, python)
      #expect(try GzipArchive.unpacked(archive, limit: 100_000) == sample)
      for limit in [0, 1, 50_000, 99_999] {
        do {
          _ = try GzipArchive.unpacked(archive, limit: limit)
          Issue.record("\(limit): unpacked")
        } catch { #expect(error.reason.contains("more than \(limit) bytes")) }
      }
    }
  }

  @Test("A compressed file that is cut or damaged is refused and never ends the program")
  func damage() throws {
    let archive = try packed(
      Array(VASPFixture.bytes("vasprun-NaCl-displaced.xml")), "gzip.compress(data)")
    for count in stride(from: 2, to: archive.count, by: 97) {
      #expect(throws: GzipArchive.Failure.self) {
        try GzipArchive.unpacked(Array(archive[..<count]))
      }
    }
    var random = RandomStream(seed: 5, purpose: .test, slot: 1)
    for _ in 0..<100 {
      var damaged = archive
      // The ten bytes of the header hold a time and a system, which nothing checks.
      damaged[10 + Int(random.uniform() * Double(archive.count - 10))] ^= 0x10
      #expect(throws: GzipArchive.Failure.self) { try GzipArchive.unpacked(damaged) }
    }
  }
}
