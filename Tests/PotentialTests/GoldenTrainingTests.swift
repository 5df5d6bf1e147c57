import Crystal
import Foundation
import NumericalCore
import Potential
import StructureFormats
import TestSupport
import Testing

@Suite("Losses and grades of MLIP-2")
struct GoldenTrainingTests {
  static func numbers(_ text: Substring) -> [Double] {
    text.split(separator: " ").compactMap { Double($0) }
  }

  static func labels(_ name: String) throws -> [LabelledStructure] {
    try MomentTensorFixtures.records(name).map { try #require($0.labelled) }
  }

  @Test(
    "Loss and its gradient",
    arguments: [
      ("Mo_08", "Mo_train12.cfg", "Mo_08.loss12.txt"),
      ("NiAl_12_random", "NiAl_labelled.cfg", "NiAl_12_random.loss.txt"),
    ])
  func loss(potentialName: String, labelsName: String, expected: String) throws {
    let potential = try MomentTensorFixtures.potential(potentialName)
    let problem = try TrainingProblem(
      try Self.labels(labelsName), for: potential, settings: .plain)
    let value = try MomentTensorFixtures.numbers(expected, after: "loss/K no penalty")[0][0]
    let loss = try TrainingLoss(of: potential, on: problem).value
    #expect(abs(loss - value) <= 1e-9 * value)
    // The peer's penalty adds at most 1e-8 to a component.
    let gradient = try MomentTensorFixtures.numbers(expected, after: "loss_grad/K:")[0]
    let request = MomentTensorTrainer.Request(potential: potential, includingRadial: true)
    let ours = try problem.lossGradient(of: problem.equations(for: request), at: potential)
    #expect(ours.count == gradient.count)
    let scale = try #require(gradient.map { abs($0) }.max())
    for (a, b) in zip(ours, gradient) { #expect(abs(a - b) <= 1e-9 * scale + 1e-7) }
  }

  @Test(
    "Extrapolation grades of configurations",
    arguments: [
      (
        "MgAlO_08_random", "training/MgAlO_train6.cfg", "training/MgAlO_in.cfg",
        "MgAlO_08_random.grade.txt"
      ),
      ("Mo_08", "training/Mo_train.cfg", "training/Mo_test.cfg", "Mo_08.train.grade.txt"),
    ])
  func grades(potentialName: String, training: String, graded: String, expected: String) throws {
    let potential = try MomentTensorFixtures.potential(potentialName)
    let known = try MomentTensorFixtures.records("../" + training).map(\.structure)
    let grader = try ExtrapolationGrader(
      potential, trainedOn: known, mode: .configuration, options: .mlip)
    #expect(grader.activeSet.filledCount() == min(known.count, 23))
    for structure in known { #expect(try grader.grade(of: structure) <= 1 + 1e-6) }
    let golden = try MomentTensorFixtures.numbers("../training/" + expected, after: "grade ")
    let structures = try MomentTensorFixtures.records("../" + graded).map(\.structure)
    #expect(golden.count == structures.count)
    for (structure, value) in zip(structures, golden) {
      let grade = try grader.grade(of: structure)
      let direct = try Self.directGrade(structure, grader)
      #expect(abs(grade - direct) <= 1e-6 * direct)
      #expect(abs(grade - value[0]) <= 1e-6 * max(1, value[0]))
    }
  }

  static func directGrade(
    _ structure: Structure, _ grader: ExtrapolationGrader
  ) throws -> Double {
    let row = try grader.rows(of: structure)
    let solution = try LinearAlgebra.solve(grader.activeSet.rows.transposed(), row.transposed())
    return solution.elements.map { abs($0) }.max() ?? 0
  }

  @Test("Neighborhood grades: training structures are inside, compressed ones outside")
  func neighbourhoods() throws {
    let potential = try MomentTensorFixtures.potential("MgAlO_08_random")
    let known = try MomentTensorFixtures.records("../training/MgAlO_train6.cfg").map(\.structure)
    let grader = try ExtrapolationGrader(potential, trainedOn: known)
    for structure in known {
      #expect(try grader.grade(of: structure) <= grader.activeSet.options.swapThreshold + 1e-9)
      let squeezed = try structure.strained(by: -0.1 * Matrix3.identity)
      #expect(try grader.grade(of: squeezed) > 10)
      // A supercell has the same neighborhoods.
      let atoms = try grader.grades(of: structure)
      let large = try grader.grades(of: structure.supercell(1, 1, 2))
      for (i, grade) in large.enumerated() {
        #expect(abs(grade - atoms[i % atoms.count]) <= 1e-6)
      }
    }
    // 168 neighborhoods of three species fill more than six whole structures can.
    #expect(grader.activeSet.filledCount() > 50)
  }

  @Test("Grades of equivalent atoms and of single species are those of the whole rows")
  func distinctAtoms() throws {
    let potential = try MomentTensorFixtures.potential("MgAlO_08_random")
    let known = try MomentTensorFixtures.records("../training/MgAlO_train6.cfg").map(\.structure)
    let grader = try ExtrapolationGrader(potential, trainedOn: Array(known.prefix(3)))
    for structure in known {
      let large = structure.supercell(2, 1, 2)
      for cell in [structure, large] {
        let whole = grader.activeSet.grades(try grader.rows(of: cell))
        let found = try grader.grades(of: cell)
        // Two orders of the sums, amplified by directions that nothing has filled.
        for (a, b) in zip(found, whole) {
          #expect(a.isClose(to: b, relative: 1e-6, absolute: 1e-6))
        }
        #expect(try grader.grade(of: cell) == found.max())
      }
      #expect(Set(try grader.grades(of: large)).count <= structure.atomCount)
    }
  }

  @Test("A grader survives its bytes")
  func bytes() throws {
    let potential = try MomentTensorFixtures.potential("MgAlO_08_random")
    let known = try MomentTensorFixtures.records("../training/MgAlO_train6.cfg").map(\.structure)
    let grader = try ExtrapolationGrader(potential, trainedOn: known)
    let copy = try ExtrapolationGrader(canonicalBytes: grader.canonicalBytes)
    #expect(copy.mode == grader.mode)
    #expect(copy.potential == grader.potential)
    #expect(copy.activeSet == grader.activeSet)
    for structure in known {
      let grade = try grader.grade(of: structure)
      #expect(try copy.grade(of: structure) == grade)
    }
  }
}
