import Crystal
import NumericalCore

/// What a row of the active set stands for.
public enum ExtrapolationMode: String, Sendable, Hashable, CaseIterable {
  /// One row ∂V/∂θ per atom; the grade of a structure is the largest of its atoms. Fills from the
  /// first tens of labels: the default of searches.
  case neighbourhood
  /// One row (1/N) ∂E/∂θ per structure, so that cells of several sizes share one set.
  case configuration
}

/// Tells how far a structure lies outside what a potential was trained on.
public struct ExtrapolationGrader: Sendable {
  /// The potential whose derivatives are the rows.
  public let potential: MomentTensorPotential
  /// What a row stands for.
  public let mode: ExtrapolationMode
  /// The rows of the training set that span the others.
  public let activeSet: ActiveSet

  /// Creates a grader from a potential and its active set.
  ///
  /// - Throws: `PotentialError.invalidParameters` where the set has another number of columns than the
  ///   potential has parameters.
  public init(
    potential: MomentTensorPotential, mode: ExtrapolationMode, activeSet: ActiveSet
  ) throws(PotentialError) {
    guard activeSet.dimension == potential.parameters.count else {
      throw .invalidParameters(
        "active set of \(activeSet.dimension) columns, \(potential.parameters.count) parameters")
    }
    self.potential = potential
    self.mode = mode
    self.activeSet = activeSet
  }

  /// Builds the active set of a training set.
  ///
  /// It belongs to the coefficients of this potential: after a refit it must be built again.
  ///
  /// - Parameters:
  ///   - potential: The trained potential.
  ///   - structures: What it was trained on; the index names a structure in `activeSet`.
  ///   - mode: What a row stands for.
  ///   - options: How the set is built.
  /// - Throws: `PotentialError` where the potential cannot treat a structure.
  public init(
    _ potential: MomentTensorPotential, trainedOn structures: [Structure],
    mode: ExtrapolationMode = .neighbourhood, options: ActiveSet.Options = ActiveSet.Options()
  ) throws(PotentialError) {
    var elements: [Double] = []
    var origins: [ActiveSet.Origin] = []
    for (index, structure) in structures.enumerated() {
      let rows = try Self.rows(of: structure, potential, mode)
      elements += rows.elements
      for atom in 0..<rows.rows {
        origins.append(
          ActiveSet.Origin(structure: index, atom: mode == .neighbourhood ? atom : nil))
      }
    }
    let pool = Matrix(
      rows: origins.count, columns: potential.parameters.count, elements: elements)
    self.potential = potential
    self.mode = mode
    activeSet = try ActiveSet(covering: pool, origins: origins, options: options)
  }

  /// The rows of a structure: one per atom, or one.
  ///
  /// - Throws: `PotentialError` where the potential cannot treat the structure.
  public func rows(of structure: Structure) throws(PotentialError) -> Matrix {
    try Self.rows(of: structure, potential, mode)
  }

  /// The extrapolation grade γ of a structure: up to 1 it is interpolated.
  ///
  /// - Throws: `PotentialError` where the potential cannot treat the structure, or atoms are so close
  ///   that a derivative is not finite.
  public func grade(of structure: Structure) throws(PotentialError) -> Double {
    try grades(of: structure).max() ?? 0
  }

  /// The grade of every atom, or the one of the structure in configuration mode.
  ///
  /// - Throws: `PotentialError` where the potential cannot treat the structure.
  public func grades(of structure: Structure) throws(PotentialError) -> [Double] {
    let rows = try rows(of: structure)
    guard mode == .neighbourhood else { return activeSet.grades(rows) }
    let species = try potential.speciesIndices(of: structure)
    var grades = [Double](repeating: 0, count: rows.rows)
    for s in potential.elements.indices {
      let columns = potential.siteColumns(ofSpecies: s)
      let classes = AtomClasses(rows, atoms: species.indices.filter { species[$0] == s }, columns)
      let distinct = activeSet.grades(classes.distinctRows, nonzeroIn: columns)
      for (atom, number) in zip(classes.atoms, classes.numbers) { grades[atom] = distinct[number] }
    }
    return grades
  }

  private static func rows(
    of structure: Structure, _ potential: MomentTensorPotential, _ mode: ExtrapolationMode
  ) throws(PotentialError) -> Matrix {
    switch mode {
    case .neighbourhood: return try potential.siteGradients(of: structure)
    case .configuration:
      let scale = 1 / Double(structure.atomCount)
      let row = try potential.energyGradient(of: structure).map { scale * $0 }
      return Matrix(rows: 1, columns: row.count, elements: row)
    }
  }
}

extension ExtrapolationGrader: ByteCodable {
  /// Appends potential, mode and active set.
  public func encode(to encoder: inout ByteEncoder) {
    encoder.encode(potential)
    encoder.encode(mode.rawValue)
    encoder.encode(activeSet)
  }

  /// Reads potential, mode and active set.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    let potential = try decoder.decode(MomentTensorPotential.self)
    guard let mode = ExtrapolationMode(rawValue: try decoder.decode(String.self)) else {
      throw .invalid("mode of an extrapolation grade")
    }
    let activeSet = try decoder.decode(ActiveSet.self)
    do {
      try self.init(potential: potential, mode: mode, activeSet: activeSet)
    } catch { throw .invalid(error.description) }
  }
}
