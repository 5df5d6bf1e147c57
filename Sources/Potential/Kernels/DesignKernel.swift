/// Computes rows of design matrices: the derivatives of energies, forces and strain derivatives with
/// respect to parameters.
///
/// For one atom, ∂B_α/∂r = Σ_b (∂B_α/∂M_b)(∂M_b/∂r). A block of up to eight atoms goes through three
/// steps: sums over neighbors, atom by atom, eight neighbors in lanes (`SiteNeighborhood`); the
/// product graph and its derivatives, all atoms of the block in lanes (`BasisProgram`,
/// `DesignColumns`); and, again atom by atom, the matrix products with eight columns in lanes
/// (`OctetProduct`), whose results are added to the rows of the atoms that the forces act on.
final class DesignKernel {
  /// Which columns are computed.
  struct Content: OptionSet {
    let rawValue: Int
    /// The basis functions.
    static let linear = Content(rawValue: 1)
    /// The radial coefficients.
    static let radial = Content(rawValue: 2)
  }

  /// The batch, the parameters and where results go.
  struct Input {
    let groups: UnsafePointer<SiteBatch.Group>
    let targets: UnsafePointer<Int32>
    let geometry: UnsafePointer<Octet>
    let parameters: UnsafePointer<Double>
    let seeds: UnsafePointer<Double>
    let content: Content
    let rows: OctetPointer
    /// Vectors of a row, and the first of the radial columns.
    let width: Int
    let radialStart: Int
  }

  let design: DesignProgram
  private let radialBasis: RadialBasis
  private let strainTerms: StrainTerms
  private(set) var capacity = 0
  private var arena = OctetArena()
  private(set) var memory: DesignMemory

  /// Prepares the computation for one basis.
  init(_ design: DesignProgram, radialBasis: RadialBasis) {
    self.design = design
    self.radialBasis = radialBasis
    strainTerms = StrainTerms(design.program.moments)
    memory = DesignMemory(design, radialBasis, capacity: 0, arena)
  }

  /// Adds the rows of all structures of a batch.
  ///
  /// - Parameters:
  ///   - batch: The structures.
  ///   - potential: The parameters.
  ///   - content: The columns that are computed, basis functions before radial coefficients.
  ///   - rows: Vectors of `width` / 8 each row.
  ///   - width: The width of a row.
  func addRows(
    of batch: SiteBatch, _ potential: MomentTensorPotential, _ content: Content,
    to rows: OctetPointer, width: Int
  ) {
    if batch.largestVectorCount > capacity {
      capacity = batch.largestVectorCount + 8
      arena = OctetArena()
      memory = DesignMemory(design, radialBasis, capacity: capacity, arena)
    }
    // Values of the product graph are numbered otherwise here than in the potential.
    var seeds = [Double](repeating: 0, count: design.program.valueCount)
    let firstScalar = potential.parameterCount - potential.scalarCount
    for (scalar, value) in design.program.scalarValues.enumerated() {
      seeds[value] += potential.parameters[firstScalar + scalar]
    }
    seeds.withUnsafeBufferPointer { seeds in
      potential.parameters.withUnsafeBufferPointer { parameters in
        batch.withPointers { groups, targets, geometry in
          guard let seeds = seeds.baseAddress, let parameters = parameters.baseAddress else {
            return
          }
          let input = Input(
            groups: groups, targets: targets, geometry: geometry, parameters: parameters,
            seeds: seeds, content: content, rows: rows, width: width / Octet.scalarCount,
            radialStart: content.contains(.linear) ? memory.width : 0)
          for block in batch.blocks { add(batch.sites[block], input) }
        }
      }
    }
    // The memory is used up to here.
    withExtendedLifetime(arena) {}
  }

  private func add(_ sites: ArraySlice<SiteBatch.Site>, _ input: Input) {
    let count = design.program.moments.count
    for (lane, site) in sites.enumerated() {
      let vectors = prepare(site, memory.neighborhoods[lane], input)
      memory.neighborhoods[lane].sum(
        input.geometry + 4 * vectors.first, count: vectors.count,
        to: memory.siteSums + lane * count)
    }
    transposeSums()
    design.program.forward(memory.values)
    if input.content.contains(.linear) {
      jacobians()
      columnValues()
    }
    if input.content.contains(.radial) {
      design.program.backward(memory.values, seeds: input.seeds, memory.adjoints)
      coefficients()
    }
    for (lane, site) in sites.enumerated() { addRows(of: site, lane, input) }
  }

