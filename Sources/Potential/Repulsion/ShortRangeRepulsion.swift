import Crystal
import NumericalCore

/// The screened Coulomb repulsion of nuclei at short range, as a part of a potential that is not trained.
///
/// V(r) = (e²/4πε₀) Z₁Z₂/r · φ(r/a) with a = 0.46850 Å / (Z₁^0.23 + Z₂^0.23): J. F. Ziegler, J. P. Biersack &
/// U. Littmark, The Stopping and Range of Ions in Matter 1 (Pergamon, New York 1985). Between an inner and an outer
/// radius it is switched off as LAMMPS's `pair_style zbl` does, so that energy, force and curvature vanish at
/// the outer one; below the inner one only a constant is added.
///
/// A potential learns nothing of distances that its training set does not hold, and may have holes there. The
/// repulsion pushes atoms out of them; training subtracts it from the labels, so what is learned is the rest.
///
/// Both radii are fractions of the sum of a pair's covalent radii. With the usual ones the bonds of solids lie outside the
/// outer radius, in oxides of metals too (Ti–O: 1.81 Å, Si–O 1.42 Å, B–N 1.24 Å, C–C 1.22 Å); multiple bonds of molecules may
/// lie within.
public struct ShortRangeRepulsion: Sendable, Hashable {
  /// The radius below which it is not switched, as a fraction of the sum of covalent radii.
  public let inner: Double
  /// The radius from which there is none, as a fraction of the sum of covalent radii.
  public let outer: Double

  /// The usual radii: 0.4 and 0.7.
  public static let standard = ShortRangeRepulsion(unchecked: 0.4, 0.7)

  /// The fractions that are allowed.
  public static let range = 0.1...2.0

  /// Creates a repulsion.
  ///
  /// - Parameters:
  ///   - inner: The inner radius as a fraction of the sum of covalent radii.
  ///   - outer: The outer radius, larger.
  /// - Throws: `PotentialError.invalidParameters` where they are not in order or outside 0.1 … 2.
  public init(inner: Double, outer: Double) throws(PotentialError) {
    guard Self.range.contains(inner), Self.range.contains(outer), inner < outer else {
      throw .invalidParameters(
        "a repulsion from \(inner) to \(outer) times the sum of covalent radii; fractions from "
          + "\(Self.range.lowerBound) to \(Self.range.upperBound) are allowed, the inner one below the outer one, such as 0.4 and 0.7"
      )
    }
    self.init(unchecked: inner, outer)
  }

  private init(unchecked inner: Double, _ outer: Double) {
    self.inner = inner
    self.outer = outer
  }

  /// The inner radius of a pair of elements in Å.
  public func innerRadius(_ a: ChemicalElement, _ b: ChemicalElement) -> Double {
    inner * (a.covalentRadius + b.covalentRadius)
  }

  /// The outer radius of a pair of elements in Å.
  public func outerRadius(_ a: ChemicalElement, _ b: ChemicalElement) -> Double {
    outer * (a.covalentRadius + b.covalentRadius)
  }

  /// The element whose pairs with itself reach farthest.
  ///
  /// - Returns: The element and the outer radius in Å; `nil` without elements.
  public func widest(of elements: [ChemicalElement]) -> (element: ChemicalElement, radius: Double)?
  {
    elements.map { ($0, outerRadius($0, $0)) }.max { ($0.1, $1.0) < ($1.1, $0.0) }
  }

  /// Checks that a potential can have this repulsion.
  ///
  /// - Throws: `PotentialError.invalidParameters` where an element is unknown or an outer radius is not below
  ///   the cutoff in Å.
  func check(_ elements: [ChemicalElement], cutoff: Double) throws(PotentialError) {
    if let unnamed = elements.first(where: { $0.unnamedType != nil }) {
      throw .invalidParameters(
        "its short-range repulsion needs atomic numbers, and species \(unnamed) is not named; name "
          + "the elements, as with --elements")
    }
    guard let (element, radius) = widest(of: elements), radius >= cutoff else { return }
    throw .invalidParameters(
      "its short-range repulsion would reach \(radius) Å between atoms of \(element), beyond the cutoff of "
        + "\(cutoff) Å; a larger cutoff or a smaller outer fraction than \(outer) is needed")
  }
}
