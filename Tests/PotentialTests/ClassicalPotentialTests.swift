import Crystal
import Foundation
import NumericalCore
import Potential
import TestSupport
import Testing

@Suite("Classical potentials without charges")
struct ClassicalPotentialTests {
  private func elements(_ symbols: [String]) throws -> [ChemicalElement] {
    try symbols.map(ClassicalModels.element)
  }

  /// Random crystals, cells of one atom, a skewed cell, a slab, a rod and a cluster.
  private func structures(
    _ symbols: [String], volumePerAtom: Double, distance: Double
  ) throws -> [Structure] {
    let species = try elements(symbols)
    var all: [Structure] = []
    for seed in 0..<4 {
      all.append(
        try TestStructures.randomCrystal(
          species, volumePerAtom: volumePerAtom, minimumDistance: distance, seed: UInt64(seed)))
    }
    let d = 1.15 * distance
    all.append(
      try Structure(
        lattice: Lattice(
          Matrix3(rows: Vector3(d, 0, 0), Vector3(0.4 * d, d, 0), Vector3(-0.3 * d, 0.5 * d, d))),
        species: [species[0]], positions: [Vector3(0.1, 0.2, 0.3)]))
    let crystal = all[0]
    for periodicity in [
      Periodicity(true, true, false), Periodicity(false, true, false), Periodicity.none,
    ] {
      all.append(
        try Structure(
          lattice: crystal.lattice, periodicity: periodicity, species: crystal.species,
          positions: crystal.positions))
    }
    return all
  }

  @Test("Conformance of Lennard-Jones with a force shift")
  func lennardJones() throws {
    let potential = try ClassicalModels.binaryLennardJones(.forceShift)
    let (a, b) = (try ClassicalModels.element("Ar"), try ClassicalModels.element("Ne"))
    var options = PotentialConformance.Options()
    options.cutoff = .smooth(a, b, at: 8)
    options.isolatedAtom = a
    // Third derivatives of r⁻¹² at 0.75 σ.
    options.derivative = Tolerance(relative: 1e-6, absolute: 2e-5)
    let structures = try structures(
      ["Ar", "Ne", "Ne", "Ar", "Ne"], volumePerAtom: 6, distance: 1.45)
    let violations = try PotentialConformance.check(potential, structures, options: options)
    #expect(violations == [])
  }

  @Test("Truncation: none jumps, shift does not; both have the same forces")
  func truncation() throws {
    let (plain, shifted) = (
      try ClassicalModels.binaryLennardJones(.none), try ClassicalModels.binaryLennardJones(.shift)
    )
    let (a, b) = (try ClassicalModels.element("Ar"), try ClassicalModels.element("Ne"))
    var options = PotentialConformance.Options()
    let ratio = pow(1.6 / 8, 6.0)
    options.cutoff = .truncated(a, b, at: 8, jump: 6 * ratio * (ratio - 1))
    let violations = try PotentialConformance.check(plain, [], options: options)
    #expect(violations == [])
    options.cutoff = .truncated(a, b, at: 8, jump: 0)
    let others = try PotentialConformance.check(shifted, [], options: options)
    #expect(others == [])
    for structure in try structures(["Ar", "Ne", "Ne"], volumePerAtom: 6, distance: 1.45) {
      let (p, s) = (
        try plain.evaluation(of: structure), try shifted.evaluation(of: structure)
      )
      #expect(p.forces == s.forces && p.virial == s.virial)
    }
  }

  @Test("Conformance of Stillinger–Weber silicon")
  func stillingerWeber() throws {
    let si = try ClassicalModels.element("Si")
    var options = PotentialConformance.Options()
    options.cutoff = .smooth(si, si, at: 1.8 * 2.0951)
    options.isolatedAtom = si
    let structures = try structures(
      ["Si", "Si", "Si", "Si", "Si"], volumePerAtom: 18, distance: 2)
    let violations = try PotentialConformance.check(
      ClassicalModels.stillingerWeberSilicon(), structures, options: options)
    #expect(violations == [])
  }

