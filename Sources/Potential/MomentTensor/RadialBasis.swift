/// The radial basis functions φ_i(r) = s (r − r_max)² T_i(ξ(r)), i = 0 … R−1, for r below r_max, else 0.
///
/// T_i are Chebyshev polynomials and ξ maps [r_min, r_max] to [−1, 1]: Novikov et al., Mach. Learn.:
/// Sci. Technol. 2, 025002 (2021), doi:10.1088/2632-2153/abc9fe, eq. 5.
public struct RadialBasis: Sendable, Hashable {
  /// The number R of functions.
  public let size: Int
  /// r_min in Å: the smallest distance that the functions are made for.
  ///
  /// They continue below it.
  public let minimumDistance: Double
  /// r_max in Å, where value and slope of every function vanish.
  public let cutoff: Double
  /// The factor s.
  public let scaling: Double

  /// Creates a radial basis.
  ///
  /// - Parameters:
  ///   - size: The number of functions, 1 to 64.
  ///   - minimumDistance: r_min in Å, at least 0.
  ///   - cutoff: r_max in Å, above r_min.
  ///   - scaling: A factor of all functions, finite and not 0.
  /// - Throws: `PotentialError.invalidParameters` for other values.
  public init(
    size: Int, minimumDistance: Double, cutoff: Double, scaling: Double = 1
  ) throws(PotentialError) {
    guard (1...64).contains(size) else {
      throw .invalidParameters("radial basis of \(size) functions; 1 to 64 are allowed")
    }
    guard minimumDistance >= 0, cutoff > minimumDistance, cutoff.isFinite else {
      throw .invalidParameters(
        "radial basis from \(minimumDistance) to \(cutoff) Å; 0 ≤ minimum < cutoff is needed")
    }
    guard scaling.isFinite, scaling != 0 else {
      throw .invalidParameters("radial basis with the factor \(scaling)")
    }
    self.size = size
    self.minimumDistance = minimumDistance
    self.cutoff = cutoff
    self.scaling = scaling
  }
}
