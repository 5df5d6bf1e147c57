import Crystal
import NumericalCore
import Potential

/// An instant on the way through liquid and glass.
public struct MeltQuenchStep: Sendable {
  /// What happens to the structure.
  public let phase: MeltQuenchPhase
  /// The instant.
  public let dynamics: DynamicsStep
  /// Whether the frame is one of those to be trained on.
  public let isSampled: Bool
  /// Whether the liquid that was sampled before it froze, and sets out again here.
  public let isRestart: Bool
}

/// Melts a structure, finds the lowest temperature at which it flows and the volume without pressure, and
/// samples liquid, quench and annealed glass, and where that is asked for another quench under pressure.
///
/// A liquid that freezes while it is sampled sets out again with other velocities.
///
/// C. Hong et al., Phys. Rev. B 102, 224104 (2020). Five things differ. A structure that does not flow at the superheat is
/// heated further. Temperatures are tested at the wanted pressure instead of the volume of the start, of which
/// the temperature of freezing depends too much: that of a Lennard-Jones solid falls by two fifths where its
/// volume grows by a tenth. The volume of the liquid is the mean one of a run that goes on until the pressure is
/// known well enough; quench and anneal are isobaric, as glasses are denser than their melts; and what a crystal denser
/// than both is like is learnt from another quench under pressure.
///
/// Another potential may take over at any step: `state` is handed over. With the same potential a state of a
/// step divisible by `MolecularDynamicsSettings.renewalInterval`, or of the beginning of a phase, goes on with the same bits.
public struct MeltQuench {
  /// How the structure is treated.
  public let settings: MeltQuenchSettings
  /// How far it has come.
  public private(set) var state: MeltQuenchState
  private let potential: any InteratomicPotential
  private var run: MolecularDynamics?

  /// Prepares to begin or to go on; nothing is evaluated yet.
  ///
  /// - Parameters:
  ///   - state: How far the structure has come.
  ///   - potential: Energies, forces and stresses.
  ///   - version: A number of the potential: energies of two of them do not compare.
  ///   - settings: How it is treated; the same ones all the way.
  public init(
    _ state: MeltQuenchState, with potential: any InteratomicPotential, version: Int = 0,
    settings: MeltQuenchSettings
  ) {
    self.state = state
    self.state.take(potentialVersion: version)
    self.potential = potential
    self.settings = settings
  }

  /// As `MolecularDynamicsSettings.renewalInterval`.
  public static let renewalInterval = 1000

  /// How often hotter temperatures are tried where the superheat does not melt the structure.
  private static let hotterTests = 5
  /// Blocks of volumes are so long, in fs: longer than the cell remembers.
  private static let volumeBlock = 1000.0
  /// Melts are given so many times the volume of the glass without heat, and begin to find their own there.
  private static let thermalGrowth = 1.15
  /// A melt that grows beyond so many times the volume of the glass boils, and is held.
  private static let largestGrowth = 1.5
  /// A liquid that freezes so often in a row, before a volume is known or while it is sampled, is too cold.
  private static let mostFreezes = 10
  /// Atoms that move less than this part of the way that the liquid's did have frozen.
  private static let smallestFlow = 0.5

  /// Takes steps, through as many phases as they reach.
  ///
  /// - Parameters:
  ///   - steps: At most so many; fewer where everything is finished before.
  ///   - monitor: Called after every step; whether to go on.
  ///   - relaxing: The monitor of the one relaxation, which tells the volume of the glass; where it stops, the melt
  ///     keeps its own.
  /// - Returns: `.finished` where all steps were taken or nothing is left to do; see `state.phase`.
  public mutating func advance(
    by steps: Int, monitor: (MeltQuenchStep) -> Bool = { _ in true },
    relaxing: (RelaxationStep) -> RelaxationDirective = { _ in .continue }
  ) -> DynamicsOutcome {
    var left = steps
    while left > 0, state.phase != .finished {
      let end = state.firstStep + state.phaseSteps(settings)
      let portion = min(left, end - state.dynamics.step)
      if portion > 0 {
        let before = state.dynamics.step
        let outcome = move(portion, monitor)
        left -= state.dynamics.step - before
        if outcome != .finished { return outcome }
      }
      if state.hasFrozen {
        returnToLiquid()
      } else if state.isBoiling {
        hold()
      } else if state.dynamics.step == end || volumeIsKnown(state) {
        if let reason = beginNext(relaxing) { return .failed(reason: reason) }
      }
    }
    return .finished
  }