  @Test("Conformance of Tersoff's silicon and carbon")
  func tersoff() throws {
    let si = try ClassicalModels.element("Si")
    var options = PotentialConformance.Options()
    options.isolatedAtom = si
    // The cutoff function has a kink in its second derivative at both ends, and ζⁿ one at ζ = 0: a
    // difference across one of them is wrong by a step's length.
    options.step = 2e-4
    options.derivative = Tolerance(relative: 1e-5, absolute: 1e-4)
    let structures = try structures(
      ["Si", "C", "C", "Si", "C"], volumePerAtom: 10, distance: 1.5)
    let violations = try PotentialConformance.check(
      ClassicalModels.tersoffSiliconCarbon(), structures, options: options)
    #expect(violations == [])
  }

  @Test("Tersoff's energy falls with the square of the distance to the cutoff, its force linearly")
  func cutoff() throws {
    let potential = try ClassicalModels.tersoffSiliconCarbon()
    let species = try elements(["Si", "C"])
    let end = (3 * 2.1).squareRoot()
    func pair(_ distance: Double) throws -> Evaluation {
      try potential.evaluation(
        of: Structure(
          lattice: Lattice(Matrix3(diagonal: Vector3(5, 5, 5))), periodicity: .none,
          species: species, positions: [.zero, Vector3(distance, 0, 0)]))
    }
    let (far, near) = (try pair(end - 1e-3), try pair(end - 1e-4))
    #expect((far.energy / near.energy).isClose(to: 100, relative: 1e-2, absolute: 0))
    #expect((far.forces[0].x / near.forces[0].x).isClose(to: 10, relative: 1e-2, absolute: 0))
    let beyond = try pair(end + 1e-9)
    #expect(beyond.energy == 0 && beyond.largestForce() == 0)
  }

  @Test("A trimer has the energy of the papers' formulas")
  func trimer() throws {
    let si = try ClassicalModels.element("Si")
    let r = 2.4
    let trimer = try Structure(
      lattice: Lattice(Matrix3(diagonal: Vector3(5, 5, 5))), periodicity: .none,
      species: [si, si, si], positions: [.zero, Vector3(r, 0, 0), Vector3(0, r, 0)])
    // Only the right angle has both of its sides within the cutoffs of Tersoff's form; in Stillinger
    // and Weber's the long side r√2 counts too.
    let (epsilon, sigma, end) = (2.1675, 2.0951, 1.8 * 2.0951)
    func pair(_ d: Double) -> Double {
      7.049556277 * epsilon * (0.6022245584 * pow(sigma / d, 4) - 1) * exp(sigma / (d - end))
    }
    func angle(_ cosine: Double, _ a: Double, _ b: Double) -> Double {
      21 * epsilon * (cosine + 1.0 / 3) * (cosine + 1.0 / 3)
        * exp(1.2 * sigma / (a - end) + 1.2 * sigma / (b - end))
    }
    let long = r * 2.0.squareRoot()
    let expected =
      2 * pair(r) + pair(long) + angle(0, r, r) + 2 * angle(0.5.squareRoot(), r, long)
    let found = try ClassicalModels.stillingerWeberSilicon().evaluation(of: trimer).energy
    #expect(found.isClose(to: expected, .roundoff))

    func g(_ cosine: Double) -> Double {
      let (c2, d2, h) = (1.0039e5 * 1.0039e5, 16.217 * 16.217, -0.59825)
      return 1 + c2 / d2 - c2 / (d2 + (h - cosine) * (h - cosine))
    }
    let n = 0.78734
    let order = pow(1 + pow(1.1e-6 * g(0), n), -1 / (2 * n))
    let (repulsion, bond) = (1830.8 * exp(-2.4799 * r), 471.18 * exp(-1.7322 * r))
    let tersoff = 2 * repulsion - order * bond - bond
    let other = try ClassicalModels.tersoffSiliconCarbon().evaluation(of: trimer).energy
    #expect(other.isClose(to: tersoff, .roundoff))
  }

  @Test("Atoms that coincide, collapsed cells and foreign elements are refused")
  func refusals() throws {
    let si = try ClassicalModels.element("Si")
    let models: [any InteratomicPotential] = [
      try ClassicalModels.stillingerWeberSilicon(), try ClassicalModels.tersoffSiliconCarbon(),
    ]
    let diamond = try Prototypes.zincBlende("Si", "Si", a: 5.43)
    let twice = diamond.replacing(positions: diamond.positions.map { _ in Vector3.zero })
    let dense = try diamond.strained(by: Matrix3(diagonal: Vector3(-0.98, -0.98, -0.98)))
    let foreign = try Prototypes.rutile()
    for model in models {
      #expect(model.elements.contains(si))
      for structure in [twice, dense, foreign] {
        #expect(throws: PotentialError.self) { try model.evaluation(of: structure) }
      }
    }
    let argon = try Structure(
      lattice: Lattice(Matrix3(diagonal: Vector3(3, 3, 3))), species: elements(["Ar", "Ar"]),
      positions: [.zero, .zero])
    let model = try ClassicalModels.binaryLennardJones(.none)
    #expect(throws: PotentialError.self) { try model.evaluation(of: argon) }
    #expect(throws: PotentialError.self) { try model.evaluation(of: foreign) }
  }

