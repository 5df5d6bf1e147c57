import NumericalCore

extension MeltQuenchState {
  /// The period of the cell in fs where it moves.
  private static let cellPeriod = 500.0

  /// What velocities remember at the start, over what they remember later.
  private static let calmingFriction = 0.1

  /// How many steps the phase, or the test of a temperature, takes at most.
  func phaseSteps(_ settings: MeltQuenchSettings) -> Int {
    let time =
      switch phase {
      case .calming: settings.calmingTime
      case .superheat: settings.superheatTime
      case .melting: settings.meltingTime
      case .volume: settings.longestVolumeTime
      case .liquid: settings.liquidTime
      case .quench:
        max(0, liquidTemperature(settings) - settings.glassTemperature) / settings.quenchRate
      case .anneal: settings.annealTime
      case .press: settings.superheatTime + pressedQuenchTime(settings)
      case .finished: 0.0
      }
    return settings.steps(time)
  }

  /// How long the quench under pressure takes in fs; the superheat is held before.
  private func pressedQuenchTime(_ settings: MeltQuenchSettings) -> Double {
    max(0, pressedTemperature(settings) - settings.glassTemperature) / settings.quenchRate
  }

  /// At which temperature in K the glass melts again under pressure: at the superheat at least.
  private func pressedTemperature(_ settings: MeltQuenchSettings) -> Double {
    max(settings.superheat, liquidTemperature(settings))
  }

  /// Whether frames of a step are to be trained on.
  func isSampled(_ settings: MeltQuenchSettings) -> Bool {
    let passed = phaseStep
    // While pressure, temperature and cell settle, nothing is sampled.
    let first = phase == .press ? settings.steps(settings.superheatTime) : 0
    return phase.isSampled && passed > first
      && passed.isMultiple(of: settings.steps(settings.sampleInterval))
  }

  private func liquidTemperature(_ settings: MeltQuenchSettings) -> Double {
    meltingTemperature ?? settings.superheat
  }

  /// The pressure of the phase in eV/Å³, where it is kept.
  private func pressure(_ settings: MeltQuenchSettings) -> Double {
    guard phase == .press, let bulkModulus else { return settings.pressure }
    return settings.pressure + settings.pressing * bulkModulus
  }

  /// The temperature of the phase in K.
  private func ramp(_ settings: MeltQuenchSettings) -> TemperatureRamp {
    switch phase {
    case .calming, .superheat: .constant(settings.superheat)
    case .melting: .constant(testedTemperature)
    case .volume, .liquid: .constant(liquidTemperature(settings))
    case .quench:
      TemperatureRamp(
        from: liquidTemperature(settings), to: settings.glassTemperature, beginning: firstStep,
        over: phaseSteps(settings))
    case .anneal, .finished: .constant(settings.annealTemperature)
    case .press:
      TemperatureRamp(
        from: pressedTemperature(settings), to: settings.glassTemperature,
        beginning: firstStep + settings.steps(settings.superheatTime),
        over: settings.steps(pressedQuenchTime(settings)))
    }
  }

  /// What is kept in the phase: the volume of superheated and of sampled liquid, else the pressure.
  func ensemble(_ settings: MeltQuenchSettings) -> Ensemble {
    let isIsochoric =
      switch phase {
      case .calming, .superheat, .liquid: true
      case .melting: isHeld
      case .volume, .quench, .anneal, .press, .finished: false
      }
    guard !isIsochoric else {
      let time = settings.relaxationTime
      return .langevin(
        ramp(settings), relaxationTime: phase == .calming ? Self.calmingFriction * time : time)
    }
    return .isobaric(
      IsobaricSettings(
        temperature: ramp(settings), pressure: pressure(settings), cell: .isotropic,
        thermostatPeriod: settings.relaxationTime, cellPeriod: Self.cellPeriod))
  }

  /// The same atoms with velocities drawn anew at the temperature of the phase: where they went on to no good
  /// end, they may take another way.
  ///
  /// - Parameters:
  ///   - attempt: How often that was done; each has other velocities.
  ///   - settings: How the structure is treated.
  /// - Returns: A state that goes on in the same phase.
  public func withOtherVelocities(attempt: Int, settings: MeltQuenchSettings) -> MeltQuenchState {
    var next = self
    next.dynamics = DynamicalState(
      dynamics.structure, temperature: ramp(settings).temperature(at: dynamics.step),
      seed: settings.seed &+ UInt64(attempt) &* 0x9E37_79B9_7F4A_7C15, step: dynamics.step)
    return next
  }
}
