import Potential

/// `--repulsion INNER,OUTER` or `--repulsion none`: what is added to a potential at short range.
enum RepulsionOption {
  /// As the potential has it.
  case kept
  /// Another one, or none.
  case changed(ShortRangeRepulsion?)

  /// Reads the option.
  init(_ arguments: ParsedArguments) throws {
    guard arguments.option("repulsion") != "none" else {
      self = .changed(nil)
      return
    }
    guard let numbers = try arguments.numbers("repulsion", count: 2) else {
      self = .kept
      return
    }
    do {
      self = .changed(try ShortRangeRepulsion(inner: numbers[0], outer: numbers[1]))
    } catch { throw CommandLineError("train: --repulsion: \(error)") }
  }

  /// The potential with the repulsion that is asked for.
  func applied(to potential: MomentTensorPotential) throws -> MomentTensorPotential {
    guard case .changed(let repulsion) = self else { return potential }
    do { return try potential.with(repulsion: repulsion) } catch {
      throw CommandLineError("train: --repulsion: \(error)")
    }
  }
}
