import Crystal
import Dynamics
import NumericalCore
import Potential
import TestSupport
import Testing

/// A potential with two meshes, one for small and one for large cells, each of whose minima lies where the
/// other mesh belongs; as k-points by spacing do it to soft crystals.
private struct TwoMeshes: InteratomicPotential {
  let base: any InteratomicPotential
  /// Å³.
  let border: Double
  /// What pushes the cell across the border, in eV/Å³.
  let push: Double
  /// Whether a series keeps the mesh of its first structure.
  var keepsMesh = true
  var elements: [ChemicalElement] { base.elements }

  func isLarge(_ structure: Structure) -> Bool { structure.volume > border }

  func evaluation(
    of structure: Structure, onLarge isLarge: Bool
  ) throws(PotentialError) -> Evaluation {
    let plain = try base.evaluation(of: structure)
    // Small cells are pushed to grow and large ones to shrink; the mesh of large cells is 5 meV per atom higher.
    let sign = isLarge ? 1.0 : -1.0
    let offset = isLarge ? 0.005 * Double(structure.atomCount) : 0
    return Evaluation(
      energy: plain.energy + offset + sign * push * (structure.volume - border),
      forces: plain.forces, virial: plain.virial + sign * push * structure.volume * .identity,
      of: structure)
  }

  func evaluation(of structure: Structure) throws(PotentialError) -> Evaluation {
    try evaluation(of: structure, onLarge: isLarge(structure))
  }

  func series() -> any EvaluationSeries { Series(potential: self) }

  struct Series: EvaluationSeries {
    let potential: TwoMeshes
    var isLarge: Bool?
    var changes = 0

    mutating func evaluation(of structure: Structure) throws(PotentialError) -> Evaluation {
      guard potential.keepsMesh else { return try potential.evaluation(of: structure) }
      let kept = isLarge ?? potential.isLarge(structure)
      isLarge = kept
      return try potential.evaluation(of: structure, onLarge: kept)
    }

    mutating func renew(at structure: Structure) -> Bool {
      guard potential.keepsMesh, potential.isLarge(structure) != isLarge, changes < 2 else {
        return false
      }
      changes += 1
      isLarge = potential.isLarge(structure)
      return true
    }
  }
}

@Suite("Relaxations that begin anew")
struct RenewedSeriesTests {
  private func potential(push: Double, keepsMesh: Bool = true) throws -> (Structure, TwoMeshes) {
    let base = try ClassicalModels.titaniumDioxide()
    let start = TestStructures.rattled(try Prototypes.rutile(), by: 0.05, seed: 3)
    let rest = Relaxation.run(start, with: base)
    #expect(rest.hasConverged)
    return (
      start,
      TwoMeshes(base: base, border: rest.structure.volume, push: push, keepsMesh: keepsMesh)
    )
  }

  @Test("Where the result asks for another mesh, the relaxation goes on with that")
  func once() throws {
    var (start, potential) = try potential(push: 0)
    potential = TwoMeshes(base: potential.base, border: 0.98 * potential.border, push: 0)
    let small = try Structure(
      lattice: Lattice(0.96 * start.lattice.vectors), species: start.species,
      fractionalPositions: start.fractionalPositions())
    let result = Relaxation.run(small, with: potential)
    #expect(result.hasConverged && potential.isLarge(result.structure))
    // Its energy is the one that a fresh evaluation gives.
    let fresh = try potential.evaluation(of: result.structure)
    #expect(result.evaluation == fresh)
    start = result.structure
    #expect(Relaxation.run(start, with: potential).evaluations == 1)
  }

  @Test("Two meshes that ask for each other end at rest, and not at the limit of evaluations")
  func toAndFro() throws {
    // 0.02 eV/Å³ is 3 GPa.
    let (start, kept) = try potential(push: 0.02)
    let result = Relaxation.run(start, with: kept)
    #expect(result.hasConverged && result.evaluations < 40, "\(result.evaluations)")
    // What it is good for: where every cell has its own mesh there is no minimum.
    let (_, jumping) = try potential(push: 0.02, keepsMesh: false)
    #expect(Relaxation.run(start, with: jumping).outcome == .stepLimit)
  }

  @Test("At the limit of evaluations the result has the numbers that its cell asks for")
  func limit() throws {
    var (start, potential) = try potential(push: 0)
    potential = TwoMeshes(base: potential.base, border: 0.98 * potential.border, push: 0)
    start = try Structure(
      lattice: Lattice(0.96 * start.lattice.vectors), species: start.species,
      fractionalPositions: start.fractionalPositions())
    let whole = Relaxation.run(start, with: potential)
    for limit in 2..<whole.evaluations {
      let settings = RelaxationSettings(
        stages: [.gigapascals(force: 0.02, stress: 0.4, evaluations: limit - 1)])
      let result = Relaxation.run(start, with: potential, settings: settings)
      #expect(result.evaluations <= limit + 1)
      #expect(result.evaluation == (try potential.evaluation(of: result.structure)))
    }
  }

  @Test("Left off and taken up again, it ends with the same bits")
  func pauses() throws {
    let (start, potential) = try potential(push: 0.02)
    let whole = Relaxation.run(start, with: potential)
    var relaxation = PausableRelaxation(start, with: potential)
    var step = 0
    while relaxation.outcome == nil {
      relaxation.advance(to: step)
      step += 1
    }
    #expect(relaxation.finish() == whole)
  }
}
