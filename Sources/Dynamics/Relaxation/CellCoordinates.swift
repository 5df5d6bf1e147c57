import Crystal
import NumericalCore

/// Atoms and cell as one vector: reference positions X and a deformation F of a reference lattice L₀,
/// so that r = X F and L = L₀ F.
///
/// With W = ∂E/∂ε + pV at the current structure, the derivatives are ∂H/∂X = −f Fᵀ and
/// ∂H/∂F = F⁻ᵀ W (E. B. Tadmor et al., Phys. Rev. B 59, 235 (1999), for the idea).
struct CellCoordinates {
  /// Structure in which F is the identity.
  private(set) var reference: Structure
  /// Positions of all atoms, then the rows of F.
  private(set) var values: [Double]
  private let hasStrain: Bool
  private let pressure: Double

  /// Starts at a structure.
  init(_ structure: Structure, pressure: Double, hasStrain: Bool) {
    reference = structure
    values = Self.flat(structure.positions, .identity)
    self.hasStrain = hasStrain
    self.pressure = structure.periodicity == .full ? pressure : 0
  }

  /// How far F is from the identity.
  var deformation: Double { (matrix(of: values) - .identity).largestMagnitude }

  /// The structure after a step.
  ///
  /// - Returns: `nil` where the step flattens the cell or turns it inside out.
  func structure(after step: [Double], factor: Double) -> Structure? {
    var moved = values
    add(factor, step, to: &moved)
    let f = matrix(of: moved)
    guard f.determinant > 0.01, let lattice = try? Lattice(reference.lattice.vectors * f) else {
      // A step that long is refused by the caller, which then tries a shorter one.
      return nil
    }
    let positions = (0..<reference.atomCount).map { atom in
      Vector3(moved[3 * atom], moved[3 * atom + 1], moved[3 * atom + 2]) * f
    }
    // Positions may still overflow; the initializer says so.
    return try? Structure(
      lattice: lattice, periodicity: reference.periodicity, species: reference.species,
      positions: positions)
  }

  /// Goes along a step.
  mutating func move(along step: [Double], factor: Double) { add(factor, step, to: &values) }

  /// E + pV in eV.
  func enthalpy(_ structure: Structure, _ evaluation: Evaluation) -> Double {
    evaluation.energy + (pressure == 0 ? 0 : pressure * structure.volume)
  }

  /// ∂E/∂ε + pV, without the directions that do not repeat; zero for a fixed cell.
  func strainDerivative(_ structure: Structure, _ evaluation: Evaluation) -> Matrix3 {
    guard hasStrain else { return .zero }
    var w = evaluation.virial.symmetrized
    if pressure != 0 { w += (pressure * structure.volume) * Matrix3.identity }
    guard structure.periodicity != .full else { return w }
    let projector = Self.projector(structure)
    return projector * w * projector
  }

  /// The derivative of the enthalpy.
  func gradient(_ structure: Structure, _ evaluation: Evaluation) -> [Double] {
    let f = matrix(of: values)
    let back = f.transposed
    let w = strainDerivative(structure, evaluation)
    let inverse = f.inverse ?? .identity
    return Self.flat(evaluation.forces.map { -($0 * back) }, inverse.transposed * w)
  }

  /// Keeps a step inside the allowed strains.
  func project(_ step: inout [Double]) {
    let base = 3 * reference.atomCount
    if !hasStrain {
      for index in base..<base + 9 { step[index] = 0 }
    } else if reference.periodicity != .full {
      let projector = Self.projector(reference)
      store(projector * matrix(of: step) * projector, in: &step)
    }
  }

  /// The longest move of an atom in Å and the largest component of the strain in a step.
  func size(of step: [Double]) -> (move: Double, strain: Double) {
    var move = 0.0
    for atom in 0..<reference.atomCount {
      let d = Vector3(step[3 * atom], step[3 * atom + 1], step[3 * atom + 2])
      move = max(move, d.squaredLength)
    }
    return (move.squareRoot(), matrix(of: step).largestMagnitude)
  }

  /// Makes the current structure the reference.
  ///
  /// A displacement (dX, dF) becomes (dX F, F⁻¹ dF), a gradient (g F⁻ᵀ, Fᵀ g): linear maps that keep
  /// scalar products, so a quasi-Newton memory survives.
  mutating func reframe(at structure: Structure, _ memory: inout LimitedMemoryHessian) {
    let f = matrix(of: values)
    guard let inverse = f.inverse else { return }
    let back = inverse.transposed
    let forward = f.transposed
    memory.transform(
      steps: { map(&$0, positions: f, strain: inverse) },
      changes: { map(&$0, positions: back, strain: forward) })
    reference = structure
    values = Self.flat(structure.positions, .identity)
  }

  private func map(_ vector: inout [Double], positions: Matrix3, strain: Matrix3) {
    for atom in 0..<reference.atomCount {
      let v = Vector3(vector[3 * atom], vector[3 * atom + 1], vector[3 * atom + 2]) * positions
      vector[3 * atom] = v.x
      vector[3 * atom + 1] = v.y
      vector[3 * atom + 2] = v.z
    }
    store(strain * matrix(of: vector), in: &vector)
  }

  private func matrix(of vector: [Double]) -> Matrix3 {
    let base = 3 * reference.atomCount
    return Matrix3(
      rows: Vector3(vector[base], vector[base + 1], vector[base + 2]),
      Vector3(vector[base + 3], vector[base + 4], vector[base + 5]),
      Vector3(vector[base + 6], vector[base + 7], vector[base + 8]))
  }

  private func store(_ matrix: Matrix3, in vector: inout [Double]) {
    let base = 3 * reference.atomCount
    for row in 0..<3 {
      for column in 0..<3 { vector[base + 3 * row + column] = matrix[row, column] }
    }
  }

  private static func flat(_ positions: [Vector3], _ matrix: Matrix3) -> [Double] {
    var values: [Double] = []
    values.reserveCapacity(3 * positions.count + 9)
    for p in positions {
      values.append(p.x)
      values.append(p.y)
      values.append(p.z)
    }
    for row in [matrix.a, matrix.b, matrix.c] {
      values.append(row.x)
      values.append(row.y)
      values.append(row.z)
    }
    return values
  }

  /// Projects on the space spanned by the repeating directions.
  private static func projector(_ structure: Structure) -> Matrix3 {
    var projector = Matrix3.zero
    var frame: [Vector3] = []
    for axis in 0..<3 where structure.periodicity[axis] {
      var v = structure.lattice.vectors[axis]
      for u in frame { v -= u.dot(v) * u }
      let unit = v / v.length
      frame.append(unit)
      projector += Matrix3.outer(unit, unit)
    }
    return projector
  }
}
