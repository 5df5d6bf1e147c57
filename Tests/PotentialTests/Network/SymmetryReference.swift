import Crystal
import Foundation
import NumericalCore
import Potential

/// Symmetry functions as their definitions say, one neighbor after the other: slow, for kernels to agree
/// with.
struct SymmetryReference {
  /// The functions of each central element.
  let functions: [ChemicalElement: [SymmetryFunction]]

  /// Takes the functions of each central element.
  init(_ functions: [ChemicalElement: [SymmetryFunction]]) { self.functions = functions }

  /// The values of an atom.
  ///
  /// - Parameters:
  ///   - center: The element of the atom.
  ///   - neighbors: Elements of the neighbors, and vectors to them in Å.
  /// - Returns: One for each function.
  func values(
    of center: ChemicalElement, _ neighbors: [(element: ChemicalElement, vector: Vector3)]
  ) -> [Double] {
    (functions[center] ?? []).map { function in
      switch function {
      case .radial(let radial): value(radial, neighbors)
      case .angular(let angular): value(angular, neighbors)
      }
    }
  }

  private func fade(_ r: Double, _ cutoff: Double) -> Double {
    r < cutoff ? 0.5 * (cos(Double.pi * r / cutoff) + 1) : 0
  }

  private func value(
    _ function: SymmetryFunction.Radial,
    _ neighbors: [(element: ChemicalElement, vector: Vector3)]
  ) -> Double {
    neighbors.filter { $0.element == function.neighbor }.reduce(0) { sum, neighbor in
      let r = neighbor.vector.length
      let x = r - function.center
      return sum + exp(-function.width * x * x) * fade(r, function.cutoff)
    }
  }

  private func value(
    _ function: SymmetryFunction.Angular,
    _ neighbors: [(element: ChemicalElement, vector: Vector3)]
  ) -> Double {
    var sum = 0.0
    for (place, one) in neighbors.enumerated() {
      for other in neighbors[(place + 1)...] {
        let elements = [one.element, other.element].sorted()
        guard elements == [function.first, function.second] else { continue }
        let (a, b) = (one.vector.length, other.vector.length)
        let c = (one.vector - other.vector).length
        let cosine = one.vector.dot(other.vector) / (a * b)
        // Rounding may lead below zero where neighbors and atom are on a line.
        let angle = pow(max(0, 1 + (function.isPositive ? 1 : -1) * cosine), function.exponent)
        var distance = exp(-function.width * (a * a + b * b)) * fade(a, function.cutoff)
        distance *= fade(b, function.cutoff)
        if !function.isWide {
          distance *= exp(-function.width * c * c) * fade(c, function.cutoff)
        }
        sum += angle * distance
      }
    }
    return pow(2, 1 - function.exponent) * sum
  }
}
