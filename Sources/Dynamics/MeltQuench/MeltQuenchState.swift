import Crystal
import NumericalCore

/// How far a structure has come on its way through liquid and glass: all that the steps to come depend on.
public struct MeltQuenchState: Sendable, Hashable {
  /// What happens to it.
  public internal(set) var phase = MeltQuenchPhase.calming
  /// Its atoms in motion.
  public internal(set) var dynamics: DynamicalState
  /// The temperatures that were tested for a liquid, in their order.
  public internal(set) var tests: [MeltingTest] = []
  /// The lowest temperature in K at which it is a liquid; `nil` before it is known.
  public internal(set) var meltingTemperature: Double?
  /// The step at which the phase, or the test of a temperature, began.
  var firstStep = 0
  /// The temperature in K under test.
  var testedTemperature: Double
  /// Positions in Å of the test under way, at equal intervals of time.
  var testFrames: [[Vector3]] = []
  /// Where the tests of the temperature under test begin.
  var testStart: DynamicalState?
  /// The end of the last test that found a liquid, and that of the last temperature that was one.
  var testedLiquid: DynamicalState?
  var lastLiquid: DynamicalState?
  /// The end of the temperature before, a step hotter.
  var hotterLiquid: DynamicalState?
  /// The temperature in K of `lastLiquid`.
  var liquidTemperature: Double?
  /// How many temperatures above the superheat were tested.
  var hotterTests = 0
  var volume = VolumeAverage()
  /// The mean volume before the window under way.
  var volumeBefore = VolumeAverage()
  /// Where the search for a volume set out from a liquid, by step.
  var departure = 0
  /// Positions in Å and volume in Å³ at the beginning of the window under way.
  var windowStart: [Vector3] = []
  var windowVolume = 0.0
  /// Potential energies in eV of the test or window under way, and their number.
  var energySum = 0.0
  var energyCount = 0
  /// The mean potential energy in eV/atom of the liquid at its lowest temperature; `nil` before it is known.
  var liquidEnergy: Double?
  /// Which potential all energies are of.
  var potentialVersion = 0
  /// Whether the last window found that the atoms no longer flow.
  var hasFrozen = false
  /// How many windows in a row did, or how many attempts to sample the liquid.
  var freezes = 0
  /// The step at which a liquid that froze while it was sampled set out again; −1 where none has.
  var restartStep = -1
  /// The volume in Å³ of the glass without heat that the melt of the superheat becomes.
  var glassVolume = 0.0
  /// Whether the melt under test grows without end.
  var isBoiling = false
  /// Whether it is held at a fixed volume for that.
  var isHeld = false
  /// The standard error of the pressure in eV/Å³ that the volume was made for; `nil` where
  /// that is not known.
  public internal(set) var pressureError: Double?
  /// The isothermal bulk modulus of the liquid in eV/Å³, as its fluctuations tell; that of the glass without heat where
  /// the liquid did not last; `nil` before it is known.
  public internal(set) var bulkModulus: Double?
  /// The volume per atom in Å³ of the annealed glass; `nil` before it is known.
  public internal(set) var glassVolumePerAtom: Double?

  /// A liquid to set out from: at the lowest temperature a crystal may have begun to grow where its test ended.
  var surelyLiquid: DynamicalState? { hotterLiquid ?? lastLiquid }

  /// The mean potential energy in eV/atom of the test or window under way; `nil` before its first step.
  var meanEnergyPerAtom: Double? {
    energyCount > 0 ? energySum / Double(energyCount * dynamics.structure.atomCount) : nil
  }

  /// Begins another mean energy.
  mutating func clearEnergies() { (energySum, energyCount) = (0, 0) }

  /// Forgets the energies of another potential.
  mutating func take(potentialVersion version: Int) {
    guard version != potentialVersion else { return }
    potentialVersion = version
    liquidEnergy = nil
    for place in tests.indices { tests[place].energyPerAtom = nil }
    clearEnergies()
  }

