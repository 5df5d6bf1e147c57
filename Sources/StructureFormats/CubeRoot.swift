import Foundation

/// The real cube root.
func cubeRoot(_ value: Double) -> Double { cbrt(value) }
