import Crystal
import NumericalCore
import Potential

/// How atoms are moved.
public struct MolecularDynamicsSettings: Sendable, Hashable {
  /// The time step in fs.
  public var timeStep: Double
  /// What is kept while they move.
  public var ensemble: Ensemble
  /// Where the noise of Langevin's equation comes from.
  public var seed: UInt64
  /// At steps divisible by this number what was found out about neighbors is given up, so that a state of
  /// such a step goes on with the same bits.
  public var renewalInterval = 1000
  /// The dynamics have exploded where an atom moves farther in one step, in Å.
  public var largestMove = 0.5
  /// They have exploded, too, where opposite faces of a moving cell come closer, in Å: each atom would have
  /// countless images of its own as neighbors.
  public var smallestHeight = 1.5

  /// Creates settings.
  ///
  /// - Parameters:
  ///   - timeStep: In fs; positive.
  ///   - ensemble: What is kept.
  ///   - seed: Where noise comes from.
  public init(timeStep: Double, ensemble: Ensemble, seed: UInt64 = 0) {
    precondition(timeStep > 0 && timeStep.isFinite, "a time step is positive")
    self.timeStep = timeStep
    self.ensemble = ensemble
    self.seed = seed
  }
}

/// How molecular dynamics ended, or why they were left off.
public enum DynamicsOutcome: Sendable, Hashable, CustomStringConvertible {
  /// All steps were taken.
  case finished
  /// The monitor stopped them.
  case stopped
  /// An atom moved too far in one step, or the cell became flat.
  case exploded(reason: String)
  /// The potential gave no result.
  case failed(reason: String)

  /// One phrase for logs.
  public var description: String {
    switch self {
    case .finished: "finished"
    case .stopped: "stopped"
    case .exploded(let reason): "exploded: \(reason)"
    case .failed(let reason): "failed: \(reason)"
    }
  }
}

/// An instant of molecular dynamics, as a monitor sees it.
public struct DynamicsStep: Sendable {
  /// Atoms, velocities, cell; its `step` counts from 1.
  public let state: DynamicalState
  /// Energy, forces and stress of the atoms.
  public let evaluation: Evaluation
  /// What the ensemble conserves at a constant temperature, in eV; see `MolecularDynamics`.
  public let conservedEnergy: Double
}

/// Moves the atoms of a structure by Newton's equations of motion.
///
/// The steps are a function of settings, potential and state alone; a state of a step divisible by
/// `renewalInterval` goes on with the same bits, in this process or another one.
public struct MolecularDynamics {
  /// How atoms are moved.
  public let settings: MolecularDynamicsSettings
  /// Where they are.
  public private(set) var state: DynamicalState
  private let potential: any InteratomicPotential
  private var series: any EvaluationSeries
  private var evaluation: Evaluation?
  /// Whether the evaluation is the first of its series.
  private var isRenewed = false
  /// 1/m in Å²/(eV fs²).
  private let inverseMasses: [Double]
  /// Memory for the normal numbers of a step.
  private var noise: [Double] = []

  /// Prepares molecular dynamics; nothing is evaluated yet.
  ///
  /// - Parameters:
  ///   - state: Where to start or to go on; for an isobaric ensemble a bulk structure.
  ///   - potential: Energies, forces and stresses.
  ///   - settings: How atoms are moved.
  public init(
    _ state: DynamicalState, with potential: any InteratomicPotential,
    settings: MolecularDynamicsSettings
  ) {
    if case .isobaric = settings.ensemble {
      precondition(state.structure.periodicity == .full, "pressure is that of a bulk structure")
    }
    self.state = state
    self.potential = potential
    self.settings = settings
    series = potential.series()
    if case .langevin = settings.ensemble {
      noise = [Double](repeating: 0, count: 3 * state.structure.atomCount)
    }
    inverseMasses = state.structure.species.map {
      1 / ($0.mass * PhysicalConstants.electronvoltsPerDynamicalUnit)
    }
  }

  /// Takes steps.
  ///
  /// - Parameters:
  ///   - steps: How many.
  ///   - monitor: Called after every step; whether to go on.
  /// - Returns: How it ended; after a failure the state is that of the last whole step.
  public mutating func advance(
    by steps: Int, monitor: (DynamicsStep) -> Bool = { _ in true }
  ) -> DynamicsOutcome {
    for _ in 0..<steps {
      let before = state
      do {
        let forces = try currentEvaluation()
        let evaluation = try step(from: forces)
        self.evaluation = evaluation
        isRenewed = false
        let step = DynamicsStep(
          state: state, evaluation: evaluation,
          conservedEnergy: conservedEnergy(potentialEnergy: evaluation.energy))
        guard monitor(step) else { return .stopped }
      } catch {
        state = before
        self.evaluation = nil
        switch error {
        case .exploded(let reason): return .exploded(reason: reason)
        case .potential(let error): return .failed(reason: error.description)
        }
      }
    }
    return .finished
  }

