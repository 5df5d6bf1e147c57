import Crystal
import Foundation
import NumericalCore
import Potential
import TestSupport
import Testing

@Suite("Short-range repulsion")
struct ShortRangeRepulsionTests {
  static func elements(_ symbols: String...) throws -> [ChemicalElement] {
    try symbols.map { try #require(ChemicalElement(symbol: $0)) }
  }

  /// A potential that has learned nothing: all that is left is the repulsion.
  static func bare(
    _ elements: [ChemicalElement], _ repulsion: ShortRangeRepulsion = .standard
  ) throws -> MomentTensorPotential {
    try MomentTensorPotential(
      basis: MomentTensorBasis(level: 2),
      radialBasis: RadialBasis(size: 4, minimumDistance: 1, cutoff: 8), elements: elements,
      repulsion: repulsion)
  }

  /// Energy and the force that drives two atoms apart.
  static func pair(
    _ potential: MomentTensorPotential, at distance: Double
  ) throws -> (energy: Double, force: Double) {
    let ends = [potential.elements[0], potential.elements[potential.speciesCount - 1]]
    let structure = try Structure(
      lattice: Lattice(Matrix3(diagonal: Vector3(20, 20, 20))), periodicity: .none,
      species: ends, positions: [Vector3(1, 1, 1), Vector3(1 + distance, 1, 1)])
    let evaluation = try potential.evaluation(of: structure)
    return (evaluation.energy, evaluation.forces[1].x)
  }

  /// Crystals with bonds far within the outer radius, from one atom that meets its own images to more than a
  /// block of lanes; a cluster and a slab.
  static func structures(_ elements: [ChemicalElement]) throws -> [Structure] {
    func crystal(_ count: Int, _ volume: Double, _ seed: UInt64) throws -> Structure {
      try TestStructures.randomCrystal(
        (0..<count).map { elements[$0 % elements.count] }, volumePerAtom: volume,
        minimumDistance: 0.6 * cubeRoot(volume), seed: seed)
    }
    let cluster = try crystal(5, 8, 3)
    return [
      try crystal(1, 8, 1), try crystal(3, 8, 2), try crystal(11, 9, 4),
      try Structure(
        lattice: cluster.lattice, periodicity: .none, species: cluster.species,
        positions: cluster.positions),
      try Structure(
        lattice: cluster.lattice, periodicity: Periodicity(true, false, true),
        species: cluster.species, positions: cluster.positions),
    ]
  }

  static func random(
    level: Int, _ elements: [ChemicalElement], seed: UInt64 = 5
  ) throws -> MomentTensorPotential {
    try MomentTensorFixtures.random(level: level, elements: elements, seed: seed)
      .with(repulsion: .standard)
  }

  // MARK: The pair

  /// Pairs of two elements with distance in Å, energy in eV and force in eV/Å.
  ///
  /// LAMMPS of 29 August 2024 (`pair_style zbl`, inner and outer radius 0.6 and 0.9 times the sum of the covalent
  /// radii, two atoms, double precision). Its e²/4πε₀, 14.399645 eV Å, differs from ours by 3e-8.
  static let golden: [(String, String, Double, Double, Double)] = [
    ("B", "N", 0.4649999999999999, 132.690019399341, 760.714540487594),
    ("B", "N", 0.8524999999999999, 17.3275854290643, 94.567669895007),
    ("B", "N", 0.9299999999999998, 11.09853688741, 67.9175070925069),
    ("B", "N", 1.0849999999999997, 3.52010085771077, 32.238466849919),
    ("B", "N", 1.24, 0.479920948036011, 9.00665853184196),
    ("B", "N", 1.3639999999999999, 0.00413398064145376, 0.397581081425484),
    ("Ti", "O", 0.678, 169.906406017336, 802.026604852943),
    ("Ti", "O", 1.2430000000000003, 15.5107719028759, 65.851539260531),
    ("Ti", "O", 1.356, 9.42213569653748, 43.609994010327),
    ("Ti", "O", 1.582, 2.75849471456368, 18.1123895213499),
    ("Ti", "O", 1.8080000000000003, 0.35695232076426, 4.66018446915414),
    ("Ti", "O", 1.9888000000000001, 0.00298932756341896, 0.197566455517158),
    ("H", "U", 0.6809999999999999, 79.1280834546525, 379.178982825716),
    ("H", "U", 1.2485000000000002, 6.90098836924334, 29.6056205333906),
    ("H", "U", 1.3619999999999999, 4.16445104606724, 19.4102862991245),
    ("H", "U", 1.589, 1.20753561580515, 7.93369891202882),
    ("H", "U", 1.816, 0.155338652895965, 2.02217963046247),
    ("H", "U", 1.9976, 0.00129703639664325, 0.0853615247130595),
  ]

  @Test("Energies and forces of pairs are those of LAMMPS", arguments: golden)
  func lammps(_ row: (String, String, Double, Double, Double)) throws {
    let repulsion = try ShortRangeRepulsion(inner: 0.6, outer: 0.9)
    let found = try Self.pair(Self.bare(Self.elements(row.0, row.1), repulsion), at: row.2)
    #expect(found.energy.isClose(to: row.3, relative: 1e-7, absolute: 1e-7))
    #expect(found.force.isClose(to: row.4, relative: 1e-7, absolute: 1e-7))
  }

  @Test("Below the inner radius only a constant is added to the screened Coulomb energy")
  func unswitched() throws {
    let potential = try Self.bare(Self.elements("Si", "O"))
    let inner = ShortRangeRepulsion.standard.innerRadius(
      potential.elements[0], potential.elements[1])
    func screened(_ r: Double) -> Double {
      let x = r * (pow(14.0, 0.23) + pow(8.0, 0.23)) / 0.46850
      let phi =
        0.18175 * exp(-3.19980 * x) + 0.50986 * exp(-0.94229 * x) + 0.28022 * exp(-0.40290 * x)
        + 0.02817 * exp(-0.20162 * x)
      return PhysicalConstants.coulomb * 14 * 8 * phi / r
    }
    let start = try Self.pair(potential, at: inner).energy - screened(inner)
    for r in stride(from: 0.05, to: inner, by: 0.07) {
      let added = try Self.pair(potential, at: r).energy - screened(r)
      #expect(added.isClose(to: start, relative: 1e-10, absolute: 1e-12 * screened(r)))
    }
  }

  @Test(
    "Energy, force and curvature are continuous at both radii, and the pair is repulsive up to the outer one",
    arguments: [
      ShortRangeRepulsion.standard, try ShortRangeRepulsion(inner: 0.6, outer: 0.9),
      try ShortRangeRepulsion(inner: 0.4, outer: 1.1),
      try ShortRangeRepulsion(inner: 0.75, outer: 0.85),
    ])
  func smooth(repulsion: ShortRangeRepulsion) throws {
    for symbols in [["H", "H"], ["B", "N"], ["Ti", "O"], ["W", "W"], ["Cs", "F"]] {
      let kinds = try symbols.map { try #require(ChemicalElement(symbol: $0)) }
      let potential = try Self.bare(Set(kinds).sorted(), repulsion)
      let ends = [potential.elements[0], potential.elements[potential.speciesCount - 1]]
      func force(_ r: Double) throws -> Double { try Self.pair(potential, at: r).force }
      let outer = repulsion.outerRadius(ends[0], ends[1])
      let inner = repulsion.innerRadius(ends[0], ends[1])
      let scale = try force(inner) / (outer - inner)
      #expect(try Self.pair(potential, at: outer + 1e-9) == (0, 0))
      // The third derivative jumps: one-sided slopes of the force differ by h times up to 100, the force itself falls as h².
      for h in [1e-2, 1e-3, 1e-4] {
        let width = h * (outer - inner)
        for radius in [inner, outer] {
          let left = try (force(radius) - force(radius - width)) / width
          let right = try (force(radius + width) - force(radius)) / width
          #expect(abs(right - left) < 200 * h * scale, "\(symbols) at \(radius) Å")
        }
        let near = try Self.pair(potential, at: outer - width)
        #expect(abs(near.force) < 200 * h * h * scale * (outer - inner))
        #expect(abs(near.energy) < 200 * h * h * h * scale * (outer - inner) * (outer - inner))
      }
      for step in 1..<200 {
        #expect(try force(outer * Double(step) / 200) > 0, "\(symbols)")
      }
    }
  }

  // MARK: In a potential

  @Test("Derivatives, invariances, outer radius, lone atom", arguments: [2, 8, 16])
  func conformance(level: Int) throws {
    let elements = try Self.elements("Ti", "O")
    let potential = try Self.random(level: level, elements)
    var options = PotentialConformance.Options()
    // Third derivatives of pairs at 1 Å are some 10⁴ eV/Å³, and they jump at the radii.
    options.step = 2e-4
    options.isolatedAtom = elements[1]
    options.isolatedEnergy = potential.parameters[potential.radialParameterCount + 1]
    let violations = try PotentialConformance.check(
      potential, Self.structures(elements), options: options)
    #expect(violations.isEmpty, "\(violations)")
  }

  @Test("The repulsion is added to what is learned, and to nothing else")
  func sum() throws {
    let elements = try Self.elements("Ti", "O")
    let potential = try Self.random(level: 8, elements)
    let learned = try potential.with(repulsion: nil)
    let bare = try Self.bare(elements)
    for structure in try Self.structures(elements) {
      let (whole, part) = (
        try potential.evaluation(of: structure), try learned.evaluation(of: structure)
      )
      let added = try bare.evaluation(of: structure)
      #expect(added.energy > 1, "its bonds are short")
      #expect(whole.energy.isClose(to: part.energy + added.energy, .roundoff))
      for atom in whole.forces.indices {
        #expect(whole.forces[atom].isClose(to: part.forces[atom] + added.forces[atom], .roundoff))
      }
      #expect(whole.virial.isClose(to: part.virial + added.virial, .roundoff))
      let sites = try potential.siteEnergies(of: structure)
      #expect(sites.fixedOrderSum().isClose(to: whole.energy, .roundoff))
      // Derivatives with respect to parameters know nothing of it.
      #expect(try potential.siteGradients(of: structure) == learned.siteGradients(of: structure))
      #expect(try potential.energyGradient(of: structure) == learned.energyGradient(of: structure))
      #expect(try potential.basisValues(of: structure) == learned.basisValues(of: structure))
      let rows = MomentTensorPotential.designRowCount(atomCount: structure.atomCount)
      var (a, b) = (
        Matrix(rows: rows, columns: potential.parameterCount),
        Matrix(rows: rows, columns: potential.parameterCount)
      )
      try potential.designMatrix(of: structure, includingRadial: true, into: &a)
      try learned.designMatrix(of: structure, includingRadial: true, into: &b)
      #expect(a == b)
    }
  }

  @Test("Plain, single, common and following evaluations agree")
  func evaluators() throws {
    let elements = try Self.elements("Mg", "Al", "O")
    let potential = try Self.random(level: 10, elements)
    let structures = try Self.structures(elements)
    let plain = ReferenceMomentTensorEvaluator(potential)
    let together = try potential.evaluations(of: structures)
    for (structure, common) in zip(structures, together) {
      let single = try potential.evaluation(of: structure)
      let expected = try plain.evaluation(of: structure)
      var series = potential.series()
      _ = try series.evaluation(of: structure)
      let moved = TestStructures.rattled(structure, by: 0.02, seed: 3)
      let following = try series.evaluation(of: moved)
      let movedAlone = try potential.evaluation(of: moved)
      for (found, other) in [(single, expected), (common, expected), (following, movedAlone)] {
        #expect(found.energy.isClose(to: other.energy, .roundoff))
        for (a, b) in zip(found.forces, other.forces) { #expect(a.isClose(to: b, .roundoff)) }
        #expect(found.virial.isClose(to: other.virial, .roundoff))
      }
    }
  }

  @Test("Where no bond is short, nothing changes by a bit")
  func longBonds() throws {
    let elements = try Self.elements("Ti", "O")
    let potential = try Self.random(level: 12, elements)
    let learned = try potential.with(repulsion: nil)
    for count in [1, 4, 9] {
      // Ti–Ti: 2.88 Å.
      let structure = try TestStructures.randomCrystal(
        (0..<count).map { elements[$0 % 2] }, volumePerAtom: 120, minimumDistance: 2.9, seed: 2)
      #expect(try potential.evaluation(of: structure) == learned.evaluation(of: structure))
      #expect(try potential.siteEnergies(of: structure) == learned.siteEnergies(of: structure))
    }
  }

  @Test("What has no atomic number or reaches beyond the cutoff is refused")
  func refused() throws {
    func message(_ body: () throws -> Void) -> String {
      do { try body() } catch { return "\(error)" }
      return ""
    }
    let unnamed = try MomentTensorFixtures.random(
      level: 2, elements: [.unnamed(0), .unnamed(1)], seed: 1)
    #expect(message { _ = try unnamed.with(repulsion: .standard) }.contains("species X0"))
    let cesium = try MomentTensorFixtures.random(level: 2, elements: Self.elements("Cs"), seed: 1)
    let wide = try ShortRangeRepulsion(inner: 0.6, outer: 0.95)
    #expect(message { _ = try cesium.with(repulsion: wide) }.contains("cutoff of 4.5"))
    for (inner, outer) in [(0.9, 0.6), (0.6, 0.6), (0, 0.9), (0.6, 3), (.nan, 0.9)] {
      #expect(
        message { _ = try ShortRangeRepulsion(inner: inner, outer: outer) }.contains("0.4 and 0.7"))
    }
  }

  // MARK: Files

  @Test("The repulsion travels in the tag, beside the elements")
  func file() throws {
    let elements = try Self.elements("Ti", "O")
    let potential = try Self.random(level: 4, elements)
      .with(repulsion: ShortRangeRepulsion(inner: 0.55, outer: 0.8500000000000001))
    let text = potential.mtpText
    #expect(text.contains("potential_tag = elements:Ti,O zbl:0.55,0.8500000000000001\n"))
    let again = try MomentTensorPotential(mtpText: text)
    #expect(again == potential && again.mtpText == text)
    #expect(again != (try potential.with(repulsion: .standard)))
    #expect(again != (try potential.with(repulsion: nil)))
    #expect(try MomentTensorPotential(canonicalBytes: potential.canonicalBytes) == potential)
    // Elements may be named by the reader.
    let anonymous = text.replacing("elements:Ti,O ", with: "")
    #expect(try MomentTensorPotential(mtpText: anonymous, elements: elements) == potential)
    #expect(throws: PotentialError.self) { try MomentTensorPotential(mtpText: anonymous) }
    #expect(
      try MomentTensorPotential(mtpText: potential.with(repulsion: nil).mtpText).repulsion == nil)
  }

  @Test(
    "A tag with a wrong repulsion is refused with its line", arguments: ["0.9", "0.9,0.6", "a,b"])
  func malformed(numbers: String) throws {
    let text = try Self.random(level: 2, Self.elements("Ti"))
      .with(repulsion: ShortRangeRepulsion(inner: 0.6, outer: 0.9)).mtpText
    let bad = text.replacing("zbl:0.6,0.9", with: "zbl:" + numbers)
    try #require(bad != text)
    let error = #expect(throws: PotentialError.self) {
      try MomentTensorPotential(mtpText: bad, path: "bad.mtp")
    }
    #expect("\(try #require(error))".hasPrefix("bad.mtp:6:"))
  }

