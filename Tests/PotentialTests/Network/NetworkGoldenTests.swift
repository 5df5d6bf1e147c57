import Crystal
import Foundation
import NumericalCore
import Potential
import TestSupport
import Testing

@Suite("Networks as n2p2 computes them")
struct NetworkGoldenTests {
  private struct Expected: Decodable {
    struct Atom: Decodable {
      let el: String
      let e: Double
      let f: [Double]
      let inputs: [Double]

      enum CodingKeys: String, CodingKey {
        case el, e, f
        case inputs = "Gscaled"
      }
    }

    struct Crystal: Decodable {
      let comment: String
      let energy: Double
      let atoms: [Atom]
      let strain: [Double]?

      enum CodingKeys: String, CodingKey {
        case comment, energy, atoms
        case strain = "dE_dstrain_numeric"
      }
    }

    let structures: [Crystal]
  }

  static let sets = ["rc6_6", "rc6_45"]

  static func folder(_ name: String) throws -> String {
    let folder = try #require(Bundle.module.url(forResource: "Fixtures", withExtension: nil))
    return folder.appendingPathComponent("nnp/\(name)").path
  }

  /// `input.data`: lattices, atoms; no lattice for clusters.
  static func structures(_ name: String) throws -> [Structure] {
    let text = try String(contentsOfFile: folder(name) + "/input.data", encoding: .utf8)
    var found: [Structure] = []
    var rows: [Vector3] = []
    var species: [ChemicalElement] = []
    var positions: [Vector3] = []
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ").map(String.init)
      switch words.first {
      case "begin": (rows, species, positions) = ([], [], [])
      case "lattice":
        let n = words.dropFirst().compactMap { Double($0) }
        rows.append(Vector3(n[0], n[1], n[2]))
      case "atom":
        let n = words[1...3].compactMap { Double($0) }
        positions.append(Vector3(n[0], n[1], n[2]))
        species.append(try #require(ChemicalElement(symbol: words[4])))
      case "end":
        let isBulk = rows.count == 3
        let matrix =
          isBulk
          ? Matrix3(rows: rows[0], rows[1], rows[2]) : Matrix3(diagonal: Vector3(50, 50, 50))
        found.append(
          try Structure(
            lattice: Lattice(matrix), periodicity: isBulk ? .full : .none, species: species,
            positions: positions))
      default: break
      }
    }
    return found
  }

  private static func expected(_ name: String) throws -> [Expected.Crystal] {
    try JSONDecoder().decode(
      Expected.self, from: Data(contentsOf: URL(fileURLWithPath: folder(name) + "/expected.json"))
    ).structures
  }

