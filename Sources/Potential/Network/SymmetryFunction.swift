import Crystal

/// A function of an atom's environment that no rotation, reflection, translation or exchange of equal atoms changes.
///
/// J. Behler, J. Chem. Phys. 134, 074106 (2011), doi:10.1063/1.3553717; η in Å⁻², not divided by the cutoff.
/// All functions end at their cutoff with f_c(r) = ½ (cos(π r/r_c) + 1).
public enum SymmetryFunction: Sendable, Hashable {
  /// A sum over neighbors.
  case radial(Radial)
  /// A sum over pairs of neighbors.
  case angular(Angular)

  /// G²: Σ_j exp(−η (r_ij − R_s)²) f_c(r_ij).
  ///
  /// Behler 2011, equation 6.
  public struct Radial: Sendable, Hashable {
    /// The neighbors.
    public let neighbor: ChemicalElement
    /// η in Å⁻².
    public let width: Double
    /// R_s in Å.
    public let center: Double
    /// r_c in Å.
    public let cutoff: Double

    /// Creates a function.
    public init(
      _ neighbor: ChemicalElement, width: Double, center: Double = 0, cutoff: Double
    ) {
      self.neighbor = neighbor
      self.width = width
      self.center = center
      self.cutoff = cutoff
    }
  }

  /// G⁴ or G⁵: 2^{1−ζ} Σ_{j<k} (1 + λ cos θ_ijk)^ζ exp(−η (…)) f_c(r_ij) f_c(r_ik) ….
  ///
  /// Behler 2011, equations 8 and 9.
  public struct Angular: Sendable, Hashable {
    /// One neighbor, that of the lower atomic number.
    public let first: ChemicalElement
    /// The other one.
    public let second: ChemicalElement
    /// η in Å⁻².
    public let width: Double
    /// λ: cosines near 1 count where it is positive, near −1 where it is negative.
    public let isPositive: Bool
    /// ζ, at least 1.
    public let exponent: Double
    /// r_c in Å.
    public let cutoff: Double
    /// Whether the neighbors need not be near each other (G⁵): neither exponential nor cutoff of r_jk.
    public let isWide: Bool

    /// Creates a function; the neighbors may be given in any order.
    public init(
      _ first: ChemicalElement, _ second: ChemicalElement, width: Double, isPositive: Bool,
      exponent: Double, cutoff: Double, isWide: Bool = false
    ) {
      self.first = min(first, second)
      self.second = max(first, second)
      self.width = width
      self.isPositive = isPositive
      self.exponent = exponent
      self.cutoff = cutoff
      self.isWide = isWide
    }
  }

  /// r_c in Å.
  public var cutoff: Double {
    switch self {
    case .radial(let function): function.cutoff
    case .angular(let function): function.cutoff
    }
  }

  /// The elements of the neighbors that it sums over.
  public var neighbors: [ChemicalElement] {
    switch self {
    case .radial(let function): [function.neighbor]
    case .angular(let function): [function.first, function.second]
    }
  }

  /// Checks its numbers.
  ///
  /// - Throws: `PotentialError.invalidParameters`.
  public func validate() throws(PotentialError) {
    guard cutoff > 0, cutoff.isFinite else {
      throw .invalidParameters("a symmetry function with a cutoff of \(cutoff) Å")
    }
    switch self {
    case .radial(let function):
      guard function.width >= 0, function.width.isFinite, function.center.isFinite else {
        throw .invalidParameters(
          "a symmetry function with η = \(function.width) Å⁻² around \(function.center) Å")
      }
    case .angular(let function):
      guard function.width >= 0, function.width.isFinite else {
        throw .invalidParameters("a symmetry function with η = \(function.width) Å⁻²")
      }
      // Below 1 its derivative has no limit where the cosine is −λ.
      guard function.exponent >= 1, function.exponent <= 128 else {
        throw .invalidParameters(
          "a symmetry function with ζ = \(function.exponent); allowed is 1 to 128")
      }
    }
  }
}

extension SymmetryFunction {
  /// The functions of a central atom by two rules: so many radial ones for each element, so many angular ones for
  /// each pair.
  ///
  /// The default set of the networks of Hong et al., Phys. Rev. B 102, 224104 (2020): 8 and 18, 132 for three
  /// elements and 212 for four.
  public struct Rule: Sendable, Hashable {
    /// η of the radial functions in Å⁻².
    public var radialWidths = [
      0.003214, 0.035711, 0.071421, 0.124987, 0.214264, 0.357106, 0.714213, 1.428426,
    ]
    /// η of the angular functions in Å⁻².
    public var angularWidths = [0.000357, 0.028569, 0.089277]
    /// ζ of the angular functions; each with both signs of λ.
    public var exponents = [1.0, 2, 4]
    /// r_c of the radial functions in Å.
    public var radialCutoff = 6.0
    /// r_c of the angular functions in Å.
    public var angularCutoff = 4.5

    /// The default.
    public init() {}

    /// The functions for these neighbors.
    public func functions(for elements: [ChemicalElement]) -> [SymmetryFunction] {
      let sorted = elements.sorted()
      var all: [SymmetryFunction] = []
      for element in sorted {
        for width in radialWidths {
          all.append(.radial(Radial(element, width: width, cutoff: radialCutoff)))
        }
      }
      for (place, first) in sorted.enumerated() {
        for second in sorted[place...] {
          for width in angularWidths {
            for exponent in exponents {
              for isPositive in [false, true] {
                all.append(
                  .angular(
                    Angular(
                      first, second, width: width, isPositive: isPositive, exponent: exponent,
                      cutoff: angularCutoff)))
              }
            }
          }
        }
      }
      return all
    }
  }
}
