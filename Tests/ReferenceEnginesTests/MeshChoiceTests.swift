import Crystal
import NumericalCore
import Potential
import ReferenceEngines
import TestSupport
import Testing

@Suite("Meshes of k-points in relaxations")
struct MeshChoiceTests {
  /// Whether each request changes the mesh, and the mesh in use after all.
  private func changes(
    from first: [Int], _ requests: [[Int]]
  ) -> (changes: [Bool], mesh: [Int]) {
    var choice = MeshChoice()
    _ = choice.mesh(first: first)
    let changes = requests.map { choice.change(to: $0) }
    return (changes, choice.mesh(first: []))
  }

  @Test("The first mesh stays until the relaxed cell asks for another one")
  func first() {
    var choice = MeshChoice()
    let early = choice.change(to: [2, 2, 2])
    let meshes = [[3, 3, 2], [4, 3, 2]].map { choice.mesh(first: $0) }
    #expect(!early && meshes == [[3, 3, 2], [3, 3, 2]])
    let later = changes(from: [3, 3, 2], [[3, 3, 2], [4, 3, 2]])
    #expect(later.changes == [false, true] && later.mesh == [4, 3, 2])
  }

  @Test("Meshes that ask for each other end at the densest of all")
  func toAndFro() {
    let result = changes(from: [3, 2, 2], [[2, 2, 3], [3, 2, 2], [2, 2, 3], [1, 1, 1]])
    #expect(result.changes == [true, true, false, false])
    #expect(result.mesh == [3, 2, 3])
    // Where the denser of two is in use, nothing changes any more.
    let denser = changes(from: [2, 2, 2], [[3, 2, 2], [2, 2, 2], [3, 3, 3]])
    #expect(denser.changes == [true, false, false] && denser.mesh == [3, 2, 2])
  }

  @Test("However cells change, it ends")
  func ends() {
    let result = changes(from: [1, 1, 1], (2...20).map { [$0, 1, 21 - $0] })
    #expect(result.changes.filter { $0 }.count == 4)
    #expect(result.mesh == [5, 1, 19])
  }

  @Test("A series labels with the mesh of its first structure, each under a key of its own")
  func series() throws {
    let folder = try TemporaryFolder()
    let program = MeshProgram()
    let engine = try ExternalEngine(program, folder: folder.path)
    var series = EnginePotential(engine).series()
    let small = try ExternalMethods.silicon()
    let large = try small.scaled(by: 1.5)
    #expect(program.mesh(for: small) != program.mesh(for: large))
    let energies = try [small, large].map { try series.evaluation(of: $0).energy }
    let fresh = try #require(engine.label(large).energy)
    #expect(energies[0] == energies[1] && energies[0] == engine.label(small).energy)
    #expect(fresh != energies[0])
    // The mesh belongs to the key where the cell asks for another one, and nowhere else.
    let mesh = try #require(program.mesh(for: small))
    #expect(engine.keeping(mesh: mesh).labelKey(for: small) == engine.labelKey(for: small))
    #expect(engine.keeping(mesh: mesh).labelKey(for: large) != engine.labelKey(for: large))
    let isRenewed = series.renew(at: large)
    let renewed = try series.evaluation(of: large).energy
    #expect(isRenewed && renewed == fresh)
    let isRenewedAgain = series.renew(at: large)
    #expect(!isRenewedAgain)
  }
}

/// A program whose energy is the number of its k-points.
private struct MeshProgram: CalculationProgram {
  var kind: String { "mesh" }
  var summary: String { "mesh" }
  var settingsBytes: [UInt8] { [1] }
  var launch: CalculationLaunch {
    CalculationLaunch(command: ["/bin/cp", "mesh", "energy"], input: nil, output: "out")
  }
  var versionLaunch: CalculationLaunch? {
    CalculationLaunch(command: ["/bin/echo", "1"], input: nil, output: "out")
  }

  func version(in output: String) -> String? { output }
  func mesh(for structure: Structure) -> [Int]? { structure.reciprocalMesh(spacing: 0.6) }

  func inputs(
    for structure: Structure, mesh: [Int]?, attempt: CalculationAttempt
  ) throws(ReferenceEngineError) -> [CalculationFile] {
    let mesh = mesh ?? structure.reciprocalMesh(spacing: 0.6)
    return [CalculationFile(name: "mesh", content: .text("\(mesh.reduce(1, *))"))]
  }

  func result(in folder: String, for structure: Structure) -> CalculationResult {
    guard let text = try? String(contentsOfFile: folder + "/energy", encoding: .utf8),
      let energy = Double(text)
    else { return .unfinished(reason: "no energy") }
    return .finished(
      Evaluation(
        energy: energy, forces: structure.positions.map { _ in .zero }, virial: .zero,
        of: structure),
      details: CalculationDetails())
  }
}

extension LabelOutcome {
  fileprivate var energy: Double? {
    if case .labelled(let evaluation) = self { evaluation.energy } else { nil }
  }
}

extension Structure {
  /// The structure, larger by a factor.
  fileprivate func scaled(by factor: Double) throws -> Structure {
    try Structure(
      lattice: Lattice(factor * lattice.vectors), species: species,
      fractionalPositions: fractionalPositions())
  }
}