  @Test(
    "Energies to 1e-10, forces to 1e-8, scaled functions to 1e-10, stresses of differences",
    arguments: sets)
  func golden(_ name: String) throws {
    let potential = try NetworkFolder.read(Self.folder(name))
    let structures = try Self.structures(name)
    let expected = try Self.expected(name)
    try #require(structures.count == expected.count && !structures.isEmpty)
    for (structure, known) in zip(structures, expected) {
      let evaluation = try potential.evaluation(of: structure)
      #expect(
        evaluation.energy.isClose(to: known.energy, relative: 1e-10, absolute: 0),
        "\(known.comment): \(evaluation.energy) \(known.energy)")
      let found = try potential.environments(of: structure)
      for (i, atom) in known.atoms.enumerated() {
        #expect(structure.species[i].symbol == atom.el)
        #expect(
          found.energies[i].isClose(to: atom.e, relative: 1e-10, absolute: 1e-12),
          "\(known.comment), atom \(i)")
        let force = Vector3(atom.f[0], atom.f[1], atom.f[2])
        #expect((evaluation.forces[i] - force).length < 1e-8, "\(known.comment), atom \(i)")
        try #require(found.inputs[i].count == atom.inputs.count)
        for (k, value) in atom.inputs.enumerated() {
          #expect(
            found.inputs[i][k].isClose(to: value, relative: 1e-10, absolute: 1e-10),
            "\(known.comment), atom \(i), function \(k)")
        }
      }
      guard structure.periodicity == .full, let strain = known.strain else { continue }
      for a in 0..<3 {
        for b in 0..<3 {
          let value = evaluation.stress[a, b] * structure.volume
          #expect(
            value.isClose(to: strain[3 * a + b], relative: 1e-6, absolute: 1e-6),
            "\(known.comment), \(a)\(b): \(value) \(strain[3 * a + b])")
        }
      }
    }
  }

  @Test("Conformance: derivatives, invariances, tiny and skewed cells, a smooth cutoff")
  func conformance() throws {
    let potential = try NetworkFolder.read(Self.folder("rc6_45"))
    let elements = try ["Mg", "Si", "O"].map { try #require(ChemicalElement(symbol: $0)) }
    var structures = Array(try Self.structures("rc6_45").dropFirst(3))
    for seed in 0..<4 {
      structures.append(
        try TestStructures.randomCrystal(
          [elements[0], elements[1], elements[2], elements[2]], volumePerAtom: 11,
          minimumDistance: 1.5, seed: UInt64(seed)))
    }
    // One atom that sees images of itself alone, in a skewed cell.
    structures.append(
      try Structure(
        lattice: Lattice(
          Matrix3(rows: Vector3(2.6, 0, 0), Vector3(1.3, 2.4, 0), Vector3(0.4, 1.1, 3))),
        species: [elements[0]], fractionalPositions: [.zero]))
    #expect(try PotentialConformance.check(potential, structures) == [])
  }

  @Test("Kernels agree with the definitions, for shifted, wide and broken exponents, too")
  func definitions() throws {
    let elements = try ["Si", "O"].map { try #require(ChemicalElement(symbol: $0)) }
    var functions: [SymmetryFunction] = []
    for (a, first) in elements.enumerated() {
      functions.append(.radial(.init(first, width: 0.3, center: 1.7, cutoff: 5)))
      functions.append(.radial(.init(first, width: 0.9, cutoff: 4)))
      for second in elements[a...] {
        for exponent in [1, 2.5, 3, 7, 16] {
          functions.append(
            .angular(
              .init(
                first, second, width: 0.05, isPositive: exponent > 2, exponent: exponent,
                cutoff: 4.2, isWide: exponent == 3)))
          functions.append(
            .angular(
              .init(
                first, second, width: 0.01, isPositive: exponent < 4, exponent: exponent,
                cutoff: 3.6)))
        }
      }
    }
    var random = RandomStream(seed: 5, purpose: .test)
    var networks: [ChemicalElement: NeuralNetworkPotential.AtomicNetwork] = [:]
    for element in elements {
      networks[element] = try .init(
        functions: functions, centers: functions.map { _ in 0 }, scales: functions.map { _ in 1 },
        network: NeuralNetwork(
          inputCount: functions.count, hidden: [7, 5], activation: .tanh, random: &random))
    }
    let potential = try NeuralNetworkPotential(networks)
    let reference = SymmetryReference(
      Dictionary(uniqueKeysWithValues: elements.map { ($0, functions) }))
    for seed in 0..<20 {
      let structure = try TestStructures.randomCrystal(
        [elements[0], elements[1], elements[1]], volumePerAtom: 12, minimumDistance: 1.4,
        seed: UInt64(seed))
      let list = NeighborList(structure, cutoff: 5)
      let inputs = try potential.environments(of: structure).inputs
      for i in 0..<structure.atomCount {
        let neighbors = list.neighbors(of: i).map {
          (element: structure.species[Int(list.indices[$0])], vector: list.displacements[$0])
        }
        let values = reference.values(of: structure.species[i], neighbors)
        for (k, value) in values.enumerated() {
          #expect(
            inputs[i][k].isClose(to: value, relative: 1e-10, absolute: 1e-12),
            "seed \(seed), atom \(i), \(functions[k])")
        }
      }
    }
  }
}
