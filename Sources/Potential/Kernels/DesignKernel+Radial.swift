/// Columns of the radial coefficients.
///
/// A coefficient c of radial function μ for neighbors of species t changes the moments (μ, m) by
/// N_m = Σ φ_i uᵐ over these neighbors. That changes the derivatives ∂V/∂M (`TangentProgram`), which is
/// a Jacobian like that of a basis function, and the gradients ∂M/∂r themselves ("direct").
extension DesignKernel {
  private var tiles: Int { design.radialWidth / laneCount }
  private var monomialSpacing: Int { memory.neighborhood.monomialSpacing }

  // Where the Jacobians of a neighbor species, function and tile of eight radial basis functions are.
  private func jacobian(_ species: Int, _ mu: Int, _ tile: Int) -> LanePointer {
    var place = species * tiles * design.tangents.reduce(0) { $0 + $1.support.count }
    for other in 0..<mu { place += tiles * design.tangents[other].support.count }
    return memory.radialJacobians + (place + tile * design.tangents[mu].support.count)
  }

  // The vector of a row where the coefficients of a radial function begin.
  private func radialColumn(
    _ site: SiteBatch.Site, _ species: Int, _ mu: Int, _ input: Input
  ) -> Int {
    let pair = site.species * design.speciesCount + species
    return input.radialStart + (pair * design.functionCount + mu) * tiles
  }

  /// Computes ∂(∂V/∂M)/∂c of a site for all radial coefficients of its species.
  func radialJacobians(
    _ groups: ArraySlice<SiteBatch.Group>, first: Int, _ lane: Int
  ) {
    let moments = design.program.moments
    transposeRadialFunctions(groups, first: first)
    for species in 0..<design.speciesCount {
      let range = vectors(of: species, groups, first: first)
      for tile in 0..<tiles {
        let sums = memory.radialSums + (species * tiles + tile) * monomialSpacing
        radialSums(range, tile: tile, to: sums)
        guard !range.isEmpty else { continue }
        let coefficients = UnsafeRawPointer(
          memory.siteCoefficients + lane * memory.coefficientSpacing
        ).assumingMemoryBound(to: Double.self)
        for (mu, program) in design.tangents.enumerated() {
          let start = memory.tangents + moments.offsets[mu]
          for m in 0..<moments.count(of: mu) { start[m] = sums[m] }
          program.run(coefficients, memory.tangents)
          let target = jacobian(species, mu, tile)
          for n in 0..<program.support.count {
            target[n] = memory.tangents[program.firstResult + n]
          }
        }
      }
    }
  }

  // The vectors of all neighbors of a species.
  private func vectors(
    of species: Int, _ groups: ArraySlice<SiteBatch.Group>, first: Int
  ) -> Range<Int> {
    guard let begin = groups.first(where: { $0.species == species }),
      let end = groups.last(where: { $0.species == species })
    else { return 0..<0 }
    return begin.vectors.lowerBound - first..<end.vectors.upperBound - first
  }

  private func transposeRadialFunctions(_ groups: ArraySlice<SiteBatch.Group>, first: Int) {
    let end = groups.last?.vectors.upperBound ?? first
    for n in 0..<(end - first) * tiles {
      let (phi, slope) = (memory.phi + n &* laneCount, memory.slope + n &* laneCount)
      store(
        LaneProduct.transpose(memory.neighborhood.phi + n &* laneCount), phi, spacing: 1)
      store(
        LaneProduct.transpose(memory.neighborhood.slope + n &* laneCount), slope, spacing: 1)
    }
  }

  // Σ φ_i uᵐ for eight functions i, over some vectors.
  private func radialSums(_ range: Range<Int>, tile: Int, to sums: LanePointer) {
    let numbers = UnsafeRawPointer(memory.neighborhood.p).assumingMemoryBound(to: Double.self)
    for m in stride(from: 0, to: monomialSpacing, by: 8) {
      var a = InlineArray<8, Lanes>(repeating: .zero)
      for v in range {
        let phi = memory.phi + (v &* tiles &+ tile) &* laneCount
        let p = numbers + (v &* monomialSpacing &+ m) &* laneCount
        for s in 0..<laneCount {
          for k in 0..<8 { a[k].addProduct(phi[s], Lanes(repeating: p[k &* laneCount &+ s])) }
        }
      }
      for k in 0..<8 { sums[m &+ k] = a[k] }
    }
  }

