import Crystal
import NumericalCore

/// Known crystals, built from published Wyckoff positions.
///
/// Lattice parameters are experimental
/// values unless said otherwise; relaxation tests start from them.
public enum Prototypes {
  /// One orbit: an element at a fractional point.
  private struct Site {
    let element: ChemicalElement
    let point: Vector3

    init(_ symbol: String, _ x: Double, _ y: Double, _ z: Double) throws {
      guard let element = ChemicalElement(symbol: symbol) else {
        throw CrystalError.composition("no element \(symbol)")
      }
      self.element = element
      point = Vector3(x, y, z)
    }
  }

  /// A symmetry operation on fractional coordinates.
  private typealias Operation = @Sendable (Double, Double, Double) -> (Double, Double, Double)

  private static func crystal(
    _ lattice: Lattice, _ sites: [Site], _ operations: [Operation]
  ) throws -> Structure {
    var species: [ChemicalElement] = []
    var positions: [Vector3] = []
    for site in sites {
      var orbit: [Vector3] = []
      for operation in operations {
        let (x, y, z) = operation(site.point.x, site.point.y, site.point.z)
        let image = Vector3(x, y, z).map { $0 - ($0 + 1e-9).rounded(.down) }
        let isKnown = orbit.contains { other in
          (other - image).map { abs($0 - $0.rounded()) }.length < 1e-6
        }
        if !isKnown { orbit.append(image) }
      }
      positions += orbit
      species += orbit.map { _ in site.element }
    }
    return try Structure(lattice: lattice, species: species, fractionalPositions: positions)
  }

  private static func orthogonal(_ a: Double, _ b: Double, _ c: Double) throws -> Lattice {
    try Lattice(Matrix3(diagonal: Vector3(a, b, c)))
  }

  /// Rutile TiO2, P4₂/mnm, 6 atoms.
  ///
  /// W. H. Baur and A. A. Khan, Acta Cryst. B 27, 2133 (1971).
  public static func rutile() throws -> Structure {
    try crystal(
      orthogonal(4.594, 4.594, 2.959), [Site("Ti", 0, 0, 0), Site("O", 0.305, 0.305, 0)],
      [
        { ($0, $1, $2) }, { (-$0, -$1, $2) }, { (0.5 + $0, 0.5 - $1, 0.5 + $2) },
        { (0.5 - $0, 0.5 + $1, 0.5 + $2) },
      ])
  }

  /// Anatase TiO2, I4₁/amd, 12 atoms.
  ///
  /// C. J. Howard et al., Acta Cryst. B 47, 462 (1991).
  public static func anatase() throws -> Structure {
    try crystal(
      orthogonal(3.785, 3.785, 9.514), [Site("Ti", 0, 0, 0), Site("O", 0, 0, 0.208)],
      [
        { ($0, $1, $2) }, { ($0, $1, -$2) }, { ($0, 0.5 + $1, 0.25 + $2) },
        { ($0, 0.5 + $1, 0.25 - $2) }, { (0.5 + $0, 0.5 + $1, 0.5 + $2) },
        { (0.5 + $0, 0.5 + $1, 0.5 - $2) }, { (0.5 + $0, $1, 0.75 + $2) },
        { (0.5 + $0, $1, 0.75 - $2) },
      ])
  }

  /// TiO2 of the α-PbO2 type, Pbcn, 12 atoms.
  ///
  /// I. E. Grey et al., J. Appl. Cryst. 21, 393 (1988).
  public static func alphaLeadDioxideType() throws -> Structure {
    try crystal(
      orthogonal(4.541, 5.493, 4.906),
      [Site("Ti", 0, 0.171, 0.25), Site("O", 0.286, 0.376, 0.412)],
      [
        { ($0, $1, $2) }, { (0.5 - $0, 0.5 - $1, 0.5 + $2) }, { (-$0, $1, 0.5 - $2) },
        { (0.5 + $0, 0.5 - $1, -$2) }, { (-$0, -$1, -$2) }, { (0.5 + $0, 0.5 + $1, 0.5 - $2) },
        { ($0, -$1, 0.5 + $2) }, { (0.5 - $0, 0.5 + $1, $2) },
      ])
  }

  /// TiO2 of the modified fluorite (pyrite) type, Pa-3, 12 atoms; a and x estimated from pyrite-type
  /// dioxides.
  public static func pyriteType() throws -> Structure {
    try crystal(
      orthogonal(4.86, 4.86, 4.86), [Site("Ti", 0, 0, 0), Site("O", 0.34, 0.34, 0.34)],
      [
        { ($0, $1, $2) }, { (0.5 - $0, -$1, 0.5 + $2) }, { (-$0, 0.5 + $1, 0.5 - $2) },
        { (0.5 + $0, 0.5 - $1, -$2) }, { (-$0, -$1, -$2) }, { (0.5 + $0, $1, 0.5 - $2) },
        { ($0, 0.5 - $1, 0.5 + $2) }, { (0.5 - $0, 0.5 + $1, $2) },
      ])
  }

