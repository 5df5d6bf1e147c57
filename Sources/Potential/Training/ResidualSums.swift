import NumericalCore

/// Sums of squared errors of energies, forces and stresses over a training set.
public struct ResidualSums: Sendable, Hashable {
  /// One quantity's sum and number of terms.
  public struct Sum: Sendable, Hashable {
    /// The sum of squares.
    public internal(set) var square = 0.0
    /// The number of terms.
    public internal(set) var count = 0

    /// The root mean square; `nil` without terms.
    public var rootMeanSquare: Double? {
      count > 0 ? (square / Double(count)).squareRoot() : nil
    }

    mutating func add(_ error: Double, times: Int = 1) {
      square += Double(times) * error * error
      count += times
    }

    mutating func add(_ other: Sum) {
      square += other.square
      count += other.count
    }
  }

  /// Energies in eV/atom.
  public internal(set) var energyPerAtom = Sum()
  /// Force components in eV/Å.
  public internal(set) var force = Sum()
  /// The nine stress components in GPa.
  public internal(set) var stress = Sum()

  mutating func merge(_ other: ResidualSums) {
    energyPerAtom.add(other.energyPerAtom)
    force.add(other.force)
    stress.add(other.stress)
  }
}

extension ResidualSums: ByteCodable {
  /// Appends all sums.
  public func encode(to encoder: inout ByteEncoder) {
    for sum in [energyPerAtom, force, stress] {
      encoder.encode(sum.square)
      encoder.encode(sum.count)
    }
  }

  /// Reads all sums.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    self.init()
    energyPerAtom = Sum(
      square: try decoder.decode(Double.self), count: try decoder.decode(Int.self))
    force = Sum(square: try decoder.decode(Double.self), count: try decoder.decode(Int.self))
    stress = Sum(square: try decoder.decode(Double.self), count: try decoder.decode(Int.self))
  }
}

/// How a training stood after an accepted step.
public struct TrainingStep: Sendable {
  /// Trials made so far, accepted or not, all levels.
  public let trials: Int
  /// The loss.
  public let loss: Double
  /// Errors on the training set.
  public let errors: ResidualSums
  /// Seconds since the training began.
  public internal(set) var seconds = 0.0
}