  /// Energy and strain rows of the radial columns, and what the gradients of the moments themselves
  /// change by.
  func beginRadial(
    _ site: SiteBatch.Site, _ groups: ArraySlice<SiteBatch.Group>, first: Int, _ lane: Int,
    _ input: Input
  ) {
    let moments = design.program.moments
    let adjoints = UnsafeRawPointer(memory.siteAdjoints + lane * memory.adjointSpacing)
      .assumingMemoryBound(to: Double.self)
    for mu in moments.largestDegrees.indices {
      directGradients(groups, first: first, mu, adjoints + moments.offsets[mu], input)
    }
    let strains = UnsafeRawPointer(memory.strains).assumingMemoryBound(to: Double.self) + lane
    for species in 0..<design.speciesCount {
      let range = vectors(of: species, groups, first: first)
      guard !range.isEmpty else { continue }
      for (mu, program) in design.tangents.enumerated() {
        for tile in 0..<tiles {
          let column =
            radialColumn(site, species, mu, input) + tile
          let sums = memory.radialSums + (species * tiles + tile) * monomialSpacing
          let adjoint = adjoints + moments.offsets[mu]
          var energy = Lanes.zero
          for m in 0..<moments.count(of: mu) {
            energy.addProduct(sums[m], Lanes(repeating: adjoint[m]))
          }
          input.rows[site.energyRow * input.width + column] += energy
          var strain = InlineArray<6, Lanes>(repeating: .zero)
          directStrain(range, mu, tile, first: first, groups, input, &strain)
          program.support.withUnsafeBufferPointer { support in
            guard let list = support.baseAddress else { return }
            LaneProduct.add(
              list: list, count: support.count, gradient: strains, spacing: 6 * laneCount,
              step: laneCount, jacobian: jacobian(species, mu, tile), to: &strain)
          }
          for c in 0..<6 {
            input.rows[(site.strainRow + c) * input.width + column] += strain[c]
          }
        }
      }
    }
  }

  // −φ and −φ' are multiplied with six vectors: the tangential and the radial part of
  // Σ_m (∂V/∂M_m) ∂(uᵐ)/∂r and so on.
  private func directGradients(
    _ groups: ArraySlice<SiteBatch.Group>, first: Int, _ mu: Int,
    _ adjoints: UnsafePointer<Double>, _ input: Input
  ) {
    let neighborhood = memory.neighborhood
    let count = design.program.moments.count(of: mu)
    let end = (groups.last?.vectors.upperBound ?? first) - first
    for v in 0..<end {
      let geometry = input.geometry + 4 &* (first &+ v)
      let (x, y, z) = (geometry[0], geometry[1], geometry[2])
      let inverse = Lanes(repeating: 1) / geometry[3]
      let p = neighborhood.p + v &* monomialSpacing
      let dp = neighborhood.dp + v &* (3 &* neighborhood.monomialCount)
      var (value, gx, gy, gz) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
      for m in 0..<count {
        let adjoint = Lanes(repeating: adjoints[m])
        value.addProduct(p[m], adjoint)
        gx.addProduct(dp[3 &* m], adjoint)
        gy.addProduct(dp[3 &* m &+ 1], adjoint)
        gz.addProduct(dp[3 &* m &+ 2], adjoint)
      }
      let along = (x * gx).addingProduct(y, gy).addingProduct(z, gz)
      let target = memory.direct + 6 &* (mu &* capacity &+ v)
      target[0] = (along * x - gx) * inverse
      target[1] = (along * y - gy) * inverse
      target[2] = (along * z - gz) * inverse
      target[3] = -(value * x)
      target[4] = -(value * y)
      target[5] = -(value * z)
    }
  }

