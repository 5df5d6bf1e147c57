import Coordinator
import Crystal
import ReferenceEngines

/// The program of a `reference:` block whose cutoff and k-points can be changed, with the place where it
/// computes.
struct AdjustableReference {
  let block: ReferenceBlock
  private let settings: ReferenceSettings
  let method: ExternalMethod
  let program: any AdjustableProgram
  let directory: String
  let isAgain: Bool

  /// Reads the block.
  ///
  /// - Throws: `SettingsError` where it is wrong or its program is not installed, `InputError` where it is of
  ///   another kind.
  init(_ arguments: ParsedArguments, _ path: String) throws {
    block = try ReferenceBlock(path: path)
    settings = try ReferenceSettings(path: path)
    guard case .external(let method) = settings.model,
      let program = method.program as? any AdjustableProgram
    else {
      throw InputError(
        "\(path): found \(settings.summary.prefix { $0 != ":" }), allowed: espresso, cp2k, vasp; "
          + "only their numbers depend on a cutoff and k-points that can be changed here")
    }
    if let problem = method.problem { throw problem }
    self.method = method
    self.program = program
    directory = arguments.option("directory") ?? "converge"
    isAgain = arguments.has("again")
  }

  var unit: CutoffUnit { program.cutoffUnit }

  /// Refuses structures that the program cannot treat.
  func check(_ structures: [Structure], _ path: String) throws {
    guard structures.allSatisfy({ $0.periodicity == .full && $0.atomCount > 0 }) else {
      throw InputError(
        "\(path): found a structure that does not repeat in all directions, allowed: crystals")
    }
    let elements = Set(structures.flatMap(\.species)).sorted()
    if elements.contains(where: { $0.unnamedType != nil }) {
      throw InputError(
        "\(path): found numbered species, allowed: elements; name them in order: --elements A,B")
    }
    if let known = method.elements, let other = elements.first(where: { !known.contains($0) }) {
      throw InputError(
        "\(path): found \(other), allowed: \(known.map(\.symbol).joined(separator: ", ")), the "
          + "elements of '\(method.elementsKey):'")
    }
    do { try (program as? VASPProgram)?.check(elements) } catch {
      throw InputError("\(error)")
    }
  }

  /// The engine at a cutoff and k-points.
  ///
  /// - Throws: `SettingsError` with the place of the command where the program does not work.
  func engine(at accuracy: CalculationAccuracy) throws -> ExternalEngine {
    try settings.externalEngine(
      ExternalMethod(program.with(accuracy), limits: method.limits), folder: directory)
  }

  func text(_ accuracy: CalculationAccuracy) -> String {
    "cutoff \(short(accuracy.cutoff, 6)) \(unit.rawValue), "
      + "k_spacing \(short(accuracy.kSpacing, 6)) 1/Å"
  }
}