  private mutating func move(
    _ steps: Int, _ monitor: (MeltQuenchStep) -> Bool
  ) -> DynamicsOutcome {
    var run =
      self.run
      ?? MolecularDynamics(
        state.dynamics, with: potential,
        settings: MolecularDynamicsSettings(
          timeStep: settings.timeStep, ensemble: state.ensemble(settings), seed: settings.seed))
    var state = self.state
    var isDone = false
    let outcome = run.advance(by: steps) { step in
      state.dynamics = step.state
      observe(step.state, energy: step.evaluation.energy, &state)
      let goesOn = monitor(
        MeltQuenchStep(
          phase: state.phase, dynamics: step, isSampled: state.isSampled(settings),
          isRestart: step.state.step == state.restartStep + 1))
      isDone = volumeIsKnown(state) || state.hasFrozen || state.isBoiling
      return goesOn && !isDone
    }
    state.dynamics = run.state
    self.state = state
    self.run = run
    return isDone && outcome == .stopped ? .finished : outcome
  }

  /// Takes in what the phase asks for.
  private func observe(
    _ dynamics: DynamicalState, energy: Double, _ state: inout MeltQuenchState
  ) {
    let passed = dynamics.step - state.firstStep
    switch state.phase {
    case .melting:
      // Until then the heat of the temperature before flows off.
      if passed > settings.steps(settings.ballisticTime) {
        state.energySum += energy
        state.energyCount += 1
      }
      state.isBoiling =
        !state.isHeld && dynamics.structure.volume > Self.largestGrowth * state.glassVolume
      if state.testFrames.count < framesDue(passed) {
        state.testFrames.append(dynamics.structure.positions)
      }
    case .volume: observeVolume(dynamics, energy: energy, &state)
    case .liquid: observeFlow(dynamics, passed: passed, energy: energy, &state)
    default: break
    }
  }

  /// Halves of a window are looked at, so long in steps: of a longer one most may have passed in a solid.
  private var halfWindow: Int { max(2, settings.steps(settings.meltingTime / 4)) }

  /// Takes in a volume of the liquid.
  private func observeVolume(
    _ dynamics: DynamicalState, energy: Double, _ state: inout MeltQuenchState
  ) {
    let passed = volumeStep(dynamics, state)
    guard passed > 0 else { return }
    if passed % (2 * halfWindow) == 1 { state.volumeBefore = state.volume }
    state.volume.add(dynamics.structure.volume, blockLength: settings.steps(Self.volumeBlock))
    observeFlow(dynamics, passed: passed, energy: energy, &state)
    if !state.hasFrozen, passed.isMultiple(of: 2 * halfWindow) { state.freezes = 0 }
  }

  /// Looks at the end of every window whether the atoms still flow, and have their energy: at the lowest temperature of
  /// the liquid many freeze sooner or later, some of them in a part of the cell.
  private func observeFlow(
    _ dynamics: DynamicalState, passed: Int, energy: Double, _ state: inout MeltQuenchState
  ) {
    if passed % halfWindow == 1 {
      state.windowStart = dynamics.structure.positions
      state.windowVolume = dynamics.structure.volume
      state.clearEnergies()
    }
    state.energySum += energy
    state.energyCount += 1
    guard passed.isMultiple(of: halfWindow) else { return }
    let growth = cubeRoot(dynamics.structure.volume / state.windowVolume)
    let square = zip(dynamics.structure.positions, state.windowStart).reduce(0) {
      $0 + ($1.0 - growth * $1.1).squaredLength
    }
    let distance = (square / Double(state.windowStart.count)).squareRoot()
    // In the test atoms moved so far in twice the time, and √2 times less in this one.
    let known = state.tests.last { $0.isLiquid }?.displacement ?? settings.diffusiveDistance
    state.hasFrozen =
      distance < Self.smallestFlow * known / 2.0.squareRoot() || hasLostEnergy(&state)
  }

  /// Whether a window's mean energy is that of a crystal, or half of one.
  private func hasLostEnergy(_ state: inout MeltQuenchState) -> Bool {
    guard let temperature = state.meltingTemperature, let energy = state.meanEnergyPerAtom else {
      return false
    }
    let known = state.liquidEnergy ?? energy
    state.liquidEnergy = known
    return known - energy
      > MeltingTest.latentHeat(temperature, atoms: state.dynamics.structure.atomCount)
  }

