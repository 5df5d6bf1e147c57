import Crystal
import NumericalCore

/// A moment tensor potential: E = Σ_i [shift(species of i) + Σ_α ξ_α B_α(neighborhood of i)], linear in ξ
/// and polynomial in the radial coefficients c that the basis functions B_α are made with.
///
/// A `repulsion`, where there is one, adds to energies, forces and stresses; derivatives with respect to
/// parameters, and the extrapolation grades made of them, know nothing of it.
///
/// Definitions: A. V. Shapeev, Multiscale Model. Simul. 14, 1153 (2016), doi:10.1137/15M1054183; K. Gubaev
/// et al., Comput. Mater. Sci. 156, 148 (2019), doi:10.1016/j.commatsci.2018.09.031; I. S. Novikov et al.,
/// Mach. Learn.: Sci. Technol. 2, 025002 (2021), doi:10.1088/2632-2153/abc9fe, eqs. 1–6.
public struct MomentTensorPotential: Sendable {
  /// The basis functions.
  public let basis: MomentTensorBasis
  /// The radial basis functions.
  public let radialBasis: RadialBasis
  /// The element of each species; unnamed species where the file names none.
  public let elements: [ChemicalElement]
  /// What is added at short range and not trained; `nil` for nothing.
  public let repulsion: ShortRangeRepulsion?
  /// All parameters θ, flat: radial coefficients c at ((s₁·C + s₂)·K + μ)·R + i, s₁ the central
  /// atom's species; then C energy shifts in eV; then S coefficients ξ in eV.
  ///
  /// The count cannot change.
  public var parameters: [Double] {
    didSet {
      precondition(parameters.count == parameterCount, "the number of parameters is fixed")
      compilation = Compilation()
    }
  }

  let evaluationWorkspaces = WorkspacePool<EvaluationWorkspace>()
  /// The parameters in the form that the kernels need, once it is asked for.
  private(set) var compilation = Compilation()

  /// Creates a potential.
  ///
  /// - Parameters:
  ///   - basis: The basis functions.
  ///   - radialBasis: The radial basis; of at least as many functions as `basis` has radial functions
  ///     where no parameters are given.
  ///   - elements: The element of each species, each once.
  ///   - parameters: All parameters; by default f_μ = φ_μ, no shifts, ξ = 0.
  ///   - repulsion: What is added at short range.
  /// - Throws: `PotentialError.invalidParameters` where elements repeat or are missing, the number
  ///   of parameters is wrong or one is not finite, or the repulsion reaches beyond the cutoff or needs the
  ///   atomic number of an unnamed species.
  public init(
    basis: MomentTensorBasis, radialBasis: RadialBasis, elements: [ChemicalElement],
    parameters: [Double]? = nil, repulsion: ShortRangeRepulsion? = nil
  ) throws(PotentialError) {
    guard !elements.isEmpty, Set(elements).count == elements.count else {
      throw .invalidParameters(
        "elements \(elements.map(\.symbol).joined(separator: ", ")); each must occur once")
    }
    self.basis = basis
    self.radialBasis = radialBasis
    self.elements = elements
    try repulsion?.check(elements, cutoff: radialBasis.cutoff)
    self.repulsion = repulsion
    let (species, functions, size) =
      (elements.count, basis.radialFunctionCount, radialBasis.size)
    let radialCount = species * species * functions * size
    let count = radialCount + species + basis.scalarCount
    if let parameters {
      guard parameters.count == count else {
        throw .invalidParameters("\(parameters.count) parameters, \(count) are needed")
      }
      guard parameters.allSatisfy(\.isFinite) else {
        throw .invalidParameters("a parameter is not finite")
      }
      self.parameters = parameters
    } else {
      guard functions <= size else {
        throw .invalidParameters(
          "\(functions) radial functions cannot be independent on \(size) basis functions")
      }
      var start = [Double](repeating: 0, count: count)
      for pair in 0..<species * species {
        for mu in 0..<functions { start[(pair * functions + mu) * size + mu] = 1 }
      }
      self.parameters = start
    }
  }

  /// The number C of species.
  public var speciesCount: Int { elements.count }

  /// The number S of basis functions.
  public var scalarCount: Int { basis.scalarCount }

  /// The number K of radial functions of a pair of species.
  public var radialFunctionCount: Int { basis.radialFunctionCount }

  /// The number C²KR of radial coefficients.
  public var radialParameterCount: Int {
    speciesCount * speciesCount * radialFunctionCount * radialBasis.size
  }

  /// The number C + S of parameters that the energy is linear in; they come last.
  public var linearParameterCount: Int { speciesCount + scalarCount }

  /// The number of all parameters.
  public var parameterCount: Int { radialParameterCount + linearParameterCount }

  /// The same trained part with another repulsion, or none.
  ///
  /// - Throws: `PotentialError.invalidParameters` where it reaches beyond the cutoff or needs the atomic number of an
  ///   unnamed species.
  public func with(
    repulsion: ShortRangeRepulsion?
  ) throws(PotentialError) -> MomentTensorPotential {
    try MomentTensorPotential(
      basis: basis, radialBasis: radialBasis, elements: elements, parameters: parameters,
      repulsion: repulsion)
  }

  /// The place of a radial coefficient among the parameters.
  ///
  /// - Parameters:
  ///   - central: The species of the atom whose neighborhood it is.
  ///   - neighbor: The species of the neighbor.
  ///   - function: The radial function μ.
  ///   - index: The radial basis function i.
  /// - Returns: An index into `parameters`.
  public func radialIndex(central: Int, neighbor: Int, function: Int, index: Int) -> Int {
    ((central * speciesCount + neighbor) * radialFunctionCount + function) * radialBasis.size
      + index
  }

  /// The species number of every atom.
  ///
  /// Elements are matched with elements. An unnamed species k is species k of a potential, whether
  /// that names its species or not.
  ///
  /// - Throws: `PotentialError` where the potential does not know an element.
  public func speciesIndices(of structure: Structure) throws(PotentialError) -> [Int] {
    try structure.speciesIndices(among: elements)
  }
}

extension MomentTensorPotential: Equatable {
  /// Whether two potentials have the same tables, species, parameters and repulsion.
  public static func == (a: MomentTensorPotential, b: MomentTensorPotential) -> Bool {
    a.basis == b.basis && a.radialBasis == b.radialBasis && a.elements == b.elements
      && a.parameters == b.parameters && a.repulsion == b.repulsion
  }
}
