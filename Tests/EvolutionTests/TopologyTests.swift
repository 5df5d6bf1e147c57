import Crystal
import Evolution
import NumericalCore
import TestSupport
import Testing

@Suite("Topological structures")
struct TopologyTests {
  static func settings(excluding names: [String] = []) -> BreedingSettings {
    var settings = BreedingSettings(minimumDistances: MinimumDistances(elements: []))
    settings.topologies = TopologySettings(excluded: names)
    return settings
  }

  @Test("Names are unique and there are more than 60 nets")
  func names() {
    #expect(TopologyLibrary.names.count > 60)
    #expect(Set(TopologyLibrary.names).count == TopologyLibrary.names.count)
  }

  @Test(
    "A template has the tabulated number of vertices, its group's symmetry and sane distances",
    arguments: TopologyLibrary.templates.indices)
  func templates(index: Int) throws {
    let template = TopologyLibrary.templates[index]
    let net = TopologyNet(template)
    #expect(net.vertices.count == template.vertexCount, "\(template.name)")
    let element = try Composition(formula: "Si").elements[0]
    let structure = try #require(net.structure(of: element, volumePerAtom: 10))
    // Close-packed vertices are 2.4 Å apart then; carbide and carbonate groups are 1 Å long.
    let shortest = MinimumDistances(
      elements: [element], pairs: [(element, element, 0.95)])
    let violation = shortest.firstViolation(in: structure)
    #expect(violation == nil, "\(template.name)")
    // As one element the net may have more symmetry and a smaller cell, never less.
    let symmetry = try structure.symmetry(tolerance: 1e-3)
    #expect(symmetry.operations.count % net.rotations.count == 0, "\(template.name)")
    for (rotation, images) in zip(net.rotations, net.images) {
      #expect(Set(images.map(\.vertex)).count == net.vertices.count, "\(template.name)")
      #expect(abs(rotation.determinant) == 1, "\(template.name)")
    }
  }

  /// How many neighbors every orbit has within 1.15 times the shortest distance.
  static let coordinations: KeyValuePairs<String, [Int]> = [
    "pcu": [6], "bcu": [8], "fcu": [12], "hcp": [12], "dia": [4], "lon": [4], "nbo": [4],
    "sod": [4], "srs": [3], "ths": [3], "qtz": [4], "lvt": [4], "crs": [6], "gra": [3, 3],
    "crb": [4], "sra": [4], "bc8": [4], "st12": [4, 4], "ana": [4], "lta": [4], "mep": [4, 4, 4],
    "mtn": [4, 4, 4], "black-phosphorus": [3], "arsenic": [3], "selenium": [2], "rocksalt": [6, 6],
    "cscl": [8, 8], "wurtzite": [4, 4], "nias": [8, 6], "litharge": [4, 4], "pts": [4, 4],
    "tenorite": [4, 4], "rutile": [6, 3], "anatase": [6, 3], "brookite": [6, 3, 3],
    "alpha-lead-dioxide": [6, 3], "baddeleyite": [7, 3, 4], "fluorite": [8, 4],
    "cadmium-iodide": [6, 3], "cadmium-chloride": [6, 3], "molybdenite": [6, 3], "cuprite": [4, 2],
    "alpha-quartz": [4, 2], "beta-quartz": [4, 2], "alpha-cristobalite": [4, 2],
    "corundum": [6, 4], "bixbyite": [6, 6, 4], "beta-silicon-nitride": [4, 3, 3],
    "aluminium-fluoride": [6, 2], "bismuth-iodide": [6, 2], "uranium-chloride": [9, 3],
    "skutterudite": [6, 3], "perovskite": [12, 6, 2], "gdfeo3": [8, 6, 2, 2],
    "ilmenite": [6, 6, 3], "lithium-niobate": [6, 6, 3], "calcite": [6, 3, 1],
    "aragonite": [9, 3, 1, 1], "post-perovskite": [8, 6, 2, 4], "spinel": [4, 6, 4],
    "olivine": [6, 6, 4, 1, 1, 1], "wadsleyite": [6, 6, 6, 4, 5, 2, 1, 1],
    "beta-k2so4": [9, 9, 4, 1, 1, 1], "calcium-titanite": [6, 6, 4, 4, 3],
    "scheelite": [8, 4, 1], "zircon": [8, 4, 1], "trirutile": [6, 6, 3, 3],
    "garnet": [8, 6, 4, 1], "pyrochlore": [8, 6, 2, 4], "delafossite": [2, 6, 4],
    "chalcopyrite": [4, 4, 4],
  ]