  /// Sets out again from the liquid, without what was seen of the solid.
  private mutating func returnToLiquid() {
    run = nil
    state.hasFrozen = false
    state.freezes += 1
    let isSampling = state.phase == .liquid
    let isTooCold = state.freezes >= Self.mostFreezes
    if !isSampling { state.volume = state.volumeBefore }
    if isTooCold, let temperature = state.meltingTemperature {
      // A liquid that does not last for one window is none, and one that freezes whenever it is sampled neither.
      state.meltingTemperature = temperature / settings.coolingFactor
      state.liquidEnergy = energy(ofLiquidAt: temperature / settings.coolingFactor)
      state.freezes = 0
      state.volume = VolumeAverage()
      state.volumeBefore = VolumeAverage()
    }
    guard let liquid = state.surelyLiquid, let temperature = state.meltingTemperature else {
      return
    }
    // With the velocities of before it would freeze in the same way.
    let step = state.dynamics.step
    if isSampling { state.restartStep = step }
    let stirred = DynamicalState(
      liquid.structure, temperature: temperature, seed: settings.seed, step: step)
    switch (isSampling, isTooCold) {
    case (true, true):
      begin(.volume, from: stirred)
      state.departure = step
    case (true, false): begin(.liquid, from: scaled(stirred, to: state.dynamics.structure.volume))
    case (false, _):
      state.departure = step
      state.dynamics = stirred
    }
  }

  /// How many frames of a test there are after so many of its steps.
  private func framesDue(_ passed: Int) -> Int {
    passed * MeltingTest.frames / settings.steps(settings.meltingTime)
  }

  /// Whether the volume is known well enough, asked at the end of a block alone: the answer costs as much as a step of
  /// few atoms.
  private func volumeIsKnown(_ state: MeltQuenchState) -> Bool {
    guard state.phase == .volume,
      volumeStep(state.dynamics, state).isMultiple(of: settings.steps(Self.volumeBlock)),
      let error = pressureError(state)
    else { return false }
    return 2 * error <= settings.pressureTolerance
  }

  /// How many steps the volume has been averaged for since the liquid was last set out from.
  private func volumeStep(_ dynamics: DynamicalState, _ state: MeltQuenchState) -> Int {
    dynamics.step - state.departure - 2 * settings.steps(Self.volumeBlock)
  }

  private func pressureError(_ state: MeltQuenchState) -> Double? {
    guard let temperature = state.meltingTemperature else { return nil }
    return state.volume.pressureError(
      thermalEnergy: PhysicalConstants.boltzmann * temperature)
  }

  /// Tests the temperature again in a cell that no longer grows.
  private mutating func hold() {
    let melt = state.dynamics
    run = nil
    begin(.melting, from: scaled(melt, to: Self.largestGrowth * state.glassVolume))
    state.isHeld = true
  }

  /// Ends a phase.
  ///
  /// - Returns: Why it cannot go on; `nil` where it can.
  private mutating func beginNext(
    _ relaxing: (RelaxationStep) -> RelaxationDirective
  ) -> String? {
    run = nil
    switch state.phase {
    case .calming: begin(.superheat, from: state.dynamics)
    case .superheat: beginTests(relaxing)
    case .melting: return endTest()
    case .volume: endVolume()
    case .liquid: begin(.quench, from: state.dynamics)
    case .quench: begin(.anneal, from: state.dynamics)
    case .anneal: endAnneal()
    case .press: begin(.finished, from: state.dynamics)
    case .finished: break
    }
    return nil
  }

  private mutating func begin(_ phase: MeltQuenchPhase, from dynamics: DynamicalState) {
    // Noise belongs to the number of a step, so that numbers go on where an earlier state does.
    let step = state.dynamics.step
    state.phase = phase
    state.dynamics = dynamics.settled(at: step)
    state.firstStep = step
    state.testFrames = []
    state.clearEnergies()
    state.isHeld = false
    state.isBoiling = false
  }

  /// Begins the tests with the glass that the melt becomes without heat, in a little more than its volume, which is
  /// about that of a liquid: the volume of a start may be wrong by a factor of two.
  private mutating func beginTests(_ relaxing: (RelaxationStep) -> RelaxationDirective) {
    let melt = state.dynamics
    var relaxation = RelaxationSettings(
      stages: [.init(force: 0.1, stress: 0.5 * settings.pressureTolerance, evaluations: 200)])
    relaxation.pressure = settings.pressure
    let glass = Relaxation.run(
      melt.structure, with: potential, settings: relaxation, monitor: relaxing)
    switch glass.outcome {
    case .converged, .stepLimit:
      state.glassVolume = glass.structure.volume
      // The glass, not the melt: atoms of a hot melt that is made denser at once are thrown at each other.
      let heated = DynamicalState(
        glass.structure, temperature: settings.superheat, seed: settings.seed, step: melt.step)
      beginTest(
        at: settings.superheat, from: scaled(heated, to: Self.thermalGrowth * state.glassVolume))
    case .collapsed, .exploded, .distanceViolated, .stoppedByGrade, .failed:
      state.glassVolume = melt.structure.volume
      beginTest(at: settings.superheat, from: melt)
    }
  }

  private func scaled(_ dynamics: DynamicalState, to volume: Double) -> DynamicalState {
    var result = dynamics
    if let lattice = try? dynamics.structure.lattice.scaled(toVolume: volume) {
      result.structure = dynamics.structure.replacing(lattice: lattice)
    }
    return result
  }

