import Crystal
import NumericalCore

/// Atoms, and where needed thermostats and a cell, in motion: all that the steps to come depend on.
public struct DynamicalState: Sendable, Hashable {
  /// Where the atoms are, not wrapped into the cell.
  public internal(set) var structure: Structure
  /// How fast they move, in Å/fs.
  public internal(set) var velocities: [Vector3]
  /// How many steps were taken.
  public internal(set) var step: Int
  /// The energy in eV that friction and noise took so far.
  public internal(set) var heatLost: Double
  /// The rate of the cell's strain in 1/fs, symmetric.
  public internal(set) var strainRate: Matrix3
  var thermostat = ThermostatChain()
  var cellThermostat = ThermostatChain()
  /// In amu.
  private let masses: [Double]

  /// A state whose thermostats and cell are at rest.
  ///
  /// - Parameters:
  ///   - structure: At least two atoms.
  ///   - velocities: In Å/fs, one for each atom; their total momentum is taken away.
  ///   - step: The number of the step.
  public init(_ structure: Structure, velocities: [Vector3], step: Int = 0) {
    precondition(velocities.count == structure.atomCount, "every atom has a velocity")
    precondition(structure.atomCount > 1, "a single atom has no motion of its own")
    self.structure = structure
    self.velocities = velocities
    self.step = step
    heatLost = 0
    strainRate = .zero
    masses = structure.species.map(\.mass)
    removeMomentum()
  }

  /// A state with velocities drawn from Maxwell's distribution, without total momentum, scaled so that the
  /// temperature is met.
  ///
  /// - Parameters:
  ///   - structure: At least two atoms.
  ///   - temperature: In K; not negative.
  ///   - seed: Where the velocities come from.
  ///   - step: The number of the step; others have other velocities.
  public init(_ structure: Structure, temperature: Double, seed: UInt64, step: Int = 0) {
    precondition(temperature >= 0 && temperature.isFinite, "a temperature is not negative")
    // The first attempt of a slot is the noise of a step.
    var random = RandomStream(seed: seed, purpose: .dynamics, slot: UInt64(step), attempt: 1)
    let velocities = structure.species.map { element in
      (1 / element.mass.squareRoot()) * Vector3(random.normal(), random.normal(), random.normal())
    }
    self.init(structure, velocities: velocities, step: step)
    let drawn = self.temperature
    if drawn > 0 { scaleVelocities(by: (temperature / drawn).squareRoot()) }
  }

  /// The same atoms and velocities, thermostats and cell at rest: where another ensemble begins.
  public func settled() -> DynamicalState { settled(at: step) }

  /// The same with another number of its step.
  func settled(at step: Int) -> DynamicalState {
    DynamicalState(structure, velocities: velocities, step: step)
  }

  /// The number of degrees of freedom: three for each atom but for the total momentum.
  public var degreesOfFreedom: Int { 3 * structure.atomCount - 3 }

  /// Σ m v ⊗ v in eV, twice the kinetic energy as a tensor.
  ///
  /// - Complexity: O(N)
  public func kineticTensor() -> Matrix3 {
    var sum = Matrix3.zero
    for (mass, v) in zip(masses, velocities) { sum += mass * Matrix3.outer(v, v) }
    return PhysicalConstants.electronvoltsPerDynamicalUnit * sum
  }

  /// The kinetic energy in eV.
  ///
  /// - Complexity: O(N)
  public var kineticEnergy: Double {
    var sum = 0.0
    for (mass, v) in zip(masses, velocities) { sum += mass * v.squaredLength }
    return PhysicalConstants.electronvoltsPerDynamicalUnit * sum / 2
  }

  /// The temperature in K that belongs to the kinetic energy.
  ///
  /// - Complexity: O(N)
  public var temperature: Double {
    2 * kineticEnergy / (Double(degreesOfFreedom) * PhysicalConstants.boltzmann)
  }

  /// The pressure tensor (Σ m v ⊗ v − ∂E/∂ε)/V in eV/Å³, of the moving atoms.
  ///
  /// - Complexity: O(N)
  public func pressureTensor(_ evaluation: Evaluation) -> Matrix3 {
    (1 / structure.volume) * (kineticTensor() - evaluation.virial)
  }

  mutating func removeMomentum() {
    var (momentum, total) = (Vector3.zero, 0.0)
    for (mass, v) in zip(masses, velocities) {
      momentum += mass * v
      total += mass
    }
    let drift = momentum / total
    for i in velocities.indices { velocities[i] -= drift }
  }

  mutating func scaleVelocities(by factor: Double) {
    for i in velocities.indices { velocities[i] = factor * velocities[i] }
  }
}

extension DynamicalState: ByteCodable {
  /// Appends all that the steps to come depend on.
  public func encode(to encoder: inout ByteEncoder) {
    encoder.encode(structure)
    encoder.encode(velocities)
    encoder.encode(step)
    encoder.encode(heatLost)
    encoder.encode(strainRate)
    encoder.encode(thermostat)
    encoder.encode(cellThermostat)
  }

  /// Reads a state.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    structure = try decoder.decode(Structure.self)
    velocities = try decoder.decode([Vector3].self)
    step = try decoder.decode()
    heatLost = try decoder.decode()
    strainRate = try decoder.decode(Matrix3.self)
    thermostat = try decoder.decode(ThermostatChain.self)
    cellThermostat = try decoder.decode(ThermostatChain.self)
    masses = structure.species.map(\.mass)
    guard velocities.count == structure.atomCount, structure.atomCount > 1 else {
      throw .invalid("\(velocities.count) velocities of \(structure.atomCount) atoms")
    }
  }
}
