/// Monomials, radial functions and gradients of moments of one atom's neighbors, eight neighbors in
/// the lanes of a vector.
///
/// Says where the numbers are; valid only as long as the memory. A site's vectors are numbered from 0.
struct SiteNeighborhood {
  /// Numbers that depend on the basis alone.
  struct Shape {
    /// The largest degree of each radial function, ascending in μ.
    let degrees: UnsafePointer<Int>
    /// The first moment of each radial function.
    let offsets: UnsafePointer<Int>
    /// The number of radial functions.
    let functionCount: Int
    /// The radial basis.
    let radialBasis: RadialBasis
    /// Its size, and that rounded up to a multiple of 8.
    let radialSize: Int
    let radialWidth: Int
    /// The number of monomials, and that rounded up to a multiple of 8.
    let monomialCount: Int
    let monomialSpacing: Int
    /// The most vectors of a site.
    let capacity: Int

    init(
      _ moments: SphereMoments, _ radialBasis: RadialBasis, capacity: Int, _ arena: OctetArena
    ) {
      degrees = arena.copy(moments.largestDegrees)
      offsets = arena.copy(moments.offsets)
      functionCount = moments.largestDegrees.count
      self.radialBasis = radialBasis
      radialSize = radialBasis.size
      radialWidth = (radialBasis.size + 7) / 8 * 8
      monomialCount = moments.monomials.count
      monomialSpacing = (monomialCount + 7) / 8 * 8
      self.capacity = capacity
    }
  }

  let shape: Shape
  /// Monomials, `monomialSpacing` of each vector.
  let p: OctetPointer
  /// φ_i and dφ_i/dr: `radialWidth` of each vector, padded with zeros.
  let phi: OctetPointer
  let slope: OctetPointer
  /// f_μ and df_μ/dr, `capacity` of each function.
  let f: OctetPointer
  let df: OctetPointer
  /// Numbers of one vector and function that are used at once.
  private let scratch: OctetPointer

  init(_ shape: Shape, _ arena: OctetArena) {
    self.shape = shape
    p = arena.take(shape.capacity * shape.monomialSpacing)
    phi = arena.take(shape.capacity * shape.radialWidth)
    slope = arena.take(shape.capacity * shape.radialWidth)
    f = arena.take(shape.capacity * shape.functionCount)
    df = arena.take(shape.capacity * shape.functionCount)
    scratch = arena.take(2 * shape.functionCount + 6 * shape.capacity)
  }

  /// Computes monomials and radial functions of some vectors of a site.
  ///
  /// - Parameters:
  ///   - geometry: x, y, z, r of the first of the vectors, then of the next.
  ///   - count: How many vectors.
  ///   - first: The number of the first.
  ///   - coefficients: c_μi of the pair of species.
  @inline(__always)
  func prepare(
    _ geometry: UnsafePointer<Octet>, count: Int, from first: Int,
    coefficients: UnsafePointer<Double>
  ) {
    for n in 0..<count {
      let v = first &+ n
      monomials(geometry + 4 &* n, p + v &* shape.monomialSpacing)
      let (phi, slope) = (phi + v &* shape.radialWidth, slope + v &* shape.radialWidth)
      radialFunctions(geometry[4 &* n &+ 3], phi, slope)
      for mu in 0..<shape.functionCount {
        var (value, derivative) = (Octet.zero, Octet.zero)
        let row = coefficients + mu &* shape.radialSize
        for i in 0..<shape.radialSize {
          let c = Octet(repeating: row[i])
          value.accumulate(phi[i], c)
          derivative.accumulate(slope[i], c)
        }
        f[mu &* shape.capacity &+ v] = value
        df[mu &* shape.capacity &+ v] = derivative
      }
    }
  }