  private enum Interruption: Error {
    case exploded(String)
    case potential(PotentialError)
  }

  private mutating func currentEvaluation() throws(Interruption) -> Evaluation {
    let renews = state.step.isMultiple(of: settings.renewalInterval) && !isRenewed
    if let evaluation, !renews { return evaluation }
    series = potential.series()
    let evaluation = try evaluate()
    self.evaluation = evaluation
    isRenewed = true
    return evaluation
  }

  private mutating func evaluate() throws(Interruption) -> Evaluation {
    let evaluation: Evaluation
    do { evaluation = try series.evaluation(of: state.structure) } catch {
      throw .potential(error)
    }
    guard evaluation.isFinite() else {
      throw .potential(.notFinite("energy, forces or stress in step \(state.step + 1)"))
    }
    return evaluation
  }
}

// MARK: One step

extension MolecularDynamics {
  private mutating func step(from evaluation: Evaluation) throws(Interruption) -> Evaluation {
    let result: Evaluation
    switch settings.ensemble {
    case .microcanonical:
      result = try verletStep(evaluation)
    case .langevin(let ramp, let relaxationTime):
      result = try langevinStep(evaluation, ramp.thermalEnergy(at: state.step), relaxationTime)
    case .noseHoover(let ramp, let period):
      let coupling = ThermostatChain.Coupling(
        thermalEnergy: ramp.thermalEnergy(at: state.step),
        degreesOfFreedom: state.degreesOfFreedom, period: period)
      moveThermostat(coupling)
      result = try verletStep(evaluation)
      moveThermostat(coupling)
    case .isobaric(let settings):
      result = try isobaricStep(evaluation, settings)
    }
    state.step += 1
    return result
  }

  private mutating func verletStep(_ evaluation: Evaluation) throws(Interruption) -> Evaluation {
    kick(evaluation.forces)
    try drift(settings.timeStep)
    let next = try evaluate()
    kick(next.forces)
    return next
  }

  private mutating func langevinStep(
    _ evaluation: Evaluation, _ thermalEnergy: Double, _ relaxationTime: Double
  ) throws(Interruption) -> Evaluation {
    kick(evaluation.forces)
    try drift(settings.timeStep / 2)
    let before = state.kineticEnergy
    let decay = exponential(-settings.timeStep / relaxationTime)
    let spread = ((1 - decay * decay) * thermalEnergy).squareRoot()
    var random = RandomStream(
      seed: settings.seed, purpose: .dynamics, slot: UInt64(state.step) + 1)
    random.fillWithNormals(&noise)
    for i in state.velocities.indices {
      let push = Vector3(noise[3 * i], noise[3 * i + 1], noise[3 * i + 2])
      state.velocities[i] =
        decay * state.velocities[i] + (spread * inverseMasses[i].squareRoot()) * push
    }
    // With one friction for all, what is left without the total momentum is canonical, too.
    state.removeMomentum()
    state.heatLost += before - state.kineticEnergy
    try drift(settings.timeStep / 2)
    let next = try evaluate()
    kick(next.forces)
    return next
  }

  private mutating func moveThermostat(_ coupling: ThermostatChain.Coupling) {
    let factor = state.thermostat.propagate(
      settings.timeStep / 2, kineticEnergy: state.kineticEnergy, coupling)
    state.scaleVelocities(by: factor)
  }

  /// Half a step of velocities by forces in eV/Å.
  private mutating func kick(_ forces: [Vector3]) {
    let time = settings.timeStep / 2
    for i in forces.indices { state.velocities[i] += (time * inverseMasses[i]) * forces[i] }
  }

  /// Positions by velocities for a time in fs.
  private mutating func drift(_ time: Double) throws(Interruption) {
    try checkMoves()
    var positions = state.structure.positions
    for i in positions.indices { positions[i] += time * state.velocities[i] }
    state.structure = state.structure.replacing(positions: positions)
  }

  private func checkMoves() throws(Interruption) {
    for (i, velocity) in state.velocities.enumerated() {
      let move = velocity.length * settings.timeStep
      guard move <= settings.largestMove else {
        throw .exploded("atom \(i + 1) would move \(move) Å in step \(state.step + 1)")
      }
    }
  }
}

// MARK: Moving cells

extension MolecularDynamics {
  /// The mass of the cell in eV fs².
  private func cellMass(_ isobaric: IsobaricSettings) -> Double {
    Double(state.degreesOfFreedom + 3) * isobaric.temperature.thermalEnergy(at: state.step)
      * isobaric.cellPeriod * isobaric.cellPeriod / 3
  }

  private func couplings(
    _ isobaric: IsobaricSettings
  ) -> (atoms: ThermostatChain.Coupling, cell: ThermostatChain.Coupling) {
    let thermalEnergy = isobaric.temperature.thermalEnergy(at: state.step)
    func coupling(_ degreesOfFreedom: Int) -> ThermostatChain.Coupling {
      ThermostatChain.Coupling(
        thermalEnergy: thermalEnergy, degreesOfFreedom: degreesOfFreedom,
        period: isobaric.thermostatPeriod)
    }
    return (coupling(state.degreesOfFreedom), coupling(isobaric.degreesOfFreedom))
  }

