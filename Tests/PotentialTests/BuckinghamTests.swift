import Crystal
import Foundation
import NumericalCore
import Potential
import TestSupport
import Testing

@Suite("Buckingham potential with Ewald sum")
struct BuckinghamTests {
  /// The published constants.
  ///
  /// 12 digits (R. E. Crandall and J. P. Buhler, J. Phys. A 20, 5497 (1987)).
  @Test(
    "Madelung constants are met",
    arguments: [("rock salt", 1.747564594633), ("CsCl", 1.762674773070), ("ZnS", 1.638055053388)])
  func madelung(name: String, constant: Double) throws {
    let potential = try ClassicalModels.pointCharges("Na", "Cl", ewaldAccuracy: 1e-14)
    let (structure, distance): (Structure, Double) =
      switch name {
      case "rock salt": (try Prototypes.rockSalt("Na", "Cl", a: 5.64), 2.82)
      case "CsCl":
        (try Prototypes.caesiumChloride("Na", "Cl", a: 4.12), 4.12 * 3.0.squareRoot() / 2)
      default: (try Prototypes.zincBlende("Na", "Cl", a: 5.41), 5.41 * 3.0.squareRoot() / 4)
      }
    let pairs = Double(structure.atomCount / 2)
    let energy = try potential.evaluation(of: structure).energy / pairs
    let found = -energy * distance / PhysicalConstants.coulomb
    #expect(found.isClose(to: constant, relative: 1e-12, absolute: 0), "\(found)")
  }

  @Test("The default Ewald accuracy is better than 1e-9 of the energy, for any cell shape")
  func accuracy() throws {
    let loose = try ClassicalModels.pointCharges("Ti", "O", ewaldAccuracy: 1e-10)
    let sharp = try ClassicalModels.pointCharges("Ti", "O", ewaldAccuracy: 1e-15)
    let (ti, o) = (try ClassicalModels.element("Ti"), try ClassicalModels.element("O"))
    for seed in 0..<8 {
      let structure = try TestStructures.randomCrystal(
        [ti, o, ti, o, o, ti], volumePerAtom: 12, minimumDistance: 1.4, seed: UInt64(seed))
      let a = try loose.evaluation(of: structure)
      let b = try sharp.evaluation(of: structure)
      #expect(a.energy.isClose(to: b.energy, relative: 1e-9, absolute: 0), "seed \(seed)")
      let largest = zip(a.forces, b.forces).map { ($0 - $1).length }.max()!
      #expect(largest < 1e-8, "seed \(seed)")
    }
  }

  @Test("Conformance of the smoothed potential")
  func conformance() throws {
    let potential = try ClassicalModels.titaniumDioxide(
      smoothing: 2, cutoff: 7, ewaldAccuracy: 1e-14)
    let (ti, o) = (try ClassicalModels.element("Ti"), try ClassicalModels.element("O"))
    var structures = [try TestStructures.rattled(Prototypes.rutile(), by: 0.1, seed: 1)]
    structures.append(
      try Structure(
        lattice: Lattice(
          Matrix3(rows: Vector3(2.6, 0, 0), Vector3(1.3, 2.4, 0), Vector3(0.4, 1.1, 4))),
        species: [ti, o, o],
        fractionalPositions: [.zero, Vector3(0.3, 0.4, 0.5), Vector3(0.7, 0.6, 0.9)]))
    for seed in 0..<4 {
      structures.append(
        try TestStructures.randomCrystal(
          [ti, o, o], volumePerAtom: 11, minimumDistance: 1.5, seed: UInt64(seed)))
    }
    structures.append(
      try Structure(
        lattice: Lattice(Matrix3(diagonal: Vector3(4, 4, 4))), periodicity: .none,
        species: [ti, o, o], positions: [.zero, Vector3(1.9, 0.2, 0), Vector3(-0.4, 1.8, 0.3)]))
    var options = PotentialConformance.Options()
    options.cutoff = .smooth(ti, ti, at: 7)
    options.isolatedAtom = o
    let neutral = try neutralModel(smoothing: 2)
    #expect(try PotentialConformance.check(potential, structures, options: unchecked()) == [])
    #expect(try PotentialConformance.check(neutral, structures, options: options) == [])
  }

  @Test("The abrupt cutoff jumps by the pair energy")
  func truncation() throws {
    let potential = try neutralModel(smoothing: 0)
    let o = try ClassicalModels.element("O")
    var options = PotentialConformance.Options()
    let r = 7.0
    options.cutoff = .truncated(
      o, o, at: r,
      jump: 11782.7 * exp(-r / 0.234) - 30.22 / pow(r, 6) + 1 / pow(r, 12))
    #expect(try PotentialConformance.check(potential, [], options: options) == [])
  }

