import Crystal
import Dynamics
import NumericalCore
import Potential
import ReferenceEngines
import Settings

/// What `dynamics` is to do: a start, a potential, and stages or melt and quench.
public struct DynamicsPlan: Sendable {
  /// A line for people.
  public let title: String
  /// Seed of velocities, noise and disorder.
  public let seed: UInt64
  /// What moves the atoms.
  public let force: ForceSource
  /// Where they begin.
  public let start: Start
  /// The time step in fs.
  public let timeStep: Double
  /// What happens to them.
  public let program: Program
  /// The time between frames in fs.
  public let frameInterval: Double
  /// The time between lines of the table in fs.
  public let tableInterval: Double
  /// The file as it was read: a run goes on with the same one only.
  public let node: SettingsNode

  /// What moves the atoms.
  public enum ForceSource: Sendable {
    /// A potential of a file, with its name in the plan.
    case potential(PotentialFile, path: String)
    /// A reference method.
    case reference(ReferenceSettings)
  }

  /// Where the atoms begin.
  public enum Start: Sendable, Hashable {
    /// A structure.
    case structure(Structure)
    /// Disorder of a composition, with its volume per atom in Å³.
    case disorder(Composition, volumePerAtom: Double)
  }

  /// What happens to the atoms.
  public enum Program: Sendable, Hashable {
    /// One ensemble after the other.
    case stages([Stage])
    /// Melt, quench, anneal.
    case meltQuench(MeltQuenchSettings)
  }

  /// Some time in one ensemble.
  public struct Stage: Sendable, Hashable {
    /// The word for tables.
    public let name: String
    /// The ensemble; its ramp begins with the stage.
    public let ensemble: StageEnsemble
    /// How long it lasts, in fs.
    public let time: Double
    /// The time in fs between the velocities that its spectrum is made of; `nil` for no spectrum.
    public let spectrumInterval: Double?
  }

  /// An ensemble whose temperature changes over its stage.
  public enum StageEnsemble: Sendable, Hashable {
    /// Energy and cell are kept.
    case microcanonical
    /// Temperatures in K at the beginning and the end, the relaxation time of velocities in fs.
    case langevin(from: Double, to: Double, relaxationTime: Double)
    /// Temperatures in K at the beginning and the end, the period of the thermostat in fs.
    case noseHoover(from: Double, to: Double, period: Double)
    /// Temperatures in K at the beginning and the end, the pressure in eV/Å³, periods in fs.
    case isobaric(
      from: Double, to: Double, pressure: Double, cell: IsobaricSettings.Cell,
      thermostatPeriod: Double, cellPeriod: Double)
  }

  /// Whether a stage has a spectrum.
  var hasSpectrum: Bool {
    guard case .stages(let stages) = program else { return false }
    return stages.contains { $0.spectrumInterval != nil }
  }

  /// The temperature in K that velocities are drawn for.
  public var initialTemperature: Double {
    switch program {
    case .meltQuench(let settings): settings.superheat
    case .stages(let stages): stages.lazy.compactMap(\.ensemble.temperatures?.from).first ?? 0
    }
  }

  /// The structure to start with.
  ///
  /// - Throws: `CrystalError` where there is none.
  public func startStructure() throws(CrystalError) -> Structure {
    switch start {
    case .structure(let structure): structure
    case .disorder(let composition, let volume):
      try DisorderedStructure.make(composition, volumePerAtom: volume, seed: seed)
    }
  }
}

extension DynamicsPlan.StageEnsemble {
  /// The temperatures in K at the beginning and the end; `nil` where energy is kept.
  public var temperatures: (from: Double, to: Double)? {
    switch self {
    case .microcanonical: nil
    case .langevin(let from, let to, _), .noseHoover(let from, let to, _),
      .isobaric(let from, let to, _, _, _, _):
      (from, to)
    }
  }

  /// The ensemble of a stage that begins at a step and takes some.
  public func ensemble(beginning step: Int, over steps: Int) -> Ensemble {
    func ramp(_ from: Double, _ to: Double) -> TemperatureRamp {
      TemperatureRamp(from: from, to: to, beginning: step, over: steps)
    }
    switch self {
    case .microcanonical: return .microcanonical
    case .langevin(let from, let to, let time):
      return .langevin(ramp(from, to), relaxationTime: time)
    case .noseHoover(let from, let to, let period):
      return .noseHoover(ramp(from, to), period: period)
    case .isobaric(let from, let to, let pressure, let cell, let thermostat, let period):
      return .isobaric(
        IsobaricSettings(
          temperature: ramp(from, to), pressure: pressure, cell: cell,
          thermostatPeriod: thermostat, cellPeriod: period))
    }
  }
}
