import Crystal
import NumericalCore

/// What is kept while atoms move, and by which means.
public enum Ensemble: Sendable, Hashable {
  /// Energy and cell are kept (NVE): velocity Verlet.
  ///
  /// W. C. Swope et al., J. Chem. Phys. 76, 637 (1982), doi:10.1063/1.442716.
  case microcanonical
  /// Temperature and cell are kept (NVT) by friction and noise; best for liquids and quenches, because it
  /// reaches every vibration alike.
  ///
  /// B. Leimkuhler and C. Matthews, Appl. Math. Res. eXpress 2013, 34, doi:10.1093/amrx/abs010, "BAOAB": its positions are those
  /// of the canonical ensemble to a higher order in the time step than its velocities are. The relaxation
  /// time of velocities is in fs.
  case langevin(TemperatureRamp, relaxationTime: Double)
  /// Temperature and cell are kept (NVT) without noise by a chain of thermostats; for spectra and diffusion.
  ///
  /// G. J. Martyna, M. E. Tuckerman, D. J. Tobias and M. L. Klein, Mol. Phys. 87, 1117 (1996),
  /// doi:10.1080/00268979600100761. The period of the thermostat is in fs.
  case noseHoover(TemperatureRamp, period: Double)
  /// Temperature and pressure are kept (NPT), the cell moves; needs full periodicity.
  case isobaric(IsobaricSettings)

  /// The temperature in K that is kept at a step; `nil` where energy is.
  public func temperature(at step: Int) -> Double? {
    switch self {
    case .microcanonical: nil
    case .langevin(let ramp, _), .noseHoover(let ramp, _): ramp.temperature(at: step)
    case .isobaric(let settings): settings.temperature.temperature(at: step)
    }
  }
}

/// How temperature and pressure are kept.
///
/// G. J. Martyna, D. J. Tobias and M. L. Klein, J. Chem. Phys. 101, 4177 (1994), doi:10.1063/1.467468; the propagator is that of
/// T.-Q. Yu et al., Chem. Phys. 370, 294 (2010), doi:10.1016/j.chemphys.2010.02.014. The strain rate is symmetric, so that
/// the cell does not turn.
public struct IsobaricSettings: Sendable, Hashable {
  /// How a cell may change.
  public enum Cell: String, Sendable, Hashable, CaseIterable {
    /// Lengths and angles change; for crystals. A liquid has no shape of its own and shears without end.
    case flexible
    /// The shape stays and the volume changes; for liquids and glasses.
    case isotropic
  }

  /// The temperature that is kept.
  public var temperature: TemperatureRamp
  /// The pressure in eV/Å³.
  public var pressure: Double
  /// How the cell may change.
  public var cell: Cell
  /// The period of the thermostats in fs.
  public var thermostatPeriod: Double
  /// The period of the cell in fs.
  public var cellPeriod: Double

  /// Creates settings.
  ///
  /// - Parameters:
  ///   - temperature: The temperature that is kept.
  ///   - pressure: In eV/Å³.
  ///   - cell: How the cell may change.
  ///   - thermostatPeriod: In fs; some vibrations of the atoms.
  ///   - cellPeriod: In fs; longer than that of the thermostats.
  public init(
    temperature: TemperatureRamp, pressure: Double = 0, cell: Cell, thermostatPeriod: Double = 100,
    cellPeriod: Double = 1000
  ) {
    self.temperature = temperature
    self.pressure = pressure
    self.cell = cell
    self.thermostatPeriod = thermostatPeriod
    self.cellPeriod = cellPeriod
  }

  /// How many numbers describe the motion of the cell.
  var degreesOfFreedom: Int { cell == .flexible ? 6 : 1 }
}