  /// Judges the temperature under test and chooses what is tested next.
  private mutating func endTest() -> String? {
    let temperature = state.testedTemperature
    let test = MeltingTest(
      temperature: temperature, species: state.dynamics.structure.species,
      frames: state.testFrames,
      // In a cell of a fixed size it is another one.
      energyPerAtom: state.isHeld ? nil : state.meanEnergyPerAtom,
      hotter: state.tests.last { $0.isLiquid && $0.temperature > temperature }, settings)
    state.tests.append(test)
    if test.isLiquid { state.testedLiquid = state.dynamics }
    let tests = state.tests.reversed().prefix { $0.temperature == temperature }
    let verdict = MeltingVerdict(Array(tests), settings)
    guard verdict.isCertain else { return testAgain(attempt: tests.count) }
    if verdict.isLiquid {
      state.hotterLiquid = state.lastLiquid
      state.lastLiquid = state.testedLiquid
      state.liquidTemperature = temperature
      beginTest(at: temperature * settings.coolingFactor, from: state.testedLiquid)
    } else if let melting = state.liquidTemperature {
      state.meltingTemperature = melting
      state.liquidEnergy = energy(ofLiquidAt: melting)
      begin(.volume, from: state.surelyLiquid ?? state.dynamics)
      state.departure = state.firstStep
    } else {
      guard state.hotterTests < Self.hotterTests else {
        return "nothing flows up to \(temperature) K: raise the superheat"
      }
      state.hotterTests += 1
      beginTest(at: temperature / settings.coolingFactor, from: state.dynamics)
    }
    return nil
  }

  /// The mean energy of the tests that found a liquid; `nil` where none is known.
  private func energy(ofLiquidAt temperature: Double) -> Double? {
    let energies = state.tests.compactMap { test -> Double? in
      let isSame = abs(test.temperature - temperature) < 1e-6 * temperature
      return isSame && test.isLiquid ? test.energyPerAtom : nil
    }
    return energies.isEmpty ? nil : energies.reduce(0, +) / Double(energies.count)
  }

  private mutating func beginTest(at temperature: Double, from start: DynamicalState?) {
    begin(.melting, from: start ?? state.dynamics)
    state.testedTemperature = temperature
    state.testStart = state.dynamics
  }

  /// The temperature is tested once more, from the same atoms with other velocities.
  private mutating func testAgain(attempt: Int) -> String? {
    guard let start = state.testStart else { return "no test has begun" }
    begin(.melting, from: start)
    state = state.withOtherVelocities(attempt: attempt, settings: settings)
    return nil
  }

  /// Melts the glass once more to press it, where that is asked for.
  private mutating func endAnneal() {
    let glass = state.dynamics.structure
    state.glassVolumePerAtom = glass.volumePerAtom
    if settings.pressing > 0, state.bulkModulus == nil {
      // Liquids that freeze at once tell nothing by their fluctuations.
      state.bulkModulus = staticBulkModulus(of: glass)
    }
    guard settings.pressing > 0, state.bulkModulus != nil else {
      begin(.finished, from: state.dynamics)
      return
    }
    begin(.press, from: state.dynamics)
    // The velocities of the glass are cold.
    state = state.withOtherVelocities(attempt: 0, settings: settings)
  }

  /// The bulk modulus in eV/Å³ of atoms that do not move, from the pressures at volumes that differ by 2 %.
  ///
  /// - Returns: `nil` where the potential has no result, or the structure gives way.
  private func staticBulkModulus(of structure: Structure) -> Double? {
    let change = 0.01
    func pressure(_ factor: Double) -> Double? {
      guard let lattice = try? structure.lattice.scaled(toVolume: factor * structure.volume) else {
        return nil
      }
      return try? potential.evaluation(of: structure.replacing(lattice: lattice)).pressure
    }
    guard let dense = pressure(1 - change), let loose = pressure(1 + change), dense > loose else {
      return nil
    }
    return (dense - loose) / (2 * change)
  }

  /// Gives the liquid the volume that was found.
  private mutating func endVolume() {
    guard let liquid = state.surelyLiquid else { return }
    state.pressureError = pressureError(state)
    state.bulkModulus = state.meltingTemperature.flatMap {
      state.volume.bulkModulus(thermalEnergy: PhysicalConstants.boltzmann * $0)
    }
    // The cell may have frozen meanwhile: the liquid of before goes on, in its own volume where no other is known.
    let volume = state.volume.mean > 0 ? state.volume.volumeAtRest : liquid.structure.volume
    state.freezes = 0
    begin(.liquid, from: scaled(liquid, to: volume))
  }
}
