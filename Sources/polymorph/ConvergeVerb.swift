import Coordinator
import Crystal
import Foundation
import NumericalCore
import ReferenceEngines
import StructureFormats

/// `polymorph converge ENGINE.yaml STRUCTURE`: the cutoff and the k-points that a reference method needs.
enum ConvergeVerb: Verb {
  static let name = "converge"
  static let summary = "the cutoff and k-points at which a reference method's numbers settle"
  static let syntax = CommandSyntax(
    arguments: [
      .init(
        "ENGINE.yaml",
        "file with a reference: block of espresso, cp2k or vasp; its cutoff and k_spacing are the "
          + "coarsest that are tried"),
      .init(
        "STRUCTURE", "a crystal whose atoms are far from rest, such as a superheated snapshot",
        isOptional: true),
    ],
    options: [
      .init("index", "N", "the Nth structure of the file, from 1; negative from the end"),
      .init("rattle", "Å", "displaces every coordinate at random, with this standard deviation"),
      .init("seed", "N", "of the displacements by --rattle; default 1"),
      .init("energy", "meV/atom", "the energy may change by less; default 20"),
      .init("pressure", "GPa", "the pressure may change by less; default 1 (10 kbar)"),
      .init("force", "eV/Å", "every force component may change by less; default 0.3"),
      .init(
        "largest-cutoff", "C",
        "the last cutoff that is tried, in Ry or eV; default 4 times the "
          + "first"),
      .init(
        "smallest-k-spacing", "K",
        "the last k_spacing that is tried, in 1/Å; default a quarter of "
          + "the first"),
      .init("directory", "DIR", "where the calculations are kept; default converge"),
      .init("output", "FILE", "where to write the reference: block; default reference.yaml"),
      .init("again", nil, "runs calculations anew that failed before"),
      .init(
        "verify", "N",
        "recomputes N structures of --training more finely instead, and prints mean absolute errors"
      ),
      .init("training", "FILE", "labelled structures, such as a campaign's training.cfg"),
      .init(
        "tighter", "F,D", "for --verify: cutoff times F, k_spacing divided by D; default 1.3,1.5"),
    ] + StructureInput.options + [.init("json", nil, "prints one JSON object")],
    notes: [
      "A setting has converged when energy, pressure and every force component differ by less than the "
        + "thresholds from those of the next two finer settings. The cutoff rises by 1.15 each time "
        + "until one has; then the k-point spacing falls by 1.2, to the next different mesh; then both "
        + "are made finer together as a check. Where nothing converges before the limits, the exit "
        + "status is 1 and nothing is written.",
      "Finished calculations are found again in DIR, so that a search that was interrupted goes on "
        + "where it was. --verify runs under mpirun too.",
    ])

  static func run(_ arguments: ParsedArguments, _ session: Session) throws -> ExitStatus {
    let path = arguments.argument("ENGINE.yaml")
    if arguments.has("verify") { return try verify(arguments, session) }
    for option in ["training", "tighter"] where arguments.has(option) {
      throw CommandLineError("converge: --\(option) goes with --verify")
    }
    guard let file = arguments.optionalArgument("STRUCTURE") else {
      throw CommandLineError(
        "converge: STRUCTURE is missing (or --verify N --training FILE); "
          + "see polymorph converge --help")
    }
    guard session.communicator.size == 1 else {
      throw CommandLineError(
        "converge: found \(session.communicator.size) ranks, allowed: 1; one calculation follows from "
          + "the others: give the program its processes in 'command:'")
    }
    let displacement = try Displacement(arguments)
    let output = arguments.option("output") ?? "reference.yaml"
    guard
      URL(fileURLWithPath: output).standardizedFileURL.resolvingSymlinksInPath()
        != URL(fileURLWithPath: path).standardizedFileURL.resolvingSymlinksInPath()
    else {
      throw CommandLineError("converge: --output would replace \(path); choose another name")
    }
    try checkFolder(of: output)
    let reference = try AdjustableReference(arguments, path)
    let given = try structure(file, arguments, reference)
    let structure = displacement?.applied(to: given) ?? given
    let limits = try limits(arguments, reference.program)
    let search = ConvergenceSearch(
      of: structure, with: reference.program, thresholds: try thresholds(arguments),
      largestCutoff: limits.cutoff, smallestKSpacing: limits.kSpacing)
    var study = ConvergenceStudy(
      structure: structure, displacement: displacement, search: search, unit: reference.unit)
    try study.run(reference, session, isTold: !arguments.has("json"))
    return try report(study, reference, output, arguments, session)
  }

