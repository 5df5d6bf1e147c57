import Coordinator
import Crystal
import Dynamics
import Potential
import StructureFormats

/// `Benchmarks dynamics POT STRUCTURE`: how fast atoms move.
enum DynamicsBenchmark: Benchmark {
  static let syntax = Syntax(
    "dynamics", "microseconds per atom and step of molecular dynamics, ns/day, and memory",
    reason: "a melt takes 10⁵ steps; the step must cost hardly more than its evaluation, and both "
      + "time and memory must grow with the number of atoms alone. Atoms start from their sites with "
      + "twice the temperature, half of which becomes potential energy in a first run that does not "
      + "count. Memory is that of another process that takes the steps of one run.",
    arguments: ["POT", "STRUCTURE"],
    options: [
      .init("supercell", "AxBxC", "so many cells along each lattice vector; default 1x1x1"),
      .init("ensemble", "WORD", "nve (default), langevin or npt"),
      .init("temperature", "K", "default 300"),
      .init("time-step", "fs", "default 1"),
      .init("steps", "N", "steps of a run; default 200"),
      .init(memoryOption, nil, "the memory of one run alone"), .repetitions, .peer,
    ])

  private static let memoryOption = "memory-only"

  private enum Kind: String, CaseIterable {
    case nve, langevin, npt

    func ensemble(_ temperature: Double) -> Ensemble {
      let ramp = TemperatureRamp.constant(temperature)
      return switch self {
      case .nve: .microcanonical
      case .langevin: .langevin(ramp, relaxationTime: 100)
      case .npt: .isobaric(IsobaricSettings(temperature: ramp, cell: .flexible))
      }
    }
  }

  /// What one run took.
  private struct Run {
    var seconds = 0.0
    var evaluationSeconds = 0.0
    var meanTemperature = 0.0
  }

  static func run(_ arguments: Arguments) throws -> Report {
    let startMegabytes = ProcessMemory.residentMegabytes()
    let runs = try arguments.repetitions()
    let peer = try arguments.peer()
    let kind = try kind(arguments)
    let temperature = try arguments.positiveNumber("temperature") ?? 300
    let timeStep = try arguments.positiveNumber("time-step") ?? 1
    let steps = try arguments.integer("steps", in: 1...10_000_000, default: 200)
    let file = try PotentialFile(path: arguments.argument("POT"))
    let structure = try structure(arguments)

    let potential = TimedPotential(file.potential)
    var dynamics = MolecularDynamics(
      DynamicalState(structure, temperature: 2 * temperature, seed: 1), with: potential,
      settings: .init(timeStep: timeStep, ensemble: kind.ensemble(temperature), seed: 1))
    _ = try move(&dynamics, steps, potential.time)
    let atoms = structure.atomCount
    if arguments.has(memoryOption) {
      guard let memory = DynamicsMemory(since: startMegabytes) else {
        throw BenchmarkFailure("the system does not tell how much memory is used")
      }
      return Report(memory.quantities(atoms: atoms))
    }
    var measured: [Run] = []
    for _ in 0..<runs { measured.append(try move(&dynamics, steps, potential.time)) }

    let scale = 1e6 / (Double(atoms) * Double(steps))
    let step = Sample(measured.map { scale * $0.seconds })
    let evaluation = Sample(measured.map { scale * $0.evaluationSeconds })
    let rest = Sample(measured.map { scale * ($0.seconds - $0.evaluationSeconds) })
    let share = Sample(measured.map { ($0.seconds - $0.evaluationSeconds) / $0.seconds })
    let alone = try Stopwatch.sample(runs: runs) {
      _ = try file.potential.evaluation(of: dynamics.state.structure)
    }.scaled(by: 1e6 / Double(atoms))
    let speed = step.mapped { nanosecondsPerDay(timeStep, 1e-6 * $0 * Double(atoms)) }
    var quantities: [Report.Quantity] = [
      .init(
        "microseconds_per_atom_and_step", "µs per atom and step (median)", .number(step.median)),
      .init("least_microseconds_per_atom_and_step", "least", .number(step.least)),
      .init("largest_microseconds_per_atom_and_step", "largest", .number(step.largest)),
      .init("nanoseconds_per_day", "ns/day of one core (median)", .number(speed.median)),
      .init("largest_nanoseconds_per_day", "best", .number(speed.largest)),
      .init(
        "microseconds_of_evaluation", "µs of that in evaluations, with neighbors (median)",
        .number(evaluation.median)),
      .init("microseconds_of_rest", "µs in all the rest (median)", .number(rest.median)),
      .init("share_of_rest", "share of all the rest (median)", .number(share.median)),
    ]
    if case .momentTensor(let potential) = file {
      quantities += try upkeep(potential, &dynamics, runs: runs, steps: steps, evaluation)
    }
    quantities += [
      .init(
        "steps_for_evaluation_alone", "an evaluation with new neighbors, in steps (medians)",
        .number(alone.median / step.median)),
      .init(
        "temperature", "mean temperature (K)",
        .number(Sample(measured.map(\.meanTemperature)).mean)),
    ]
    quantities += try DynamicsMemory.ofProgram([
      syntax.name, arguments.argument("POT"), arguments.argument("STRUCTURE"),
      "--supercell", supercell(arguments), "--ensemble", kind.rawValue,
      "--temperature", "\(temperature)", "--time-step", "\(timeStep)", "--steps", "\(steps)",
      "--" + memoryOption, "--json",
    ]).quantities(atoms: atoms)
    quantities += [
      .init("runs", "runs", .integer(runs)), .init("steps", "steps of a run", .integer(steps)),
      .init("atoms", "atoms", .integer(atoms)), .init("ensemble", "ensemble", .text(kind.rawValue)),
    ]
    return Report(quantities, peer: peer)
  }

