import Crystal
import NumericalCore
import Testing

@Suite("Bond networks")
struct BondNetworkTests {
  private static let carbon = ChemicalElement(symbol: "C") ?? .unnamed(0)

  private static func graphite(distance: Double = 3.35) throws -> Structure {
    try Structure(
      lattice: Lattice(
        Matrix3(
          rows: Vector3(2.466, 0, 0), Vector3(-1.233, 2.135619, 0), Vector3(0, 0, 2 * distance))),
      species: Array(repeating: carbon, count: 4),
      fractionalPositions: [
        .zero, Vector3(1.0 / 3, 2.0 / 3, 0), Vector3(0, 0, 0.5), Vector3(2.0 / 3, 1.0 / 3, 0.5),
      ])
  }

  private static func lonsdaleite() throws -> Structure {
    let (a, c, z) = (2.51, 4.17, 1.0 / 16)
    return try Structure(
      lattice: Lattice(
        Matrix3(
          rows: Vector3(a, 0, 0), Vector3(-0.5 * a, 0.5 * a * 3.0.squareRoot(), 0),
          Vector3(0, 0, c))),
      species: Array(repeating: carbon, count: 4),
      fractionalPositions: [
        Vector3(1.0 / 3, 2.0 / 3, z), Vector3(2.0 / 3, 1.0 / 3, 0.5 + z),
        Vector3(2.0 / 3, 1.0 / 3, -z), Vector3(1.0 / 3, 2.0 / 3, 0.5 - z),
      ])
  }

  private static func diamond() throws -> Structure {
    let a = 1.785
    return try Structure(
      lattice: Lattice(Matrix3(rows: Vector3(0, a, a), Vector3(a, 0, a), Vector3(a, a, 0))),
      species: [carbon, carbon], fractionalPositions: [.zero, Vector3(0.25, 0.25, 0.25)])
  }

  private static func box(
    _ lengths: Vector3, _ elements: [ChemicalElement], _ positions: [Vector3],
    periodicity: Periodicity = .full
  ) throws -> Structure {
    try Structure(
      lattice: Lattice(Matrix3(diagonal: lengths)), periodicity: periodicity, species: elements,
      positions: positions)
  }

  @Test("Sheets, frameworks, chains and molecules are told apart")
  func known() throws {
    #expect(BondNetwork(try Self.graphite()).pieces == [0, 0, 2, 0])
    #expect(BondNetwork(try Self.diamond()).pieces == [0, 0, 0, 1])
    // A dumbbell across the cell's face, and beside it a chain along its own images.
    let c = Self.carbon
    let dumbbell = [Vector3(0.3, 0, 0), Vector3(9.1, 0, 0)]
    let chain = [Vector3(5, 5, 0.2), Vector3(5, 5, 1.5)]
    let mixed = try Self.box(
      Vector3(10, 10, 2.6), [c, c, c, c], chain + dumbbell.map { $0 + Vector3(0, 0, 1) })
    #expect(BondNetwork(mixed).pieces == [1, 1, 0, 0])
    #expect(BondNetwork(mixed).dimension == 1)
    // One atom whose only bonds are to its own images.
    let cube = try Self.box(Vector3(1.6, 1.6, 1.6), [c], [.zero])
    #expect(BondNetwork(cube).pieces == [0, 0, 0, 1])
    let ribbon = try Self.box(Vector3(1.6, 1.6, 9), [c], [.zero])
    #expect(BondNetwork(ribbon).dimension == 2)
    let atom = try Self.box(Vector3(9, 9, 9), [c], [.zero])
    #expect(BondNetwork(atom).pieces == [1, 0, 0, 0])
  }

  @Test("Coordination sequences are those of the nets; packings of one sheet have one signature")
  func signatures() throws {
    let sheet = NetSignature(try Self.graphite())
    #expect(sheet.coordinationSequences == [[3, 6, 9, 12, 15, 18]])
    // Diamond and lonsdaleite, as tabulated by the Reticular Chemistry Structure Resource (dia, lon).
    let diamond = NetSignature(try Self.diamond())
    #expect(diamond.coordinationSequences == [[4, 12, 24, 42, 64, 92]])
    let lonsdaleite = NetSignature(try Self.lonsdaleite())
    #expect(lonsdaleite.coordinationSequences == [[4, 12, 25, 44, 67, 96]])
    for distance in [2.5, 3, 4, 7] {
      let other = try Self.graphite(distance: distance)
      #expect(NetSignature(other) == sheet)
      #expect(NetSignature(other.supercell(2, 1, 3)) == sheet)
    }
    // One sheet alone, and sheets of another element.
    let graphite = try Self.graphite()
    let alone = try Structure(
      lattice: graphite.lattice, species: Array(graphite.species.prefix(2)),
      positions: Array(graphite.positions.prefix(2)))
    #expect(NetSignature(alone) == sheet)
    let silicon = try Structure(
      lattice: Lattice(1.5 * graphite.lattice.vectors),
      species: Array(repeating: .silicon, count: 4),
      fractionalPositions: graphite.fractionalPositions())
    #expect(NetSignature(silicon).coordinationSequences == sheet.coordinationSequences)
    #expect(NetSignature(silicon) != sheet)
  }

