import Synchronization

/// A component of a moment tensor, M_{μ,ν}: the sum over neighbors of f_μ(r) xᵃ yᵇ zᶜ, where (x, y, z)
/// is the unit vector to the neighbor and ν = a + b + c.
public struct BasicMoment: Sendable, Hashable {
  /// The number μ of the radial function.
  public let radial: Int
  /// The power of x.
  public let x: Int
  /// The power of y.
  public let y: Int
  /// The power of z.
  public let z: Int

  /// Creates a component of a moment tensor.
  public init(radial: Int, x: Int, y: Int, z: Int) {
    self.radial = radial
    self.x = x
    self.y = y
    self.z = z
  }
}

/// One term of a moment that is made of others: M_target += multiplicity · M_first · M_second.
public struct MomentProduct: Sendable, Hashable {
  /// The first factor's index.
  public let first: Int
  /// The second factor's index.
  public let second: Int
  /// How often the product occurs.
  public let multiplicity: Int
  /// The index of the moment it is added to.
  public let target: Int

  /// Creates a term.
  public init(first: Int, second: Int, multiplicity: Int, target: Int) {
    self.first = first
    self.second = second
    self.multiplicity = multiplicity
    self.target = target
  }
}

/// The scalar functions of a neighborhood that a moment tensor potential is linear in, as a graph:
/// components of moment tensors first, then products of what comes before.
///
/// A. V. Shapeev, Multiscale Model. Simul. 14, 1153 (2016), doi:10.1137/15M1054183; I. S. Novikov et al.,
/// Mach. Learn.: Sci. Technol. 2, 025002 (2021), doi:10.1088/2632-2153/abc9fe, eqs. 2–6.
public struct MomentTensorBasis: Sendable {
  /// The level of a basis that this program enumerated, `nil` for tables read from a file.
  public let level: Int?
  /// The components of moment tensors; moment k is `basicMoments[k]` for k below their count.
  public let basicMoments: [BasicMoment]
  /// The terms of all other moments.
  ///
  /// Factors of a term are complete before it.
  public let products: [MomentProduct]
  /// The number of moments, basic ones included.
  public let momentCount: Int
  /// The moments that are basis functions, by index.
  public let scalarMoments: [Int]
  /// The number K of radial functions f_μ.
  public let radialFunctionCount: Int

  /// Where the evaluation keeps moments.
  let layout: MomentLayout
  /// What the evaluation multiplies.
  let graph: ProductGraph

  /// The number S of basis functions.
  public var scalarCount: Int { scalarMoments.count }

  /// Creates a basis from tables.
  ///
  /// - Parameters:
  ///   - level: The level, where the tables are the full basis of one.
  ///   - basicMoments: Components of moment tensors.
  ///   - products: Terms of the other moments.
  ///   - momentCount: The number of all moments.
  ///   - scalarMoments: The indices of the basis functions.
  ///   - radialFunctionCount: The number of radial functions; all μ lie below it.
  /// - Throws: `PotentialError.invalidParameters` where an index is out of range or a moment is used
  ///   before it is complete.
  public init(
    level: Int? = nil, basicMoments: [BasicMoment], products: [MomentProduct], momentCount: Int,
    scalarMoments: [Int], radialFunctionCount: Int
  ) throws(PotentialError) {
    if let problem = Self.problem(
      basicMoments, products, momentCount, scalarMoments, radialFunctionCount)
    {
      throw .invalidParameters(problem)
    }
    self.level = level
    self.basicMoments = basicMoments
    self.products = products
    self.momentCount = momentCount
    self.scalarMoments = scalarMoments
    self.radialFunctionCount = radialFunctionCount
    layout = MomentLayout(basicMoments, radialFunctionCount: radialFunctionCount)
    graph = ProductGraph(
      layout, products: products, momentCount: momentCount, scalarMoments: scalarMoments)
  }

  // What is wrong with tables, if anything.
  private static func problem(
    _ basic: [BasicMoment], _ products: [MomentProduct], _ momentCount: Int, _ scalars: [Int],
    _ radialFunctionCount: Int
  ) -> String? {
    guard basic.count <= momentCount else {
      return "\(basic.count) basic moments but \(momentCount) moments in all"
    }
    for (index, moment) in basic.enumerated() {
      guard (0..<radialFunctionCount).contains(moment.radial) else {
        return
          "basic moment \(index) needs radial function \(moment.radial) of \(radialFunctionCount)"
      }
      let powers = [moment.x, moment.y, moment.z]
      guard powers.allSatisfy({ (0...largestPower).contains($0) }) else {
        return "basic moment \(index) has powers \(powers), 0 to \(largestPower) are allowed"
      }
    }
    var lastTerm = [Int](repeating: -1, count: momentCount)
    for (index, term) in products.enumerated() {
      for moment in [term.first, term.second] where !(0..<momentCount).contains(moment) {
        return "product \(index) uses moment \(moment) of \(momentCount)"
      }
      guard (basic.count..<momentCount).contains(term.target) else {
        return "product \(index) adds to moment \(term.target); "
          + "\(basic.count) to \(momentCount - 1) are allowed"
      }
      lastTerm[term.target] = index
    }
    for (index, term) in products.enumerated() {
      for moment in [term.first, term.second] where lastTerm[moment] >= index {
        return "product \(index) uses moment \(moment) before it is complete"
      }
    }
    for (index, moment) in scalars.enumerated() where !(0..<momentCount).contains(moment) {
      return "basis function \(index) is moment \(moment) of \(momentCount)"
    }
    return nil
  }

  /// The largest power of a coordinate that tables may ask for.
  static let largestPower = 32
}

extension MomentTensorBasis {
  /// The levels that can be enumerated.
  public static let levels = 2...28

  /// The basis of a level: all contractions of one to four moments whose levels 2 + 4μ + ν sum to
  /// no more than it, one for each isomorphism class, ordered by level so that the basis of a lower
  /// level is a beginning of it.
  ///
  /// Enumerated once per process.
  ///
  /// - Parameter level: An even number from 2 to 28.
  /// - Throws: `PotentialError.invalidParameters` for another level.
  public init(level: Int) throws(PotentialError) {
    guard Self.levels.contains(level), level.isMultiple(of: 2) else {
      throw .invalidParameters("level \(level); even numbers from 2 to 28 are allowed")
    }
    if let known = Self.cache.withLock({ $0[level] }) {
      self = known
      return
    }
    let contractions = MomentContraction.all(level: level)
    let graph = ProductGraphBuilder.graph(of: contractions)
    let radialFunctionCount = 1 + (contractions.flatMap(\.radial).max() ?? 0)
    let basis = try MomentTensorBasis(
      level: level, basicMoments: graph.basicMoments, products: graph.products,
      momentCount: graph.momentCount, scalarMoments: graph.scalarMoments,
      radialFunctionCount: radialFunctionCount)
    Self.cache.withLock { $0[level] = basis }
    self = basis
  }

  private static let cache = Mutex<[Int: MomentTensorBasis]>([:])
}

extension MomentTensorBasis: Equatable {
  /// Whether two bases have the same tables.
  public static func == (a: MomentTensorBasis, b: MomentTensorBasis) -> Bool {
    a.radialFunctionCount == b.radialFunctionCount && a.momentCount == b.momentCount
      && a.basicMoments == b.basicMoments && a.products == b.products
      && a.scalarMoments == b.scalarMoments
  }
}
