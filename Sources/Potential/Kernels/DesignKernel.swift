/// Computes rows of design matrices: the derivatives of energies, forces and strain derivatives with
/// respect to parameters.
///
/// For one atom, ∂B_α/∂r = Σ_b (∂B_α/∂M_b)(∂M_b/∂r). A block of up to eight atoms goes through three
/// steps: sums over neighbors, atom by atom, eight neighbors in lanes (`SiteNeighborhood`); the
/// product graph and its derivatives, all atoms of the block in lanes (`BasisProgram`,
/// `DesignColumns`); and, again atom by atom, the matrix products with eight columns in lanes
/// (`LaneProduct`), whose results are added to the rows of the atoms that the forces act on.
final class DesignKernel {
  /// Which columns are computed.
  struct Content: OptionSet {
    let rawValue: Int
    /// The basis functions.
    static let linear = Content(rawValue: 1)
    /// The radial coefficients.
    static let radial = Content(rawValue: 2)
  }

  let design: DesignProgram
  let radialBasis: RadialBasis
  private let strainTerms: StrainTerms
  private(set) var capacity = 0
  private var arena = LaneArena()
  var memory: DesignMemory

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
  ///   - content: The columns that are computed; others stay.
  ///   - rows: Vectors of `width` / 8 each row.
  ///   - width: The width of a row.
  func addRows(
    of batch: SiteBatch, _ potential: MomentTensorPotential, _ content: Content,
    to rows: LanePointer, width: Int
  ) {
    if batch.largestVectorCount > capacity {
      capacity = batch.largestVectorCount + 8
      arena = LaneArena()
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
        batch.geometry.withUnsafeBufferPointer { geometry in
          guard let seeds = seeds.baseAddress, let parameters = parameters.baseAddress,
            let geometry = geometry.baseAddress
          else { return }
          for block in batch.blocks {
            let input = Input(
              batch: batch, sites: block, geometry: geometry, parameters: parameters,
              content: content, rows: rows, width: width / laneCount,
              radialStart: content.contains(.linear) ? design.columns.width / laneCount : 0)
            add(input, seeds)
          }
        }
      }
    }
  }

  struct Input {
    let batch: SiteBatch
    let sites: Range<Int>
    let geometry: UnsafePointer<Lanes>
    let parameters: UnsafePointer<Double>
    let content: Content
    let rows: LanePointer
    let width: Int

    // The vector of a row where the radial columns begin.
    let radialStart: Int
  }

  private func add(_ input: Input, _ seeds: UnsafePointer<Double>) {
    let moments = design.program.moments
    for (lane, site) in input.sites.enumerated() {
      let vectors = prepare(input.batch.sites[site], input)
      memory.neighborhood.sum(
        input.geometry + 4 * vectors.lowerBound, count: vectors.count,
        to: memory.siteSums + lane * moments.count)
    }
    transposeSums()
    design.program.forward(memory.values)
    if input.content.contains(.linear) {
      jacobians()
      columnValues()
    }
    if input.content.contains(.radial) {
      design.program.backward(memory.values, seeds: seeds, memory.adjoints)
      coefficients()
    }
    for (lane, site) in input.sites.enumerated() {
      addRows(of: input.batch.sites[site], lane, input)
    }
  }

  // Monomials and radial functions of a site; its vectors.
  func prepare(_ site: SiteBatch.Site, _ input: Input) -> Range<Int> {
    let groups = input.batch.groups[site.groups]
    let first = groups.first?.vectors.lowerBound ?? 0
    let perPair = design.functionCount * design.radialSize
    for group in groups {
      memory.neighborhood.prepare(
        input.geometry + 4 * group.vectors.lowerBound, count: group.vectors.count,
        into: group.vectors.lowerBound - first,
        coefficients: input.parameters
          + (site.species * design.speciesCount + group.species) * perPair)
    }
    return first..<(groups.last?.vectors.upperBound ?? first)
  }

  // MARK: the block, sites in lanes

  // Moments, and their strain derivatives.
  func transposeSums() {
    let count = design.program.moments.count
    for b in 0..<count {
      let eight = LaneProduct.transpose(memory.siteSums + b, spacing: count)
      memory.values[b] = eight[0]
      let strain = memory.strains + 6 &* b
      strain[0] = eight[2]
      strain[1] = eight[3]
      strain[2] = eight[1] - eight[2] - eight[3]
      strain[3] = eight[4]
      strain[4] = eight[5]
      strain[5] = eight[6]
    }
    let table = strainTerms.terms
    let terms = table.span
    for index in 0..<terms.count {
      let term = terms[unchecked: index]
      memory.strains[Int(term.target)].addProduct(
        memory.values[Int(term.source)], Lanes(repeating: term.factor))
    }
  }

  // ∂B/∂M of all connected functions.
  func jacobians() {
    design.columns.gradients(
      design.program, memory.values, scratch: memory.scratch, to: memory.jacobians)
    let count = design.columns.moments.count
    for n in 0..<count {
      store(
        LaneProduct.transpose(memory.jacobians + n &* laneCount), memory.siteJacobians + n,
        spacing: count)
    }
  }

  @inline(__always)
  func store(
    _ eight: InlineArray<8, Lanes>, _ target: LanePointer, spacing: Int
  ) {
    for lane in 0..<8 { target[lane &* spacing] = eight[lane] }
  }

  func columnValues() {
    let columns = design.columns
    let values = columns.values.span
    let width = values.count / laneCount
    for n in 0..<width {
      for lane in 0..<laneCount {
        let value = values[n &* laneCount &+ lane]
        memory.eight[lane] = value < 0 ? .zero : memory.values[value]
      }
      store(LaneProduct.transpose(memory.eight), memory.siteColumns + n, spacing: width)
    }
  }

  func coefficients() {
    let table = design.coefficients
    let all = table.span
    let spacing = memory.coefficientSpacing
    for n in 0..<spacing {
      for lane in 0..<min(laneCount, all.count &- n &* laneCount) {
        let coefficient = all[unchecked: n &* laneCount &+ lane]
        let source =
          switch coefficient.source {
          case .value(let value): memory.values[value]
          case .adjoint(let value): memory.adjoints[value]
          case .one: Lanes(repeating: 1)
          }
        memory.eight[lane] = source * coefficient.multiplicity
      }
      store(LaneProduct.transpose(memory.eight), memory.siteCoefficients + n, spacing: spacing)
    }
    let count = design.program.moments.count
    for n in 0..<memory.adjointSpacing {
      for lane in 0..<laneCount {
        let moment = n &* laneCount &+ lane
        memory.eight[lane] = moment < count ? memory.adjoints[moment] : .zero
      }
      store(
        LaneProduct.transpose(memory.eight), memory.siteAdjoints + n,
        spacing: memory.adjointSpacing)
    }
  }

  // MARK: one site

  func addRows(of site: SiteBatch.Site, _ lane: Int, _ input: Input) {
    let vectors = prepare(site, input)
    let groups = input.batch.groups[site.groups]
    if input.content.contains(.linear) { beginLinear(lane) }
    if input.content.contains(.radial) {
      radialJacobians(groups, first: vectors.lowerBound, lane)
      beginRadial(site, groups, first: vectors.lowerBound, lane, input)
    }
    for group in groups {
      let first = group.vectors.lowerBound - vectors.lowerBound
      memory.neighborhood.gradients(
        input.geometry + 4 * group.vectors.lowerBound, first: first, count: group.vectors.count,
        to: memory.gradient)
      if input.content.contains(.linear) { addLinear(group, lane, input) }
      if input.content.contains(.radial) { addRadial(group, site, first: first, input) }
    }
    if input.content.contains(.linear) { endLinear(site, lane, input) }
  }

  // MARK: columns of basis functions

  // Strain rows of the connected functions; the site's own force is still zero.
  func beginLinear(_ lane: Int) {
    let width = design.columns.width / laneCount
    for place in 0..<3 * width { memory.totals[place] = .zero }
    let count = design.columns.moments.count
    let strains = UnsafeRawPointer(memory.strains).assumingMemoryBound(to: Double.self) + lane
    design.columns.moments.withUnsafeBufferPointer { lists in
      guard let list = lists.baseAddress else { return }
      for (n, tile) in design.columns.tiles.enumerated() {
        var sums = InlineArray<6, Lanes>(repeating: .zero)
        LaneProduct.add(
          list: list + tile.support.lowerBound, count: tile.support.count, gradient: strains,
          spacing: 6 * laneCount, step: laneCount,
          jacobian: memory.siteJacobians + (lane * count + tile.support.lowerBound), to: &sums)
        for c in 0..<6 { memory.totals[(3 + c) * width + n] = sums[c] }
      }
    }
  }

  func addLinear(_ group: SiteBatch.Group, _ lane: Int, _ input: Input) {
    let width = design.columns.width / laneCount
    let count = design.columns.moments.count
    let gradient = UnsafeRawPointer(memory.gradient).assumingMemoryBound(to: Double.self)
    design.columns.moments.withUnsafeBufferPointer { lists in
      guard let list = lists.baseAddress else { return }
      for (n, tile) in design.columns.tiles.enumerated() {
        var sums = LaneProduct.Forces()
        LaneProduct.add(
          list: list + tile.support.lowerBound, count: tile.support.count, gradient: gradient,
          jacobian: memory.siteJacobians + (lane * count + tile.support.lowerBound), to: &sums)
        keep(sums.x, n)
        keep(sums.y, 8 * width + n)
        keep(sums.z, 16 * width + n)
      }
    }
    let used = usedLanes(group, input)
    products(memory.rows, count: 24, lane)
    for s in 0..<used {
      let target = input.rows + Int(input.batch.targets[group.firstTarget + s]) * input.width
      for c in 0..<3 { addRow(memory.rows + (c * 8 + s) * width, target + c * input.width, width) }
    }
  }

  // Keeps the forces of eight atoms in one direction, and takes them from the site's own.
  @inline(__always)
  private func keep(_ forces: InlineArray<8, Lanes>, _ place: Int) {
    let width = design.columns.width / laneCount
    let own = memory.totals + (place / (8 &* width) &* width + place % width)
    var total = own[0]
    for s in 0..<8 {
      memory.rows[place &+ s &* width] = forces[s]
      total -= forces[s]
    }
    own[0] = total
  }

  func usedLanes(_ group: SiteBatch.Group, _ input: Input) -> Int {
    let targets = input.batch.targets.span
    var used = 0
    while used < laneCount, targets[group.firstTarget &+ used] >= 0 { used &+= 1 }
    return used
  }

  @inline(__always)
  func addRow(_ source: LanePointer, _ target: LanePointer, _ width: Int) {
    for n in 0..<width { target[n] += source[n] }
  }

  // ∇(B_α B_β) = B_α ∇B_β + B_β ∇B_α for the columns of some rows that are products. Run by run: what a
  // row has just stored is not loaded again at once.
  @inline(__always)
  private func products(_ rows: LanePointer, count: Int, _ lane: Int) {
    let columns = design.columns
    let size = MemoryLayout<Double>.size
    let rowSize = columns.width &* size
    let first = UnsafeMutableRawPointer(rows)
    let values = UnsafeRawPointer(memory.siteColumns) + lane &* rowSize
    let runs = columns.runs.span
    for index in 0..<runs.count {
      let run = runs[unchecked: index]
      let factor = run.factor &* size
      let value = Lanes(
        repeating: run.multiplicity * values.load(fromByteOffset: factor, as: Double.self))
      var place = 0
      while place < run.count {
        let partner = (run.partner &+ place) &* size
        let target = (run.first &+ place) &* size
        let other =
          values.loadUnaligned(fromByteOffset: partner, as: Lanes.self) * run.multiplicity
        var row = first
        for _ in 0..<count {
          let slope = Lanes(repeating: row.load(fromByteOffset: factor, as: Double.self))
          let product = (value * row.loadUnaligned(fromByteOffset: partner, as: Lanes.self))
            .addingProduct(slope, other)
          row.storeBytes(of: product, toByteOffset: target, as: Lanes.self)
          row += rowSize
        }
        place &+= laneCount
      }
    }
    // What the last run wrote beyond its end.
    for row in 0..<count {
      first.storeBytes(
        of: .zero, toByteOffset: row &* rowSize &+ columns.usedWidth &* size, as: Lanes.self)
    }
  }

  func endLinear(_ site: SiteBatch.Site, _ lane: Int, _ input: Input) {
    let width = design.columns.width / laneCount
    products(memory.totals, count: 9, lane)
    for c in 0..<3 {
      addRow(
        memory.totals + c * width, input.rows + (site.forceRow + c) * input.width, width)
    }
    for c in 0..<6 {
      addRow(
        memory.totals + (3 + c) * width, input.rows + (site.strainRow + c) * input.width, width)
    }
    addRow(memory.siteColumns + lane * width, input.rows + site.energyRow * input.width, width)
  }
}