  /// Lattice constants at room temperature; of metals also 3 % larger, as a potential may make them.
  @Test("Close-packed metals are frameworks, crystals of noble gases and of iodine are not")
  func elements() throws {
    func element(_ symbol: String) throws -> ChemicalElement {
      try #require(ChemicalElement(symbol: symbol))
    }
    func cubic(_ symbol: String, _ a: Double) throws -> Structure {
      let h = a / 2
      return try Structure(
        lattice: Lattice(Matrix3(rows: Vector3(0, h, h), Vector3(h, 0, h), Vector3(h, h, 0))),
        species: [element(symbol)], fractionalPositions: [.zero])
    }
    for (symbol, a) in [("Al", 4.05), ("Pb", 4.951), ("Ag", 4.086), ("Ca", 5.588)] {
      for stretch in [1, 1.03] {
        #expect(BondNetwork(try cubic(symbol, stretch * a)).dimension == 3, "\(symbol)")
      }
    }
    #expect(BondNetwork(try cubic("Ar", 5.31)).pieces == [1, 0, 0, 0])
    let (a, c) = (2.665, 4.947)
    let zinc = try Structure(
      lattice: Lattice(
        Matrix3(
          rows: Vector3(a, 0, 0), Vector3(-0.5 * a, 0.5 * a * 3.0.squareRoot(), 0),
          Vector3(0, 0, c))),
      species: [element("Zn"), element("Zn")],
      fractionalPositions: [
        Vector3(1.0 / 3, 2.0 / 3, 0.25), Vector3(2.0 / 3, 1.0 / 3, 0.75),
      ])
    #expect(BondNetwork(zinc).dimension == 3)
    // Chains along c, P3_121.
    let t = 0.2636
    let tellurium = try Structure(
      lattice: Lattice(
        Matrix3(
          rows: Vector3(4.456, 0, 0), Vector3(-2.228, 2.228 * 3.0.squareRoot(), 0),
          Vector3(0, 0, 5.921))),
      species: Array(repeating: element("Te"), count: 3),
      fractionalPositions: [
        Vector3(t, 0, 1.0 / 3), Vector3(0, t, 2.0 / 3), Vector3(-t, -t, 0),
      ])
    #expect(BondNetwork(tellurium).pieces == [0, 1, 0, 0])
  }

  @Test("What does not repeat holds nothing together", arguments: 0..<8)
  func periodicity(index: Int) throws {
    let periodicity = RandomStructures.periodicities[index]
    let cube = try Self.box(
      Vector3(1.6, 1.6, 1.6), [Self.carbon], [.zero], periodicity: periodicity)
    #expect(BondNetwork(cube).dimension == (0..<3).count { periodicity[$0] })
  }

  @Test("Layers are bonded up to the factor times the radii")
  func factor() throws {
    let longest = BondNetwork.bondFactor * 2 * Self.carbon.covalentRadius
    #expect(BondNetwork(try Self.graphite(distance: longest - 0.001)).dimension == 3)
    #expect(BondNetwork(try Self.graphite(distance: longest + 0.001)).dimension == 2)
  }

  @Test("Neither the choice of the cell nor a supercell changes the dimension")
  func invariance() throws {
    var met = [0, 0, 0, 0]
    for seed in 0..<2000 {
      var random = RandomStream(seed: 1, purpose: .test, slot: UInt64(seed))
      let structure = try RandomStructures.structure(
        &random, atoms: 1 + seed % 6, lengths: 2.5...9)
      let network = BondNetwork(structure)
      let signature = NetSignature(structure, shells: 3)
      met[network.dimension] += 1
      #expect(network.pieces.reduce(0, +) <= structure.atomCount)
      // Other lattice vectors, atoms elsewhere among their images, everything turned.
      let v = structure.lattice.vectors
      let n = Double(random.integer(below: 5) - 2)
      let turn = RandomStructures.rotation(&random, improper: seed % 2 == 0)
      let other = try Structure(
        lattice: Lattice(Matrix3(rows: v.a, v.b + n * v.a, v.c - n * v.b) * turn),
        species: structure.species,
        positions: structure.positions.map { position in
          let image = Vector3(
            Double(random.integer(below: 3)), Double(random.integer(below: 3)),
            Double(random.integer(below: 3)))
          return (position + image * v) * turn
        })
      #expect(BondNetwork(other) == network, "seed \(seed)")
      #expect(NetSignature(other, shells: 3) == signature, "seed \(seed)")
      let larger = structure.supercell(1 + seed % 3, 1 + seed / 3 % 2, 2)
      #expect(BondNetwork(larger).dimension == network.dimension, "seed \(seed)")
      #expect(NetSignature(larger, shells: 3) == signature, "seed \(seed)")
    }
    #expect(met.allSatisfy { $0 > 20 }, "\(met)")
  }
}
