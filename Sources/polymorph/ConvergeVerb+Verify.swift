import Coordinator
import Crystal
import ReferenceEngines
import StructureFormats

extension ConvergeVerb {
  /// Compares labels of a training set with finer calculations of the same structures.
  static func verify(_ arguments: ParsedArguments, _ session: Session) throws -> ExitStatus {
    let own = [
      "index", "rattle", "seed", "energy", "pressure", "force", "largest-cutoff",
      "smallest-k-spacing", "output",
    ]
    for option in own where arguments.has(option) {
      throw CommandLineError("converge: --\(option) does not go with --verify")
    }
    if let file = arguments.optionalArgument("STRUCTURE") {
      throw CommandLineError(
        "converge: found '\(file)' beside --verify, which takes its structures from --training")
    }
    guard let path = arguments.option("training") else {
      throw CommandLineError("converge: --verify needs --training FILE, labelled structures")
    }
    let count = try arguments.integer("verify", in: 1...1_000_000) ?? 1
    let reference = try AdjustableReference(arguments, arguments.argument("ENGINE.yaml"))
    let finer = try finer(than: reference.program, arguments)
    let data = try LabelledData(
      StructureInput(arguments).records(path), path: path, session: session)
    let sample = RecomputedErrors.sample(count, of: data.labelled.count)
    let labels = sample.map { data.labelled[$0] }
    try reference.check(labels.map(\.structure), path)
    let engine = try reference.engine(at: finer)
    let outcomes = try ParallelMap(session.communicator).results(of: labels.count) { item in
      ItemOutcome {
        switch engine.label(labels[item].structure, again: reference.isAgain) {
        case .labelled(let evaluation): return evaluation
        case .failed(let reason): throw WorkError(reason)
        }
      }
    }
    guard let outcomes else { return .done }
    var compared: [LabelledStructure] = []
    var recomputed: [Evaluation] = []
    for ((index, label), outcome) in zip(zip(sample, labels), outcomes) {
      switch outcome {
      case .failed(let reason):
        session.warn("\(path): labelled structure \(index + 1): \(reason)")
      case .done(let evaluation):
        compared.append(label)
        recomputed.append(evaluation)
      }
    }
    guard !compared.isEmpty else { throw WorkError("\(path): no structure was recomputed") }
    let errors = RecomputedErrors(of: compared, recomputed: recomputed)
    if arguments.has("json") {
      session.say(json(errors, of: data.labelled.count, finer, reference))
    } else {
      session.say(
        "\(errors.structureCount) of \(data.labelled.count) structures of \(path), recomputed at "
          + reference.text(finer))
      lines(errors).forEach { session.say($0) }
    }
    return compared.count == labels.count ? .done : .failed
  }

  private static func finer(
    than program: any AdjustableProgram, _ arguments: ParsedArguments
  ) throws -> CalculationAccuracy {
    let factors = try arguments.numbers("tighter", count: 2) ?? [1.3, 1.5]
    guard factors.allSatisfy({ $0 >= 1 }), factors.contains(where: { $0 > 1 }) else {
      throw CommandLineError(
        "converge: --tighter: found '\(arguments.option("tighter") ?? "")', allowed: two factors of at "
          + "least 1, one of them above it, as 1.3,1.5")
    }
    let finer = program.accuracy.tightened(
      program.cutoffUnit, cutoffFactor: factors[0], spacingDivisor: factors[1])
    guard program.allowedCutoffs.contains(finer.cutoff),
      program.allowedKSpacings.contains(finer.kSpacing)
    else {
      throw CommandLineError(
        "converge: --tighter: found \(short(finer.cutoff)) \(program.cutoffUnit.rawValue) and "
          + "\(short(finer.kSpacing)) 1/Å, allowed: \(program.allowedCutoffs) and "
          + "\(program.allowedKSpacings)")
    }
    return finer
  }

  private static func lines(_ errors: RecomputedErrors) -> [String] {
    func line(_ name: String, _ value: Double, _ unit: String, _ note: String = "") -> String {
      name.padding(18) + short(value, 4).padding(10) + unit.padding(10) + note
    }
    let shift = short(1000 * errors.energyShiftPerAtom, 4)
    return [
      "mean absolute differences",
      line("energy", 1000 * errors.energyPerAtom, "meV/atom"),
      line(
        "relative energy", 1000 * errors.relativeEnergyPerAtom, "meV/atom",
        "without the mean, \(shift) meV/atom; published: below 4"),
      line("force", errors.force, "eV/Å", "published: below 0.12"),
      line("pressure", gigapascals(errors.pressure), "GPa"),
      "Structures are ranked by energies relative to each other: the relative energy is the one to "
        + "compare.",
    ]
  }

  private static func json(
    _ errors: RecomputedErrors, of total: Int, _ finer: CalculationAccuracy,
    _ reference: AdjustableReference
  ) -> JSONValue {
    .object([
      .init("structures", .integer(errors.structureCount)), .init("of", .integer(total)),
      .init("cutoff", .number(finer.cutoff)), .init("cutoff_unit", .text(reference.unit.rawValue)),
      .init("k_spacing", .number(finer.kSpacing)),
      .init("energy_mae_per_atom", .number(errors.energyPerAtom)),
      .init("energy_shift_per_atom", .number(errors.energyShiftPerAtom)),
      .init("relative_energy_mae_per_atom", .number(errors.relativeEnergyPerAtom)),
      .init("force_mae", .number(errors.force)),
      .init("pressure_mae_gpa", .number(gigapascals(errors.pressure))),
    ])
  }
}
