import Coordinator
import Crystal
import NumericalCore
import Potential
import StructureFormats

/// The potential and the structures of a command line: `POT STRUCTURES`.
///
/// POT is a file or a level: coefficients do not change the time, so a moment tensor potential that
/// nobody has trained is as good for a benchmark.
struct PotentialChoice {
  static let arguments = ["POT", "STRUCTURES"]
  static let options = [
    Syntax.Option("cutoff", "Å", "cutoff radius where POT is a level; default 5"),
    .init("minimum-distance", "Å", "inner end of its radial basis; default 1.9"),
    .init("repulsion", nil, "adds the short-range repulsion that searches use"),
  ]

  let file: PotentialFile
  let structures: [Structure]

  /// The atoms of all structures.
  var atomCount: Int { structures.reduce(0) { $0 + $1.atomCount } }

  /// Reads what the command line names.
  init(_ arguments: Arguments) throws {
    let word = arguments.argument("POT")
    let path = arguments.argument("STRUCTURES")
    let cutoff = try arguments.positiveNumber("cutoff")
    let distance = try arguments.positiveNumber("minimum-distance")
    let chosen: PotentialFile
    if let level = Int(word) {
      structures = try Self.structures(path, elements: nil)
      chosen = .momentTensor(
        try Self.untrained(level, for: structures, cutoff: cutoff ?? 5, distance: distance ?? 1.9))
    } else {
      if cutoff != nil || distance != nil {
        throw WrongCommandLine("--cutoff and --minimum-distance are for a level, not for a file")
      }
      chosen = try PotentialFile(path: word)
      let elements = chosen.potential.elements
      structures = try Self.structures(
        path, elements: elements.allSatisfy { $0.unnamedType == nil } ? elements : nil)
    }
    file = arguments.has("repulsion") ? try Self.repelling(chosen) : chosen
  }

  private static func repelling(_ file: PotentialFile) throws -> PotentialFile {
    guard case .momentTensor(let potential) = file else {
      throw WrongCommandLine("--repulsion is for moment tensor potentials")
    }
    return .momentTensor(try potential.with(repulsion: .standard))
  }

  private static func structures(_ path: String, elements: [ChemicalElement]?) throws -> [Structure]
  {
    let records = try StructureFile.read(path, elements: elements)
    guard !records.isEmpty else { throw WrongCommandLine("\(path): holds no structure") }
    return records.map(\.structure)
  }

  // The start of a training, with basis functions that all contribute.
  private static func untrained(
    _ level: Int, for structures: [Structure], cutoff: Double, distance: Double
  ) throws -> MomentTensorPotential {
    guard MomentTensorBasis.levels.contains(level), level.isMultiple(of: 2) else {
      throw WrongCommandLine(
        "POT: found '\(level)', allowed: a file, or an even level from 2 to 28")
    }
    var potential = try MomentTensorPotential(
      basis: MomentTensorBasis(level: level),
      radialBasis: RadialBasis(size: 8, minimumDistance: distance, cutoff: cutoff, scaling: 0.01),
      elements: Set(structures.flatMap(\.species)).sorted())
    var stream = RandomStream(seed: 1, purpose: .trainingStart)
    for index in potential.radialParameterCount..<potential.parameterCount {
      potential.parameters[index] = stream.uniform(-1e-3, 1e-3)
    }
    return potential
  }
}
