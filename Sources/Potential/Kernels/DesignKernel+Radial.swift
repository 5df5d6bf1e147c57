/// Columns of the radial coefficients.
///
/// A coefficient c of radial function μ for neighbors of species t changes the moments (μ, m) by
/// N_m = Σ φ_i uᵐ over these neighbors. That changes the derivatives ∂V/∂M (`TangentProgram`), which is
/// a Jacobian like that of a basis function, and the gradients ∂M/∂r themselves ("direct").
extension DesignKernel {
  /// Computes the Jacobians of the radial coefficients of a site, and their rows of energy and strain.
  func beginRadial(_ site: SiteBatch.Site, _ lane: Int, _ input: Input) {
    let memory = memory
    let neighborhood = memory.neighborhoods[lane]
    var (first, count) = (0, 0)
    for species in 0..<design.speciesCount {
      memory.speciesVectors[species] = DesignMemory.Part(first: 0, count: 0)
    }
    for index in site.groups {
      let group = input.groups[index]
      if index == site.groups.lowerBound { first = group.vectors.lowerBound }
      if memory.speciesVectors[group.species].count == 0 {
        memory.speciesVectors[group.species].first = count
      }
      memory.speciesVectors[group.species].count += group.vectors.count
      count += group.vectors.count
    }
    for n in 0..<count * memory.radialTiles {
      let place = n &* Octet.scalarCount
      store(OctetProduct.transpose(neighborhood.phi + place), memory.phi + place, spacing: 1)
      store(OctetProduct.transpose(neighborhood.slope + place), memory.slope + place, spacing: 1)
    }
    let adjoints = UnsafeRawPointer(memory.siteAdjoints + lane * memory.adjointSpacing)
      .assumingMemoryBound(to: Double.self)
    for mu in 0..<memory.shape.functionCount {
      for v in 0..<count {
        neighborhood.polynomialGradient(
          input.geometry + 4 * (first + v), v, degree: memory.shape.degrees[mu],
          adjoints + memory.shape.offsets[mu], to: memory.direct + 6 * (mu * capacity + v))
      }
    }
    for species in 0..<design.speciesCount where memory.speciesVectors[species].count > 0 {
      for tile in 0..<memory.radialTiles {
        radialSums(neighborhood, memory.speciesVectors[species], tile, sums(species, tile))
        for mu in 0..<memory.shape.functionCount { jacobian(species, tile, mu, lane) }
        energyAndStrain(site, species, tile, adjoints, first: first, lane, input)
      }
    }
  }

  private func sums(_ species: Int, _ tile: Int) -> OctetPointer {
    memory.radialSums + (species * memory.radialTiles + tile) * memory.shape.monomialSpacing
  }

  // Where the Jacobians of a neighbor species, tile and function are.
  private func jacobian(_ species: Int, _ tile: Int, _ mu: Int) -> OctetPointer {
    memory.radialJacobians
      + ((species * memory.radialTiles + tile) * memory.radialJacobianCount
        + memory.tangentPrograms[mu].place)
  }

  // The vector of a row that holds the coefficients of a neighbor species, function and tile.
  private func column(
    _ site: SiteBatch.Site, _ species: Int, _ tile: Int, _ mu: Int, _ input: Input
  ) -> Int {
    let pair = site.species * design.speciesCount + species
    return input.radialStart + (pair * design.functionCount + mu) * memory.radialTiles + tile
  }

  // Σ φ_i uᵐ for eight functions i, over some vectors.
  private func radialSums(
    _ neighborhood: SiteNeighborhood, _ vectors: DesignMemory.Part, _ tile: Int,
    _ sums: OctetPointer
  ) {
    let memory = memory
    let numbers = UnsafeRawPointer(neighborhood.p).assumingMemoryBound(to: Double.self)
    for m in stride(from: 0, to: memory.shape.monomialSpacing, by: 8) {
      var a = InlineArray<8, Octet>(repeating: .zero)
      for v in vectors.first..<vectors.first + vectors.count {
        let phi = memory.phi + (v &* memory.radialTiles &+ tile) &* Octet.scalarCount
        let p = numbers + (v &* memory.shape.monomialSpacing &+ m) &* Octet.scalarCount
        for s in 0..<Octet.scalarCount {
          let f = phi[s]
          for k in 0..<8 { a[k].accumulate(f, Octet(repeating: p[k &* Octet.scalarCount &+ s])) }
        }
      }
      for k in 0..<8 { sums[m &+ k] = a[k] }
    }
  }

  // ∂(∂V/∂M)/∂c of eight coefficients.
  private func jacobian(_ species: Int, _ tile: Int, _ mu: Int, _ lane: Int) {
    let memory = memory
    let program = memory.tangentPrograms[mu]
    let coefficients = UnsafeRawPointer(
      memory.siteCoefficients + lane * memory.coefficientSpacing
    ).assumingMemoryBound(to: Double.self)
    let degree = memory.shape.degrees[mu]
    let start = memory.tangents + memory.shape.offsets[mu]
    let sums = sums(species, tile)
    for m in 0..<(degree &+ 1) &* (degree &+ 1) { start[m] = sums[m] }
    program.run(coefficients, memory.tangents)
    let target = jacobian(species, tile, mu)
    for n in 0..<program.supportCount { target[n] = memory.tangents[program.firstResult &+ n] }
  }

