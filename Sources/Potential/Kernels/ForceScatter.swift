/// Turns the derivatives of a block's neighbors into ∂V/∂r and adds them to atoms and strain.
struct ForceScatter {
  /// ∂E/∂ε of every lane: xx, yy, zz, yz, xz, xy.
  private(set) var strain: InlineArray<6, Lanes> = .init(repeating: .zero)
  /// Σ ∂E/∂r over the neighbors of every lane's central atom.
  private(set) var central: InlineArray<3, Lanes> = .init(repeating: .zero)

  /// Adds neighbors whose derivatives are ∂E/∂r already, and whose vectors are in Å.
  ///
  /// - Parameters:
  ///   - slots: The neighbors.
  ///   - totals: ∂E/∂r of all atoms, four numbers each.
  mutating func addGradients(_ slots: NeighborSlots, to totals: UnsafeMutablePointer<Double>) {
    var u = slots.geometry
    var sums = slots.derivatives
    var neighbors = slots.neighbors
    for _ in 0..<slots.count {
      let (gx, gy, gz) = (sums[0], sums[1], sums[2])
      strain[0].accumulate(gx, u[0])
      strain[1].accumulate(gy, u[1])
      strain[2].accumulate(gz, u[2])
      strain[3].accumulate(gy, u[2])
      strain[4].accumulate(gx, u[2])
      strain[5].accumulate(gx, u[1])
      central[0] += gx
      central[1] += gy
      central[2] += gz
      Self.scatter(sums, neighbors, totals)
      u += NeighborSlots.geometryStride
      sums += NeighborSlots.derivativeStride
      neighbors += laneCount
    }
  }

  // Adds the gradients of a slot to the atoms in its lanes.
  @inline(__always)
  private static func scatter(
    _ gradients: LanePointer, _ neighbors: UnsafePointer<Int32>,
    _ totals: UnsafeMutablePointer<Double>
  ) {
    let g = UnsafeMutableRawPointer(gradients).assumingMemoryBound(to: Double.self)
    for lane in 0..<laneCount {
      let target = totals + 4 &* Int(neighbors[lane])
      target[0] += g[lane]
      target[1] += g[laneCount &+ lane]
      target[2] += g[2 &* laneCount &+ lane]
    }
  }

  /// Adds some neighbors.
  ///
  /// With P = Σ_μ f'_μ P_μ and Q = Σ_μ f_μ ∇P_μ the gradient is u P + (1 − u uᵀ) Q / r.
  ///
  /// - Parameters:
  ///   - slots: The neighbors with derivatives.
  ///   - totals: ∂E/∂r of all atoms, four numbers each; the block's neighbors are added.
  mutating func add(_ slots: NeighborSlots, to totals: UnsafeMutablePointer<Double>) {
    var (xx, yy, zz) = (strain[0], strain[1], strain[2])
    var (yz, xz, xy) = (strain[3], strain[4], strain[5])
    var (sx, sy, sz) = (central[0], central[1], central[2])
    var u = slots.geometry
    var sums = slots.derivatives
    var neighbors = slots.neighbors
    for _ in 0..<slots.count {
      let (x, y, z, r, inverse) = (u[0], u[1], u[2], u[3], u[4])
      let (qx, qy, qz) = (sums[1], sums[2], sums[3])
      let along = (x * qx).accumulating(y, qy).accumulating(z, qz)
      let radial = sums[0] - along * inverse
      let gx = (qx * inverse).accumulating(x, radial)
      let gy = (qy * inverse).accumulating(y, radial)
      let gz = (qz * inverse).accumulating(z, radial)
      let (dx, dy, dz) = (x * r, y * r, z * r)
      // A rotation changes no energy: the sum over neighbors is symmetric.
      xx.accumulate(gx, dx)
      yy.accumulate(gy, dy)
      zz.accumulate(gz, dz)
      yz.accumulate(gy, dz)
      xz.accumulate(gx, dz)
      xy.accumulate(gx, dy)
      sx += gx
      sy += gy
      sz += gz
      sums[0] = gx
      sums[1] = gy
      sums[2] = gz
      Self.scatter(sums, neighbors, totals)
      u += NeighborSlots.geometryStride
      sums += NeighborSlots.derivativeStride
      neighbors += laneCount
    }
    strain[0] = xx
    strain[1] = yy
    strain[2] = zz
    strain[3] = yz
    strain[4] = xz
    strain[5] = xy
    central[0] = sx
    central[1] = sy
    central[2] = sz
  }
}
