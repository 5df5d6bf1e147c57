import Crystal
import Foundation
import NumericalCore
import Potential
import TestSupport
import Testing

@Suite("Moment tensor potentials")
struct MomentTensorTests {
  static let pair = [ChemicalElement.unnamed(0), .unnamed(1)]

  /// Levels with one to six radial functions, and how many species.
  static let cases = [
    (2, 1), (4, 2), (6, 1), (8, 3), (10, 2), (12, 1), (14, 2), (16, 3), (18, 1), (20, 2),
  ]
  /// The levels beyond, whose evaluation needs longer loops.
  static let highCases = [(22, 1), (24, 2), (26, 1), (28, 1)]

  private static func elements(_ count: Int) -> [ChemicalElement] {
    (0..<count).map(ChemicalElement.unnamed)
  }

  /// Crystals from one atom in a tiny skewed cell to more than a block, a cluster and a slab.
  private static func structures(_ species: Int) throws -> [Structure] {
    func crystal(_ count: Int, _ seed: UInt64) throws -> Structure {
      try TestStructures.randomCrystal(
        (0..<count).map { .unnamed($0 % species) }, volumePerAtom: 14, minimumDistance: 1.7,
        seed: seed)
    }
    let cluster = try crystal(5, 3)
    return [
      try crystal(1, 1), try crystal(3, 2), try crystal(11, 4),
      try Structure(
        lattice: cluster.lattice, periodicity: .none, species: cluster.species,
        positions: cluster.positions),
      try Structure(
        lattice: cluster.lattice, periodicity: Periodicity(true, false, true),
        species: cluster.species, positions: cluster.positions),
    ]
  }

