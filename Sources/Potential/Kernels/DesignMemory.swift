/// Where the numbers of a block of up to eight sites are while its rows of the design matrix are
/// computed.
struct DesignMemory {
  /// The neighborhood of one site.
  let neighborhood: SiteNeighborhood
  /// Sums over neighbors of every site: eight for each moment.
  let siteSums: LanePointer
  /// The same with the sites in lanes.
  let sums: LanePointer
  /// ∂M/∂ε, six for each moment, sites in lanes.
  let strains: LanePointer
  /// Values of the product graph, sites in lanes.
  let values: LanePointer
  /// Adjoints, sites in lanes.
  let adjoints: LanePointer
  /// Adjoints of one basis function, zero between uses.
  let scratch: LanePointer
  /// Jacobians of all tiles, sites in lanes; then those of every site, columns in lanes.
  let jacobians: LanePointer
  let siteJacobians: LanePointer
  /// The basis functions in the order of the columns, of every site.
  let siteColumns: LanePointer
  /// Coefficients of the tangent programs, and the adjoints of moments, of every site.
  let siteCoefficients: LanePointer
  let siteAdjoints: LanePointer
  /// A block of eight vectors of one site-independent quantity before it is transposed.
  let eight: LanePointer
  /// Σ φ_i uᵐ of one site: monomials of each neighbor species and tile of functions i.
  let radialSums: LanePointer
  /// What tangent programs work in.
  let tangents: LanePointer
  /// ∂(∂V/∂M)/∂c of one site for every neighbor species, function and tile.
  let radialJacobians: LanePointer
  /// φ_i and dφ_i/dr of a site's vectors, functions i in lanes.
  let phi: LanePointer
  let slope: LanePointer
  /// −∂M/∂r of one group.
  let gradient: LanePointer
  /// 24 rows of all basis functions of one group; then nine of the site: its own force and strain.
  let rows: LanePointer
  let totals: LanePointer
  /// For each radial function and vector of a group: tangential and radial parts of the direct
  /// gradient.
  let direct: LanePointer

  /// The number of vectors in the coefficients of a site.
  let coefficientSpacing: Int
  /// The same of the adjoints.
  let adjointSpacing: Int

  init(_ design: DesignProgram, _ basis: RadialBasis, capacity: Int, _ memory: LaneArena) {
    let moments = design.program.moments
    let (count, values) = (moments.count, design.program.valueCount)
    let width = design.columns.width / laneCount
    let tiles = design.radialWidth / laneCount
    let supports = design.columns.moments.count
    let functions = moments.largestDegrees.count
    let spacing = (moments.monomials.count + 7) / 8 * 8
    coefficientSpacing = (design.coefficients.count + 7) / 8
    adjointSpacing = (count + 7) / 8
    neighborhood = SiteNeighborhood(
      moments, basis, capacity: capacity,
      memory: memory.take(
        SiteNeighborhood.demand(moments, radialSize: basis.size, capacity: capacity)))
    siteSums = memory.take(laneCount * count)
    sums = memory.take(8 * count)
    strains = memory.take(6 * count)
    self.values = memory.take(values)
    adjoints = memory.take(values)
    scratch = memory.take(values)
    jacobians = memory.take(laneCount * supports)
    siteJacobians = memory.take(laneCount * supports)
    siteColumns = memory.take(laneCount * width)
    siteCoefficients = memory.take(laneCount * coefficientSpacing)
    siteAdjoints = memory.take(laneCount * adjointSpacing)
    eight = memory.take(8)
    radialSums = memory.take(design.speciesCount * tiles * spacing)
    tangents = memory.take(TangentProgram.memory(design.program))
    radialJacobians = memory.take(
      design.speciesCount * tiles * design.tangents.reduce(0) { $0 + $1.support.count })
    phi = memory.take(capacity * tiles * laneCount)
    slope = memory.take(capacity * tiles * laneCount)
    gradient = memory.take(3 * count)
    rows = memory.take(24 * width)
    totals = memory.take(9 * width)
    direct = memory.take(12 * functions * capacity)
  }
}

/// Memory for vectors, all zero at first; it lives as long as its arena.
final class LaneArena {
  private var pieces: [LanePointer] = []

  /// Memory for some vectors.
  func take(_ count: Int) -> LanePointer {
    let piece = LanePointer.allocate(capacity: max(1, count))
    piece.initialize(repeating: .zero, count: max(1, count))
    pieces.append(piece)
    return piece
  }

  deinit { for piece in pieces { piece.deallocate() } }
}