  private func directStrain(
    _ range: Range<Int>, _ mu: Int, _ tile: Int, first: Int,
    _ groups: ArraySlice<SiteBatch.Group>, _ input: Input,
    _ strain: inout InlineArray<6, Lanes>
  ) {
    for v in range {
      let geometry = input.geometry + 4 &* (first &+ v)
      let r = geometry[3]
      let (x, y, z) = (geometry[0] * r, geometry[1] * r, geometry[2] * r)
      let direct = memory.direct + 6 &* (mu &* capacity &+ v)
      let products = memory.eight
      let phi = memory.phi + (v &* tiles &+ tile) &* laneCount
      let slope = memory.slope + (v &* tiles &+ tile) &* laneCount
      for part in 0..<2 {
        let (gx, gy, gz) = (direct[3 &* part], direct[3 &* part &+ 1], direct[3 &* part &+ 2])
        products[0] = gx * x
        products[1] = gy * y
        products[2] = gz * z
        products[3] = gy * z
        products[4] = gx * z
        products[5] = gx * y
        let numbers = UnsafeRawPointer(products).assumingMemoryBound(to: Double.self)
        let functions = part == 0 ? phi : slope
        for s in 0..<laneCount {
          let f = functions[s]
          for c in 0..<6 {
            strain[c] -= f * Lanes(repeating: numbers[c &* laneCount &+ s])
          }
        }
      }
    }
  }

  /// Force rows of the radial columns that a group of neighbors contributes.
  func addRadial(_ group: SiteBatch.Group, _ site: SiteBatch.Site, first: Int, _ input: Input) {
    let gradient = UnsafeRawPointer(memory.gradient).assumingMemoryBound(to: Double.self)
    let used = usedLanes(group, input)
    let groups = input.batch.groups[site.groups]
    for species in 0..<design.speciesCount {
      guard groups.contains(where: { $0.species == species }) else { continue }
      for (mu, program) in design.tangents.enumerated() {
        for tile in 0..<tiles {
          var sums = LaneProduct.Forces()
          if species == group.species {
            for v in first..<first + group.vectors.count {
              addDirect(v, mu, tile, &sums)
            }
          }
          program.support.withUnsafeBufferPointer { support in
            guard let list = support.baseAddress else { return }
            LaneProduct.add(
              list: list, count: support.count, gradient: gradient,
              jacobian: jacobian(species, mu, tile), to: &sums)
          }
          let column =
            radialColumn(site, species, mu, input) + tile
          scatter(sums.x, 0, column, group, used, site, input)
          scatter(sums.y, 1, column, group, used, site, input)
          scatter(sums.z, 2, column, group, used, site, input)
        }
      }
    }
  }

  // Adds forces in one direction to the rows of the atoms, and takes them from the site's own.
  @inline(__always)
  private func scatter(
    _ forces: InlineArray<8, Lanes>, _ direction: Int, _ column: Int, _ group: SiteBatch.Group,
    _ used: Int, _ site: SiteBatch.Site, _ input: Input
  ) {
    var total = Lanes.zero
    for s in 0..<8 { total += forces[s] }
    input.rows[(site.forceRow &+ direction) &* input.width &+ column] -= total
    let targets = input.batch.targets.span
    for s in 0..<used {
      let row = Int(targets[unchecked: group.firstTarget &+ s]) &+ direction
      input.rows[row &* input.width &+ column] += forces[s]
    }
  }

  @inline(__always)
  private func addDirect(
    _ v: Int, _ mu: Int, _ tile: Int, _ sums: inout LaneProduct.Forces
  ) {
    let direct = UnsafeRawPointer(memory.direct + 6 &* (mu &* capacity &+ v))
      .assumingMemoryBound(to: Double.self)
    let phi = memory.phi + (v &* tiles &+ tile) &* laneCount
    let slope = memory.slope + (v &* tiles &+ tile) &* laneCount
    for s in 0..<8 {
      let (f, df) = (phi[s], slope[s])
      sums.x[s].addProduct(f, Lanes(repeating: direct[s]))
      sums.y[s].addProduct(f, Lanes(repeating: direct[8 &+ s]))
      sums.z[s].addProduct(f, Lanes(repeating: direct[16 &+ s]))
      sums.x[s].addProduct(df, Lanes(repeating: direct[24 &+ s]))
      sums.y[s].addProduct(df, Lanes(repeating: direct[32 &+ s]))
      sums.z[s].addProduct(df, Lanes(repeating: direct[40 &+ s]))
    }
  }
}
