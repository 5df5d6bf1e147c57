import Archive
import Crystal
import Foundation
import NumericalCore
import TestSupport
import Testing

@Suite("The structure database, as ASE sees it")
struct ASEDatabaseTests {
  private struct Row: Decodable {
    let id: Int
    let unique: String
    let numbers: [Int]
    let positions: [[Double]]
    let cell: [[Double]]
    let pbc: [Bool]
    let energy: Double?
    let forces: [[Double]]?
    let stress: [Double]?
    let fmax: Double?
    let smax: Double?
    let volume: Double
    let natoms: Int
    let calculator: String?
    let pairs: [String: Field]
  }

  private enum Field: Decodable, Equatable {
    case text(String)
    case number(Double)
    case flag(Bool)

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let flag = try? container.decode(Bool.self) {
        self = .flag(flag)
      } else if let number = try? container.decode(Double.self) {
        self = .number(number)
      } else {
        self = .text(try container.decode(String.self))
      }
    }
  }

  private static let script = """
    import sys, json, ase.db
    out = []
    for r in ase.db.connect(sys.argv[1]).select(sort='id'):
        a = r.toatoms()
        d = dict(id=r.id, unique=r.unique_id, numbers=a.numbers.tolist(),
                 positions=a.positions.tolist(), cell=a.cell.array.tolist(),
                 pbc=[bool(p) for p in a.pbc], volume=r.volume, natoms=r.natoms,
                 pairs=r.key_value_pairs, calculator=r.get('calculator'),
                 fmax=r.get('fmax') if 'forces' in r else None,
                 smax=r.get('smax') if 'stress' in r else None)
        if a.calc is not None:
            d['energy'] = a.get_potential_energy()
            d['forces'] = a.get_forces().tolist()
            d['stress'] = a.get_stress().tolist() if 'stress' in a.calc.results else None
        out.append(d)
    print(json.dumps(out))
    """

  @Test("ASE lists energies, forces, stresses, cells and values")
  func reading() throws {
    let scratch = try ScratchFolder()
    let path = scratch.file("campaign.db")
    let journal = try CampaignJournal(path: path, access: .create)
    let periodicities: [Periodicity] = [.full, .none, Periodicity(true, true, false)]
    let labelled = try (0..<6).map {
      try randomLabelled(seed: UInt64($0), periodicity: periodicities[$0 % 3])
    }
    try journal.beginGroup()
    for (index, entry) in labelled.enumerated() {
      let id = try journal.structures.append(
        entry.structure, evaluation: index == 4 ? nil : entry.evaluation,
        keyValues: [
          "operator_name": .text("heredity \"é\"\n\\"), "grade": .number(1.25),
          "slot": .number(Double(index)), "kept": .flag(index % 2 == 0),
        ],
        uniqueID: ASEDatabase.uniqueID(of: entry.structure.canonicalBytes))
      #expect(id == index + 1)
    }
    try journal.commitGroup()

    let text = try PythonASE.run(Self.script, [path])
    let rows = try JSONDecoder().decode([Row].self, from: Data(text.utf8))
    #expect(rows.count == labelled.count)
    for (index, (row, entry)) in zip(rows, labelled).enumerated() {
      let (structure, evaluation) = (entry.structure, entry.evaluation)
      #expect(row.id == index + 1)
      #expect(row.unique == ASEDatabase.uniqueID(of: structure.canonicalBytes))
      #expect(row.numbers == structure.species.map(\.atomicNumber))
      #expect(row.positions == structure.positions.map(list))
      #expect(row.cell == (0..<3).map { list(structure.lattice.vectors[$0]) })
      #expect(row.pbc == (0..<3).map { structure.periodicity[$0] })
      // numpy takes the determinant in another order.
      #expect(abs(row.volume - structure.volume) < 1e-12 * structure.volume)
      #expect(row.natoms == structure.atomCount)
      #expect(
        row.pairs == [
          "operator_name": .text("heredity \"é\"\n\\"), "grade": .number(1.25),
          "slot": .number(Double(index)), "kept": .flag(index % 2 == 0),
        ])
      guard index != 4 else {
        #expect(row.energy == nil && row.calculator == nil)
        continue
      }
      #expect(row.energy == evaluation.energy)
      #expect(row.forces == evaluation.forces.map(list))
      #expect(row.fmax == evaluation.largestForce())
      let s = evaluation.stress
      let isBulk = structure.periodicity == .full
      #expect(row.stress == (isBulk ? [s.a.x, s.b.y, s.c.z, s.b.z, s.a.z, s.a.y] : nil))
      #expect(row.smax == (isBulk ? s.largestMagnitude : nil))
      #expect(row.calculator == "polymorph")
    }
  }

  @Test("ASE finds rows by value, text, formula and energy, and may add rows of its own")
  func searching() throws {
    let scratch = try ScratchFolder()
    let path = scratch.file("campaign.db")
    let journal = try CampaignJournal(path: path, access: .create)
    for index in 0..<4 {
      let entry = try randomLabelled(seed: UInt64(index))
      try journal.structures.append(
        entry.structure, evaluation: entry.evaluation,
        keyValues: [
          "slot": .number(Double(index)),
          "operator_name": .text(index == 2 ? "random" : "heredity"),
        ],
        uniqueID: ASEDatabase.uniqueID(of: [UInt8(index)]))
    }
    let script = """
      import sys, ase.db, ase.db.core
      from ase import Atoms
      db = ase.db.connect(sys.argv[1])
      print([r.id for r in db.select('slot>1', sort='id')],
            [r.slot for r in db.select(operator_name='random')],
            len(list(db.select('energy<0'))), len(list(db.select('Ti'))) > 0,
            abs(db.get(id=1).ctime - ase.db.core.now()) < 1e-3)
      db.write(Atoms('H2'), slot=99)
      db.update(2, kept=True)
      print(len(db))
      """
    #expect(try PythonASE.run(script, [path]) == "[3, 4] [2] 4 True True\n5\n")
    #expect(try journal.structures.count() == 5)
    #expect(try journal.slotCount() == 0)
  }

  @Test("The tables and indices are those that ASE makes")
  func schema() throws {
    let scratch = try ScratchFolder()
    let ours = scratch.file("ours.db")
    _ = try ASEDatabase(SQLiteDatabase(path: ours, access: .create))
    let script = """
      import sys, sqlite3, ase.db
      from ase import Atoms
      db = ase.db.connect(sys.argv[2]); db.write(Atoms('H')); del db[1]
      def describe(path):
          c = sqlite3.connect(path)
          names = sorted(c.execute("select type, name, tbl_name from sqlite_master"))
          columns = [(n, c.execute(f"pragma table_info({n})").fetchall(),
                      c.execute(f"pragma foreign_key_list({n})").fetchall())
                     for t, n, _ in names if t == 'table']
          indices = [(n, c.execute(f"pragma index_info({n})").fetchall())
                     for t, n, _ in names if t == 'index']
          return names, columns, indices, c.execute('select * from information').fetchall()
      print(describe(sys.argv[1]) == describe(sys.argv[2]))
      """
    #expect(try PythonASE.run(script, [ours, scratch.file("theirs.db")]) == "True\n")
  }

  @Test(
    "Keys and values that ASE would refuse are refused",
    arguments: [
      ("Ti", ASEDatabase.Value.number(1)), ("energy", .number(1)), ("1st", .number(1)),
      ("a-b", .number(1)), ("", .number(1)), ("é", .number(1)), ("x", .text("12")),
      ("x", .text("1e5")), ("x", .text("nan")), ("x", .number(.infinity)), ("x", .number(.nan)),
    ])
  func refusals(key: String, value: ASEDatabase.Value) throws {
    let scratch = try ScratchFolder()
    let database = try ASEDatabase(SQLiteDatabase(path: scratch.file("a.db"), access: .create))
    let structure = try randomLabelled(seed: 1).structure
    #expect(throws: ArchiveError.self) {
      try database.append(structure, keyValues: [key: value], uniqueID: "0")
    }
    #expect(try database.count() == 0)
  }

  @Test("A row's values can be replaced, and no two rows share an identifier")
  func replacing() throws {
    let scratch = try ScratchFolder()
    let path = scratch.file("a.db")
    let database = try ASEDatabase(SQLiteDatabase(path: path, access: .create))
    let structure = try randomLabelled(seed: 1).structure
    let id = try database.append(
      structure, keyValues: ["rank": .number(3), "note": .text("a \"b\"")], uniqueID: "abc")
    #expect(throws: ArchiveError.self) { try database.append(structure, uniqueID: "abc") }
    #expect(try database.count() == 1)
    try database.add(["rank": .number(1), "best": .flag(true)], to: id)
    try database.add(["group": .text("P4_2/mnm")], to: id)
    #expect(try database.row(uniqueID: "abc") == id)
    let script = """
      import sys, ase.db
      database = ase.db.connect(sys.argv[1])
      for query in ['rank=1', 'best=True', 'group=P4_2/mnm', 'rank=3']:
          print([sorted(r.key_value_pairs.items()) for r in database.select(query)])
      """
    let row = "[[('best', True), ('group', 'P4_2/mnm'), ('note', 'a \"b\"'), ('rank', 1)]]\n"
    #expect(try PythonASE.run(script, [path]) == row + row + row + "[]\n")
  }

  private func list(_ v: Vector3) -> [Double] { [v.x, v.y, v.z] }
}
