import Crystal
import NumericalCore

/// A symmetry operation as CIF writes it, `-x+y, x+1/2, z`: it moves fractional position x to W x + w.
struct CifOperation: Equatable {
  /// W, which acts on columns.
  var rotation: Matrix3
  /// w, in lattice vectors.
  var translation: Vector3

  static let identity = CifOperation(rotation: .identity, translation: .zero)

  init(rotation: Matrix3, translation: Vector3) {
    self.rotation = rotation
    self.translation = translation
  }

  /// Reads a coordinate triplet.
  ///
  /// - Returns: `nil` where the text is none.
  init?(_ text: String) {
    let parts = text.lowercased().split(separator: ",", omittingEmptySubsequences: false)
    guard parts.count == 3 else { return nil }
    rotation = .zero
    translation = .zero
    for (row, part) in parts.enumerated() {
      guard readRow(row, part.filter { !$0.isWhitespace }) else { return nil }
    }
    guard abs(abs(rotation.determinant) - 1) < 1e-9 else { return nil }
  }

  /// Reads one coordinate, a sum of terms such as `x`, `-2*y`, `1/2`, `0.25`.
  private mutating func readRow(_ row: Int, _ text: String) -> Bool {
    var terms: [(sign: Double, body: String)] = []
    for character in text {
      if character == "+" || character == "-" {
        terms.append((character == "-" ? -1 : 1, ""))
      } else {
        if terms.isEmpty { terms.append((1, "")) }
        terms[terms.count - 1].body.append(character)
      }
    }
    guard !terms.isEmpty else { return false }
    for (sign, body) in terms {
      if let last = body.last, let axis = ["x", "y", "z"].firstIndex(of: String(last)) {
        var factor = body.dropLast()
        if factor.last == "*" { factor = factor.dropLast() }
        guard let value = factor.isEmpty ? 1 : Self.number(factor) else { return false }
        rotation[row, axis] += sign * value
      } else {
        guard let value = Self.number(body[...]) else { return false }
        translation[row] += sign * value
      }
    }
    return true
  }

  private static func number(_ text: Substring) -> Double? {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    let values = parts.compactMap { Double($0) }
    guard values.count == parts.count, values.allSatisfy(\.isFinite) else { return nil }
    switch values.count {
    case 1: return values[0]
    case 2: return values[1] == 0 ? nil : values[0] / values[1]
    default: return nil
    }
  }

  /// The image of a fractional position.
  func image(of position: Vector3) -> Vector3 { rotation * position + translation }

  /// The triplet as text, with translations as fractions where they are twenty-fourths.
  var text: String {
    (0..<3).map { row in
      var part = ""
      for (axis, name) in ["x", "y", "z"].enumerated() {
        let factor = rotation[row, axis]
        if factor == 0 { continue }
        let sign = factor < 0 ? "-" : (part.isEmpty ? "" : "+")
        let size = abs(factor)
        part += sign + (size == 1 ? "" : "\(Int(size))*") + name
      }
      let shift = translation[row] - translation[row].rounded(.down)
      let fraction = Self.fraction(shift)
      return fraction.isEmpty ? part : part + "+" + fraction
    }.joined(separator: ",")
  }

  private static func fraction(_ value: Double) -> String {
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
