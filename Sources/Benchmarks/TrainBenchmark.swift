import Coordinator
import Crystal
import NumericalCore
import Potential
import StructureFormats

/// `Benchmarks train DATA --level L`: what training costs and where it ends.
enum TrainBenchmark: Benchmark {
  static let syntax = Syntax(
    "train", "microseconds per atom of one linearisation, seconds and loss of a training",
    reason: "a search trains again and again while it runs: a training must cost less than the "
      + "labels it learns from, and the loss shows that it was not stopped too early. Weights are "
      + "1, 0.01, 0.001 with `vibrations`.",
    arguments: ["DATA"],
    options: [
      .init("level", "L", "largest level of a basis function, even; default 8"),
      .init("cutoff", "Å", "cutoff radius; default 5"),
      .init("minimum-distance", "Å", "inner end of the radial basis; default 1.9"),
      .init("radial-basis", "N", "number of radial functions; default 8"),
      .init("trials", "N", "most steps of the fit; default 10"),
      .init("output", "POT", "writes the potential (.mtp)"), .repetitions, .peer,
    ])

  static func run(_ arguments: Arguments) throws -> Report {
    let runs = try arguments.repetitions()
    let peer = try arguments.peer()
    let level = try arguments.integer("level", in: 2...28, default: 8)
    guard level.isMultiple(of: 2) else {
      throw WrongCommandLine("train: --level: found '\(level)', allowed: an even integer")
    }
    let path = arguments.argument("DATA")
    let data = try StructureFile.read(path).compactMap(\.labelled)
    guard !data.isEmpty else { throw WrongCommandLine("\(path): holds no labelled structure") }
    let start = try MomentTensorPotential(
      basis: MomentTensorBasis(level: level),
      radialBasis: RadialBasis(
        size: try arguments.integer("radial-basis", in: 2...30, default: 8),
        minimumDistance: try arguments.positiveNumber("minimum-distance") ?? 1.9,
        cutoff: try arguments.positiveNumber("cutoff") ?? 5),
      elements: Set(data.flatMap(\.structure.species)).sorted())
    var settings = TrainingSettings.plain
    settings.maximumTrials = try arguments.integer("trials", in: 1...100_000, default: 10)
    let problem = try TrainingProblem(data, for: start, settings: settings)
    var report: TrainingReport?
    let seconds = try Stopwatch.seconds {
      report = try MomentTensorTrainer.train(start, on: problem)
    }
    guard let report else { preconditionFailure("a training that does not throw reports") }
    if let output = arguments.option("output") {
      try AtomicFile.write(report.potential.mtpText, to: output)
    }
    let request = MomentTensorTrainer.Request(potential: report.potential, includingRadial: true)
    let atoms = data.reduce(0) { $0 + $1.structure.atomCount }
    let sample = try Stopwatch.sample(runs: runs) {
      _ = try problem.equations(for: request)
    }.scaled(by: 1e6 / Double(atoms))
    return Report(
      [
        .init(
          "microseconds_per_atom", "µs per atom of one linearisation (median)",
          .number(sample.median)),
        .init("least_microseconds_per_atom", "µs per atom (least)", .number(sample.least)),
        .init("runs", "runs", .integer(runs)),
        .init("seconds", "seconds of the training", .number(seconds)),
        .init("loss", "loss", .number(report.loss)),
        .init("trials", "steps", .integer(report.trials)),
        .init("converged", "converged", .flag(report.converged)),
        .init("parameters", "parameters", .integer(report.potential.parameterCount)),
        .init("structures", "structures", .integer(data.count)),
        .init("atoms", "atoms", .integer(atoms)),
        .init("blas_core", "kernels of BLAS", .text(LinearAlgebra.coreName)),
      ], peer: peer)
  }
}