  // φ_i = s (r − r_max)² T_i(ξ) and dφ_i/dr; Novikov et al. 2021, eq. 5, by recurrence.
  @inline(__always)
  private func radialFunctions(_ r: Octet, _ phi: OctetPointer, _ slope: OctetPointer) {
    let basis = shape.radialBasis
    let rate = 2 / (basis.cutoff - basis.minimumDistance)
    let beyond = r - basis.cutoff
    let weight = beyond * beyond * basis.scaling
    let weightSlope = beyond * (2 * basis.scaling)
    let xi = (r - 0.5 * (basis.cutoff + basis.minimumDistance)) * rate
    let (twice, twiceRate) = (xi + xi, Octet(repeating: 2 * rate))
    // T and dT/dr of two successive functions.
    var (before, now) = (Octet(repeating: 1), xi)
    var (beforeSlope, nowSlope) = (Octet.zero, Octet(repeating: rate))
    for i in 0..<shape.radialSize {
      phi[i] = weight * before
      slope[i] = (weight * beforeSlope).accumulating(weightSlope, before)
      let next = (-before).accumulating(twice, now)
      let nextSlope = (-beforeSlope).accumulating(twice, nowSlope).accumulating(now, twiceRate)
      (before, now) = (now, next)
      (beforeSlope, nowSlope) = (nowSlope, nextSlope)
    }
  }

  // By degree: first those without z, by the power of y, then those with z.
  @inline(__always)
  private func monomials(_ unit: UnsafePointer<Octet>, _ p: OctetPointer) {
    let (x, y, z) = (unit[0], unit[1], unit[2])
    p[0] = Octet(repeating: 1)
    for degree in 1..<shape.degrees[0] &+ 1 {
      let before = p + (degree &- 1) &* (degree &- 1)
      let now = p + degree &* degree
      for b in 0..<degree {
        let lower = before[b]
        now[b] = lower * x
        now[degree &+ 1 &+ b] = lower * z
      }
      now[degree] = before[degree &- 1] * y
    }
  }

  /// Sums moments and what their strain derivatives are made of, over all neighbors.
  ///
  /// For moment b = (μ, m) eight numbers: Σ f m; with h = r f' − (degree) f: Σ h m, Σ h m x²,
  /// Σ h m y², Σ h m y z, Σ h m x z, Σ h m x y; and zero.
  @inline(__always)
  func sum(_ geometry: UnsafePointer<Octet>, count: Int, to sums: OctetPointer) {
    let scaled = scratch
    let squares = scratch + shape.capacity
    for v in 0..<count {
      let (x, y, z) = (geometry[4 &* v], geometry[4 &* v &+ 1], geometry[4 &* v &+ 2])
      let square = squares + 5 &* v
      square[0] = x * x
      square[1] = y * y
      square[2] = y * z
      square[3] = x * z
      square[4] = x * y
    }
    for mu in 0..<shape.functionCount {
      let start = shape.offsets[mu]
      let (f, df) = (self.f + mu &* shape.capacity, self.df + mu &* shape.capacity)
      for degree in 0..<shape.degrees[mu] &+ 1 {
        for v in 0..<count {
          scaled[v] = geometry[4 &* v &+ 3] * df[v] - f[v] * Double(degree)
        }
        for m in degree &* degree..<(degree &+ 1) &* (degree &+ 1) {
          var a = InlineArray<8, Octet>(repeating: .zero)
          for v in 0..<count {
            let value = p[v &* shape.monomialSpacing &+ m]
            let square = squares + 5 &* v
            let h = scaled[v] * value
            a[0].accumulate(f[v], value)
            a[1] += h
            a[2].accumulate(h, square[0])
            a[3].accumulate(h, square[1])
            a[4].accumulate(h, square[2])
            a[5].accumulate(h, square[3])
            a[6].accumulate(h, square[4])
          }
          sums[start &+ m] = OctetProduct.sums(a)
        }
      }
    }
  }

  /// Computes −∂M/∂r_j for the eight atoms of a group: 24 numbers for each moment, x of all lanes,
  /// then y, then z; images summed.
  ///
  /// −∂M/∂r = −(f' − (degree) f/r) uᵐ u − (f/r) ∇uᵐ.
  @inline(__always)
  func gradients(
    _ geometry: UnsafePointer<Octet>, first: Int, count: Int, to gradient: OctetPointer
  ) {
    addGradients(geometry, first, to: gradient, isFirst: true)
    for n in 1..<max(1, count) {
      addGradients(geometry + 4 &* n, first &+ n, to: gradient, isFirst: false)
    }
  }