  // MARK: Training

  /// Structures with short bonds, labelled by a potential with repulsion.
  private func labels(_ truth: MomentTensorPotential, count: Int) throws -> [LabelledStructure] {
    try (0..<count).map { index in
      let structure = try TestStructures.randomCrystal(
        (0..<2 + index % 4).map { truth.elements[$0 % truth.speciesCount] }, volumePerAtom: 12,
        minimumDistance: 1.5, seed: UInt64(index))
      return try LabelledStructure(structure, try truth.evaluation(of: structure))
    }
  }

  private func truth(level: Int) throws -> MomentTensorPotential {
    var potential = try MomentTensorPotential(
      basis: MomentTensorBasis(level: level),
      radialBasis: RadialBasis(size: 6, minimumDistance: 1, cutoff: 4.5, scaling: 0.1),
      elements: Self.elements("Ti", "O"), repulsion: .standard)
    var random = RandomStream(seed: 2, purpose: .test)
    for i in potential.parameters.indices { potential.parameters[i] += 0.2 * random.normal() }
    return potential
  }

  @Test("Labels of a potential with repulsion are recovered; what is fitted is the rest")
  func recovery() throws {
    let truth = try truth(level: 8)
    let set = try labels(truth, count: 40)
    var settings = TrainingSettings.plain
    settings.start = .current
    settings.tolerance = 1e-8
    var start = truth
    var random = RandomStream(seed: 3, purpose: .test, slot: 1)
    for i in 0..<truth.radialParameterCount { start.parameters[i] += 0.03 * random.normal() }
    let report = try MomentTensorTrainer.train(
      start, on: TrainingProblem(set, for: start, settings: settings))
    #expect(report.loss < 1e-8 * report.losses[0])
    #expect(report.potential.repulsion == .standard)
    // Without it the same form does not suffice.
    let without = try start.with(repulsion: nil)
    let other = try MomentTensorTrainer.train(
      without, on: TrainingProblem(set, for: without, settings: settings))
    #expect(other.loss > 1e3 * report.loss)
    #expect(other.potential.repulsion == nil)
  }