  /// How many steps the phase, or the test of a temperature, has taken.
  public var phaseStep: Int { dynamics.step - firstStep }

  /// The beginning.
  ///
  /// - Parameters:
  ///   - structure: Some hundred atoms in any disorder, not too close; a bulk structure.
  ///   - settings: How it is treated.
  public init(_ structure: Structure, settings: MeltQuenchSettings) {
    precondition(structure.periodicity == .full, "liquids fill their cell")
    dynamics = DynamicalState(
      structure, temperature: settings.superheat, seed: settings.seed)
    testedTemperature = settings.superheat
  }
}

extension MeltQuenchState: ByteCodable {
  /// Appends all that the steps to come depend on.
  public func encode(to encoder: inout ByteEncoder) {
    encoder.encode(phase.rawValue)
    encoder.encode(dynamics)
    encoder.encode(tests)
    encoder.encode(meltingTemperature)
    encoder.encode(firstStep)
    encoder.encode(testedTemperature)
    encoder.encode(testFrames.count)
    for frame in testFrames { encoder.encode(frame) }
    encoder.encode(testStart)
    encoder.encode(testedLiquid)
    encoder.encode(lastLiquid)
    encoder.encode(hotterLiquid)
    encoder.encode(liquidTemperature)
    encoder.encode(hotterTests)
    encoder.encode(volume)
    encoder.encode(volumeBefore)
    encoder.encode(departure)
    encoder.encode(windowStart)
    encoder.encode(windowVolume)
    encoder.encode(hasFrozen)
    encoder.encode(freezes)
    encoder.encode(glassVolume)
    encoder.encode(isBoiling)
    encoder.encode(isHeld)
    encoder.encode(pressureError)
    encoder.encode(bulkModulus)
    encoder.encode(restartStep)
    encoder.encode(glassVolumePerAtom)
    encoder.encode(energySum)
    encoder.encode(energyCount)
    encoder.encode(liquidEnergy)
    encoder.encode(potentialVersion)
  }

  /// Reads a state.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    let number = try decoder.decode(UInt8.self)
    guard let phase = MeltQuenchPhase(rawValue: number) else { throw .invalid("phase \(number)") }
    self.phase = phase
    dynamics = try decoder.decode(DynamicalState.self)
    tests = try decoder.decode([MeltingTest].self)
    meltingTemperature = try decoder.decode(Double?.self)
    firstStep = try decoder.decode()
    testedTemperature = try decoder.decode()
    let frames: Int = try decoder.decode()
    guard (0...MeltingTest.frames).contains(frames) else {
      throw .invalid("\(frames) frames")
    }
    testFrames = []
    for _ in 0..<frames { testFrames.append(try decoder.decode([Vector3].self)) }
    testStart = try decoder.decode(DynamicalState?.self)
    testedLiquid = try decoder.decode(DynamicalState?.self)
    lastLiquid = try decoder.decode(DynamicalState?.self)
    hotterLiquid = try decoder.decode(DynamicalState?.self)
    liquidTemperature = try decoder.decode(Double?.self)
    hotterTests = try decoder.decode()
    volume = try decoder.decode(VolumeAverage.self)
    volumeBefore = try decoder.decode(VolumeAverage.self)
    departure = try decoder.decode()
    windowStart = try decoder.decode([Vector3].self)
    windowVolume = try decoder.decode()
    hasFrozen = try decoder.decode()
    freezes = try decoder.decode()
    glassVolume = try decoder.decode()
    isBoiling = try decoder.decode()
    isHeld = try decoder.decode()
    pressureError = try decoder.decode(Double?.self)
    bulkModulus = try decoder.decode(Double?.self)
    restartStep = try decoder.decode()
    glassVolumePerAtom = try decoder.decode(Double?.self)
    energySum = try decoder.decode()
    energyCount = try decoder.decode()
    liquidEnergy = try decoder.decode(Double?.self)
    potentialVersion = try decoder.decode()
  }
}
