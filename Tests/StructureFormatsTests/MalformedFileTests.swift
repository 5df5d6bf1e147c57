import Crystal
import StructureFormats
import Testing

/// A text with a fault, and where a reader must see it.
struct Malformed: Sendable, CustomTestStringConvertible {
  let name: String
  let format: StructureFormat
  let line: Int
  let text: String
  let mention: String

  init(_ name: String, _ format: StructureFormat, line: Int, _ mention: String, _ text: String) {
    self.name = name
    self.format = format
    self.line = line
    self.text = text
    self.mention = mention
  }

  var testDescription: String { "\(format): \(name)" }
}

/// A correct text and the faults made by replacing one of its lines.
private func faults(
  _ format: StructureFormat, _ good: String,
  _ changes: [(name: String, line: Int, replacement: String?, at: Int, mention: String)]
) -> [Malformed] {
  changes.map { change in
    var lines = good.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    if let replacement = change.replacement {
      lines[change.line - 1] = replacement
    } else {
      lines.remove(at: change.line - 1)
    }
    return Malformed(
      change.name, format, line: change.at, change.mention, lines.joined(separator: "\n"))
  }
}

private let goodConfiguration = """
  BEGIN_CFG
   Size
      2
   Supercell
      4 0 0
      0 4 0
      0 0 4
   AtomData:  id type cartes_x cartes_y cartes_z fx fy fz
      1 0 0 0 0 0.1 0.2 0.3
      2 1 2 2 2 0 0 0
   Energy
      -3.5
   PlusStress: xx yy zz yz xz xy
      1 2 3 4 5 6
   Feature k\tv
  END_CFG

  """

private let goodFrame = """
  2
  Lattice="4 0 0 0 4 0 0 0 4" Properties=species:S:1:pos:R:3:forces:R:3 energy=-3.5 pbc="T T T"
  Ti 0 0 0 1 1 1
  O 2 2 2 1 1 1
  """

private let goodPoscar = """
  comment
  1.0
  4 0 0
  0 4 0
  0 0 4
  Ti O
  1 1
  Direct
  0 0 0
  0.5 0.5 0.5
  """

private let goodCif = """
  data_x
  _cell_length_a 4
  _cell_length_b 4
  _cell_length_c 4
  _cell_angle_alpha 90
  _cell_angle_beta 90
  _cell_angle_gamma 90
  loop_
  _space_group_symop_operation_xyz
  'x, y, z'
  '-x, -y, -z'
  loop_
  _atom_site_label
  _atom_site_fract_x
  _atom_site_fract_y
  _atom_site_fract_z
  _atom_site_occupancy
  Ti1 0.1 0.2 0.3 1.0
  O1 0.4 0.5 0.6(2) 1.0
  """