  @Test("Fast and plain evaluation agree", arguments: cases + highCases)
  func reference(level: Int, species: Int) throws {
    let potential = try MomentTensorFixtures.random(
      level: level, elements: Self.elements(species), seed: 5)
    let plain = ReferenceMomentTensorEvaluator(potential)
    for structure in try Self.structures(species) {
      let found = try potential.evaluation(of: structure)
      let expected = try plain.evaluation(of: structure)
      #expect(found.energy.isClose(to: expected.energy, .roundoff), "level \(level)")
      for (a, b) in zip(found.forces, expected.forces) { #expect(a.isClose(to: b, .roundoff)) }
      #expect(found.virial.isClose(to: expected.virial, .roundoff))
      let sites = try potential.siteEnergies(of: structure)
      #expect(sites.fixedOrderSum().isClose(to: found.energy, .roundoff))
    }
  }

  @Test(
    "Derivatives, invariances, cutoff, lone atom",
    arguments: [(8, 3), (12, 1), (16, 2), (20, 1), (22, 1), (24, 2), (26, 1), (28, 1)])
  func conformance(level: Int, species: Int) throws {
    let elements = Self.elements(species)
    let potential = try MomentTensorFixtures.random(level: level, elements: elements, seed: 6)
    var options = PotentialConformance.Options()
    options.cutoff = .smooth(
      elements[0], elements[species - 1], at: potential.radialBasis.cutoff)
    options.isolatedAtom = elements[species - 1]
    options.isolatedEnergy = potential.parameters[potential.radialParameterCount + species - 1]
    var structures = try Self.structures(species)
    let large = structures.remove(at: 2)
    let violations = try PotentialConformance.check(potential, structures, options: options)
    #expect(violations.isEmpty, "\(violations)")
    // Second derivatives jump at the cutoff. With many pairs some cross it: the step must be small
    // enough for what that adds, f'' · step.
    options.step = 2e-5
    let others = try PotentialConformance.check(potential, [large], options: options)
    #expect(others.isEmpty, "\(others)")
  }

  @Test(
    "The gradient of site energies with respect to the parameters", arguments: [(8, 2), (16, 1)])
  func parameterGradient(level: Int, species: Int) throws {
    var potential = try MomentTensorFixtures.random(
      level: level, elements: Self.elements(species), seed: 7)
    let structure = try Self.structures(species)[2]
    let sites = try potential.siteGradients(of: structure)
    let total = try potential.energyGradient(of: structure)
    let start = potential.parameters
    var stream = RandomStream(seed: 7, purpose: .test)
    for _ in 0..<6 {
      let direction = start.map { _ in stream.normal() }
      func energies(_ h: Double) throws -> [Double] {
        potential.parameters = zip(start, direction).map { $0 + h * $1 }
        return try potential.siteEnergies(of: structure)
      }
      func differences(_ h: Double) throws -> [Double] {
        zip(try energies(h), try energies(-h)).map { ($0 - $1) / (2 * h) }
      }
      let (coarse, fine) = (try differences(2e-4), try differences(1e-4))
      var sum = 0.0
      for atom in 0..<structure.atomCount {
        let expected = zip(sites.row(atom), direction).reduce(0) { $0 + $1.0 * $1.1 }
        sum += expected
        let extrapolated = (4 * fine[atom] - coarse[atom]) / 3
        #expect(extrapolated.isClose(to: expected, relative: 1e-7, absolute: 1e-7))
        let error = abs(coarse[atom] - expected)
        if error > 1e-6 * max(1, abs(expected)) {
          #expect((3.5...4.5).contains(error / abs(fine[atom] - expected)), "errors fall as h²")
        }
      }
      let along = zip(total, direction).reduce(0) { $0 + $1.0 * $1.1 }
      #expect(along.isClose(to: sum, .roundoff))
    }
  }

  @Test(
    "The linear part of the design matrix times its parameters is the evaluation", arguments: cases)
  func linearDesign(level: Int, species: Int) throws {
    let potential = try MomentTensorFixtures.random(
      level: level, elements: Self.elements(species), seed: 8)
    for structure in try Self.structures(species) {
      let rows = MomentTensorPotential.designRowCount(atomCount: structure.atomCount)
      var design = Matrix(rows: rows + 2, columns: potential.linearParameterCount, repeating: 7)
      try potential.designMatrix(of: structure, includingRadial: false, into: &design)
      #expect(design.row(rows).allSatisfy { $0 == 7 }, "further rows are left alone")
      let linear = potential.parameters.suffix(potential.linearParameterCount)
      let found = (0..<rows).map { row in
        zip(design.row(row), linear).reduce(0) { $0 + $1.0 * $1.1 }
      }
      let expected = observables(try potential.evaluation(of: structure))
      for (a, b) in zip(found, expected) {
        #expect(a.isClose(to: b, relative: 1e-10, absolute: 1e-10))
      }

      var full = Matrix(rows: rows, columns: potential.parameterCount)
      try potential.designMatrix(of: structure, includingRadial: true, into: &full)
      for row in 0..<rows {
        let tail = full.row(row).suffix(potential.linearParameterCount)
        for (a, b) in zip(tail, design.row(row)) {
          #expect(a.isClose(to: b, relative: 1e-10, absolute: 1e-10))
        }
      }
      let gradient = try potential.energyGradient(of: structure)
      for (a, b) in zip(full.row(0), gradient) { #expect(a.isClose(to: b, .roundoff)) }
    }
  }

  @Test(
    "Radial columns of the design matrix are derivatives",
    arguments: [(2, 1), (8, 2), (16, 1), (12, 3)])
  func radialDesign(level: Int, species: Int) throws {
    var potential = try MomentTensorFixtures.random(
      level: level, elements: Self.elements(species), seed: 9)
    let start = potential.parameters
    var stream = RandomStream(seed: 9, purpose: .test)
    for structure in try Self.structures(species) {
      var design = Matrix(
        rows: MomentTensorPotential.designRowCount(atomCount: structure.atomCount),
        columns: potential.parameterCount)
      potential.parameters = start
      try potential.designMatrix(of: structure, includingRadial: true, into: &design)
      for _ in 0..<3 {
        let direction = start.indices.map {
          $0 < potential.radialParameterCount ? stream.normal() : 0
        }
        func values(_ h: Double) throws -> [Double] {
          potential.parameters = zip(start, direction).map { $0 + h * $1 }
          return observables(try potential.evaluation(of: structure))
        }
        func differences(_ h: Double) throws -> [Double] {
          zip(try values(h), try values(-h)).map { ($0 - $1) / (2 * h) }
        }
        let (coarse, fine) = (try differences(2e-4), try differences(1e-4))
        for row in 0..<design.rows {
          let expected = zip(design.row(row), direction).reduce(0) { $0 + $1.0 * $1.1 }
          let extrapolated = (4 * fine[row] - coarse[row]) / 3
          #expect(extrapolated.isClose(to: expected, relative: 1e-6, absolute: 1e-6), "row \(row)")
          let error = abs(coarse[row] - expected)
          if error > 1e-5 * max(1, abs(expected)) {
            #expect((3.5...4.5).contains(error / abs(fine[row] - expected)), "errors fall as h²")
          }
        }
      }
    }
  }

  private func observables(_ evaluation: Evaluation) -> [Double] {
    [evaluation.energy] + components(evaluation.forces) + components(evaluation.virial)
  }

  @Test("The basis of a level begins with that of a lower one")
  func nestedLevels() throws {
    let structure = try Self.structures(1)[1]
    let radial = try RadialBasis(size: 5, minimumDistance: 1.5, cutoff: 4.5)
    func values(_ level: Int) throws -> Matrix {
      try MomentTensorPotential(
        basis: MomentTensorBasis(level: level), radialBasis: radial, elements: [.unnamed(0)]
      ).basisValues(of: structure)
    }
    for (low, high) in [(2, 8), (8, 12), (12, 16), (16, 18)] {
      let (few, many) = (try values(low), try values(high))
      for atom in 0..<few.rows {
        for (a, b) in zip(few.row(atom), many.row(atom)) { #expect(a.isClose(to: b, .roundoff)) }
      }
    }
  }

  @Test("Levels that do not exist are refused", arguments: [-2, 0, 1, 7, 30])
  func wrongLevels(level: Int) {
    #expect(throws: PotentialError.self) { try MomentTensorBasis(level: level) }
  }

  @Test("Elements are matched by name, unnamed species by number")
  func species() throws {
    let ti = try #require(ChemicalElement(symbol: "Ti"))
    let o = try #require(ChemicalElement(symbol: "O"))
    let si = try #require(ChemicalElement(symbol: "Si"))
    let named = try MomentTensorFixtures.random(level: 8, elements: [ti, o], seed: 10)
    let anonymous = try MomentTensorPotential(
      basis: named.basis, radialBasis: named.radialBasis, elements: Self.pair,
      parameters: named.parameters)
    let positions = [Vector3(0, 0, 0), Vector3(2, 0.1, 0), Vector3(0.2, 2.1, 0.3)]
    func cluster(_ species: [ChemicalElement]) throws -> Structure {
      try Structure(
        lattice: Lattice(Matrix3(diagonal: Vector3(9, 9, 9))), periodicity: .none,
        species: species, positions: positions)
    }
    let expected = try named.evaluation(of: cluster([o, ti, o]))
    let byNumber = try cluster([.unnamed(1), .unnamed(0), .unnamed(1)])
    #expect(try named.evaluation(of: byNumber) == expected)
    #expect(try anonymous.evaluation(of: byNumber) == expected)
    #expect(try named.evaluation(of: cluster([ti, o, ti])).energy != expected.energy)
    #expect(throws: PotentialError.unknownElement(si, known: [ti, o])) {
      try named.evaluation(of: cluster([si, ti, o]))
    }
    #expect(throws: PotentialError.unknownElement(.unnamed(2), known: [ti, o])) {
      try named.evaluation(of: cluster([.unnamed(2), ti, o]))
    }
    let error = #expect(throws: PotentialError.self) {
      try anonymous.evaluation(of: cluster([o, ti, o]))
    }
    #expect(error?.description.contains("--elements") == true)
  }