  private func energyAndStrain(
    _ site: SiteBatch.Site, _ species: Int, _ tile: Int, _ adjoints: UnsafePointer<Double>,
    first: Int, _ lane: Int, _ input: Input
  ) {
    let memory = memory
    let sums = sums(species, tile)
    let strains = UnsafeRawPointer(memory.strains).assumingMemoryBound(to: Double.self) + lane
    for mu in 0..<memory.shape.functionCount {
      let column = column(site, species, tile, mu, input)
      let adjoint = adjoints + memory.shape.offsets[mu]
      let degree = memory.shape.degrees[mu]
      var energy = Octet.zero
      for m in 0..<(degree &+ 1) &* (degree &+ 1) {
        energy.accumulate(sums[m], Octet(repeating: adjoint[m]))
      }
      input.rows[site.energyRow * input.width + column] += energy
      let program = memory.tangentPrograms[mu]
      var strain = InlineArray<6, Octet>(repeating: .zero)
      OctetProduct.add(
        list: program.support, count: program.supportCount, gradient: strains,
        spacing: 6 * Octet.scalarCount, step: Octet.scalarCount,
        jacobian: jacobian(species, tile, mu),
        to: &strain)
      let rows = input.rows + (site.strainRow * input.width + column)
      for c in 0..<6 { rows[c &* input.width] += strain[c] }
      addDirectStrain(
        memory.speciesVectors[species], tile, mu, first: first, input, to: rows)
    }
  }

  // The sums are variables of their own: in an array the compiler keeps them in memory.
  private func addDirectStrain(
    _ vectors: DesignMemory.Part, _ tile: Int, _ mu: Int, first: Int, _ input: Input,
    to rows: OctetPointer
  ) {
    let memory = memory
    var (xx, yy, zz) = (Octet.zero, Octet.zero, Octet.zero)
    var (yz, xz, xy) = (Octet.zero, Octet.zero, Octet.zero)
    for v in vectors.first..<vectors.first + vectors.count {
      let geometry = input.geometry + 4 &* (first &+ v)
      let r = geometry[3]
      let (x, y, z) = (geometry[0] * r, geometry[1] * r, geometry[2] * r)
      let direct = memory.direct + 6 &* (mu &* capacity &+ v)
      let products = memory.eight
      let numbers = UnsafeRawPointer(products).assumingMemoryBound(to: Double.self)
      let place = (v &* memory.radialTiles &+ tile) &* Octet.scalarCount
      for part in 0..<2 {
        let (gx, gy, gz) = (direct[3 &* part], direct[3 &* part &+ 1], direct[3 &* part &+ 2])
        products[0] = gx * x
        products[1] = gy * y
        products[2] = gz * z
        products[3] = gy * z
        products[4] = gx * z
        products[5] = gx * y
        let functions = part == 0 ? memory.phi + place : memory.slope + place
        for s in 0..<Octet.scalarCount {
          let f = functions[s]
          xx.accumulate(f, Octet(repeating: numbers[s]))
          yy.accumulate(f, Octet(repeating: numbers[8 &+ s]))
          zz.accumulate(f, Octet(repeating: numbers[16 &+ s]))
          yz.accumulate(f, Octet(repeating: numbers[24 &+ s]))
          xz.accumulate(f, Octet(repeating: numbers[32 &+ s]))
          xy.accumulate(f, Octet(repeating: numbers[40 &+ s]))
        }
      }
    }
    let width = input.width
    rows[0] -= xx
    rows[width] -= yy
    rows[2 &* width] -= zz
    rows[3 &* width] -= yz
    rows[4 &* width] -= xz
    rows[5 &* width] -= xy
  }

  /// Adds the force rows that a group of neighbors contributes.
  func addRadial(_ group: SiteBatch.Group, _ site: SiteBatch.Site, first: Int, _ input: Input) {
    let memory = memory
    let gradient = UnsafeRawPointer(memory.gradient).assumingMemoryBound(to: Double.self)
    for species in 0..<design.speciesCount where memory.speciesVectors[species].count > 0 {
      for mu in 0..<memory.shape.functionCount {
        let program = memory.tangentPrograms[mu]
        for tile in 0..<memory.radialTiles {
          let sums = OctetProduct.forces(
            list: program.support, count: program.supportCount, gradient: gradient,
            jacobian: jacobian(species, tile, mu))
          for s in 0..<8 {
            memory.rows[s] = sums.x[s]
            memory.rows[8 &+ s] = sums.y[s]
            memory.rows[16 &+ s] = sums.z[s]
          }
          if species == group.species {
            for v in first..<first + group.vectors.count { addDirect(v, tile, mu) }
          }
          let rows = input.rows + column(site, species, tile, mu, input)
          for direction in 0..<3 { scatter(direction, rows, group, site, input) }
        }
      }
    }
  }

  private func addDirect(_ v: Int, _ tile: Int, _ mu: Int) {
    let memory = memory
    let direct = UnsafeRawPointer(memory.direct + 6 &* (mu &* capacity &+ v))
      .assumingMemoryBound(to: Double.self)
    let place = (v &* memory.radialTiles &+ tile) &* Octet.scalarCount
    for s in 0..<8 {
      let (f, df) = (memory.phi[place &+ s], memory.slope[place &+ s])
      for c in 0..<3 {
        let force = (f * Octet(repeating: direct[c &* 8 &+ s]))
          .accumulating(df, Octet(repeating: direct[(3 &+ c) &* 8 &+ s]))
        memory.rows[c &* 8 &+ s] += force
      }
    }
  }

  // Adds the forces of eight atoms in one direction to their rows, and takes them from the site's own.
  private func scatter(
    _ direction: Int, _ rows: OctetPointer, _ group: SiteBatch.Group, _ site: SiteBatch.Site,
    _ input: Input
  ) {
    let forces = memory.rows + 8 &* direction
    let targets = input.targets + group.firstTarget
    var total = Octet.zero
    for s in 0..<group.atomCount {
      total += forces[s]
      rows[(Int(targets[s]) &+ direction) &* input.width] += forces[s]
    }
    rows[(site.forceRow &+ direction) &* input.width] -= total
  }
}