let malformedTexts: [Malformed] =
  faults(
    .cfg, goodConfiguration,
    [
      ("text before the block", 1, "hello", 1, "BEGIN_CFG"),
      ("Size is no number", 3, "two", 3, "'two'"),
      ("Size is negative", 3, "-2", 3, "-2"),
      ("Size is zero", 3, "0", 3, "0"),
      ("Size is too small", 3, "1", 10, "unknown field '2'"),
      ("Size is too large", 3, "3", 11, "2 atoms"),
      ("two sizes", 4, "Size 2", 4, "twice"),
      ("a lattice component is no number", 6, "0 four 0", 6, "'four'"),
      ("a lattice component is infinite", 6, "0 inf 0", 6, "'inf'"),
      ("a lattice component overflows", 6, "0 1e999 0", 6, "1e999"),
      ("two lattice components", 6, "0 4", 6, "2 components"),
      ("four lattice vectors", 7, "0 0 4\n0 0 5", 8, "fourth"),
      ("dependent lattice vectors", 7, "0 4 0", 1, "volume"),
      ("unknown column", 8, "AtomData: id type cartes_x cartes_y cartes_z spin fy fz", 8, "spin"),
      ("missing position column", 8, "AtomData: id type cartes_x cartes_y fx fy fz", 8, "position"),
      ("column given twice", 8, "AtomData: id type type cartes_x cartes_y cartes_z", 8, "twice"),
      (
        "mixed positions", 8, "AtomData: id type cartes_x direct_y cartes_z fx fy fz", 8, "position"
      ),
      ("two force columns", 8, "AtomData: id type cartes_x cartes_y cartes_z fx fy", 8, "2 force"),
      ("too few values", 9, "1 0 0 0 0 0.1 0.2", 9, "7 values"),
      ("too many values", 9, "1 0 0 0 0 0.1 0.2 0.3 0.4", 9, "9 values"),
      ("a position is no number", 10, "2 1 2 x 2 0 0 0", 10, "'x'"),
      ("a position is NaN", 10, "2 1 2 nan 2 0 0 0", 10, "'nan'"),
      ("a force is infinite", 10, "2 1 2 2 2 0 -inf 0", 10, "'-inf'"),
      ("ids are out of order", 10, "3 1 2 2 2 0 0 0", 10, "id is 3"),
      ("a negative type", 10, "2 -1 2 2 2 0 0 0", 10, "type is -1"),
      ("a type that was not named", 10, "2 2 2 2 2 0 0 0", 10, "type is 2"),
      ("the energy is missing", 12, "PlusStress:", 12, "PlusStress"),
      ("the energy is NaN", 12, "nan", 12, "nan"),
      ("two numbers for the energy", 12, "1 2", 12, "one value"),
      ("Stress instead of PlusStress", 13, "Stress: xx yy zz yz xz xy", 13, "PlusStress"),
      ("five stress names", 13, "PlusStress: xx yy zz yz xz", 13, "5 components"),
      ("a stress name twice", 13, "PlusStress: xx yy zz yz xz zx", 13, "each"),
      ("a wrong stress name", 13, "PlusStress: xx yy zz yz xz xw", 13, "'xw'"),
      ("five stresses", 14, "1 2 3 4 5", 14, "5 stress"),
      ("a stress is no number", 14, "1 2 3 4 5 six", 14, "'six'"),
      ("unknown field", 15, "Colour red", 15, "unknown field 'Colour'"),
      ("a feature without name", 15, "Feature", 15, "without a name"),
      ("truncated", 16, nil, 15, "ends inside"),
      ("a block inside a block", 16, "BEGIN_CFG", 16, "END_CFG"),
      ("no atoms", 8, "END_CFG", 1, "no atoms"),
      ("atoms before Size", 2, "AtomData: id type cartes_x cartes_y cartes_z", 2, "Size"),
    ])
  + faults(
    .extxyz, goodFrame,
    [
      ("the count is no number", 1, "two", 1, "'two'"),
      ("the count is zero", 1, "0", 1, "number of atoms"),
      ("the count is followed by something", 1, "2 3", 1, "alone"),
      ("the count is too large", 1, "3", 4, "2 atoms"),
      ("the count is too small", 1, "1", 4, "begins a frame"),
      (
        "eight lattice numbers", 2, "Lattice=\"4 0 0 0 4 0 0 0\" Properties=species:S:1:pos:R:3", 2,
        "8"
      ),
      (
        "a lattice word", 2, "Lattice=\"4 0 0 0 a 0 0 0 4\" Properties=species:S:1:pos:R:3", 2,
        "'a'"
      ),
      (
        "dependent vectors", 2,
        "Lattice=\"4 0 0 4 0 0 0 0 4\" Properties=species:S:1:pos:R:3:forces:R:3",
        2, "volume"
      ),
      (
        "a repeating direction without vector", 2,
        "Lattice=\"4 0 0 0 4 0 0 0 0\" Properties=species:S:1:pos:R:3:forces:R:3 pbc=\"T T T\"", 2,
        "direction 3"
      ),
      ("Properties cut", 2, "Properties=species:S:1:pos:R", 2, "Properties"),
      ("an unknown type", 2, "Properties=species:S:1:pos:Q:3", 2, "pos:Q:3"),
      ("two position columns", 2, "Properties=species:S:1:pos:R:2", 2, "pos:R:3"),
      ("forces as integers", 2, "Properties=species:S:1:pos:R:3:forces:I:3", 2, "forces:R:3"),
      ("no species", 2, "Properties=pos:R:3:forces:R:3:a:I:1", 2, "species"),
      ("no positions", 2, "Properties=species:S:1:forces:R:3:a:R:3", 2, "pos:R:3"),
      ("a wrong pbc", 2, "Properties=species:S:1:pos:R:3 pbc=\"T T\"", 2, "pbc"),
      (
        "an energy that is none", 2, "Properties=species:S:1:pos:R:3:forces:R:3 energy=low", 2,
        "low"
      ),
      (
        "six stresses", 2, "Properties=species:S:1:pos:R:3:forces:R:3 stress=\"1 2 3 4 5 6\"", 2,
        "6"
      ),
      (
        "energy twice", 2, "Properties=species:S:1:pos:R:3:forces:R:3 energy=1 energy=2", 2, "twice"
      ),
      ("no such element", 3, "Xx 0 0 0 1 1 1", 3, "'Xx'"),
      ("missing column", 4, "O 2 2 2 1 1", 4, "6 columns"),
      ("an extra column", 4, "O 2 2 2 1 1 1 1", 4, "8 columns"),
      ("an infinite force", 4, "O 2 2 2 1 1 inf", 4, "'inf'"),
      ("a hexadecimal word", 4, "O 2 2 0xg 1 1 1", 4, "'0xg'"),
      ("truncated", 4, nil, 3, "1 atoms"),
    ])
  + faults(
    .poscar, goodPoscar,
    [
      ("no scaling factor", 2, "", 2, "scaling"),
      ("a word as factor", 2, "one", 2, "'one'"),
      ("a factor of zero", 2, "0", 2, "factor is 0"),
      ("three factors, one negative", 2, "1 -1 1", 2, "factor"),
      ("two components", 4, "0 4", 4, "2 components"),
      ("dependent vectors", 5, "4 0 0", 3, "volume"),
      ("an unknown symbol", 6, "Ti Qq", 6, "'Qq'"),
      ("a word among the numbers", 7, "1 one", 7, "'one'"),
      ("a negative number", 7, "1 -1", 7, "-1"),
      ("three numbers for two symbols", 7, "1 1 1", 7, "3 numbers"),
      ("an unknown kind of positions", 8, "Polar", 8, "Polar"),
      ("selective dynamics without flags", 8, "Selective\nDirect", 10, "flag"),
      ("two coordinates", 10, "0.5 0.5", 10, "2 coordinates"),
      ("a coordinate NaN", 10, "0.5 nan 0.5", 10, "'nan'"),
      ("a position missing", 10, nil, 9, "1 positions"),
      ("a position too many", 10, "0.5 0.5 0.5\n0.1 0.1 0.1", 11, "after the last"),
      ("no scaling factor line", 2, nil, 2, "factor is 4 0 0"),
    ])
  + faults(
    .cif, goodCif,
    [
      ("no block", 1, "_tag 1", 1, "data_"),
      ("a missing length", 2, nil, 1, "_cell_length_a"),
      ("an unknown length", 2, "_cell_length_a ?", 1, "_cell_length_a"),
      ("a length that is no number", 3, "_cell_length_b four", 3, "'four'"),
      ("a negative length", 4, "_cell_length_c -4", 4, "-4"),
      ("an angle of 180", 5, "_cell_angle_alpha 180", 5, "180"),
      ("a tag without value", 7, "_cell_angle_gamma", 7, "no value"),
      ("a tag twice", 7, "_cell_angle_beta 90", 7, "twice"),
      ("a value without tag", 7, "_cell_angle_gamma 90 91", 7, "'91'"),
      ("no operation", 10, "'x, y'", 10, "'x, y'"),
      ("a wrong operation", 11, "'-x, -y, -w'", 11, "-w"),
      ("a flattening operation", 11, "'x, x, z'", 11, "x, x, z"),
      ("no identity", 10, "'-x, -y, z'", 10, "identity"),
      ("an open quote", 10, "'x, y, z", 10, "closing quote"),
      ("a loop without columns", 12, "loop_\nloop_", 12, "no columns"),
      ("a column too many", 17, "_atom_site_occupancy\n_atom_site_x", 20, "multiple"),
      ("a coordinate missing", 19, "O1 0.4 0.5 0.6(2)", 19, "multiple"),
      ("a coordinate column missing", 15, "_atom_site_other", 1, "_atom_site_fract_y"),
      ("an unknown coordinate", 19, "O1 0.4 ? 0.6(2) 1.0", 19, "'?'"),
      ("an infinite coordinate", 19, "O1 0.4 inf 0.6(2) 1.0", 19, "inf"),
      ("a wrong uncertainty", 19, "O1 0.4 0.5 0.6(a) 1.0", 19, "0.6(a)"),
      ("an unknown element", 18, "Q1 0.1 0.2 0.3 1.0", 18, "'Q1'"),
      ("a half-occupied site", 18, "Ti1 0.1 0.2 0.3 0.5", 18, "disordered"),
      ("an open text field", 19, "O1 0.4 0.5 0.6 1.0\n_note\n;text", 21, "line 21"),
      ("no atoms", 14, "_atom_site_other", 1, "no block has atoms"),
    ])
  + [
    Malformed("an empty file", .poscar, line: 1, "comment", ""),
    Malformed(
      "a group without operations", .cif, line: 8, "136",
      goodCif.split(separator: "\n")[..<7].joined(separator: "\n")
        + "\n_space_group_IT_number 136\nloop_\n_atom_site_label _atom_site_fract_x"
        + "\n_atom_site_fract_y _atom_site_fract_z\nTi 0 0 0"),
    Malformed(
      "angles that fit no cell", .cif, line: 2, "fit no cell",
      goodCif.replacing(" 90", with: " 120")),
    Malformed("a comment alone", .poscar, line: 1, "scaling factor", "x\n"),
    Malformed("a frame's count alone", .extxyz, line: 1, "comment line", "3"),
  ]

