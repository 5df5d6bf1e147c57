import Coordinator
import Crystal
import NumericalCore
import TestSupport
import Testing

@Suite("Training data of a re-ranking")
struct RetrainingDataTests {
  private func crystal(_ seed: UInt64 = 3) throws -> Structure {
    let si = try #require(ChemicalElement(symbol: "Si"))
    return try TestStructures.randomCrystal(
      [si, si, si, si], volumePerAtom: 18, minimumDistance: 1.5, seed: seed)
  }

  // MARK: Strains

  @Test("Strains are symmetric, keep fractional positions and change the volume as they say")
  func strains() throws {
    let structure = try crystal()
    #expect(TrainingStrain.all.count == 16 && Set(TrainingStrain.all).count == 16)
    for strain in TrainingStrain.all {
      let tensor = strain.tensor(in: structure.lattice)
      #expect(tensor.isClose(to: tensor.transposed, .roundoff), "\(strain)")
      let strained = try strain.applied(to: structure)
      for (new, old) in zip(strained.fractionalPositions(), structure.fractionalPositions()) {
        #expect(new.isClose(to: old, .roundoff), "\(strain)")
      }
      #expect(strained.species == structure.species)
      let s = strain.size
      let ratio =
        switch strain.kind {
        case .hydrostatic: (1 + s) * (1 + s) * (1 + s)
        case .uniaxial: 1 + s
        case .shear: 1 - s * s
        }
      #expect((strained.volume / structure.volume).isClose(to: ratio, .roundoff), "\(strain)")
    }
    let sizes = TrainingStrain.all.map(\.size)
    #expect(sizes.reduce(0, +).isClose(to: 0, .roundoff))
  }

  @Test("A uniaxial strain stretches its lattice vector, a shear turns one towards another")
  func directions() throws {
    let lattice = try crystal().lattice
    for strain in TrainingStrain.all {
      let strained = try lattice.strained(by: strain.tensor(in: lattice))
      switch strain.kind {
      case .hydrostatic:
        for axis in 0..<3 {
          #expect(
            strained.lengths[axis].isClose(
              to: (1 + strain.size) * lattice.lengths[axis], .roundoff))
        }
      case .uniaxial(let axis):
        #expect(
          strained.lengths[axis].isClose(to: (1 + strain.size) * lattice.lengths[axis], .roundoff))
      case .shear(let first, let second):
        // The normal of the plane feels nothing; u goes by s to the side.
        let (a, b) = (lattice.vectors[first], lattice.vectors[second])
        let normal = a.cross(b)
        let tensor = strain.tensor(in: lattice)
        #expect((normal * tensor).length < 1e-12 * normal.length)
        let u = a / a.length
        #expect((u * tensor).length.isClose(to: abs(strain.size), .roundoff))
        #expect(abs(u.dot(u * tensor)) < 1e-15)
      }
    }
  }

  @Test("A rotated crystal is deformed alike")
  func rotated() throws {
    let structure = try crystal(8)
    var random = RandomStream(seed: 8, purpose: .test)
    let rotation = TestStructures.randomRotation(&random)
    let rotated = try Structure(
      lattice: Lattice(structure.lattice.vectors * rotation), species: structure.species,
      positions: structure.positions.map { $0 * rotation })
    for strain in TrainingStrain.all {
      let one = try strain.applied(to: structure)
      let other = try strain.applied(to: rotated)
      for axis in 0..<3 {
        #expect(one.lattice.lengths[axis].isClose(to: other.lattice.lengths[axis], .roundoff))
        #expect(one.lattice.angles[axis].isClose(to: other.lattice.angles[axis], .roundoff))
      }
    }
  }

  // MARK: Trajectories

  /// Steps of two atoms: the energy per atom, and the force on the first of them.
  private func steps(_ numbers: [(energy: Double, force: Double)]) throws -> [LabelledStructure] {
    let si = try #require(ChemicalElement(symbol: "Si"))
    let structure = try Structure(
      lattice: Lattice(Matrix3(diagonal: Vector3(4, 4, 4))), species: [si, si],
      positions: [.zero, Vector3(2, 2, 2)])
    return try numbers.map {
      let force = Vector3(0, $0.force, 0)
      return try LabelledStructure(
        structure,
        Evaluation(
          energy: 2 * $0.energy, forces: [force, -force], virial: .zero, of: structure))
    }
  }

  private func kept(_ numbers: [(energy: Double, force: Double)]) throws -> [Double] {
    TrainingTrajectory.thinned(try steps(numbers)).map { $0.evaluation.energy / 2 }
  }

  @Test("Steps that tell nothing new are dropped, the first and the last never")
  func thinned() throws {
    #expect(try kept([]).isEmpty)
    #expect(try kept([(-1, 0)]) == [-1])
    #expect(try kept([(-1, 0), (-1.0001, 0)]) == [-1, -1.0001])
    // Small steps in the energy add up to a notable one: each is compared with the last one kept.
    #expect(
      try kept([(-1, 0), (-1.0004, 0), (-1.0008, 0), (-1.0012, 0), (-1.0016, 0), (-1.0017, 0)])
        == [-1, -1.0012, -1.0017])
    // Forces alone are notable, too.
    #expect(
      try kept([(-1, 0.2), (-1.0001, 0.16), (-1.0002, 0.14), (-1.0003, 0.1), (-1.0004, 0)])
        == [-1, -1.0002, -1.0004])
    #expect(try kept([(-1, 0), (-2, 0), (-3, 0)]) == [-1, -2, -3])
  }

  // MARK: Choice

  @Test("Those that train are as many as asked for and spread evenly from the first place on")
  func places() {
    for total in 2...40 {
      for count in 1..<total {
        let places = RetrainingChoice.places(count, of: total)
        #expect(places.count == count && places.first == 0)
        let gaps = zip(places.dropFirst() + [total], places).map { $0 - $1 }
        #expect(
          gaps.allSatisfy { $0 == total / count || $0 == total / count + 1 },
          "\(count) of \(total): \(places)")
      }
    }
    #expect(RetrainingChoice.places(3, of: 5) == [0, 2, 4])
    #expect(RetrainingChoice.places(2, of: 4) == [0, 2])
  }
}