  @Test("Without cutoff a cluster has all of its pairs, and a crystal is refused")
  func untruncated() throws {
    let ar = try ClassicalModels.element("Ar")
    let potential = try LennardJonesPotential(
      .init(
        truncation: .none, pairs: [.init(ar, ar, depth: 0.8, diameter: 1.1, cutoff: nil)]))
    let lattice = try Lattice(Matrix3(diagonal: Vector3(3, 3, 3)))
    let positions = (0..<7).map {
      Vector3(1.3 * Double($0), 0.4 * Double($0 % 3), 2e3 * Double($0 / 6))
    }
    let cluster = try Structure(
      lattice: lattice, periodicity: .none, species: positions.map { _ in ar },
      positions: positions)
    var expected = 0.0
    for i in 0..<7 {
      for j in 0..<i {
        let s6 = pow(1.1 / (positions[i] - positions[j]).length, 6)
        expected += 3.2 * s6 * (s6 - 1)
      }
    }
    #expect(try potential.evaluation(of: cluster).energy.isClose(to: expected, .roundoff))
    let crystal = try Structure(lattice: lattice, species: [ar], positions: [.zero])
    #expect(throws: PotentialError.self) { try potential.evaluation(of: crystal) }
  }

  @Test("Parameters come back from their bytes; their order in the file does not count")
  func bytes() throws {
    let lj = try ClassicalModels.binaryLennardJones(.shift).parameters
    let decoded = try LennardJonesPotential.Parameters(canonicalBytes: lj.canonicalBytes)
    #expect(decoded.canonicalBytes == lj.canonicalBytes)
    #expect(decoded.truncation == .shift && decoded.pairs.map(\.depth) == [0.5, 1.5, 1])
    var reversed = lj
    reversed.pairs.reverse()
    #expect(reversed.canonicalBytes == lj.canonicalBytes)
    let sw = try ClassicalModels.stillingerWeberSilicon().parameters
    #expect(try .init(canonicalBytes: sw.canonicalBytes) == sw)
    let tersoff = try ClassicalModels.tersoffSiliconCarbon().parameters
    var turned = tersoff
    turned.elements.reverse()
    #expect(turned.canonicalBytes == tersoff.canonicalBytes)
    let bonds = try TersoffPotential.Parameters(canonicalBytes: tersoff.canonicalBytes)
    #expect(bonds.elements == turned.elements)
    #expect(bonds.mixing.map(\.chi) == [0.9776])
  }

  @Test("Contradictory parameters are refused")
  func invalid() throws {
    var lj = try ClassicalModels.binaryLennardJones(.shift).parameters
    lj.pairs.removeLast()
    #expect(throws: PotentialError.self) { try LennardJonesPotential(lj) }
    lj = try ClassicalModels.binaryLennardJones(.shift).parameters
    lj.pairs.append(lj.pairs[0])
    #expect(throws: PotentialError.self) { try LennardJonesPotential(lj) }
    let p = lj.pairs[0]
    lj.pairs = [.init(p.first, p.first, depth: 1, diameter: 1, cutoff: nil)]
    #expect(throws: PotentialError.self) { try LennardJonesPotential(lj) }
    var sw = try ClassicalModels.stillingerWeberSilicon().parameters
    sw.sigma = 0
    #expect(throws: PotentialError.self) { try StillingerWeberPotential(sw) }
    var tersoff = try ClassicalModels.tersoffSiliconCarbon().parameters
    tersoff.mixing = []
    #expect(throws: PotentialError.self) { try TersoffPotential(tersoff) }
    tersoff = try ClassicalModels.tersoffSiliconCarbon().parameters
    tersoff.elements[0].outerCutoff = tersoff.elements[0].innerCutoff
    #expect(throws: PotentialError.self) { try TersoffPotential(tersoff) }
  }
}