  @Test("Slabs work without charges and are refused with them; charged cells are refused")
  func refusals() throws {
    let rutile = try Prototypes.rutile()
    let slab = try Structure(
      lattice: rutile.lattice, periodicity: Periodicity(true, true, false),
      species: rutile.species, positions: rutile.positions)
    #expect(
      try PotentialConformance.check(neutralModel(smoothing: 2), [slab], options: unchecked())
        == [])
    let potential = try ClassicalModels.titaniumDioxide()
    #expect(throws: PotentialError.self) { try potential.evaluation(of: slab) }
    let ti = try ClassicalModels.element("Ti")
    let lone = try Structure(
      lattice: rutile.lattice, species: [ti], positions: [.zero])
    #expect(throws: PotentialError.self) { try potential.evaluation(of: lone) }
    let mg = try ClassicalModels.element("Mg")
    let foreign = try Structure(lattice: rutile.lattice, species: [mg], positions: [.zero])
    #expect(throws: PotentialError.unknownElement(mg, known: potential.elements)) {
      try potential.evaluation(of: foreign)
    }
    let twice = try Structure(
      lattice: rutile.lattice, species: rutile.species,
      positions: rutile.positions.map { _ in .zero })
    #expect(throws: PotentialError.self) { try potential.evaluation(of: twice) }
    let flat = try rutile.strained(by: Matrix3(diagonal: Vector3(-0.99, -0.99, -0.99)))
    #expect(throws: PotentialError.self) { try potential.evaluation(of: flat) }
  }

  @Test("A cluster's energy is the plain sum over pairs")
  func cluster() throws {
    let potential = try ClassicalModels.titaniumDioxide()
    let (ti, o) = (try ClassicalModels.element("Ti"), try ClassicalModels.element("O"))
    let pair = try Structure(
      lattice: Lattice(Matrix3(diagonal: Vector3(4, 4, 4))), periodicity: .none,
      species: [ti, o], positions: [.zero, Vector3(0, 1.9, 0)])
    let r = 1.9
    let expected =
      16957.5 * exp(-r / 0.194) - 12.59 / pow(r, 6) + 1 / pow(r, 12)
      - PhysicalConstants.coulomb * 2.196 * 1.098 / r
    #expect(try potential.evaluation(of: pair).energy.isClose(to: expected, .roundoff))
  }

  @Test("Parameters come back from their bytes, in canonical order")
  func bytes() throws {
    let parameters = try ClassicalModels.titaniumDioxide().parameters
    let back = try BuckinghamPotential.Parameters(canonicalBytes: parameters.canonicalBytes)
    #expect(back.canonicalBytes == parameters.canonicalBytes)
    #expect(Set(back.pairs.map(\.amplitude)) == Set(parameters.pairs.map(\.amplitude)))
    var shuffled = parameters
    shuffled.pairs.reverse()
    shuffled.charges.reverse()
    #expect(shuffled.canonicalBytes == parameters.canonicalBytes)
  }

  @Test("Contradictory parameters are refused")
  func invalid() throws {
    let valid = try ClassicalModels.titaniumDioxide().parameters
    let changes: [(inout BuckinghamPotential.Parameters) -> Void] = [
      { $0.cutoff = 0 }, { $0.smoothing = 20 }, { $0.ewaldAccuracy = 0 },
      { $0.pairs.append($0.pairs[0]) }, { $0.charges.append($0.charges[0]) },
      {
        $0.charges = []; $0.pairs = []
      },
    ]
    for change in changes {
      var parameters = valid
      change(&parameters)
      #expect(throws: PotentialError.self) { try BuckinghamPotential(parameters) }
    }
  }

  @Test("Holes are found where C wins over the wall, and only there")
  func holes() throws {
    let o = try ClassicalModels.element("O")
    let si = try ClassicalModels.element("Si")
    // The O–O pair of M. Matsui, Phys. Chem. Miner. 23, 345 (1996): barrier near 0.93 Å.
    let parameters = BuckinghamPotential.Parameters(
      cutoff: 10, charges: [.init(si, charge: 1.89), .init(o, charge: -0.945)],
      pairs: [
        .init(o, o, amplitude: 6462.668645, decayLength: 0.276, dispersion: 85.09243218, wall: 1)
      ])
    let found = try BuckinghamPotential(parameters).holes()
    #expect(found.count == 1)
    #expect(found[0].first == o && found[0].second == o)
    #expect(found[0].barrierDistance.isClose(to: 0.93, relative: 0, absolute: 0.15))
    #expect(found[0].depth > 500)
    var walled = parameters
    walled.pairs = [
      .init(o, o, amplitude: 6462.668645, decayLength: 0.276, dispersion: 85.09243218, wall: 1e3)
    ]
    #expect(try BuckinghamPotential(walled).holes() == [])
  }

  @Test("A needle-like cell of the same crystal has the same energy, forces and stress")
  func needle() throws {
    let potential = try ClassicalModels.titaniumDioxide()
    let structure = TestStructures.rattled(try Prototypes.rutile(), by: 0.1, seed: 3)
    let v = structure.lattice.vectors
    // Without reducing the cell first the sums would run over millions of translations.
    let needle = try Structure(
      lattice: Lattice(Matrix3(rows: v.a, v.b + 200 * v.a, v.c + 300 * v.b)),
      species: structure.species, positions: structure.positions)
    let (a, b) = (try potential.evaluation(of: structure), try potential.evaluation(of: needle))
    #expect(a.energy.isClose(to: b.energy, relative: 1e-10, absolute: 0))
    for (f, g) in zip(a.forces, b.forces) { #expect((f - g).length < 1e-8) }
    #expect((a.stress - b.stress).largestMagnitude < 1e-9)
  }

  private func unchecked() -> PotentialConformance.Options {
    var options = PotentialConformance.Options()
    // What the Ewald accuracy of 1e-14 leaves of energies of 10² eV and forces of 10² eV/Å.
    options.invariance = Tolerance(relative: 1e-10, absolute: 1e-9)
    return options
  }

  private func neutralModel(smoothing: Double) throws -> BuckinghamPotential {
    var parameters = try ClassicalModels.titaniumDioxide(smoothing: smoothing, cutoff: 7).parameters
    parameters.charges = []
    return try BuckinghamPotential(parameters)
  }
}
