import Crystal
import Dataset
import Foundation
import NumericalCore
import Potential
import StructureFormats
import Testing

@Suite("Training set")
struct TrainingSetTests {
  static func labelled(_ seed: UInt64, scale: Double = 1) throws -> LabelledStructure {
    var random = RandomStream(seed: seed, purpose: .test)
    let titanium = try #require(ChemicalElement(symbol: "Ti"))
    let oxygen = try #require(ChemicalElement(symbol: "O"))
    let lattice = try Lattice(
      Matrix3(rows: Vector3(4 + random.uniform(), 0, 0), Vector3(0.1, 4, 0), Vector3(0, 0.2, 5)))
    let structure = try Structure(
      lattice: lattice, species: [titanium, oxygen, oxygen],
      fractionalPositions: (0..<3).map { _ in random.fractionalPoint() })
    let forces = (0..<3).map { _ in scale * random.unitVector() }
    var virial = Matrix3.zero
    for i in 0..<3 {
      for j in 0...i {
        virial[i, j] = random.normal()
        virial[j, i] = virial[i, j]
      }
    }
    return try LabelledStructure(
      structure,
      Evaluation(energy: -20 + random.normal(), forces: forces, virial: virial, of: structure))
  }

  static func potential(_ elements: [ChemicalElement]) throws -> MomentTensorPotential {
    try MomentTensorPotential(
      basis: try MomentTensorBasis(level: 2),
      radialBasis: try RadialBasis(size: 4, minimumDistance: 1, cutoff: 5), elements: elements)
  }

  @Test("A file brings back labels, sources and weights")
  func file() throws {
    var set = TrainingSet()
    set.append(TrainingSet.Entry(try Self.labelled(1), source: "initial"))
    set.append(TrainingSet.Entry(try Self.labelled(2), source: "slot 41", weight: 0.25))
    let path = NSTemporaryDirectory() + "polymorph-training-set-\(getpid()).cfg"
    defer { unlink(path) }
    try set.write(to: path)
    let read = try TrainingSet(reading: path)
    #expect(read.count == 2)
    for (a, b) in zip(set.entries, read.entries) {
      #expect(a.source == b.source)
      #expect(a.weight == b.weight)
      #expect(a.labelled.structure.species == b.labelled.structure.species)
      #expect(abs(a.labelled.evaluation.energy - b.labelled.evaluation.energy) < 1e-12)
      for (f, g) in zip(a.labelled.evaluation.forces, b.labelled.evaluation.forces) {
        #expect((f - g).length < 1e-12)
      }
      for i in 0..<3 {
        let difference = a.labelled.evaluation.virial[i] - b.labelled.evaluation.virial[i]
        #expect(difference.length < 1e-12)
      }
    }
  }

  @Test("Bytes bring back the same set")
  func bytes() throws {
    var set = TrainingSet([try Self.labelled(3)], source: "seed")
    #expect(set.append(TrainingSet.Entry(try Self.labelled(4), source: "slot 1", weight: 2)) == 1)
    #expect(try TrainingSet(canonicalBytes: set.canonicalBytes) == set)
  }

  @Test("A structure without label is refused with file and entry")
  func unlabelled() throws {
    let path = NSTemporaryDirectory() + "polymorph-unlabelled-\(getpid()).cfg"
    defer { unlink(path) }
    try StructureFile.write([StructureRecord(structure: try Self.labelled(5).structure)], to: path)
    let error = #expect(throws: FormatError.self) { try TrainingSet(reading: path) }
    #expect(error?.description.contains("entry 1") == true)
  }

  @Test("Extreme forces and energies are kept but not trained on, with the reason")
  func exclusions() throws {
    var high = try Self.labelled(7).evaluation
    high.energy += 30
    let set = TrainingSet([
      try Self.labelled(6), try Self.labelled(8, scale: 25),
      try LabelledStructure(try Self.labelled(7).structure, high),
    ])
    let problem = try set.problem(
      for: try Self.potential(set.distinctElements()), settings: TrainingSettings())
    #expect(problem.exclusions[0] == nil)
    guard case .force(let force, cap: 20)? = problem.exclusions[1] else {
      Issue.record("forces of 25 eV/Å must be excluded")
      return
    }
    #expect(abs(force - 25) < 1e-9)
    guard case .energy(_, window: 5)? = problem.exclusions[2] else {
      Issue.record("10 eV/atom above the lowest must be excluded")
      return
    }
    #expect(problem.usedCount() == 1)
    let plain = try set.problem(
      for: try Self.potential(set.distinctElements()), settings: .plain)
    #expect(plain.usedCount() == 3)
  }

  @Test("A species that the potential does not know is named")
  func unknownSpecies() throws {
    let set = TrainingSet([try Self.labelled(6)])
    let oxygen = try #require(ChemicalElement(symbol: "O"))
    let titanium = try #require(ChemicalElement(symbol: "Ti"))
    let potential = try Self.potential([oxygen])
    let settings = TrainingSettings()
    #expect(throws: PotentialError.unknownElement(titanium, known: [oxygen])) {
      try set.problem(for: potential, settings: settings)
    }
    #expect(throws: PotentialError.self) {
      try TrainingSet().problem(for: potential, settings: settings)
    }
  }

  @Test("A split keeps every entry once and is the same for the same seed", arguments: 0..<20)
  func split(seed: Int) {
    let split = DataSplit(count: 50, validationFraction: 0.1, seed: UInt64(seed))
    #expect(split.validation.count == 5)
    #expect((split.training + split.validation).sorted() == Array(0..<50))
    #expect(split == DataSplit(count: 50, validationFraction: 0.1, seed: UInt64(seed)))
    #expect(split != DataSplit(count: 50, validationFraction: 0.1, seed: UInt64(seed) + 1))
  }

  @Test("A split of one entry trains on it")
  func smallSplit() {
    #expect(DataSplit(count: 1, validationFraction: 1, seed: 0).training == [0])
    #expect(DataSplit(count: 0, validationFraction: 0.5, seed: 0).training.isEmpty)
  }
}
