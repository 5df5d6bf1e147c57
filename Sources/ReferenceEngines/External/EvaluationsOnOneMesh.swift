import Crystal
import Potential

/// Labels of structures that change little from one to the next, all with the k-points of the first.
///
/// The energy jumps where a cell that changes asks for another mesh, by some meV per atom: no minimum could
/// be found there. So a relaxation keeps the mesh that it began with, and goes on with another one where its
/// result asks for it.
struct EvaluationsOnOneMesh: EvaluationSeries {
  private let potential: EnginePotential
  private let external: ExternalEngine?
  private var choice = MeshChoice()

  init(of potential: EnginePotential) {
    self.potential = potential
    external = potential.engine as? ExternalEngine
  }

  mutating func evaluation(of structure: Structure) throws(PotentialError) -> Evaluation {
    guard let external, let mesh = external.program.mesh(for: structure) else {
      return try potential.evaluation(of: structure)
    }
    return try potential.evaluation(
      of: structure, with: external.keeping(mesh: choice.mesh(first: mesh)))
  }

  mutating func renew(at structure: Structure) -> Bool {
    guard let mesh = external?.program.mesh(for: structure) else { return false }
    return choice.change(to: mesh)
  }
}

/// Which mesh of k-points a relaxation keeps.
package struct MeshChoice: Sendable, Hashable {
  /// The meshes so far; the last is the one in use.
  private var used: [[Int]] = []
  private var isLast = false

  package init() {}

  /// More changes than this mean that the cell goes to and fro.
  private static let mostMeshes = 4

  /// The mesh in use.
  ///
  /// - Parameter first: The mesh of a structure.
  /// - Returns: That mesh where none was in use.
  package mutating func mesh(first: [Int]) -> [Int] {
    if used.isEmpty { used = [first] }
    return used[used.count - 1]
  }

  /// Takes another mesh, because the relaxed cell asks for it.
  ///
  /// Where it was in use before, each of two meshes leads to a cell that asks for the other one. Then the
  /// largest division along each vector is taken, for good.
  ///
  /// - Parameter mesh: The mesh that the cell asks for.
  /// - Returns: Whether the mesh is now another one.
  package mutating func change(to mesh: [Int]) -> Bool {
    guard let present = used.last, !isLast, mesh != present else { return false }
    isLast = used.contains(mesh) || used.count == Self.mostMeshes
    used.append(
      isLast ? used.reduce(mesh) { zip($0, $1).map { max($0, $1) } } : mesh)
    return used[used.count - 1] != present
  }
}