  @Test("Loss and errors of a training are those of the whole potential")
  func lossAgrees() throws {
    let set = try labels(try truth(level: 8), count: 12)
    var settings = TrainingSettings.plain
    settings.maximumTrials = 3
    settings.robustForce = 2
    let start = try MomentTensorPotential(
      basis: MomentTensorBasis(level: 6),
      radialBasis: RadialBasis(size: 6, minimumDistance: 1, cutoff: 4.5, scaling: 0.1),
      elements: Self.elements("Ti", "O"), repulsion: .standard)
    let problem = try TrainingProblem(set, for: start, settings: settings)
    let report = try MomentTensorTrainer.train(start, on: problem)
    let direct = try TrainingLoss(of: report.potential, on: problem).value
    // The loss is a difference of squares of labels that are 10⁴ times as large.
    #expect(abs(report.loss - direct) <= 1e-7 * direct)
    let request = MomentTensorTrainer.Request(potential: report.potential, includingRadial: true)
    let sums = try problem.equations(for: request).residuals
    let errors = try ErrorStatistics(of: report.potential, on: set)
    #expect(
      try #require(sums.force.rootMeanSquare)
        .isClose(to: errors.force.rootMeanSquare, relative: 1e-7, absolute: 0))
    #expect(
      try #require(sums.energyPerAtom.rootMeanSquare)
        .isClose(to: errors.energyPerAtom.rootMeanSquare, relative: 1e-7, absolute: 0))
    #expect(throws: PotentialError.self) {
      try MomentTensorTrainer(fitting: start.with(repulsion: nil), to: problem)
    }
  }

  @Test("A climb through levels keeps the repulsion")
  func continuation() throws {
    let set = try labels(try truth(level: 8), count: 12)
    var settings = TrainingSettings.plain
    settings.maximumTrials = 2
    settings.continuation = [4]
    let start = try MomentTensorPotential(
      basis: MomentTensorBasis(level: 8),
      radialBasis: RadialBasis(size: 6, minimumDistance: 1, cutoff: 4.5, scaling: 0.1),
      elements: Self.elements("Ti", "O"), repulsion: .standard)
    let problem = try TrainingProblem(set, for: start, settings: settings)
    let report = try MomentTensorTrainer.train(start, on: problem)
    #expect(report.potential.repulsion == .standard)
    let direct = try TrainingLoss(of: report.potential, on: problem).value
    // As above.
    #expect(abs(report.loss - direct) <= 1e-7 * direct)
  }
}
