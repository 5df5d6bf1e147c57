import Foundation
import NumericalCore

/// A number with a fixed number of decimals, for people; files and JSON carry all digits.
func fixed(_ value: Double, _ decimals: Int = 4) -> String {
  String(format: "%.\(decimals)f", value)
}

/// A number with so many significant digits, for people.
func short(_ value: Double, _ digits: Int = 5) -> String {
  String(format: "%.\(digits)g", value)
}

/// A pressure in GPa from one in eV/Å³.
func gigapascals(_ pressure: Double) -> Double {
  PhysicalConstants.gigapascalsPerElectronvoltPerCubicAngstrom * pressure
}
