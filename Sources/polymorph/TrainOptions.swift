import Foundation
import NumericalCore
import Potential

/// The starts of a training that a command line asks for.
struct TrainingStarts {
  /// What a fit aims at and when it ends: the options of all verbs that fit, beside `pressure`.
  static let lossOptions: [CommandSyntax.Option] = [
    .init("weights", "E,F,S", "weights of energy, force and stress; default 1,0.01,0.001"),
    .init("scaling", "WORD", "vibrations (default), structures or molecules"),
    .init("force-cap", "eV/Å", "leaves out structures with a larger force; default: none"),
    .init(
      "robust-force", "eV/Å",
      "F₀: divides the force weight of a structure by 1 + F²/F₀² of its RMS force; default: none"
    ),
    .init(
      "robust-energy", "eV/atom",
      "E₀: divides the weights of a structure by 1 + ΔH²/E₀² of its enthalpy ΔH above the lowest of its "
        + "composition; default: none"
    ),
    .init(
      "energy-window", "eV/atom",
      "leaves out structures whose enthalpy is so far above the lowest of their composition; default: none"
    ),
    .init("trials", "N", "most steps of a fit, at each level; default 100"),
  ]

  /// Each with the settings of its fit.
  let settings: [TrainingSettings]
  /// Whether every start gives a potential of its own, not the best one.
  let isEnsemble: Bool

  /// Reads the options.
  init(_ arguments: ParsedArguments) throws {
    var settings = try Self.common(arguments)
    let seed = try arguments.integer("seed", in: 0...Int.max)
    let starts = try arguments.integer("starts", in: 1...1000)
    let members = try arguments.integer("ensemble", in: 2...1000)
    let level = try arguments.integer("level", in: 2...28) ?? 12
    if arguments.has("start") {
      for option in ["seed", "starts", "ensemble", "continuation"] where arguments.has(option) {
        throw CommandLineError("train: --start and --\(option) exclude each other")
      }
      settings.start = .current
      // A refit begins at a minimum of nearly the same data.
      settings.tolerance = 1e-3
      self.settings = [settings]
      isEnsemble = false
      return
    }
    guard starts == nil || members == nil else {
      throw CommandLineError("train: --starts and --ensemble exclude each other")
    }
    if arguments.has("continuation") {
      settings.continuation = Array(stride(from: 8, to: level, by: 4))
    }
    isEnsemble = members != nil
    let first = seed ?? 1
    // Members of an ensemble are random, all of them; of several starts the first is not, unless a
    // seed is given.
    let random = (0..<(members ?? starts ?? 1)).map {
      TrainingStart.random(seed: UInt64(first + $0))
    }
    let all: [TrainingStart] =
      members != nil || seed != nil ? random : [.chebyshev] + random.dropLast()
    self.settings = all.map { start in
      var own = settings
      own.start = start
      return own
    }
  }

  /// What all starts share: the options of `lossOptions` and `pressure`.
  static func common(_ arguments: ParsedArguments) throws -> TrainingSettings {
    var settings = TrainingSettings.plain
    let weights = try arguments.numbers("weights", count: 3) ?? [1, 0.01, 0.001]
    let scaling =
      try arguments.word("scaling", as: TrainingWeights.Scaling.self) ?? .vibrations
    do {
      settings.weights = try TrainingWeights(
        energy: weights[0], force: weights[1], stress: weights[2], scaling: scaling)
    } catch { throw CommandLineError("\(arguments.verb): --weights: \(error)") }
    settings.forceCap = try arguments.positiveNumber("force-cap")
    settings.robustForce = try arguments.positiveNumber("robust-force")
    settings.robustEnergy = try arguments.positiveNumber("robust-energy")
    settings.pressure =
      try (arguments.number("pressure", in: -1000...10000) ?? 0)
      / PhysicalConstants.gigapascalsPerElectronvoltPerCubicAngstrom
    settings.energyWindow = try arguments.positiveNumber("energy-window")
    settings.maximumTrials = try arguments.integer("trials", in: 1...1_000_000) ?? 100
    // Level 16 of molybdenum lies on a plateau for twenty steps of some 5e-5 each.
    settings.tolerance = 1e-5
    return settings
  }
}

/// Tells on the standard error how a training stands: one line that renews itself on a terminal.
final class TrainingProgress {
  private let isTerminal = isatty(STDERR_FILENO) != 0
  private let isShown: Bool
  private let prefix: String

  /// Creates a reporter.
  ///
  /// - Parameters:
  ///   - isAsked: Whether lines are printed where the standard error is no terminal, too.
  ///   - prefix: What every line begins with.
  init(isAsked: Bool, prefix: String) {
    isShown = isAsked || isTerminal
    self.prefix = prefix
  }

  /// Tells of a step.
  func report(_ step: TrainingStep) {
    guard isShown else { return }
    var parts = ["\(prefix)trial \(step.trials)", String(format: "loss %.6f", step.loss)]
    if let energy = step.errors.energyPerAtom.rootMeanSquare {
      parts.append(String(format: "%.2f meV/atom", 1000 * energy))
    }
    if let force = step.errors.force.rootMeanSquare {
      parts.append(String(format: "%.4f eV/Å", force))
    }
    if let stress = step.errors.stress.rootMeanSquare {
      parts.append(String(format: "%.3f GPa", stress))
    }
    parts.append(String(format: "%.1f s", step.seconds))
    let line = parts.joined(separator: ", ")
    StandardError.write(isTerminal ? "\r\u{1B}[K" + line : line + "\n")
  }

  /// Ends the line.
  func finish() { if isShown, isTerminal { StandardError.write("\n") } }
}