  private static func nanosecondsPerDay(_ timeStep: Double, _ secondsPerStep: Double) -> Double {
    86_400 / secondsPerStep * timeStep * 1e-6
  }

  private static func kind(_ arguments: Arguments) throws -> Kind {
    guard let word = arguments.option("ensemble") else { return .nve }
    guard let kind = Kind(rawValue: word) else {
      throw WrongCommandLine(
        "dynamics: --ensemble: found '\(word)', allowed: "
          + Kind.allCases.map(\.rawValue).joined(separator: ", "))
    }
    return kind
  }

  private static func supercell(_ arguments: Arguments) -> String {
    arguments.option("supercell") ?? "1x1x1"
  }

  private static func structure(_ arguments: Arguments) throws -> Structure {
    let path = arguments.argument("STRUCTURE")
    guard let unit = try StructureFile.read(path).first?.structure else {
      throw WrongCommandLine("\(path): holds no structure")
    }
    let text = supercell(arguments)
    let counts = text.split(separator: "x", omittingEmptySubsequences: false).compactMap {
      Int($0)
    }
    guard counts.count == 3, counts.allSatisfy((1...100).contains) else {
      throw WrongCommandLine(
        "dynamics: --supercell: found '\(text)', allowed: three numbers from 1 to 100 such as 2x2x4"
      )
    }
    let structure = unit.supercell(counts[0], counts[1], counts[2])
    guard structure.atomCount > 1, structure.periodicity == .full else {
      throw WrongCommandLine("\(path): not a bulk structure of at least two atoms")
    }
    return structure
  }

  private static func move(
    _ dynamics: inout MolecularDynamics, _ steps: Int, _ time: EvaluationTime
  ) throws -> Run {
    let before = time.seconds
    var outcome = DynamicsOutcome.finished
    var run = Run()
    run.seconds = Stopwatch.seconds { outcome = dynamics.advance(by: steps) }
    run.evaluationSeconds = time.seconds - before
    run.meanTemperature = dynamics.state.temperature
    guard outcome == .finished else {
      throw BenchmarkFailure("molecular dynamics \(outcome); take a potential that was trained")
    }
    return run
  }

  // The part of neighbors, on the trajectory that follows.
  private static func upkeep(
    _ potential: MomentTensorPotential, _ dynamics: inout MolecularDynamics, runs: Int, steps: Int,
    _ evaluation: Sample
  ) throws -> [Report.Quantity] {
    let atoms = dynamics.state.structure.atomCount
    var upkeep = NeighborUpkeep(potential, of: dynamics.state.structure)
    upkeep.follow(dynamics.state.structure)
    let first = upkeep.searches
    var seconds: [Double] = []
    for _ in 0..<runs {
      let before = upkeep.seconds
      let outcome = dynamics.advance(by: steps) { step in
        upkeep.follow(step.state.structure)
        return true
      }
      guard outcome == .finished else { throw BenchmarkFailure("molecular dynamics \(outcome)") }
      seconds.append(upkeep.seconds - before)
    }
    let sample = Sample(seconds).scaled(by: 1e6 / (Double(atoms) * Double(steps)))
    let searches = Double(max(1, upkeep.searches - first))
    return [
      .init(
        "microseconds_of_neighbors", "µs of evaluations that keep neighbors (median)",
        .number(sample.median)),
      .init(
        "share_of_neighbors", "share of evaluations (medians)",
        .number(sample.median / evaluation.median)),
      .init(
        "steps_per_search", "steps between two searches of neighbors (mean)",
        .number(Double(runs * steps) / searches)),
    ]
  }
}