@Suite("Malformed files")
struct MalformedFileTests {
  @Test("A fault is reported with its line", arguments: malformedTexts)
  func lines(fault: Malformed) throws {
    let elements = ["Ti", "O"].compactMap(ChemicalElement.init(symbol:))
    do {
      let records = try StructureFile.parse(
        fault.text, path: "file", format: fault.format, elements: elements)
      Issue.record("\(records.count) records were read")
    } catch {
      #expect(error.line == fault.line, "\(error)")
      #expect(error.description.hasPrefix("file:\(fault.line): "), "\(error)")
      #expect(error.description.contains(fault.mention), "\(error)")
    }
  }

  // Outputs of VASP cannot be made from a record: `VASPOutputTests.cutting` cuts real ones.
  @Test(
    "Every beginning of a file is refused or read, never a crash",
    arguments: StructureFormat.writable)
  func truncation(format: StructureFormat) throws {
    let record = try RandomRecord.make(seed: 3)
    let text = try StructureFile.text(
      of: [record, record].dropLast(format.isSingle ? 1 : 0), format: format)
    for length in stride(from: 0, to: text.utf8.count, by: 3) {
      let part = String(decoding: text.utf8.prefix(length), as: UTF8.self)
      if let records = try? StructureFile.parse(part, format: format) {
        #expect(records.count <= 2)
      }
    }
  }

