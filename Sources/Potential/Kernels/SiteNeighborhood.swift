/// Monomials, radial functions and gradients of moments of one atom's neighbors, eight neighbors in
/// the lanes of a vector.
///
/// Where the numbers are; valid only while the memory is lent.
package struct SiteNeighborhood {
  let moments: SphereMoments
  let radialBasis: RadialBasis
  let radialSize: Int
  let radialWidth: Int
  let monomialCount: Int
  let capacity: Int
  /// Monomials, `monomialCount` of each vector, padded with zeros to a multiple of 8.
  let p: LanePointer
  /// Their derivatives with respect to x, y, z.
  let dp: LanePointer
  /// φ_i and dφ_i/dr: `radialWidth` of each vector.
  let phi: LanePointer
  let slope: LanePointer
  /// f_μ, df_μ/dr for each vector: μ slow.
  let f: LanePointer
  let df: LanePointer
  /// Of each vector r df/dr − (degree) f of one radial function and degree.
  let scaled: LanePointer

  var monomialSpacing: Int { (monomialCount + 7) / 8 * 8 }

  static func demand(_ moments: SphereMoments, radialSize: Int, capacity: Int) -> Int {
    let count = moments.monomials.count
    let width = (radialSize + 7) / 8 * 8
    return capacity
      * ((count + 7) / 8 * 8 + 3 * count + 2 * width + 2 * moments.largestDegrees.count + 1)
  }

  init(
    _ moments: SphereMoments, _ radialBasis: RadialBasis, capacity: Int, memory: LanePointer
  ) {
    self.moments = moments
    self.radialBasis = radialBasis
    self.capacity = capacity
    radialSize = radialBasis.size
    radialWidth = (radialBasis.size + 7) / 8 * 8
    monomialCount = moments.monomials.count
    let functions = moments.largestDegrees.count
    p = memory
    dp = p + capacity * ((monomialCount + 7) / 8 * 8)
    phi = dp + capacity * 3 * monomialCount
    slope = phi + capacity * radialWidth
    f = slope + capacity * radialWidth
    df = f + capacity * functions
    scaled = df + capacity * functions
  }

  /// Computes monomials and radial functions of the vectors `range` of a batch, as numbers
  /// 0 ..< range.count here.
  ///
  /// - Parameters:
  ///   - geometry: x, y, z, r of the first of the vectors, then of the next.
  ///   - count: How many vectors.
  ///   - first: The number that the first gets.
  ///   - coefficients: c_μi of the pair of species.
  @inline(__always)
  func prepare(
    _ geometry: UnsafePointer<Lanes>, count: Int, into first: Int,
    coefficients: UnsafePointer<Double>
  ) {
    let monomials = moments.monomials.span
    for n in 0..<count {
      let v = first &+ n
      let (x, y, z) = (geometry[4 &* n], geometry[4 &* n &+ 1], geometry[4 &* n &+ 2])
      let own = p + v &* monomialSpacing
      let derivative = dp + v &* (3 &* monomialCount)
      own[0] = Lanes(repeating: 1)
      derivative[0] = .zero
      derivative[1] = .zero
      derivative[2] = .zero
      for m in 1..<max(1, monomialCount) {
        let monomial = monomials[unchecked: m]
        let parent = monomial.parent
        let axis = monomial.axis == 0 ? x : monomial.axis == 1 ? y : z
        let value = own[parent]
        own[m] = value * axis
        let (to, from) = (derivative + 3 &* m, derivative + 3 &* parent)
        to[0] = from[0] * axis
        to[1] = from[1] * axis
        to[2] = from[2] * axis
        to[monomial.axis] += value
      }
      RadialKernel.functions(
        radialBasis, UnsafeMutablePointer(mutating: geometry + (4 &* n &+ 3)), slots: 1,
        phi: phi + v &* radialWidth, slope: slope + v &* radialWidth, spacing: 1)
      for mu in 0..<moments.largestDegrees.count {
        var (value, derivative) = (Lanes.zero, Lanes.zero)
        let row = coefficients + mu &* radialSize
        for i in 0..<radialSize {
          value.addProduct(phi[v &* radialWidth &+ i], Lanes(repeating: row[i]))
          derivative.addProduct(slope[v &* radialWidth &+ i], Lanes(repeating: row[i]))
        }
        f[mu &* capacity &+ v] = value
        df[mu &* capacity &+ v] = derivative
      }
    }
  }

  /// Sums moments and what their strain derivatives are made of, over all neighbors.
  ///
  /// For moment b = (μ, m) eight numbers: Σ f m; with h = r f' − (degree) f: Σ h m, Σ h m x²,
  /// Σ h m y², Σ h m y z, Σ h m x z, Σ h m x y; and zero.
  @inline(__always)
  func sum(_ geometry: UnsafePointer<Lanes>, count: Int, to sums: LanePointer) {
    for mu in 0..<moments.largestDegrees.count {
      let start = moments.offsets[mu]
      let (f, df) = (self.f + mu &* capacity, self.df + mu &* capacity)
      for degree in 0...moments.largestDegrees[mu] {
        for v in 0..<count {
          scaled[v] = geometry[4 &* v &+ 3] * df[v] - f[v] * Double(degree)
        }
        for m in degree &* degree..<(degree &+ 1) &* (degree &+ 1) {
          var a = InlineArray<8, Lanes>(repeating: .zero)
          for v in 0..<count {
            let value = p[v &* monomialSpacing &+ m]
            let (x, y, z) = (geometry[4 &* v], geometry[4 &* v &+ 1], geometry[4 &* v &+ 2])
            let h = scaled[v] * value
            let (hx, hy) = (h * x, h * y)
            a[0].addProduct(f[v], value)
            a[1] += h
            a[2].addProduct(hx, x)
            a[3].addProduct(hy, y)
            a[4].addProduct(hy, z)
            a[5].addProduct(hx, z)
            a[6].addProduct(hx, y)
          }
          sums[start &+ m] = LaneProduct.sums(a)
        }
      }
    }
  }

  /// Computes −∂M/∂r_j for the eight atoms of a group: 24 numbers for each moment, x of all lanes,
  /// then y, then z; images summed.
  @inline(__always)
  func gradients(
    _ geometry: UnsafePointer<Lanes>, first: Int, count: Int, to gradient: LanePointer
  ) {
    for n in 0..<count {
      let v = first &+ n
      let (x, y, z) = (geometry[4 &* n], geometry[4 &* n &+ 1], geometry[4 &* n &+ 2])
      let inverse = Lanes(repeating: 1) / geometry[4 &* n &+ 3]
      let own = p + v &* monomialSpacing
      let derivative = dp + v &* (3 &* monomialCount)
      for mu in 0..<moments.largestDegrees.count {
        let slope = df[mu &* capacity &+ v]
        let tangential = f[mu &* capacity &+ v] * inverse
        let negative = -tangential
        let target = gradient + 3 &* moments.offsets[mu]
        for degree in 0...moments.largestDegrees[mu] {
          // −(f' − (degree) f / r)
          let radial = tangential * Double(degree) - slope
          for m in degree &* degree..<(degree &+ 1) &* (degree &+ 1) {
            let h = radial * own[m]
            let d = derivative + 3 &* m
            let gx = (h * x).addingProduct(negative, d[0])
            let gy = (h * y).addingProduct(negative, d[1])
            let gz = (h * z).addingProduct(negative, d[2])
            let to = target + 3 &* m
            if n == 0 {
              to[0] = gx
              to[1] = gy
              to[2] = gz
            } else {
              to[0] += gx
              to[1] += gy
              to[2] += gz
            }
          }
        }
      }
    }
  }
}