  @Test("Coinciding atoms are an error, not a number")
  func coincidence() throws {
    let potential = try MomentTensorFixtures.random(level: 8, elements: [.unnamed(0)], seed: 11)
    let structure = try Structure(
      lattice: Lattice(Matrix3(diagonal: Vector3(6, 6, 6))),
      species: [.unnamed(0), .unnamed(0)], positions: [.zero, .zero])
    #expect(throws: PotentialError.self) { try potential.evaluation(of: structure) }
    #expect(throws: PotentialError.self) { try potential.siteGradients(of: structure) }
  }

  @Test("Hostile tables are refused")
  func tables() throws {
    let basic = [
      BasicMoment(radial: 0, x: 0, y: 0, z: 0), BasicMoment(radial: 0, x: 1, y: 0, z: 0),
    ]
    func refusal(
      basic moments: [BasicMoment] = basic, _ products: [MomentProduct], count: Int = 4,
      scalars: [Int] = [0]
    ) -> String {
      do {
        _ = try MomentTensorBasis(
          basicMoments: moments, products: products, momentCount: count, scalarMoments: scalars,
          radialFunctionCount: 1)
        return "accepted"
      } catch { return error.description }
    }
    func product(_ i: Int, _ j: Int, _ k: Int) -> MomentProduct {
      MomentProduct(first: i, second: j, multiplicity: 1, target: k)
    }
    #expect(refusal([product(0, 1, 2)]) == "accepted")
    #expect(refusal([product(0, 4, 2)]).contains("uses moment 4"))
    #expect(refusal([product(0, -1, 2)]).contains("uses moment -1"))
    #expect(refusal([product(0, 0, 1)]).contains("adds to moment 1"))
    #expect(refusal([product(0, 0, 4)]).contains("adds to moment 4"))
    #expect(refusal([product(0, 2, 3), product(0, 0, 2)]).contains("before it is complete"))
    #expect(refusal([product(2, 0, 2)]).contains("before it is complete"))
    #expect(refusal([], scalars: [4]).contains("is moment 4"))
    #expect(refusal([], count: 1).contains("basic moments"))
    let third = BasicMoment(radial: 1, x: 0, y: 0, z: 0)
    #expect(refusal(basic: basic + [third], []).contains("radial function 1"))
    let negative = BasicMoment(radial: 0, x: -1, y: 0, z: 0)
    #expect(refusal(basic: basic + [negative], []).contains("powers"))
  }