  /// A step of atoms and cell, see `IsobaricSettings`.
  private mutating func isobaricStep(
    _ evaluation: Evaluation, _ isobaric: IsobaricSettings
  ) throws(Interruption) -> Evaluation {
    let mass = cellMass(isobaric)
    let couplings = couplings(isobaric)
    moveCellThermostat(couplings.cell, mass)
    moveThermostat(couplings.atoms)
    kickCell(evaluation, isobaric, mass)
    try kickInCell(evaluation.forces)
    try driftWithCell()
    let next = try evaluate()
    try kickInCell(next.forces)
    kickCell(next, isobaric, mass)
    moveThermostat(couplings.atoms)
    moveCellThermostat(couplings.cell, mass)
    return next
  }

  private mutating func moveCellThermostat(_ coupling: ThermostatChain.Coupling, _ mass: Double) {
    let factor = state.cellThermostat.propagate(
      settings.timeStep / 2, kineticEnergy: cellEnergy(mass), coupling)
    state.strainRate = factor * state.strainRate
  }

  private func cellEnergy(_ mass: Double) -> Double {
    let norm = state.strainRate.frobeniusNorm
    return mass * norm * norm / 2
  }

  /// Half a step of the strain rate by the difference of inner and outer pressure.
  private mutating func kickCell(
    _ evaluation: Evaluation, _ isobaric: IsobaricSettings, _ mass: Double
  ) {
    let kinetic = state.kineticTensor()
    let correction =
      kinetic.trace / Double(state.degreesOfFreedom) - isobaric.pressure * state.structure.volume
    var drive = (kinetic - evaluation.virial).symmetrized + correction * Matrix3.identity
    if isobaric.cell == .isotropic { drive = (drive.trace / 3) * Matrix3.identity }
    state.strainRate += (settings.timeStep / (2 * mass)) * drive
  }

  /// Half a step of velocities by forces and by the motion of the cell.
  private mutating func kickInCell(_ forces: [Vector3]) throws(Interruption) {
    let time = settings.timeStep / 2
    let rate =
      state.strainRate
      + (state.strainRate.trace / Double(state.degreesOfFreedom)) * Matrix3.identity
    let principal = try principalRates(rate)
    let decay = principal.function { exponential(-$0 * time) }
    let push = principal.function { time * Self.meanExponential(-$0 * time) }
    for i in forces.indices {
      state.velocities[i] =
        state.velocities[i] * decay + (inverseMasses[i] * forces[i]) * push
    }
  }

  /// A step of positions and cell.
  private mutating func driftWithCell() throws(Interruption) {
    try checkMoves()
    let time = settings.timeStep
    let principal = try principalRates(state.strainRate)
    let growth = principal.function { exponential($0 * time) }
    let push = principal.function { time * Self.meanExponential($0 * time) }
    let structure = state.structure
    let positions = zip(structure.positions, state.velocities).map { $0 * growth + $1 * push }
    do {
      state.structure = try Structure(
        lattice: Lattice(structure.lattice.vectors * growth), periodicity: structure.periodicity,
        species: structure.species, positions: positions)
    } catch { throw .exploded("the cell in step \(state.step + 1): \(error)") }
    let heights = state.structure.lattice.heights
    let height = min(heights.x, heights.y, heights.z)
    guard height >= settings.smallestHeight else {
      throw .exploded("the cell is \(height) Å high in step \(state.step + 1)")
    }
  }

  private func principalRates(_ rate: Matrix3) throws(Interruption) -> PrincipalValues {
    do { return try PrincipalValues(of: rate) } catch {
      throw .exploded("the strain rate of the cell in step \(state.step + 1): \(error)")
    }
  }

  /// (exp x − 1)/x.
  private static func meanExponential(_ x: Double) -> Double {
    x == 0 ? 1 : exponentialMinusOne(x) / x
  }
}

// MARK: What is conserved

extension MolecularDynamics {
  /// The energy of atoms, thermostats and cell in eV, with the heat that noise and friction took.
  private func conservedEnergy(potentialEnergy: Double) -> Double {
    let energy = potentialEnergy + state.kineticEnergy
    switch settings.ensemble {
    case .microcanonical: return energy
    case .langevin: return energy + state.heatLost
    case .noseHoover(let ramp, let period):
      let coupling = ThermostatChain.Coupling(
        thermalEnergy: ramp.thermalEnergy(at: state.step),
        degreesOfFreedom: state.degreesOfFreedom, period: period)
      return energy + state.thermostat.energy(coupling)
    case .isobaric(let isobaric):
      let couplings = couplings(isobaric)
      return energy + state.thermostat.energy(couplings.atoms)
        + state.cellThermostat.energy(couplings.cell) + cellEnergy(cellMass(isobaric))
        + isobaric.pressure * state.structure.volume
    }
  }
}