  @Test("A byte order mark before the text changes nothing", arguments: StructureFormat.writable)
  func byteOrderMark(format: StructureFormat) throws {
    let text = try StructureFile.text(of: [try RandomRecord.make(seed: 5)], format: format)
    let plain = try StructureFile.parse(text, format: format)
    let marked = try StructureFile.parse("\u{FEFF}" + text, format: format)
    #expect(marked.map(\.structure) == plain.map(\.structure))
  }

  @Test("A missing file and an unknown name say so")
  func files() throws {
    #expect(throws: FormatError.self) { try StructureFile.read("/nonexistent/POSCAR") }
    do {
      _ = try StructureFile.read("structure.docx")
      Issue.record("no error")
    } catch { #expect(error.description.contains(".cfg")) }
  }

  @Test("Names tell formats")
  func names() {
    #expect(StructureFormat.recognized(path: "/a/b.c/POSCAR") == .poscar)
    #expect(StructureFormat.recognized(path: "CONTCAR_12") == .poscar)
    #expect(StructureFormat.recognized(path: "x.vasp") == .poscar)
    #expect(StructureFormat.recognized(path: "train.CFG") == .cfg)
    #expect(StructureFormat.recognized(path: "poscar.xyz") == .extxyz)
    #expect(StructureFormat.recognized(path: "x.extxyz") == .extxyz)
    #expect(StructureFormat.recognized(path: "notes.txt") == nil)
  }
}

extension StructureFormat {
  var isSingle: Bool { self == .poscar }
}