  // Monomials and radial functions of a site; its vectors.
  private func prepare(
    _ site: SiteBatch.Site, _ neighborhood: SiteNeighborhood, _ input: Input
  ) -> DesignMemory.Part {
    let perPair = design.functionCount * design.radialSize
    let first = site.groups.isEmpty ? 0 : input.groups[site.groups.lowerBound].vectors.lowerBound
    var count = 0
    for index in site.groups {
      let group = input.groups[index]
      neighborhood.prepare(
        input.geometry + 4 * group.vectors.lowerBound, count: group.vectors.count, from: count,
        coefficients: input.parameters
          + (site.species * design.speciesCount + group.species) * perPair)
      count += group.vectors.count
    }
    return DesignMemory.Part(first: first, count: count)
  }

  // MARK: the block, sites in lanes

  // Moments, and their strain derivatives.
  private func transposeSums() {
    let memory = memory
    let count = design.program.moments.count
    for b in 0..<count {
      let eight = OctetProduct.transpose(memory.siteSums + b, spacing: count)
      memory.values[b] = eight[0]
      let strain = memory.strains + 6 &* b
      strain[0] = eight[2]
      strain[1] = eight[3]
      strain[2] = eight[1] - eight[2] - eight[3]
      strain[3] = eight[4]
      strain[4] = eight[5]
      strain[5] = eight[6]
    }
    for term in strainTerms.terms {
      memory.strains[Int(term.target)].accumulate(
        memory.values[Int(term.source)], Octet(repeating: term.factor))
    }
  }

  // ∂B/∂M of all connected functions.
  private func jacobians() {
    let memory = memory
    design.columns.gradients(
      design.program, memory.values, scratch: memory.scratch, to: memory.jacobians)
    let count = memory.tileMomentCount
    for n in 0..<count {
      store(
        OctetProduct.transpose(memory.jacobians + n &* Octet.scalarCount), memory.siteJacobians + n,
        spacing: count)
    }
  }

  @inline(__always)
  func store(_ eight: InlineArray<8, Octet>, _ target: OctetPointer, spacing: Int) {
    for lane in 0..<8 { target[lane &* spacing] = eight[lane] }
  }

  // Vectors whose lanes are sites, transposed to one row for each site.
  @inline(__always)
  private func transpose(
    count: Int, to target: OctetPointer, spacing: Int, _ vector: (Int) -> Octet
  ) {
    let eight = memory.eight
    for n in 0..<spacing {
      for lane in 0..<Octet.scalarCount {
        let place = n &* Octet.scalarCount &+ lane
        eight[lane] = place < count ? vector(place) : .zero
      }
      store(OctetProduct.transpose(eight), target + n, spacing: spacing)
    }
  }

  private func columnValues() {
    let memory = memory
    let columns = design.columns.values
    transpose(count: columns.count, to: memory.siteColumns, spacing: memory.width) {
      columns[$0] < 0 ? .zero : memory.values[columns[$0]]
    }
  }

  private func coefficients() {
    let memory = memory
    let all = design.coefficients
    transpose(
      count: all.count, to: memory.siteCoefficients, spacing: memory.coefficientSpacing
    ) {
      let source =
        switch all[$0].source {
        case .value(let value): memory.values[value]
        case .adjoint(let value): memory.adjoints[value]
        case .one: Octet(repeating: 1)
        }
      return source * all[$0].multiplicity
    }
    transpose(
      count: design.program.moments.count, to: memory.siteAdjoints,
      spacing: memory.adjointSpacing
    ) { memory.adjoints[$0] }
  }

  // MARK: one site

  private func addRows(of site: SiteBatch.Site, _ lane: Int, _ input: Input) {
    let memory = memory
    if input.content.contains(.linear) { beginLinear(lane) }
    if input.content.contains(.radial) { beginRadial(site, lane, input) }
    var first = 0
    for index in site.groups {
      let group = input.groups[index]
      memory.neighborhoods[lane].gradients(
        input.geometry + 4 * group.vectors.lowerBound, first: first, count: group.vectors.count,
        to: memory.gradient)
      if input.content.contains(.linear) { addLinear(group, lane, input) }
      if input.content.contains(.radial) { addRadial(group, site, first: first, input) }
      first += group.vectors.count
    }
    if input.content.contains(.linear) { endLinear(site, lane, input) }
  }
}
