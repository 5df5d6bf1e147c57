/// Sums over neighbors: basic moments, and the gradient of what is made of them.
package enum MomentKernel {
  /// Computes all monomials of a chunk's unit vectors.
  ///
  /// - Parameters:
  ///   - table: The monomials.
  ///   - u: Unit vectors: x of `chunkSlots` slots, then y, then z.
  ///   - rows: Receives `chunkSlots` values of every monomial.
  @inline(__always)
  package static func monomials(_ table: MonomialTable, _ u: LanePointer, _ rows: LanePointer) {
    let entries = table.entries.span
    for s in 0..<chunkSlots { rows[s] = Lanes(repeating: 1) }
    for m in 1..<max(1, entries.count) {
      let entry = entries[unchecked: m]
      let parent = rows + Int(entry.parent) &* chunkSlots
      let axis = u + Int(entry.axis) &* chunkSlots
      let row = rows + m &* chunkSlots
      for s in 0..<chunkSlots { row[s] = parent[s] * axis[s] }
    }
  }

  /// Adds a chunk of neighbors to the moments M_{μ,m} = Σ_j f_μ(r_j) u_jᵐ.
  ///
  /// - Parameters:
  ///   - table: The monomials.
  ///   - rows: Their values in the chunk.
  ///   - f: f_μ in the chunk, function μ from `μ * spacing` on.
  ///   - spacing: The distance between functions in memory.
  ///   - moments: What is added to, by slot.
  @inline(__always)
  package static func addMoments(
    _ table: MonomialTable, _ rows: LanePointer, f: LanePointer, spacing: Int,
    to moments: LanePointer
  ) {
    let entries = table.entries.span
    for m in 0..<entries.count {
      let entry = entries[unchecked: m]
      let row = rows + m &* chunkSlots
      let target = moments + Int(entry.firstSlot)
      for mu in 0..<Int(entry.radialCount) {
        let radial = f + mu &* spacing
        var sum = target[mu]
        for s in 0..<chunkSlots { sum.addProduct(radial[s], row[s]) }
        target[mu] = sum
      }
    }
  }

  /// Computes ∂V/∂r_j for a chunk of neighbors, from G = ∂V/∂M:
  /// u Σ f'_μ G u^m + (1 − u uᵀ)/r Σ f_μ G ∇u^m, the polynomials in u differentiated backward along
  /// the products that the monomials are made by.
  ///
  /// - Parameters:
  ///   - table: The monomials.
  ///   - rows: Their values in the chunk.
  ///   - u: Unit vectors: x of `chunkSlots` slots, then y, then z.
  ///   - inverse: 1/r.
  ///   - f: f_μ in the chunk, function μ from `μ * spacing` on.
  ///   - df: df_μ/dr likewise.
  ///   - spacing: The distance between functions in memory.
  ///   - adjoints: G, by slot.
  ///   - scratch: `chunkSlots` numbers for every monomial.
  ///   - gradient: Receives x of `chunkSlots` slots, then y, then z.
  @inline(__always)
  package static func gradient(
    _ table: MonomialTable, _ rows: LanePointer, u: LanePointer, inverse: LanePointer,
    f: LanePointer,
    df: LanePointer, spacing: Int, adjoints: LanePointer, scratch: LanePointer,
    gradient: LanePointer
  ) {
    let entries = table.entries.span
    for place in 0..<entries.count &* chunkSlots { scratch[place] = .zero }
    for place in 0..<3 &* chunkSlots { gradient[place] = .zero }
    var (radial0, radial1) = (Lanes.zero, Lanes.zero)
    var (radial2, radial3) = (Lanes.zero, Lanes.zero)
    var m = entries.count
    while m > 0 {
      m &-= 1
      let entry = entries[unchecked: m]
      let own = scratch + m &* chunkSlots
      let row = rows + m &* chunkSlots
      let adjoint = adjoints + Int(entry.firstSlot)
      var (h0, h1, h2, h3) = (own[0], own[1], own[2], own[3])
      var (d0, d1, d2, d3) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
      for mu in 0..<Int(entry.radialCount) {
        let g = adjoint[mu]
        let value = f + mu &* spacing
        let slope = df + mu &* spacing
        h0.addProduct(g, value[0])
        h1.addProduct(g, value[1])
        h2.addProduct(g, value[2])
        h3.addProduct(g, value[3])
        d0.addProduct(g, slope[0])
        d1.addProduct(g, slope[1])
        d2.addProduct(g, slope[2])
        d3.addProduct(g, slope[3])
      }
      radial0.addProduct(d0, row[0])
      radial1.addProduct(d1, row[1])
      radial2.addProduct(d2, row[2])
      radial3.addProduct(d3, row[3])
      guard m > 0 else { break }
      let parent = Int(entry.parent) &* chunkSlots
      let axis = Int(entry.axis) &* chunkSlots
      let (up, coordinate, tangent) = (scratch + parent, u + axis, gradient + axis)
      let parentRow = rows + parent
      up[0].addProduct(h0, coordinate[0])
      up[1].addProduct(h1, coordinate[1])
      up[2].addProduct(h2, coordinate[2])
      up[3].addProduct(h3, coordinate[3])
      tangent[0].addProduct(h0, parentRow[0])
      tangent[1].addProduct(h1, parentRow[1])
      tangent[2].addProduct(h2, parentRow[2])
      tangent[3].addProduct(h3, parentRow[3])
    }
    scratch[0] = radial0
    scratch[1] = radial1
    scratch[2] = radial2
    scratch[3] = radial3
    for s in 0..<chunkSlots {
      let (x, y, z) = (u[s], u[chunkSlots &+ s], u[2 &* chunkSlots &+ s])
      let (qx, qy, qz) = (gradient[s], gradient[chunkSlots &+ s], gradient[2 &* chunkSlots &+ s])
      let along = (x * qx).addingProduct(y, qy).addingProduct(z, qz)
      let radial = scratch[s] - along * inverse[s]
      gradient[s] = (qx * inverse[s]).addingProduct(x, radial)
      gradient[chunkSlots &+ s] = (qy * inverse[s]).addingProduct(y, radial)
      gradient[2 &* chunkSlots &+ s] = (qz * inverse[s]).addingProduct(z, radial)
    }
  }
}
