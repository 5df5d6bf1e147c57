/// Conversion factors between the program's units (Å, eV, amu, fs, K) and those of files and tables.
///
/// Values follow CODATA 2018 (E. Tiesinga et al., Rev. Mod. Phys. 93, 025010 (2021)).
public enum PhysicalConstants {
  /// One eV/Å³ in GPa.
  public static let gigapascalsPerElectronvoltPerCubicAngstrom = 160.21766208
  /// e²/(4πε₀) in eV Å.
  public static let coulomb = 14.39964547842567
  /// Boltzmann's constant in eV/K.
  public static let boltzmann = 8.617333262145e-5
  /// One Hartree in eV.
  public static let electronvoltsPerHartree = 27.211386245988
  /// One Bohr radius in Å.
  public static let angstromsPerBohr = 0.529177210903
  /// One amu Å²/fs² in eV.
  public static let electronvoltsPerDynamicalUnit = 103.642696562622
}