  @inline(__always)
  private func addGradients(
    _ geometry: UnsafePointer<Octet>, _ v: Int, to gradient: OctetPointer, isFirst: Bool
  ) {
    let (x, y, z) = (geometry[0], geometry[1], geometry[2])
    let inverse = Octet(repeating: 1) / geometry[3]
    let p = p + v &* shape.monomialSpacing
    let (along, across) = (scratch, scratch + shape.functionCount)
    for mu in 0..<shape.functionCount {
      along[mu] = -df[mu &* shape.capacity &+ v]
      across[mu] = -f[mu &* shape.capacity &+ v] * inverse
    }
    var used = shape.functionCount
    for degree in 0..<shape.degrees[0] &+ 1 {
      while used > 0, shape.degrees[used &- 1] < degree { used &-= 1 }
      for place in 0..<2 &* degree &+ 1 {
        let m = degree &* degree &+ place
        let d = Self.derivative(p, degree, place)
        let value = p[m]
        let (px, py, pz) = (value * x, value * y, value * z)
        for mu in 0..<used {
          let (h, g) = (along[mu], across[mu])
          let to = gradient + 3 &* (shape.offsets[mu] &+ m)
          let gx = (h * px).accumulating(g, d.x)
          let gy = (h * py).accumulating(g, d.y)
          let gz = (h * pz).accumulating(g, d.z)
          if isFirst {
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
      // The next degree.
      for mu in 0..<used { along[mu] -= across[mu] }
    }
  }

  /// The derivatives of a monomial, `place` counted from the first of its degree.
  @inline(__always)
  static func derivative(
    _ p: OctetPointer, _ degree: Int, _ place: Int
  ) -> (x: Octet, y: Octet, z: Octet) {
    guard degree > 0 else { return (.zero, .zero, .zero) }
    let before = p + (degree &- 1) &* (degree &- 1)
    if place <= degree {
      let (a, b) = (degree &- place, place)
      return (
        a > 0 ? before[b] * Double(a) : .zero, b > 0 ? before[b &- 1] * Double(b) : .zero, .zero
      )
    }
    let b = place &- degree &- 1
    let a = degree &- 1 &- b
    let lower = before + degree
    return (
      a > 0 ? lower[b] * Double(a) : .zero, b > 0 ? lower[b &- 1] * Double(b) : .zero, before[b]
    )
  }

  /// Σ_m a_m ∂(uᵐ)/∂(x, y, z) tangential to the sphere, over r, and Σ_m a_m uᵐ u; both negative.
  ///
  /// - Parameters:
  ///   - geometry: x, y, z, r of the vector.
  ///   - v: Its number.
  ///   - largest: The largest degree.
  ///   - a: A number for each monomial.
  ///   - target: Receives the six components.
  @inline(__always)
  func polynomialGradient(
    _ geometry: UnsafePointer<Octet>, _ v: Int, degree largest: Int, _ a: UnsafePointer<Double>,
    to target: OctetPointer
  ) {
    let (x, y, z) = (geometry[0], geometry[1], geometry[2])
    let inverse = Octet(repeating: 1) / geometry[3]
    let p = p + v &* shape.monomialSpacing
    var (value, gx, gy, gz) = (Octet.zero, Octet.zero, Octet.zero, Octet.zero)
    for degree in 0..<largest &+ 1 {
      for place in 0..<2 &* degree &+ 1 {
        let m = degree &* degree &+ place
        let factor = Octet(repeating: a[m])
        let d = Self.derivative(p, degree, place)
        value.accumulate(p[m], factor)
        gx.accumulate(d.x, factor)
        gy.accumulate(d.y, factor)
        gz.accumulate(d.z, factor)
      }
    }
    let along = (x * gx).accumulating(y, gy).accumulating(z, gz)
    target[0] = (along * x - gx) * inverse
    target[1] = (along * y - gy) * inverse
    target[2] = (along * z - gz) * inverse
    target[3] = -(value * x)
    target[4] = -(value * y)
    target[5] = -(value * z)
  }
}
