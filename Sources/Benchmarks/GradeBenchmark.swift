import Coordinator
import Potential

/// `Benchmarks grade POT STRUCTURES`: what an extrapolation grade costs.
enum GradeBenchmark: Benchmark {
  static let syntax = Syntax(
    "grade", "microseconds per atom of an extrapolation grade, and how many evaluations that is",
    reason:
      "a search that learns while it runs grades every geometry of every relaxation: the grade "
      + "must not cost more than the evaluation that it watches over. The active set is that of "
      + "STRUCTURES themselves; what is in it does not change the time.",
    arguments: PotentialChoice.arguments,
    options: PotentialChoice.options + [
      .init("mode", "MODE", "neighbourhood (default) or configuration"), .repetitions, .peer,
    ])

  static func run(_ arguments: Arguments) throws -> Report {
    let runs = try arguments.repetitions()
    let peer = try arguments.peer()
    let word = arguments.option("mode") ?? ExtrapolationMode.neighbourhood.rawValue
    guard let mode = ExtrapolationMode(rawValue: word) else {
      throw WrongCommandLine(
        "grade: --mode: found '\(word)', allowed: "
          + ExtrapolationMode.allCases.map(\.rawValue).joined(separator: ", "))
    }
    let choice = try PotentialChoice(arguments)
    guard case .momentTensor(let potential) = choice.file else {
      throw WrongCommandLine("grade: \(arguments.argument("POT")): not a moment tensor potential")
    }
    let structures = choice.structures
    let grader = try ExtrapolationGrader(potential, trainedOn: structures, mode: mode)
    let scale = 1e6 / Double(choice.atomCount)
    var largest = 0.0
    let evaluation = try Stopwatch.sample(runs: runs) {
      for structure in structures { _ = try potential.evaluation(of: structure) }
    }.scaled(by: scale)
    let grade = try Stopwatch.sample(runs: runs) {
      largest = 0
      for structure in structures { largest = max(largest, try grader.grade(of: structure)) }
    }.scaled(by: scale)
    return Report(
      [
        .init("microseconds_per_atom", "µs per atom (median)", .number(grade.median)),
        .init("least_microseconds_per_atom", "µs per atom (least)", .number(grade.least)),
        .init("evaluations", "evaluations (medians)", .number(grade.median / evaluation.median)),
        .init(
          "microseconds_per_atom_of_evaluation", "µs per atom of an evaluation",
          .number(evaluation.median)),
        .init("runs", "runs", .integer(runs)),
        .init("largest_grade", "largest grade", .number(largest)),
        .init("parameters", "parameters", .integer(potential.parameterCount)),
        .init("active_rows", "active rows", .integer(grader.activeSet.filledCount())),
        .init("atoms", "atoms", .integer(choice.atomCount)),
      ], peer: peer)
  }
}