  @Test("Tables in any valid order, with gaps and repetitions, give the same potential")
  func unusualTables() throws {
    // |M_1|² and M_0 |M_1|², interleaved, with a repeated basic moment and one that nothing uses.
    let basic = [
      BasicMoment(radial: 0, x: 0, y: 0, z: 1), BasicMoment(radial: 0, x: 1, y: 0, z: 0),
      BasicMoment(radial: 0, x: 0, y: 1, z: 0), BasicMoment(radial: 1, x: 0, y: 0, z: 0),
      BasicMoment(radial: 0, x: 0, y: 0, z: 1), BasicMoment(radial: 0, x: 2, y: 0, z: 3),
    ]
    let products = [(0, 4, 1, 7), (1, 1, 1, 7), (2, 2, 1, 7), (3, 7, 2, 6), (7, 3, -1, 6)].map {
      MomentProduct(first: $0.0, second: $0.1, multiplicity: $0.2, target: $0.3)
    }
    let basis = try MomentTensorBasis(
      basicMoments: basic, products: products, momentCount: 9, scalarMoments: [6, 3, 7, 6, 8],
      radialFunctionCount: 2)
    var potential = try MomentTensorPotential(
      basis: basis, radialBasis: RadialBasis(size: 3, minimumDistance: 1.5, cutoff: 4.5),
      elements: [.unnamed(0)])
    potential.parameters = [0.3, 0.1, -0.2, 0.2, 0.5, 0.1, -1, 0.2, 0.3, 0.1, 0.05, 99]
    for structure in try Self.structures(1) {
      let found = try potential.evaluation(of: structure)
      let expected = try ReferenceMomentTensorEvaluator(potential).evaluation(of: structure)
      #expect(found.energy.isClose(to: expected.energy, .roundoff))
      for (a, b) in zip(found.forces, expected.forces) { #expect(a.isClose(to: b, .roundoff)) }
    }
  }
}
