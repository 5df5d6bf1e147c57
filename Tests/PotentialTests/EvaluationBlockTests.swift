import Crystal
import NumericalCore
import Potential
import TestSupport
import Testing

/// How atoms are put into the lanes of vectors must not show in the results.
@Suite("Blocks of atoms")
struct EvaluationBlockTests {
  private static let elements = [ChemicalElement.unnamed(0), .unnamed(1), .unnamed(2)]

  private static func crystal(_ counts: [Int], seed: UInt64) throws -> Structure {
    let species = zip(elements, counts).flatMap { Array(repeating: $0, count: $1) }
    return try TestStructures.randomCrystal(
      species, volumePerAtom: 14, minimumDistance: 1.7, seed: seed)
  }

  private func expectSame(_ a: Evaluation, _ b: Evaluation, _ comment: Comment) {
    #expect(a.energy.isClose(to: b.energy, .roundoff), comment)
    for (f, g) in zip(a.forces, b.forces) { #expect(f.isClose(to: g, .roundoff), comment) }
    #expect(a.virial.isClose(to: b.virial, .roundoff), comment)
  }

  @Test("Any number of atoms of each species fills the lanes", arguments: 1...18)
  func remainders(count: Int) throws {
    let potential = try MomentTensorFixtures.random(level: 10, elements: Self.elements, seed: 3)
    let plain = ReferenceMomentTensorEvaluator(potential)
    for others in [[0, 0], [1, 0], [2, 5]] {
      let structure = try Self.crystal([count] + others, seed: UInt64(count))
      expectSame(
        try potential.evaluation(of: structure), try plain.evaluation(of: structure),
        "\(count) + \(others)")
    }
  }

  @Test("Structures evaluated together have the values that each has alone")
  func together() throws {
    let potential = try MomentTensorFixtures.random(level: 12, elements: Self.elements, seed: 4)
    var structures = try (0..<70).map {
      try Self.crystal([1 + $0 % 3, $0 % 2, $0 % 5], seed: UInt64($0))
    }
    structures.append(try Self.crystal([150, 90, 60], seed: 1))
    structures.append(try Self.crystal([0, 1, 0], seed: 2))
    let all = try potential.evaluations(of: structures)
    #expect(all.count == structures.count)
    for (index, structure) in structures.enumerated() {
      expectSame(all[index], try potential.evaluation(of: structure), "structure \(index)")
    }
    #expect(try potential.evaluations(of: []).isEmpty)
    #expect(try potential.evaluations(of: structures) == all)
  }

  @Test("A structure that cannot be treated is told of, alone and among others")
  func coincidingAtoms() throws {
    let potential = try MomentTensorFixtures.random(level: 8, elements: Self.elements, seed: 5)
    let good = try Self.crystal([2, 1, 1], seed: 1)
    let bad = good.replacing(positions: [good.positions[1]] + good.positions.dropFirst())
    #expect(throws: PotentialError.self) { try potential.evaluation(of: bad) }
    #expect(throws: PotentialError.self) { try potential.evaluations(of: [good, bad]) }
    let image = good.replacing(
      positions: [good.positions[1] + good.lattice.vectors.b] + good.positions.dropFirst())
    #expect(throws: PotentialError.self) { try potential.evaluation(of: image) }
    // Nothing of it is left behind.
    #expect(try potential.evaluation(of: good).isFinite())
  }

  @Test("Radial bases of every size", arguments: [1, 2, 5, 12, 13, 20, 40])
  func radialSizes(size: Int) throws {
    let basis = try MomentTensorBasis(level: 4)
    var potential = try MomentTensorPotential(
      basis: basis,
      radialBasis: RadialBasis(size: size, minimumDistance: 1.5, cutoff: 4.5, scaling: 0.2),
      elements: [Self.elements[0]])
    var stream = RandomStream(seed: 6, purpose: .test, slot: UInt64(size))
    potential.parameters = potential.parameters.map { _ in stream.uniform(-0.5, 0.5) }
    let structure = try Self.crystal([5], seed: 3)
    expectSame(
      try potential.evaluation(of: structure),
      try ReferenceMomentTensorEvaluator(potential).evaluation(of: structure), "size \(size)")
  }

  /// Contractions of one moment tensor with itself, for ranks of radial functions that no level has.
  private static func contractions(_ tensors: [(radial: Int, rank: Int)]) throws
    -> MomentTensorBasis
  {
    func factorial(_ n: Int) -> Int { (0..<n).reduce(1) { $0 * ($1 + 1) } }
    var basic: [BasicMoment] = []
    var terms: [(first: Int, multiplicity: Int, tensor: Int)] = []
    for (number, tensor) in tensors.enumerated() {
      for x in 0...tensor.rank {
        for y in 0...tensor.rank - x {
          let z = tensor.rank - x - y
          let ways = factorial(tensor.rank) / (factorial(x) * factorial(y) * factorial(z))
          terms.append((basic.count, ways, number))
          basic.append(BasicMoment(radial: tensor.radial, x: x, y: y, z: z))
        }
      }
    }
    return try MomentTensorBasis(
      basicMoments: basic,
      products: terms.map {
        MomentProduct(
          first: $0.first, second: $0.first, multiplicity: $0.multiplicity,
          target: basic.count + $0.tensor)
      },
      momentCount: basic.count + tensors.count,
      scalarMoments: tensors.indices.map { basic.count + $0 },
      radialFunctionCount: 1 + (tensors.map(\.radial).max() ?? 0))
  }

  @Test(
    "Tables that no level has: high ranks, gaps, ranks that grow with the radial function",
    arguments: [
      [(0, 0), (2, 3)], [(0, 1), (1, 5), (2, 2)], [(0, 10), (1, 11)], [(0, 13)], [(3, 4), (5, 12)],
    ])
  func unusualTables(tensors: [(Int, Int)]) throws {
    let basis = try Self.contractions(tensors.map { (radial: $0.0, rank: $0.1) })
    var potential = try MomentTensorPotential(
      basis: basis,
      radialBasis: RadialBasis(size: 6, minimumDistance: 1.5, cutoff: 4.5, scaling: 0.2),
      elements: Array(Self.elements.prefix(2)))
    var stream = RandomStream(seed: 16, purpose: .test)
    potential.parameters = potential.parameters.map { _ in stream.uniform(-0.5, 0.5) }
    let structure = try Self.crystal([5, 6], seed: 5)
    let found = try potential.evaluation(of: structure)
    expectSame(
      found, try ReferenceMomentTensorEvaluator(potential).evaluation(of: structure),
      "\(tensors)")
    // The training's kernels number moments in their own way.
    let rows = MomentTensorPotential.designRowCount(atomCount: structure.atomCount)
    var design = Matrix(rows: rows, columns: potential.linearParameterCount)
    try potential.designMatrix(of: structure, includingRadial: false, into: &design)
    let linear = potential.parameters.suffix(potential.linearParameterCount)
    let products = (0..<rows).map { row in
      zip(design.row(row), linear).reduce(0) { $0 + $1.0 * $1.1 }
    }
    #expect(products[0].isClose(to: found.energy, .roundoff))
    for (i, force) in found.forces.enumerated() {
      for c in 0..<3 { #expect(products[1 + 3 * i + c].isClose(to: force[c], .roundoff)) }
    }
    // And grades have their own derivatives: Euler's rule for a part that is linear in ξ.
    let gradient = try potential.energyGradient(of: structure).suffix(
      potential.linearParameterCount)
    let energy = zip(gradient, linear).reduce(0) { $0 + $1.0 * $1.1 }
    #expect(energy.isClose(to: found.energy, .roundoff))
  }

  @Test("Changed parameters are used at once, and a copy keeps its own")
  func changedParameters() throws {
    var potential = try MomentTensorFixtures.random(level: 8, elements: Self.elements, seed: 7)
    let structure = try Self.crystal([3, 2, 1], seed: 8)
    let copy = potential
    let before = try copy.evaluation(of: structure)
    for place in potential.parameters.indices { potential.parameters[place] *= 1.25 }
    expectSame(
      try potential.evaluation(of: structure),
      try ReferenceMomentTensorEvaluator(potential).evaluation(of: structure), "changed")
    #expect(try copy.evaluation(of: structure) == before)
  }

  @Test("A series follows atoms and cell as if each structure came alone", arguments: 0..<12)
  func series(seed: Int) throws {
    let potential = try MomentTensorFixtures.random(level: 10, elements: Self.elements, seed: 9)
    let periodicities = [
      Periodicity.full, .full, .full, .none, Periodicity(true, true, false),
      Periodicity(false, true, false),
    ]
    let start = try Self.crystal([1 + seed, 2, seed % 3], seed: UInt64(seed))
    var structure = try Structure(
      lattice: start.lattice, periodicity: periodicities[seed % 6], species: start.species,
      positions: start.positions)
    var series = potential.series()
    var stream = RandomStream(seed: 10, purpose: .test, slot: UInt64(seed))
    for step in 0..<40 {
      expectSame(
        try series.evaluation(of: structure), try potential.evaluation(of: structure),
        "step \(step)")
      // Steps from tiny to far too long for any skin; now and then an atom jumps into the next cell.
      let size = [0.002, 0.02, 0.1, 1][stream.integer(below: 4)]
      func small() -> Double { 0.1 * size * stream.uniform(-1, 1) }
      let strain =
        Matrix3.identity
        + Matrix3(
          rows: Vector3(small(), small(), small()), Vector3(small(), small(), small()),
          Vector3(small(), small(), small()))
      structure = try Structure(
        lattice: Lattice(structure.lattice.vectors * strain), periodicity: structure.periodicity,
        species: structure.species,
        positions: structure.positions.map {
          $0 * strain + size * stream.uniform(0, 0.5) * stream.unitVector()
            + (step % 10 == 9 && structure.periodicity == .full
              ? structure.lattice.vectors.a : .zero)
        })
    }
  }
}
