import Crystal
import Foundation
import NumericalCore
import Potential
import TestSupport
import Testing

@Suite("Networks in the files of other programs")
struct NetworkExchangeTests {
  /// Widths are written as 1/scale: a rounding in each input, of which sums are made.
  private static let rounding = 1e-12

  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func throughN2P2(_ potential: NeuralNetworkPotential) throws -> NeuralNetworkPotential {
    for file in try NetworkFolder.files(potential) { try folder.write(file.name, file.text) }
    return try NetworkFolder.read(folder.path)
  }

  private func throughSimpleNN(
    _ potential: NeuralNetworkPotential
  ) throws -> NeuralNetworkPotential {
    try folder.write("potential_saved", try SavedNetwork.text(potential))
    return try SavedNetwork.read(folder.path + "/potential_saved")
  }

  private func expectSame(
    _ found: NeuralNetworkPotential, _ known: NeuralNetworkPotential, _ structures: [Structure]
  ) throws {
    #expect(found.elements == known.elements && found.cutoff == known.cutoff)
    for (number, structure) in structures.enumerated() {
      let (a, b) = (
        try found.evaluation(of: structure), try known.evaluation(of: structure)
      )
      #expect(
        a.energy.isClose(to: b.energy, relative: Self.rounding, absolute: Self.rounding),
        "structure \(number): \(a.energy) \(b.energy)")
      let allowed = Self.rounding * max(1, b.largestForce())
      for (one, other) in zip(a.forces, b.forces) {
        #expect((one - other).length <= allowed, "structure \(number): \(one) \(other)")
      }
    }
  }

  private static func element(_ symbol: String) throws -> ChemicalElement {
    try #require(ChemicalElement(symbol: symbol))
  }

  /// Networks of silicon and oxygen, functions in no order of any program, of both wide and narrow angles.
  private static func mixed(
    hidden: [String: [Int]] = [:], activation: NeuralNetwork.Activation = .tanh,
    scale: Double = 1.75, repulsion: ShortRangeRepulsion? = nil
  ) throws -> NeuralNetworkPotential {
    let (si, o) = (try element("Si"), try element("O"))
    var functions: [SymmetryFunction] = []
    for exponent in [4.0, 1, 2.5] {
      for isWide in [true, false] {
        functions += [
          .angular(
            .init(
              si, o, width: 0.02, isPositive: exponent > 2, exponent: exponent, cutoff: 4.25,
              isWide: isWide)),
          .radial(.init(si, width: 0.1 * exponent, center: 1.5, cutoff: isWide ? 5 : 4)),
          .angular(
            .init(
              o, o, width: 0.1 / exponent, isPositive: isWide, exponent: exponent, cutoff: 4,
              isWide: isWide)),
          .radial(.init(o, width: 0.3 / exponent, cutoff: isWide ? 5 : 4.5)),
        ]
      }
    }
    var random = RandomStream(seed: 11, purpose: .test)
    var networks: [ChemicalElement: NeuralNetworkPotential.AtomicNetwork] = [:]
    for (element, shift) in [(si, -4.125), (o, 2.25)] {
      let own = element == si ? functions : Array(functions.reversed().dropLast())
      networks[element] = try .init(
        functions: own, centers: own.indices.map { 0.05 * Double($0) },
        scales: own.indices.map { scale / Double(1 + $0) },
        network: NeuralNetwork(
          inputCount: own.count, hidden: hidden[element.symbol] ?? [6, 5], activation: activation,
          random: &random), shift: shift)
    }
    return try NeuralNetworkPotential(networks, repulsion: repulsion)
  }

  private static func crystals() throws -> [Structure] {
    let (si, o) = (try element("Si"), try element("O"))
    return try (0..<4).map {
      try TestStructures.randomCrystal(
        [si, o, o, si, o], volumePerAtom: 12, minimumDistance: 1.5, seed: UInt64($0))
    }
  }

  @Test(
    "Golden networks keep energies and forces in n2p2's and SIMPLE-NN's files",
    arguments: NetworkGoldenTests.sets)
  func golden(_ name: String) throws {
    let potential = try NetworkFolder.read(NetworkGoldenTests.folder(name))
    let structures = try NetworkGoldenTests.structures(name)
    #expect(
      try NetworkFolder.files(potential).map(\.name) == [
        "input.nn", "scaling.data", "weights.008.data", "weights.012.data", "weights.014.data",
      ])
    let again = try throughN2P2(potential)
    #expect(again.networks.map(\.functions) == potential.networks.map(\.functions))
    #expect(again.networks.map(\.network) == potential.networks.map(\.network))
    try expectSame(again, potential, structures)
    let saved = try throughSimpleNN(potential)
    #expect(saved.networks.map(\.network) == potential.networks.map(\.network))
    try expectSame(saved, potential, structures)
  }

  @Test(
    "Any order of functions, shifts and activations are kept",
    arguments: [NeuralNetwork.Activation.tanh, .logistic, .linear, .softplus])
  func order(_ activation: NeuralNetwork.Activation) throws {
    let potential = try Self.mixed(activation: activation)
    let sorted = try throughN2P2(potential)
    for (one, other) in zip(sorted.networks, potential.networks) {
      #expect(one.functions != other.functions && Set(one.functions) == Set(other.functions))
      #expect(one.shift == other.shift)
    }
    let structures = try Self.crystals()
    try expectSame(sorted, potential, structures)
    // What is in order stays.
    let again = try throughN2P2(sorted)
    #expect(again.networks.map(\.functions) == sorted.networks.map(\.functions))
    #expect(again.networks.map(\.network) == sorted.networks.map(\.network))
    guard activation != .softplus else { return }
    let saved = try throughSimpleNN(potential)
    #expect(saved.networks.map(\.functions) == potential.networks.map(\.functions))
    try expectSame(saved, potential, structures)
  }

  @Test("What a format cannot hold is an error with the reason")
  func limits() throws {
    func reason(_ write: () throws -> Void) throws -> String {
      try #require(throws: PotentialError.self) { try write() }.description
    }
    let uneven = try Self.mixed(hidden: ["O": [4]])
    let shapes = try reason { _ = try NetworkFolder.files(uneven) }
    #expect(shapes.contains("O: 4 tanh, 1 linear, Si: 6 tanh, 5 tanh, 1 linear"), "\(shapes)")
    try expectSame(throughSimpleNN(uneven), uneven, Self.crystals())
    let softplus = try Self.mixed(activation: .softplus)
    let kinds = try reason { _ = try SavedNetwork.text(softplus) }
    #expect(kinds.contains("linear, tanh, logistic; found softplus of O"), "\(kinds)")
    let constant = try Self.mixed(scale: 0)
    let repelling = try Self.mixed(repulsion: .standard)
    let writers: [(NeuralNetworkPotential) throws -> Void] = [
      { _ = try NetworkFolder.files($0) }, { _ = try SavedNetwork.text($0) },
    ]
    for write in writers {
      let scale = try reason { try write(constant) }
      #expect(scale.contains("the scale 0.0 of function 1 of O"), "\(scale)")
      let repulsion = try reason { try write(repelling) }
      #expect(repulsion.contains("pair_style zbl"), "\(repulsion)")
    }
  }

  // Principal components of four scaled functions: columns V, variances, means of the projections.
  private static let components = [[0.5, 0.5, 0.5, 0.5], [0.1, -0.7, 0.1, 0.7]]
  private static let variances = [2.25, 0.04]
  private static let means = [0.3, -0.2]
  private static let level = 0.01

  private static var saved: String {
    var text = """
      ELEM_LIST Si O

      POT Si 5.0
      SYM 1
      2 5.0 0.3 1.0 0.0 O
      scale1 0.5
      scale2 2.0
      NET 0 1
      LAYER 0 linear
      w0 0.25
      b0 0.5

      POT O 6.0
      SYM 4
      2 6.0 0.1 0.0 0.0 O
      2 6.0 0.2 0.0 0.0 Si
      4 4.5 0.01 2.0 -1.0 O Si
      5 4.5 0.02 4.0 1.0 O O
      scale1 0.1 0.2 0.3 0.4
      scale2 1.5 0.5 2.0 1.25
      NET 2 2 2 1
      LAYER 0 linear PCA

      """
    for (k, column) in components.enumerated() {
      let norm = (variances[k] + level).squareRoot()
      text +=
        "w\(k) \(column.map { "\($0 / norm)" }.joined(separator: " "))\nb\(k) \(-means[k] / norm)\n"
    }
    return text + """
      LAYER 1 sigmoid
      w0 0.9 -0.6
      b0 0.15
      w1 0.35 1.1
      b1 -0.45
      LAYER 2 linear
      w0 0.7 -0.4
      b0 -1.5

      """
  }

  private func readSaved(_ text: String) throws -> NeuralNetworkPotential {
    try folder.write("potential_saved", text)
    return try SavedNetwork.read(folder.path + "/potential_saved")
  }

  @Test("Principal components of SIMPLE-NN are multiplied into the next layer")
  func principalComponents() throws {
    let potential = try readSaved(Self.saved)
    let (o, si) = (try Self.element("O"), try Self.element("Si"))
    try #require(potential.elements == [o, si])
    #expect(
      potential.networks[0].functions == [
        .radial(.init(o, width: 0.1, cutoff: 6)), .radial(.init(si, width: 0.2, cutoff: 6)),
        .angular(.init(o, si, width: 0.01, isPositive: false, exponent: 2, cutoff: 4.5)),
        .angular(
          .init(o, o, width: 0.02, isPositive: true, exponent: 4, cutoff: 4.5, isWide: true)),
      ])
    #expect(
      potential.networks[1].functions == [.radial(.init(o, width: 0.3, center: 1, cutoff: 5))])
    #expect(potential.networks[0].network.layers.map(\.nodeCount) == [2, 1])

    // An angle of 90° at silicon, oxygen at 2 Å: each oxygen sees one neighbor of each kind.
    let r = 2.0
    let far = r * 2.0.squareRoot()
    let molecule = try Structure(
      lattice: Lattice(Matrix3(diagonal: Vector3(20, 20, 20))), periodicity: .none,
      species: [si, o, o], positions: [.zero, Vector3(r, 0, 0), Vector3(0, r, 0)])
    func fade(_ r: Double, _ cutoff: Double) -> Double { 0.5 * (cos(Double.pi * r / cutoff) + 1) }
    let cosine = 1 / 2.0.squareRoot()
    let squares = r * r + far * far + r * r
    let narrow =
      0.5 * (1 - cosine) * (1 - cosine) * exp(-0.01 * squares) * fade(r, 4.5) * fade(far, 4.5)
      * fade(r, 4.5)
    let values = [
      exp(-0.1 * far * far) * fade(far, 6), exp(-0.2 * r * r) * fade(r, 6), narrow, 0,
    ]
    let (centers, widths) = ([0.1, 0.2, 0.3, 0.4], [1.5, 0.5, 2.0, 1.25])
    let inputs = (0..<4).map { (values[$0] - centers[$0]) / widths[$0] }
    let projections = (0..<2).map { k in
      let projection = (0..<4).map { inputs[$0] * Self.components[k][$0] }.reduce(0, +)
      return (projection - Self.means[k]) / (Self.variances[k] + Self.level).squareRoot()
    }
    func node(_ weights: [Double], _ bias: Double) -> Double {
      1 / (1 + exp(-(weights[0] * projections[0] + weights[1] * projections[1] + bias)))
    }
    let oxygen = 0.7 * node([0.9, -0.6], 0.15) - 0.4 * node([0.35, 1.1], -0.45) - 1.5
    let silicon = 0.25 * (2 * exp(-0.3 * (r - 1) * (r - 1)) * fade(r, 5) - 0.5) / 2 + 0.5
    let energy = try potential.evaluation(of: molecule).energy
    #expect(
      energy.isClose(to: silicon + 2 * oxygen, relative: Self.rounding, absolute: 0),
      "\(energy) \(silicon + 2 * oxygen)")
    try expectSame(throughSimpleNN(potential), potential, [molecule])
  }

  @Test(
    "Mistakes in SIMPLE-NN's file are named with file and line",
    arguments: [
      ("ELEM_LIST Si O", "ELEMENTS Si O", 1, "ELEM_LIST"),
      ("ELEM_LIST Si O", "ELEM_LIST Si Q", 1, "an element"),
      ("ELEM_LIST Si O", "ELEM_LIST Si O Mg", 34, "a network of each element of ELEM_LIST"),
      ("ELEM_LIST Si O", "ELEM_LIST O", 3, "an element of ELEM_LIST: O"),
      ("POT O 6.0", "POT Si 6.0", 13, "one for each element"),
      ("POT O 6.0", "POT O 5.5", 15, "up to 5.5 Å"),
      ("0.2 0.0 0.0 Si", "0.2 0.0 0.0 Mg", 16, "an element of ELEM_LIST: Si, O"),
      ("0.2 0.0 0.0 Si", "0.2 0.0 0.0", 16, "2 rc eta Rs 0 ELEMENT"),
      ("4 4.5 0.01", "3 4.5 0.01", 17, "4 (narrow angular), 5 (wide angular)"),
      ("2.0 -1.0 O Si", "2.0 -0.5 O Si", 17, "1 or -1"),
      ("4.0 1.0 O O", "0.5 1.0 O O", 18, "allowed is 1 to 128"),
      ("SYM 4", "SYM 5", 19, "'scale1' as type of function 5 of 5"),
      ("SYM 4", "SYM four", 14, "whole numbers"),
      ("scale1 0.1 0.2", "scale1 0.2", 19, "4"),
      ("scale2 1.5 0.5", "scale2 1.5 0.0", 20, "widths above 0"),
      ("NET 2 2 2 1", "NET 3 2 2 1", 21, "the number of hidden layers"),
      ("NET 2 2 2 1", "NET 2 2 1 2", 21, "1 for the last"),
      ("LAYER 1 sigmoid", "LAYER 1 relu", 27, "linear, tanh, sigmoid"),
      ("LAYER 1 sigmoid", "LAYER 1 linear PCA", 27, "PCA only of the first layer"),
      ("w0 0.9 -0.6", "w0 0.9", 28, "found 1 numbers after w0, allowed: 2"),
      ("w0 0.9 -0.6", "w0 0.9 x", 28, "'x' as number 2 after w0"),
      ("b0 0.15\n", "", 29, "b0, the bias of a node"),
      ("w1 0.35 1.1\nb1 -0.45\n", "", 30, "w1, the weights of a node"),
      ("b0 -1.5\n", "", 33, "the file is cut off"),
    ])
  func savedMistakes(found: String, wrong: String, line: Int, advice: String) throws {
    try #require(Self.saved.contains(found))
    let text = Self.saved.replacing(found, with: wrong, maxReplacements: 1)
    let error = try #require(throws: PotentialError.self) { try readSaved(text) }
    guard case .malformedFile(let path, let place, let message) = error else {
      Issue.record("\(error)")
      return
    }
    #expect(path.hasSuffix("potential_saved") && place == line, "\(error)")
    #expect(message.contains(advice), "\(message)")
  }

  @Test("A file that is not there is named")
  func missing() throws {
    let error = try #require(throws: PotentialError.self) {
      try SavedNetwork.read(folder.path + "/potential_saved")
    }
    #expect(error.description.contains("potential_saved"), "\(error)")
  }
}