  /// MgAl2O4 of the calcium ferrite type, Pnma, 28 atoms.
  ///
  /// Cell of the 100 GPa target, positions of CaFe2O4 and its kin (B. F. Decker and J. S. Kasper,
  /// Acta Cryst. 10, 332 (1957)).
  public static func calciumFerriteType() throws -> Structure {
    try crystal(
      orthogonal(8.00218, 2.68837, 9.34616),
      [
        Site("Mg", 0.243, 0.25, 0.346), Site("Al", 0.433, 0.25, 0.612),
        Site("Al", 0.420, 0.25, 0.111), Site("O", 0.213, 0.25, 0.173),
        Site("O", 0.116, 0.25, 0.477), Site("O", 0.519, 0.25, 0.783),
        Site("O", 0.424, 0.25, 0.422),
      ],
      [
        { ($0, $1, $2) }, { (0.5 - $0, -$1, 0.5 + $2) }, { (-$0, 0.5 + $1, -$2) },
        { (0.5 + $0, 0.5 - $1, 0.5 - $2) }, { (-$0, -$1, -$2) },
        { (0.5 + $0, $1, 0.5 - $2) }, { ($0, 0.5 - $1, $2) }, { (0.5 - $0, 0.5 + $1, 0.5 + $2) },
      ])
  }

  /// Forsterite Mg2SiO4, Pbnm, 28 atoms.
  ///
  /// J. R. Smyth and R. M. Hazen, Am. Mineral. 58, 588 (1973).
  public static func forsterite() throws -> Structure {
    try crystal(
      orthogonal(4.754, 10.197, 5.981),
      [
        Site("Mg", 0, 0, 0), Site("Mg", 0.9915, 0.2774, 0.25), Site("Si", 0.4262, 0.0940, 0.25),
        Site("O", 0.7657, 0.0913, 0.25), Site("O", 0.2215, 0.4474, 0.25),
        Site("O", 0.2777, 0.1628, 0.0331),
      ],
      [
        { ($0, $1, $2) }, { (-$0, -$1, 0.5 + $2) }, { (0.5 + $0, 0.5 - $1, -$2) },
        { (0.5 - $0, 0.5 + $1, 0.5 - $2) }, { (-$0, -$1, -$2) }, { ($0, $1, 0.5 - $2) },
        { (0.5 - $0, 0.5 + $1, $2) }, { (0.5 + $0, 0.5 - $1, 0.5 + $2) },
      ])
  }

  /// Ringwoodite Mg2SiO4, spinel type, Fd-3m, primitive cell of 14 atoms.
  ///
  /// S. Sasaki et al.,
  /// Phys. Chem. Miner. 9, 54 (1982).
  public static func ringwoodite() throws -> Structure {
    let a = 8.065
    let primitive = try Lattice(
      Matrix3(
        rows: Vector3(0, a / 2, a / 2), Vector3(a / 2, 0, a / 2), Vector3(a / 2, a / 2, 0)))
    let x = 0.2441
    let oxygen = [
      Vector3(x, x, x), Vector3(x, 0.25 - x, 0.25 - x), Vector3(0.25 - x, x, 0.25 - x),
      Vector3(0.25 - x, 0.25 - x, x),
    ]
    let cubic =
      [Vector3(0.5, 0.5, 0.5), Vector3(0.5, 0.25, 0.25), Vector3(0.25, 0.5, 0.25)]
      + [Vector3(0.25, 0.25, 0.5), Vector3(0.125, 0.125, 0.125), Vector3(0.875, 0.875, 0.875)]
      + oxygen + oxygen.map { -$0 }
    let symbols =
      Array(repeating: "Mg", count: 4) + Array(repeating: "Si", count: 2)
      + Array(repeating: "O", count: 8)
    return try Structure(
      lattice: primitive, species: symbols.map { try Site($0, 0, 0, 0).element },
      positions: cubic.map { a * $0 })
  }

  /// Periclase MgO, rock salt type, Fm-3m, 8 atoms.
  public static func periclase() throws -> Structure {
    try rockSalt("Mg", "O", a: 4.212)
  }

  /// The rock salt type, Fm-3m, 8 atoms; the nearest neighbors are a/2 apart.
  public static func rockSalt(_ cation: String, _ anion: String, a: Double) throws -> Structure {
    try crystal(
      orthogonal(a, a, a), [Site(cation, 0, 0, 0), Site(anion, 0.5, 0.5, 0.5)], faceCentred)
  }

  /// The caesium chloride type, Pm-3m, 2 atoms; the nearest neighbors are a√3/2 apart.
  public static func caesiumChloride(
    _ cation: String, _ anion: String, a: Double
  ) throws -> Structure {
    try crystal(
      orthogonal(a, a, a), [Site(cation, 0, 0, 0), Site(anion, 0.5, 0.5, 0.5)],
      [{ ($0, $1, $2) }])
  }

  /// The zinc blende type, F-43m, 8 atoms; the nearest neighbors are a√3/4 apart.
  public static func zincBlende(_ cation: String, _ anion: String, a: Double) throws -> Structure {
    try crystal(
      orthogonal(a, a, a), [Site(cation, 0, 0, 0), Site(anion, 0.25, 0.25, 0.25)], faceCentred)
  }

  /// Hexagonal close packing with the ideal ratio of axes, P6₃/mmc, 2 atoms a apart.
  public static func hexagonalClosePacked(_ symbol: String, a: Double) throws -> Structure {
    let lattice = try Lattice(
      Matrix3(
        rows: Vector3(a, 0, 0), Vector3(-a / 2, a * 0.75.squareRoot(), 0),
        Vector3(0, 0, a * (8.0 / 3).squareRoot())))
    return try crystal(
      lattice, [Site(symbol, 1.0 / 3, 2.0 / 3, 0.25)],
      [{ ($0, $1, $2) }, { (-$0, -$1, 0.5 + $2) }])
  }

  private static let faceCentred: [Operation] = [
    { ($0, $1, $2) }, { ($0, 0.5 + $1, 0.5 + $2) }, { (0.5 + $0, $1, 0.5 + $2) },
    { (0.5 + $0, 0.5 + $1, $2) },
  ]
}
