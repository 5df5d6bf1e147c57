import NumericalCore

/// A chain of Nosé–Hoover thermostats: the first acts on what it keeps at a temperature, each next one on
/// the one before it.
///
/// G. J. Martyna, M. E. Tuckerman, D. J. Tobias and M. L. Klein, Mol. Phys. 87, 1117 (1996),
/// doi:10.1080/00268979600100761, with a Suzuki–Yoshida scheme of third order.
struct ThermostatChain: Sendable, Hashable {
  /// Without a dimension.
  private(set) var positions: [Double]
  /// In 1/fs.
  private(set) var velocities: [Double]

  /// A chain at rest.
  ///
  /// - Parameter length: The number of thermostats.
  init(length: Int = 3) {
    positions = [Double](repeating: 0, count: length)
    velocities = positions
  }

  /// What a chain acts on, and how strongly.
  struct Coupling {
    /// k T in eV.
    let thermalEnergy: Double
    /// The number of degrees of freedom.
    let degreesOfFreedom: Int
    /// In fs.
    let period: Double

    /// The mass of a thermostat in eV fs².
    func mass(_ place: Int) -> Double {
      Double(place == 0 ? degreesOfFreedom : 1) * thermalEnergy * period * period
    }
  }

  private static let weights: [Double] = {
    let outer = 1 / (2 - 1.259_921_049_894_873_2)  // 2^(1/3)
    return [outer, 1 - 2 * outer, outer]
  }()

  /// Moves the chain.
  ///
  /// - Parameters:
  ///   - time: In fs; half a time step.
  ///   - kineticEnergy: Of what it acts on, in eV.
  ///   - coupling: What it acts on.
  /// - Returns: The factor by which velocities of what it acts on change.
  mutating func propagate(
    _ time: Double, kineticEnergy: Double, _ coupling: Coupling
  ) -> Double {
    var factor = 1.0
    let last = positions.count - 1
    for weight in Self.weights {
      let t = weight * time
      velocities[last] += force(last, factor * factor * kineticEnergy, coupling) * t / 2
      for j in stride(from: last - 1, through: 0, by: -1) {
        push(j, factor * factor * kineticEnergy, coupling, t)
      }
      factor *= exponential(-velocities[0] * t)
      for j in 0...last { positions[j] += velocities[j] * t }
      for j in 0..<last { push(j, factor * factor * kineticEnergy, coupling, t) }
      velocities[last] += force(last, factor * factor * kineticEnergy, coupling) * t / 2
    }
    return factor
  }

  private mutating func push(
    _ j: Int, _ kineticEnergy: Double, _ coupling: Coupling, _ time: Double
  ) {
    let drag = exponential(-velocities[j + 1] * time / 4)
    velocities[j] *= drag
    velocities[j] += force(j, kineticEnergy, coupling) * time / 2
    velocities[j] *= drag
  }

  private func force(_ j: Int, _ kineticEnergy: Double, _ coupling: Coupling) -> Double {
    let excess =
      j == 0
      ? 2 * kineticEnergy - Double(coupling.degreesOfFreedom) * coupling.thermalEnergy
      : coupling.mass(j - 1) * velocities[j - 1] * velocities[j - 1] - coupling.thermalEnergy
    return excess / coupling.mass(j)
  }

  /// Kinetic and potential energy of the chain in eV.
  func energy(_ coupling: Coupling) -> Double {
    var energy = 0.0
    for j in positions.indices {
      energy += coupling.mass(j) * velocities[j] * velocities[j] / 2
      energy +=
        Double(j == 0 ? coupling.degreesOfFreedom : 1) * coupling.thermalEnergy * positions[j]
    }
    return energy
  }
}

extension ThermostatChain: ByteCodable {
  func encode(to encoder: inout ByteEncoder) {
    encoder.encode(positions)
    encoder.encode(velocities)
  }

  init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    positions = try decoder.decode([Double].self)
    velocities = try decoder.decode([Double].self)
    guard !positions.isEmpty, positions.count == velocities.count else {
      throw .invalid(
        "a chain of \(positions.count) thermostats with \(velocities.count) velocities")
    }
  }
}
