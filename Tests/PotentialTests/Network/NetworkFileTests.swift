import Crystal
import Foundation
import NumericalCore
import Potential
import TestSupport
import Testing

@Suite("Files of networks")
struct NetworkFileTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private static let small = """
    NNP 1
    # Two elements.
    element O
    shift -3.25
    radial O width 0.1 center 0 cutoff 5 mean 0.5 scale 2
    angular O Si width 0.05 lambda -1 zeta 2 cutoff 4 narrow mean 0.25 scale 1.5
    layer tanh 2
    weights 0.1 0.2 -0.3 0.4
    biases 0 0.5
    layer linear 1
    weights 1 -1
    biases 0.125
    element Si
    radial O width 0.3 center 1 cutoff 4 mean 0 scale 1
    layer linear 1
    weights 0.5
    biases 0

    """

  private func read(_ text: String) throws -> NeuralNetworkPotential {
    try folder.write("a.nnp", text)
    return try NeuralNetworkPotential(path: folder.path + "/a.nnp")
  }

  @Test("What is written is read with the same bits", arguments: NetworkGoldenTests.sets)
  func roundTrip(_ name: String) throws {
    let potential = try NetworkFolder.read(NetworkGoldenTests.folder(name))
    let again = try read(potential.nnpText)
    #expect(again.elements == potential.elements && again.networks == potential.networks)
    #expect(again.nnpText == potential.nnpText)
    for structure in try NetworkGoldenTests.structures(name) {
      #expect(try again.evaluation(of: structure) == potential.evaluation(of: structure))
    }
  }

  @Test("A small file by hand")
  func byHand() throws {
    let potential = try read(Self.small)
    #expect(potential.elements.map(\.symbol) == ["O", "Si"])
    #expect(potential.cutoff == 5)
    // Two atoms of oxygen, 2 Å apart: no angle.
    let o = potential.elements[0]
    let pair = try Structure(
      lattice: Lattice(Matrix3(diagonal: Vector3(20, 20, 20))), periodicity: .none,
      species: [o, o], positions: [.zero, Vector3(2, 0, 0)])
    let fade = 0.5 * (cos(Double.pi * 2 / 5) + 1)
    let x = (exp(-0.1 * 4) * fade - 0.5) * 2
    let y = -0.25 * 1.5
    let energy = tanh(0.1 * x + 0.2 * y) - tanh(-0.3 * x + 0.4 * y + 0.5) + 0.125 - 3.25
    #expect(
      try potential.evaluation(of: pair).energy.isClose(
        to: 2 * energy, relative: 1e-14, absolute: 0))
  }

  @Test(
    "Mistakes are named with file and line",
    arguments: [
      ("NNP 1", "NNP 2", 1, "'NNP 1' as first line"),
      ("element Si", "element O", 13, "every element once"),
      ("shift -3.25", "shift low", 4, "a number"),
      ("width 0.1", "eta 0.1", 5, "radial ELEMENT width"),
      ("zeta 2", "zeta 0.5", 6, "allowed is 1 to 128"),
      ("layer tanh 2", "layer relu 2", 7, "linear, tanh, logistic, softplus"),
      ("0.4\n", "0.4 0.5\n", 8, "allowed: 4"),
      ("biases 0 0.5", "biases 0", 9, "one for each node"),
      ("weights 1 -1\nbiases 0.125\n", "", 3, "without weights or biases"),
      ("radial O width 0.3", "radial Mg width 0.3", 1, "networks of all elements"),
      ("mean 0 scale 1", "mean 0 factor 1", 14, "mean NUMBER scale NUMBER"),
      ("element O", "elements O", 3, "element SYMBOL"),
    ])
  func mistakes(found: String, wrong: String, line: Int, advice: String) throws {
    try #require(Self.small.contains(found))
    let text = Self.small.replacing(found, with: wrong, maxReplacements: 1)
    let error = try #require(throws: PotentialError.self) { try read(text) }
    guard case .malformedFile(let path, let place, let message) = error else {
      Issue.record("\(error)")
      return
    }
    #expect(path.hasSuffix("a.nnp") && place == line, "\(error)")
    #expect(message.contains(advice), "\(message)")
  }

  @Test(
    "Mistakes in n2p2's files are named with file and line",
    arguments: [
      ("input.nn", "cutoff_type 1 0.0", "cutoff_type 2", "cutoff_type 1 (cosine)"),
      ("input.nn", "global_activation_short t t l", "global_activation_short t g l", "t (tanh)"),
      ("input.nn", "global_nodes_short 30 30", "global_nodes_short 30 x", "a number"),
      ("input.nn", "symfunction_short O 2 O", "symfunction_short O 12 O", "2, 3 (narrow), 9"),
      ("input.nn", "center_symmetry_functions", "normalize_nodes", "not supported"),
      ("scaling.data", "         1          7 ", "         1          8 ", "is there twice"),
      ("weights.008.data", "  3.29", "  x.29", "a number"),
    ])
  func folderMistakes(file: String, found: String, wrong: String, advice: String) throws {
    let source = try NetworkGoldenTests.folder("rc6_45")
    for name in try FileManager.default.contentsOfDirectory(atPath: source) {
      var text = try String(contentsOfFile: source + "/" + name, encoding: .utf8)
      if name == file {
        try #require(text.contains(found))
        text = text.replacing(found, with: wrong, maxReplacements: 1)
      }
      try folder.write(name, text)
    }
    let error = try #require(throws: PotentialError.self) {
      try NetworkFolder.read(folder.path)
    }
    #expect(error.description.contains(file), "\(error)")
    #expect(error.description.contains(advice), "\(error)")
  }
}
