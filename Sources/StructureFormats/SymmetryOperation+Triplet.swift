import Crystal
import NumericalCore

/// Symmetry operations as CIF writes them: `-x+y, x+1/2, z`.
extension SymmetryOperation {
  /// Reads a coordinate triplet.
  ///
  /// - Returns: `nil` where the text is none.
  init?(triplet text: String) {
    let parts = text.lowercased().split(separator: ",", omittingEmptySubsequences: false)
    guard parts.count == 3 else { return nil }
    var rows: [SIMD3<Int>] = []
    var translation = Vector3.zero
    for (row, part) in parts.enumerated() {
      guard let (factors, shift) = Self.coordinate(part.filter { !$0.isWhitespace }) else {
        return nil
      }
      rows.append(factors)
      translation[row] = shift
    }
    let rotation = IntegerMatrix3(rows: rows[0], rows[1], rows[2])
    guard abs(rotation.determinant) == 1 else { return nil }
    self.init(rotation: rotation, translation: translation)
  }

  /// Reads one coordinate, a sum of terms such as `x`, `-2*y`, `1/2`, `0.25`.
  private static func coordinate(_ text: String) -> (factors: SIMD3<Int>, shift: Double)? {
    var terms: [(sign: Int, body: String)] = []
    for character in text {
      if character == "+" || character == "-" {
        terms.append((character == "-" ? -1 : 1, ""))
      } else {
        if terms.isEmpty { terms.append((1, "")) }
        terms[terms.count - 1].body.append(character)
      }
    }
    guard !terms.isEmpty else { return nil }
    var factors = SIMD3<Int>.zero
    var shift = 0.0
    for (sign, body) in terms {
      if let last = body.last, let axis = ["x", "y", "z"].firstIndex(of: String(last)) {
        var factor = body.dropLast()
        if factor.last == "*" { factor = factor.dropLast() }
        guard let value = factor.isEmpty ? 1 : Int(factor), (1...9).contains(value) else {
          return nil
        }
        factors[axis] += sign * value
      } else {
        guard let value = fraction(body) else { return nil }
        shift += Double(sign) * value
      }
    }
    return (factors, shift)
  }

  private static func fraction(_ text: String) -> Double? {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    let values = parts.compactMap { Double($0) }
    guard values.count == parts.count, values.allSatisfy(\.isFinite) else { return nil }
    switch values.count {
    case 1: return values[0]
    case 2: return values[1] == 0 ? nil : values[0] / values[1]
    default: return nil
    }
  }

  /// The triplet as text, with translations in [0, 1) as fractions where they are twenty-fourths.
  var triplet: String {
    (0..<3).map { row in
      var part = ""
      for (axis, name) in ["x", "y", "z"].enumerated() {
        let factor = rotation[row, axis]
        if factor == 0 { continue }
        part += factor < 0 ? "-" : (part.isEmpty ? "" : "+")
        part += (abs(factor) == 1 ? "" : "\(abs(factor))*") + name
      }
      let fraction = Self.fractionText(translation[row] - translation[row].rounded(.down))
      return fraction.isEmpty ? part : part + "+" + fraction
    }.joined(separator: ",")
  }

  private static func fractionText(_ value: Double) -> String {
    let numerator = (24 * value).rounded()
    guard abs(24 * value - numerator) < 1e-6 else { return "\(value)" }
    var (n, d) = (Int(numerator) % 24, 24)
    if n == 0 { return "" }
    for divisor in [2, 2, 2, 3] where n % divisor == 0 && d % divisor == 0 {
      n /= divisor
      d /= divisor
    }
    return "\(n)/\(d)"
  }
}