  @Test("Nets and structure types have the coordination that they are known for")
  func coordination() throws {
    let element = try Composition(formula: "Si").elements[0]
    for (name, expected) in Self.coordinations {
      let template = try #require(TopologyLibrary.templates.first { $0.name == name }, "\(name)")
      let net = TopologyNet(template)
      let structure = try #require(net.structure(of: element, volumePerAtom: 10))
      let list = NeighborList(structure, cutoff: 3.4)
      var seen = Set<Int>()
      var found: [Int] = []
      for vertex in net.vertices.indices where !seen.contains(vertex) {
        for images in net.images { seen.insert(images[vertex].vertex) }
        let lengths = list.neighbors(of: vertex).map { list.displacements[$0].length }
        let shortest = try #require(lengths.min(), "\(name)")
        found.append(lengths.count { $0 < 1.15 * shortest })
      }
      #expect(found == expected, "\(name)")
    }
  }

  @Test(
    "Groups of atoms in complex types have their bond lengths",
    arguments: [
      ("barite", 1, 1.40...1.56, 4), ("zrnial", 2, 2.35...2.55, 6), ("olivine", 2, 1.58...1.68, 4),
      ("zircon", 1, 1.58...1.66, 4), ("calcite", 1, 1.25...1.32, 3),
      ("scheelite", 1, 1.72...1.84, 4),
      ("wadsleyite", 3, 1.58...1.74, 4), ("alpha-quartz", 0, 1.58...1.64, 4),
      ("post-perovskite", 1, 1.9...2.2, 6), ("calcium-titanite", 1, 1.9...2.2, 6),
    ] as [(String, Int, ClosedRange<Double>, Int)])
  func bonds(name: String, orbit: Int, range: ClosedRange<Double>, count: Int) throws {
    let template = try #require(TopologyLibrary.templates.first { $0.name == name })
    let net = TopologyNet(template)
    let element = try Composition(formula: "Si").elements[0]
    // Lengths are in Å here: the template's cell as it is given.
    let structure = try #require(
      net.structure(
        of: element,
        volumePerAtom: abs(net.vectors.determinant) / Double(net.vertices.count)))
    var first: [Int] = []
    var seen = Set<Int>()
    for vertex in net.vertices.indices where !seen.contains(vertex) {
      for images in net.images { seen.insert(images[vertex].vertex) }
      first.append(vertex)
    }
    let list = NeighborList(structure, cutoff: range.upperBound)
    let lengths = list.neighbors(of: first[orbit]).map { list.displacements[$0].length }
    #expect(lengths.count == count && lengths.allSatisfy(range.contains), "\(name): \(lengths)")
  }

  @Test("Hermite supercells number their cells and know which rotations keep them")
  func supercells() {
    let net = TopologyNet(TopologyLibrary.templates[0])
    for seed in 0..<200 as Range<UInt64> {
      var random = RandomStream(seed: seed, purpose: .test)
      let supercell = NetSupercell(count: 1 + Int(seed % 12), &random)
      #expect(supercell.count == 1 + Int(seed % 12))
      for index in 0..<supercell.count {
        let cell = supercell.cell(index)
        #expect(supercell.index(of: cell) == index)
        let shifted = cell &- 3 &* supercell.rows.0 &+ 2 &* supercell.rows.1 &- supercell.rows.2
        #expect(supercell.index(of: shifted) == index)
      }
      for rotation in net.rotations {
        let images = Set(
          (0..<supercell.count).map { supercell.index(of: rotation.rotate(supercell.cell($0))) })
        if supercell.isKept(by: rotation) { #expect(images.count == supercell.count) }
      }
    }
  }

  @Test(
    "Structures keep composition, minimum distances and finite values over many seeds",
    arguments: ["Ti4O8", "Mg4Al8O16", "Si8", "Ag4Pd4", "Na2Cl2", "K2S2O8", "Ti5O7"])
  func properties(formula: String) throws {
    let composition = try Composition(formula: formula)
    let settings = Self.settings()
    var breeder = Breeder()
    var successes = 0
    var nets = Set<Substring>()
    let order = BreedingOrder(
      kind: .topological, composition: composition,
      targetVolumePerAtom: VolumeEstimate.fromRadii(composition))
    for seed in 0..<300 as Range<UInt64> {
      var stream = RandomStream(seed: seed, purpose: .test)
      guard
        case .offspring(let structure, let description, _) = breeder.breed(
          order, settings: settings, random: &stream)
      else { continue }
      successes += 1
      nets.insert(description.prefix { $0 != "," })
      #expect(structure.species == composition.species, "seed \(seed)")
      #expect(structure.positions.allSatisfy { $0.isFinite }, "seed \(seed)")
      #expect(settings.minimumDistances.firstViolation(in: structure) == nil, "seed \(seed)")
    }
    #expect(successes >= 285, "\(successes)")
    #expect(nets.count > 10, "\(nets.sorted())")
  }

  @Test("Rutile comes from its template alone, and from none when that is excluded")
  func exclusion() throws {
    let rutile = try Prototypes.rutile()
    let found = TopologyLibrary.templates(reproducing: rutile)
    #expect(found.contains("rutile"))
    #expect(!found.contains("anatase") && !found.contains("fluorite"))
    let composition = try Composition(formula: "Ti2O4")
    var breeder = Breeder()
    func hits(_ settings: BreedingSettings) -> Int {
      (0..<150 as Range<UInt64>).count { seed in
        var stream = RandomStream(seed: seed, purpose: .test)
        let order = BreedingOrder(
          kind: .topological, composition: composition, targetVolumePerAtom: rutile.volumePerAtom)
        guard let child = breeder.breed(order, settings: settings, random: &stream).structure,
          let scaled = try? child.lattice.scaled(toVolume: rutile.volume)
        else { return false }
        return child.replacing(lattice: scaled).matches(
          rutile, tolerance: MatchingTolerance(displacement: 0.3, strain: 0.1))
      }
    }
    let with = hits(Self.settings())
    let without = hits(Self.settings(excluding: found))
    #expect(with > 2, "\(with)")
    #expect(without == 0, "\(without)")
  }

  @Test("Known structures are recognised in their templates, other ones are not")
  func recognition() throws {
    for (name, structure) in [
      ("rutile", try Prototypes.rutile()), ("anatase", try Prototypes.anatase()),
      ("alpha-lead-dioxide", try Prototypes.alphaLeadDioxideType()),
    ] {
      for scale in [0.9, 1.1] {
        let scaled = try structure.lattice.scaled(toVolume: scale * structure.volume)
        let found = TopologyLibrary.templates(reproducing: structure.replacing(lattice: scaled))
        #expect(found.contains(name), "\(name): \(found)")
        #expect(found.count < 6, "\(name): \(found)")
      }
    }
    var random = RandomStream(seed: 4, purpose: .test)
    let points = (0..<12).map { _ in random.fractionalPoint() }
    let disorder = try Structure(
      lattice: Lattice(Matrix3(diagonal: Vector3(5, 5.5, 4.6))),
      species: try Composition(formula: "Ti4O8").species, fractionalPositions: points)
    #expect(TopologyLibrary.templates(reproducing: disorder).isEmpty)
  }

  @Test("Switched off, or with all templates excluded, there is no structure")
  func switchedOff() throws {
    var off = Self.settings()
    off.topologies.isUsed = false
    var breeder = Breeder()
    let order = BreedingOrder(
      kind: .topological, composition: try Composition(formula: "TiO2"), targetVolumePerAtom: 10)
    for settings in [off, Self.settings(excluding: TopologyLibrary.names)] {
      var stream = RandomStream(seed: 1, purpose: .test)
      let outcome = breeder.breed(order, settings: settings, random: &stream)
      #expect(outcome == .rejected(.notApplicable))
    }
  }

  @Test("Strain and displacement keep the composition and change the structure")
  func distortion() throws {
    var settings = Self.settings()
    let composition = try Composition(formula: "Ti4O8")
    let order = BreedingOrder(
      kind: .topological, composition: composition, targetVolumePerAtom: 11)
    var groups: [Double: Int] = [:]
    for amount in [0.0, 0.05] {
      settings.topologies.strain = amount
      settings.topologies.displacement = amount
      var breeder = Breeder()
      for seed in 0..<50 as Range<UInt64> {
        var stream = RandomStream(seed: seed, purpose: .test)
        guard let child = breeder.breed(order, settings: settings, random: &stream).structure else {
          continue
        }
        #expect(child.species == composition.species)
        if try child.symmetry(tolerance: 1e-3).spaceGroupNumber > 2 {
          groups[amount, default: 0] += 1
        }
      }
    }
    #expect((groups[0] ?? 0) > 25 && groups[0.05] == nil, "\(groups)")
    let bytes = settings.canonicalBytes
    #expect(try BreedingSettings(canonicalBytes: bytes) == settings)
  }
}
