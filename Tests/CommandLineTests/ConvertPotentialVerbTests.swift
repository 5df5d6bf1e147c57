import Foundation
import TestSupport
import Testing

@Suite("Potentials in the files of other programs on the command line")
struct ConvertPotentialVerbTests {
  private static let network = """
    NNP 1
    element O
    shift -3.25
    radial Ti width 0.1 center 0 cutoff 5 mean 0.5 scale 2
    radial O width 0.1 center 0 cutoff 5 mean 0.5 scale 2
    layer tanh 2
    weights 0.1 0.2 -0.3 0.4
    biases 0 0.5
    layer linear 1
    weights 1 -1
    biases 0.125
    element Ti
    radial O width 0.3 center 1 cutoff 4 mean 0 scale 1
    layer tanh 2
    weights 0.5 0.25
    biases 0 -0.5
    layer linear 1
    weights 1 2
    biases 0.5

    """

  private func convert(_ arguments: [String]) throws -> BuiltProgram.Outcome {
    try Polymorph.program.run(["convert-potential"] + arguments)
  }

  private func energies(_ potential: String, _ scratch: ScratchFolder) throws -> [Double] {
    let outcome = try Polymorph.program.run([
      "evaluate", potential, Polymorph.fixture("tio2.xyz"), "--output", scratch.path("out.xyz"),
      "--json",
    ])
    try #require(outcome.status == 0, "\(potential): \(outcome.errors)")
    let report = try #require(
      JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
    let structures = try #require(report["structures"] as? [[String: Any]])
    return structures.compactMap { $0["energy"] as? Double }
  }

  @Test("A network goes through all formats and keeps its energies")
  func formats() throws {
    let scratch = try ScratchFolder()
    let original = try scratch.write(Self.network, "a.nnp")
    let known = try energies(original, scratch)
    try #require(!known.isEmpty)
    let (folder, saved) = (scratch.path("n2p2"), scratch.path("potential_saved_bestmodel"))
    let steps = [
      ([original, "--output", folder, "--format", "n2p2"], folder),
      ([folder, "--output", saved], saved),
      ([saved, "--output", folder + "-again/"], folder + "-again"),
      ([folder + "-again", "--output", scratch.path("b.nnp")], scratch.path("b.nnp")),
    ]
    for (arguments, path) in steps {
      let outcome = try convert(arguments)
      try #require(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.output.contains(arguments[2]))
      let found = try energies(path, scratch)
      #expect(found.count == known.count)
      // A rounding in each format; energies are printed to all digits.
      for (a, b) in zip(found, known) {
        #expect(a.isClose(to: b, relative: 1e-12, absolute: 0), "\(path): \(a) \(b)")
      }
    }
    for name in ["input.nn", "scaling.data", "weights.008.data", "weights.022.data"] {
      #expect(FileManager.default.fileExists(atPath: folder + "/" + name), "\(name)")
    }
  }

  @Test("Refused: names without format, full folders, other potentials, what a format cannot hold")
  func refusals() throws {
    let scratch = try ScratchFolder()
    let original = try scratch.write(Self.network, "a.nnp")
    let repelling = try scratch.write(
      Self.network.replacing("NNP 1", with: "NNP 1\nrepulsion 0.4 0.7"), "r.nnp")
    let output = scratch.path("out") + "/"
    let cases = [
      ([original, "--output", scratch.path("out")], "does not tell the format"),
      ([original, "--output", output, "--format", "simplenn"], "did you mean 'simple-nn'?"),
      ([original], "--output"),
      ([original, "--output", scratch.url.path, "--format", "n2p2"], "no empty folder"),
      ([original, "--output", original, "--format", "n2p2"], "no empty folder"),
      (
        [try Polymorph.fixture("MgAlO_08_random.mtp"), "--output", output],
        "a moment tensor potential"
      ),
      ([try Polymorph.fixture("tio2.yaml"), "--output", output], "a classical potential"),
      ([repelling, "--output", output], "pair_style zbl"),
      ([scratch.path("potential_saved"), "--output", output], "potential_saved"),
    ]
    for (arguments, advice) in cases {
      let outcome = try convert(arguments)
      #expect(outcome.status == 2, "\(arguments): \(outcome.errors)")
      #expect(outcome.errors.contains(advice), "\(outcome.errors)")
      #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
    }
    #expect(!FileManager.default.fileExists(atPath: output))
  }
}
