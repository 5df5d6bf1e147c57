/// Where the numbers of a block of up to eight sites are while its rows of the design matrix are
/// computed, and the tables in a form without reference counts.
struct DesignMemory {
  /// A table's part: its beginning and length.
  struct Part: BitwiseCopyable {
    var first: Int
    var count: Int
  }

  /// A compiled `TangentProgram`.
  struct Tangents: BitwiseCopyable {
    let support: UnsafePointer<Int32>
    let supportCount: Int
    /// The place of its Jacobians among those of one neighbor species and tile.
    let place: Int
    let targets: UnsafePointer<Int32>
    let stepCount: Int
    let offsets: UnsafePointer<Int32>
    let entries: UnsafePointer<TangentProgram.Entry>
    let firstResult: Int

    init(_ program: TangentProgram, place: Int, _ arena: OctetArena) {
      support = arena.copy(program.support)
      supportCount = program.support.count
      self.place = place
      targets = arena.copy(program.targets)
      stepCount = program.targets.count
      offsets = arena.copy(program.offsets)
      entries = arena.copy(program.entries)
      firstResult = program.firstResult
    }
  }

  // MARK: tables

  /// The moments of all tiles, and each tile's part of them.
  let tileMoments: UnsafePointer<Int32>
  let tileMomentCount: Int
  let tiles: UnsafePointer<Part>
  let tileCount: Int
  /// The products of columns.
  let runs: UnsafePointer<DesignColumns.Run>
  let runCount: Int
  /// Vectors of a row of basis functions, and how many of its numbers are used.
  let width: Int
  let usedWidth: Int
  /// The tangent programs; the Jacobians of one neighbor species and tile of all of them.
  let tangentPrograms: UnsafePointer<Tangents>
  let radialJacobianCount: Int
  /// Tiles of eight radial basis functions.
  let radialTiles: Int

  // MARK: sites

  /// The neighborhoods of all sites.
  let shape: SiteNeighborhood.Shape
  let neighborhoods: [SiteNeighborhood]
  /// Sums over neighbors of every site: eight for each moment.
  let siteSums: OctetPointer
  /// Jacobians of all tiles, columns in lanes, of every site.
  let siteJacobians: OctetPointer
  /// The basis functions in the order of the columns, of every site.
  let siteColumns: OctetPointer
  /// Coefficients of the tangent programs, and adjoints of moments, of every site.
  let siteCoefficients: OctetPointer
  let coefficientSpacing: Int
  let siteAdjoints: OctetPointer
  let adjointSpacing: Int

  // MARK: sites in lanes

  /// Values of the product graph.
  let values: OctetPointer
  /// ∂M/∂ε, six for each moment.
  let strains: OctetPointer
  /// Adjoints.
  let adjoints: OctetPointer
  /// Adjoints of one basis function, zero between uses.
  let scratch: OctetPointer
  /// Jacobians of all tiles.
  let jacobians: OctetPointer
  /// Eight vectors before they are transposed.
  let eight: OctetPointer

  // MARK: one site

  /// The vectors of the neighbors of each species.
  let speciesVectors: UnsafeMutablePointer<Part>
  /// Σ φ_i uᵐ: monomials of each neighbor species and tile.
  let radialSums: OctetPointer
  /// What tangent programs work in.
  let tangents: OctetPointer
  /// ∂(∂V/∂M)/∂c for every neighbor species, tile and function.
  let radialJacobians: OctetPointer
  /// φ_i and dφ_i/dr of all vectors, functions i in lanes.
  let phi: OctetPointer
  let slope: OctetPointer
  /// −∂M/∂r of one group.
  let gradient: OctetPointer
  /// 24 rows of all basis functions of one group; nine of the site: its own force, and strain.
  let rows: OctetPointer
  let totals: OctetPointer
  /// For each radial function and vector the tangential and radial parts of the direct gradient.
  let direct: OctetPointer

  init(_ design: DesignProgram, _ basis: RadialBasis, capacity: Int, _ arena: OctetArena) {
    let (moments, columns) = (design.program.moments, design.columns)
    let (count, valueCount) = (moments.count, design.program.valueCount)
    tileMoments = arena.copy(columns.moments)
    tileMomentCount = columns.moments.count
    tiles = arena.copy(
      columns.tiles.map { Part(first: $0.support.lowerBound, count: $0.support.count) })
    tileCount = columns.tiles.count
    runs = arena.copy(columns.runs)
    runCount = columns.runs.count
    width = columns.width / Octet.scalarCount
    usedWidth = columns.usedWidth
    radialTiles = design.radialWidth / Octet.scalarCount
    var programs: [Tangents] = []
    var place = 0
    for program in design.tangents {
      programs.append(Tangents(program, place: place, arena))
      place += program.support.count
    }
    tangentPrograms = arena.copy(programs)
    radialJacobianCount = place

    let shape = SiteNeighborhood.Shape(moments, basis, capacity: capacity, arena)
    self.shape = shape
    neighborhoods = (0..<Octet.scalarCount).map { _ in SiteNeighborhood(shape, arena) }
    siteSums = arena.take(Octet.scalarCount * count)
    siteJacobians = arena.take(Octet.scalarCount * tileMomentCount)
    siteColumns = arena.take(Octet.scalarCount * width)
    coefficientSpacing = (design.coefficients.count + 7) / 8
    siteCoefficients = arena.take(Octet.scalarCount * coefficientSpacing)
    adjointSpacing = (count + 7) / 8
    siteAdjoints = arena.take(Octet.scalarCount * adjointSpacing)

    values = arena.take(valueCount)
    strains = arena.take(6 * count)
    adjoints = arena.take(valueCount)
    scratch = arena.take(valueCount)
    jacobians = arena.take(Octet.scalarCount * tileMomentCount)
    eight = arena.take(8)

    speciesVectors = UnsafeMutablePointer(
      mutating: arena.copy(
        [Part](repeating: Part(first: 0, count: 0), count: design.speciesCount)))
    radialSums = arena.take(design.speciesCount * radialTiles * shape.monomialSpacing)
    tangents = arena.take(TangentProgram.memory(design.program))
    radialJacobians = arena.take(design.speciesCount * radialTiles * radialJacobianCount)
    phi = arena.take(capacity * shape.radialWidth)
    slope = arena.take(capacity * shape.radialWidth)
    gradient = arena.take(3 * count)
    rows = arena.take(24 * width)
    totals = arena.take(9 * width)
    direct = arena.take(6 * shape.functionCount * capacity)
  }
}

/// Memory that lives as long as its arena; vectors begin at cache lines.
final class OctetArena {
  private var pieces: [UnsafeMutableRawPointer] = []

  /// Memory for some vectors, all zero at first.
  func take(_ count: Int) -> OctetPointer {
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: max(1, count) * MemoryLayout<Octet>.stride, alignment: cacheLineBytes)
    pieces.append(memory)
    let vectors = memory.bindMemory(to: Octet.self, capacity: max(1, count))
    vectors.initialize(repeating: .zero, count: max(1, count))
    return vectors
  }

  /// A copy of an array of plain values.
  func copy<Element: BitwiseCopyable>(_ elements: [Element]) -> UnsafePointer<Element> {
    let piece = UnsafeMutablePointer<Element>.allocate(capacity: max(1, elements.count))
    for (place, element) in elements.enumerated() {
      (piece + place).initialize(to: element)
    }
    pieces.append(UnsafeMutableRawPointer(piece))
    return UnsafePointer(piece)
  }

  deinit { for piece in pieces { piece.deallocate() } }
}