  /// The numbers come before the file, so that they are not lost where that cannot be written after all.
  private static func report(
    _ study: ConvergenceStudy, _ reference: AdjustableReference, _ output: String,
    _ arguments: ParsedArguments, _ session: Session
  ) throws -> ExitStatus {
    let isJSON = arguments.has("json")
    let answer = study.answer
    if isJSON {
      session.say(study.json(answer: answer, output: output))
    } else {
      study.table().forEach { session.say($0) }
    }
    guard let answer else {
      session.warn(study.advice(directory: reference.directory))
      return .failed
    }
    if !isJSON { session.say("\nconverged: \(reference.text(answer))") }
    fflush(nil)
    let comments = study.comments(
      engine: arguments.argument("ENGINE.yaml"), structure: arguments.argument("STRUCTURE"))
    let text = reference.block.text(
      with: reference.program.with(answer), comments: comments, at: output)
    try AtomicFile.write(text, to: output)
    if !isJSON { session.say("written to \(output)") }
    return .done
  }

  // Input.

  /// Refuses a place that nothing can be written to: calculations may take hours.
  private static func checkFolder(of output: String) throws(CommandLineError) {
    let files = FileManager.default
    var isFolder: ObjCBool = false
    guard !files.fileExists(atPath: output, isDirectory: &isFolder) || !isFolder.boolValue else {
      throw CommandLineError("converge: --output: found the folder '\(output)', allowed: a file")
    }
    let folder = URL(fileURLWithPath: output).deletingLastPathComponent().path
    guard files.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue,
      files.isWritableFile(atPath: folder)
    else {
      throw CommandLineError(
        "converge: --output: found '\(output)', allowed: a file in a folder that exists and can be "
          + "written to")
    }
  }

  private static func thresholds(
    _ arguments: ParsedArguments
  ) throws(CommandLineError) -> ConvergenceThresholds {
    ConvergenceThresholds(
      energyPerAtom: (try arguments.positiveNumber("energy") ?? 20) / 1000,
      pressureGigapascals: try arguments.positiveNumber("pressure") ?? 1,
      force: try arguments.positiveNumber("force") ?? 0.3)
  }

  private static func limits(
    _ arguments: ParsedArguments, _ program: any AdjustableProgram
  ) throws(CommandLineError) -> (cutoff: Double?, kSpacing: Double?) {
    let start = program.accuracy
    let cutoffs = start.cutoff...max(start.cutoff, program.allowedCutoffs.upperBound)
    let spacings = min(start.kSpacing, program.allowedKSpacings.lowerBound)...start.kSpacing
    return (
      try arguments.number("largest-cutoff", in: cutoffs),
      try arguments.number("smallest-k-spacing", in: spacings)
    )
  }

  private static func structure(
    _ path: String, _ arguments: ParsedArguments, _ reference: AdjustableReference
  ) throws -> Structure {
    let records = try StructureInput(arguments).records(path)
    let count = records.count
    let index = try arguments.integer("index", in: -count...count)
    guard index != 0 else {
      throw CommandLineError("converge: --index: found '0', allowed: 1 to \(count)")
    }
    guard count == 1 || index != nil else {
      throw CommandLineError(
        "converge: \(path): found \(count) structures, allowed: one; choose it with --index")
    }
    let place = index ?? 1
    let structure = records[place > 0 ? place - 1 : count + place].structure
    try reference.check([structure], path)
    return structure
  }
}
