/// Columns of the basis functions.
extension DesignKernel {
  /// Computes strain rows of the connected functions; the site's own force is still zero.
  func beginLinear(_ lane: Int) {
    let memory = memory
    for place in 0..<3 * memory.width { memory.totals[place] = .zero }
    let strains = UnsafeRawPointer(memory.strains).assumingMemoryBound(to: Double.self) + lane
    for n in 0..<memory.tileCount {
      let tile = memory.tiles[n]
      var sums = InlineArray<6, Octet>(repeating: .zero)
      OctetProduct.add(
        list: memory.tileMoments + tile.first, count: tile.count, gradient: strains,
        spacing: 6 * Octet.scalarCount, step: Octet.scalarCount,
        jacobian: memory.siteJacobians + (lane * memory.tileMomentCount + tile.first), to: &sums)
      for c in 0..<6 { memory.totals[(3 &+ c) &* memory.width &+ n] = sums[c] }
    }
  }

  /// Adds the force rows that a group of neighbors contributes.
  func addLinear(_ group: SiteBatch.Group, _ lane: Int, _ input: Input) {
    let memory = memory
    let width = memory.width
    let gradient = UnsafeRawPointer(memory.gradient).assumingMemoryBound(to: Double.self)
    for n in 0..<memory.tileCount {
      let tile = memory.tiles[n]
      let sums = OctetProduct.forces(
        list: memory.tileMoments + tile.first, count: tile.count, gradient: gradient,
        jacobian: memory.siteJacobians + (lane * memory.tileMomentCount + tile.first))
      Self.keep(sums.x, memory.rows + n, memory.totals + n, width)
      Self.keep(sums.y, memory.rows + (8 * width + n), memory.totals + (width + n), width)
      Self.keep(sums.z, memory.rows + (16 * width + n), memory.totals + (2 * width + n), width)
    }
    products(memory.rows, count: 24, lane)
    for s in 0..<group.atomCount {
      let target = input.rows + Int(input.targets[group.firstTarget + s]) * input.width
      for c in 0..<3 {
        Self.addRow(memory.rows + (c * 8 + s) * width, target + c * input.width, width)
      }
    }
  }

  // Keeps the forces of eight atoms in one direction, and takes them from the site's own.
  @inline(__always)
  private static func keep(
    _ forces: InlineArray<8, Octet>, _ rows: OctetPointer, _ own: OctetPointer, _ width: Int
  ) {
    var total = own[0]
    for s in 0..<8 {
      rows[s &* width] = forces[s]
      total -= forces[s]
    }
    own[0] = total
  }

  @inline(__always)
  private static func addRow(_ source: OctetPointer, _ target: OctetPointer, _ width: Int) {
    for n in 0..<width { target[n] += source[n] }
  }

  // ∇(B_α B_β) = B_α ∇B_β + B_β ∇B_α for the columns of some rows that are products. Run by run: what a
  // row has just stored is not loaded again at once.
  private func products(_ rows: OctetPointer, count: Int, _ lane: Int) {
    let memory = memory
    let size = MemoryLayout<Double>.size
    let rowSize = memory.width &* MemoryLayout<Octet>.size
    let first = UnsafeMutableRawPointer(rows)
    let values = UnsafeRawPointer(memory.siteColumns) + lane &* rowSize
    for index in 0..<memory.runCount {
      let run = memory.runs[index]
      let factor = run.factor &* size
      let value = Octet(
        repeating: run.multiplicity * values.load(fromByteOffset: factor, as: Double.self))
      var place = 0
      while place < run.count {
        let partner = (run.partner &+ place) &* size
        let target = (run.first &+ place) &* size
        let other =
          values.loadUnaligned(fromByteOffset: partner, as: Octet.self) * run.multiplicity
        var row = first
        for _ in 0..<count {
          let slope = Octet(repeating: row.load(fromByteOffset: factor, as: Double.self))
          let product = (value * row.loadUnaligned(fromByteOffset: partner, as: Octet.self))
            .accumulating(slope, other)
          row.storeBytes(of: product, toByteOffset: target, as: Octet.self)
          row += rowSize
        }
        place &+= Octet.scalarCount
      }
    }
    // What the last run wrote beyond its end.
    var end = first + memory.usedWidth &* size
    for _ in 0..<count {
      end.storeBytes(of: .zero, as: Octet.self)
      end += rowSize
    }
  }

  /// Adds the rows of the site's own force, of strain and of energy.
  func endLinear(_ site: SiteBatch.Site, _ lane: Int, _ input: Input) {
    let memory = memory
    let width = memory.width
    products(memory.totals, count: 9, lane)
    for c in 0..<3 {
      Self.addRow(
        memory.totals + c * width, input.rows + (site.forceRow + c) * input.width, width)
    }
    for c in 0..<6 {
      Self.addRow(
        memory.totals + (3 + c) * width, input.rows + (site.strainRow + c) * input.width, width)
    }
    Self.addRow(
      memory.siteColumns + lane * width, input.rows + site.energyRow * input.width, width)
  }
}
