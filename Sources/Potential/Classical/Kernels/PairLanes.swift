import NumericalCore

/// Energy, force and strain derivative of eight pairs at a time.
struct PairLanes {
  private var energy = SIMD8<Double>.zero
  private var fx = SIMD8<Double>.zero
  private var fy = SIMD8<Double>.zero
  private var fz = SIMD8<Double>.zero
  private var xx = SIMD8<Double>.zero
  private var yy = SIMD8<Double>.zero
  private var zz = SIMD8<Double>.zero
  private var xy = SIMD8<Double>.zero
  private var xz = SIMD8<Double>.zero
  private var yz = SIMD8<Double>.zero

  /// Eight vectors in Å.
  struct Displacements {
    let x: SIMD8<Double>
    let y: SIMD8<Double>
    let z: SIMD8<Double>
    /// Their squared lengths in Å².
    let square: SIMD8<Double>
  }

  /// Adds pairs of energy u and u'(r)/r at displacements.
  @inline(__always)
  mutating func add(
    _ u: SIMD8<Double>, _ slope: SIMD8<Double>, _ displacements: Displacements
  ) {
    let (dx, dy, dz) = (displacements.x, displacements.y, displacements.z)
    energy += u
    let (gx, gy, gz) = (slope * dx, slope * dy, slope * dz)
    fx += gx
    fy += gy
    fz += gz
    xx = xx.accumulating(gx, dx)
    yy = yy.accumulating(gy, dy)
    zz = zz.accumulating(gz, dz)
    xy = xy.accumulating(gx, dy)
    xz = xz.accumulating(gx, dz)
    yz = yz.accumulating(gy, dz)
  }

  /// Adds other sums but for the force.
  @inline(__always)
  mutating func addEnergy(_ other: PairLanes) {
    energy += other.energy
    xx += other.xx
    yy += other.yy
    zz += other.zz
    xy += other.xy
    xz += other.xz
    yz += other.yz
  }

  /// The force on the first atom in eV/Å; the second feels the opposite.
  var force: Vector3 { Vector3(fx.total, fy.total, fz.total) }

  /// The energy in eV.
  var energySum: Double { energy.total }

  /// ∂E/∂ε in eV.
  var virialSum: Matrix3 {
    let (sxy, sxz, syz) = (xy.total, xz.total, yz.total)
    return Matrix3(
      rows: Vector3(xx.total, sxy, sxz), Vector3(sxy, yy.total, syz),
      Vector3(sxz, syz, zz.total))
  }
}
