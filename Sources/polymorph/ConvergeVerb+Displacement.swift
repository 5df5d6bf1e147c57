import Crystal
import NumericalCore

extension ConvergeVerb {
  /// How atoms are moved off their places of rest: what `--rattle` and `--seed` say.
  struct Displacement {
    /// The standard deviation of every coordinate in Å.
    let size: Double
    let seed: Int

    /// Reads the options; `nil` where atoms stay.
    init?(_ arguments: ParsedArguments) throws(CommandLineError) {
      let seed = try arguments.integer("seed", in: 0...Int.max)
      guard let size = try arguments.positiveNumber("rattle") else {
        guard seed == nil else { throw CommandLineError("converge: --seed goes with --rattle") }
        return nil
      }
      self.size = size
      self.seed = seed ?? 1
    }

    /// A structure with its atoms moved.
    func applied(to structure: Structure) -> Structure {
      var random = RandomStream(seed: UInt64(seed), purpose: .displacement)
      return structure.replacing(
        positions: structure.positions.map { position in
          position + size * Vector3(random.normal(), random.normal(), random.normal())
        })
    }
  }
}
