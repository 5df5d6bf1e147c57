import Crystal
import NumericalCore
import Potential

/// What every potential must satisfy, whatever its form: derivatives are derivatives, and the energy
/// depends on the crystal, not on how it is written down.
///
/// The checks hand back violations as text, so that a test is one line:
/// `#expect(try PotentialConformance.check(potential, structures).isEmpty)`.
public struct PotentialConformance {
  /// How a potential behaves where a pair passes its cutoff.
  public enum CutoffBehaviour: Sendable {
    /// Nothing to check: the potential has no cutoff, or the test covers it elsewhere.
    case unchecked
    /// Energy and force go to zero continuously at a distance in Å, for a pair of two elements.
    case smooth(ChemicalElement, ChemicalElement, at: Double)
    /// The pair energy drops from a value in eV to zero at a distance in Å.
    case truncated(ChemicalElement, ChemicalElement, at: Double, jump: Double)
  }

  /// What to check and how sharply.
  public struct Options: Sendable {
    /// Step of the central differences in Å (strain: divided by the cube root of the volume).
    public var step = 2e-3
    /// For derivatives.
    public var derivative = Tolerance.finiteDifference
    /// For invariances, per cell; Ewald sums are invariant up to their accuracy only.
    public var invariance = Tolerance.roundoff
    /// The cutoff.
    public var cutoff = CutoffBehaviour.unchecked
    /// An element whose lone atom must feel no force, and its energy in eV where known.
    public var isolatedAtom: ChemicalElement?
    /// The energy of the lone atom in eV.
    public var isolatedEnergy = 0.0
    /// How many random directions derivatives are taken along.
    public var directions = 4

    /// The defaults.
    public init() {}
  }

  private let potential: any InteratomicPotential
  private let options: Options
  private var violations: [String] = []

  /// Checks a potential on structures.
  ///
  /// - Parameters:
  ///   - potential: The potential.
  ///   - structures: Crystals and clusters; include tiny and skewed cells.
  ///   - options: What to check and how sharply.
  /// - Returns: What is violated, empty where all is well.
  /// - Throws: What the potential throws.
  public static func check(
    _ potential: any InteratomicPotential, _ structures: [Structure],
    options: Options = Options()
  ) throws -> [String] {
    var suite = PotentialConformance(potential: potential, options: options)
    for (index, structure) in structures.enumerated() {
      let label = "structure \(index) (\(structure.composition()))"
      try suite.checkDerivatives(structure, label, seed: UInt64(index))
      try suite.checkSums(structure, label)
      try suite.checkInvariances(structure, label, seed: UInt64(index))
    }
    try suite.checkIsolatedAtom()
    try suite.checkCutoff()
    return suite.violations
  }

  private init(potential: any InteratomicPotential, options: Options) {
    self.potential = potential
    self.options = options
  }

  // MARK: Derivatives

  private mutating func checkDerivatives(
    _ structure: Structure, _ label: String, seed: UInt64
  ) throws {
    let potential = self.potential
    let evaluation = try potential.evaluation(of: structure)
    var stream = RandomStream(seed: seed, purpose: .test, slot: 77)
    for _ in 0..<options.directions {
      let direction = structure.positions.map { _ in stream.unitVector() }
      var expected = 0.0
      for (force, d) in zip(evaluation.forces, direction) { expected -= force.dot(d) }
      try compareDerivative(expected, step: options.step, "\(label): force") { h in
        let moved = zip(structure.positions, direction).map { $0 + h * $1 }
        return try potential.evaluation(of: structure.replacing(positions: moved)).energy
      }
      var strain = Matrix3.zero
      for row in 0..<3 { strain[row] = stream.unitVector() }
      var product = 0.0
      for row in 0..<3 { product += evaluation.virial[row].dot(strain[row]) }
      let size = max(1, structure.volume.squareRoot().squareRoot())
      try compareDerivative(product, step: options.step / size, "\(label): virial") { h in
        try potential.evaluation(of: structure.strained(by: h * strain)).energy
      }
    }
    let expectedStress = structure.periodicity == .full ? 1 / structure.volume : 0
    if !evaluation.stress.isClose(to: expectedStress * evaluation.virial, .roundoff) {
      violations.append("\(label): stress is not the virial over the volume")
    }
  }

  /// Central differences D(h) = g + c h² + …: the error must fall by four when h is halved, and the
  /// extrapolation (4 D(h/2) − D(h))/3 must meet g.
  private mutating func compareDerivative(
    _ expected: Double, step: Double, _ label: String, _ energy: (Double) throws -> Double
  ) throws {
    let coarse = (try energy(step) - energy(-step)) / (2 * step)
    let fine = (try energy(step / 2) - energy(-step / 2)) / step
    let extrapolated = (4 * fine - coarse) / 3
    if !extrapolated.isClose(to: expected, options.derivative) {
      violations.append(
        "\(label): differences give \(extrapolated), the derivative is \(expected)")
    }
    let bound = max(options.derivative.absolute, options.derivative.relative * abs(expected))
    if abs(coarse - expected) > 100 * bound {
      let ratio = (coarse - expected) / (fine - expected)
      if !(3...5.2).contains(ratio) {
        violations.append("\(label): halving the step divides the error by \(ratio), not by 4")
      }
    }
  }

  // MARK: Sums

  private mutating func checkSums(_ structure: Structure, _ label: String) throws {
    let evaluation = try potential.evaluation(of: structure)
    let sum = evaluation.forces.reduce(.zero, +)
    let scale = max(1, evaluation.largestForce()) * Double(structure.atomCount)
    if sum.length > 1e-11 * scale { violations.append("\(label): the forces sum to \(sum)") }
    let skew = (evaluation.virial - evaluation.virial.transposed).frobeniusNorm
    if skew > 1e-11 * max(1, evaluation.virial.frobeniusNorm) {
      violations.append("\(label): the virial is not symmetric, by \(skew)")
    }
    if try potential.evaluation(of: structure) != evaluation {
      violations.append("\(label): the same call gives other bits")
    }
  }

  // MARK: Invariances

  private mutating func checkInvariances(
    _ structure: Structure, _ label: String, seed: UInt64
  ) throws {
    var stream = RandomStream(seed: seed, purpose: .test, slot: 78)
    let reference = try potential.evaluation(of: structure)
    let lattice = structure.lattice

    let shift = 3 * stream.unitVector()
    let translated = structure.replacing(positions: structure.positions.map { $0 + shift })
    try compare(translated, reference, "\(label): translation")

    let rotation = TestStructures.randomRotation(&stream)
    for (name, matrix) in [("rotation", rotation), ("inversion", -1 * rotation)] {
      let turned = try Structure(
        lattice: Lattice(lattice.vectors * matrix), periodicity: structure.periodicity,
        species: structure.species, positions: structure.positions.map { $0 * matrix })
      var expected = reference
      expected.forces = reference.forces.map { $0 * matrix }
      expected.virial = matrix.transposed * reference.virial * matrix
      try compare(turned, expected, "\(label): \(name)")
    }

    var order = Array(0..<structure.atomCount)
    stream.shuffle(&order)
    var permuted = reference
    permuted.forces = order.map { reference.forces[$0] }
    try compare(structure.reordered(order), permuted, "\(label): permutation")

    if structure.periodicity.count > 0 {
      let images = structure.positions.map { position in
        var moved = position
        for axis in 0..<3 where structure.periodicity[axis] {
          moved += Double(stream.integer(below: 5) - 2) * lattice.vectors[axis]
        }
        return moved
      }
      try compare(structure.replacing(positions: images), reference, "\(label): images")
    }
    guard structure.periodicity == .full else { return }
    try checkCells(structure, reference, label)
  }

  /// The same crystal in a skewed cell, in a left-handed one, and in a supercell.
  private mutating func checkCells(
    _ structure: Structure, _ reference: Evaluation, _ label: String
  ) throws {
    let v = structure.lattice.vectors
    let cells = [
      ("skewed cell", Matrix3(rows: v.a + v.b, v.b, v.c - 2 * v.a - v.b)),
      ("left-handed cell", Matrix3(rows: v.b, v.a, v.c)),
    ]
    for (name, vectors) in cells {
      let other = try Structure(
        lattice: Lattice(vectors), species: structure.species, positions: structure.positions)
      try compare(other, reference, "\(label): \(name)")
    }
    var doubled = reference
    doubled.energy *= 2
    doubled.virial = 2 * doubled.virial
    doubled.forces += reference.forces
    try compare(structure.supercell(1, 2, 1), doubled, "\(label): supercell")
  }

  private mutating func compare(
    _ structure: Structure, _ expected: Evaluation, _ label: String
  ) throws {
    let found = try potential.evaluation(of: structure)
    let tolerance = options.invariance
    if !found.energy.isClose(to: expected.energy, tolerance) {
      violations.append("\(label): energy \(found.energy) instead of \(expected.energy)")
    }
    let largest = max(1, expected.largestForce())
    let bound = max(tolerance.absolute, tolerance.relative * largest)
    for (atom, pair) in zip(found.forces, expected.forces).enumerated()
    where (pair.0 - pair.1).length > bound {
      violations.append("\(label): force on atom \(atom) is \(pair.0) instead of \(pair.1)")
    }
    let scale = max(1, expected.virial.frobeniusNorm, abs(expected.energy))
    let difference = (found.virial - expected.virial).frobeniusNorm
    if difference > max(tolerance.absolute, tolerance.relative * scale) {
      violations.append("\(label): virial differs by \(difference)")
    }
  }

  // MARK: Limits

  private mutating func checkIsolatedAtom() throws {
    guard let element = options.isolatedAtom else { return }
    let atom = try Structure(
      lattice: Lattice(Matrix3(diagonal: Vector3(5, 5, 5))), periodicity: .none,
      species: [element], positions: [Vector3(1, 2, 3)])
    let evaluation = try potential.evaluation(of: atom)
    if !evaluation.energy.isClose(to: options.isolatedEnergy, .roundoff) {
      violations.append("a lone \(element) has energy \(evaluation.energy)")
    }
    if evaluation.forces[0] != .zero || evaluation.virial != .zero {
      violations.append("a lone \(element) feels a force or a stress")
    }
  }

  private func pairEnergy(
    _ first: ChemicalElement, _ second: ChemicalElement, at distance: Double
  ) throws -> (energy: Double, force: Double) {
    let pair = try Structure(
      lattice: Lattice(Matrix3(diagonal: Vector3(5, 5, 5))), periodicity: .none,
      species: [first, second], positions: [.zero, Vector3(distance, 0, 0)])
    let evaluation = try potential.evaluation(of: pair)
    return (evaluation.energy, evaluation.forces[0].x)
  }

  private mutating func checkCutoff() throws {
    switch options.cutoff {
    case .unchecked: return
    case .smooth(let first, let second, let cutoff):
      let far = try pairEnergy(first, second, at: cutoff + 1e-9)
      // A C² switch leaves h³ in the energy and h² in the force; a C¹ one h² and h.
      for h in [1e-2, 1e-3, 1e-4] {
        let near = try pairEnergy(first, second, at: cutoff - h)
        if abs(near.energy - far.energy) > 10 * h * h || abs(near.force - far.force) > 10 * h {
          violations.append(
            "\(first)–\(second) at \(cutoff) Å: energy or force jumps, \(near) at \(h) Å before it")
        }
      }
    case .truncated(let first, let second, let cutoff, let jump):
      let near = try pairEnergy(first, second, at: cutoff - 1e-9)
      let far = try pairEnergy(first, second, at: cutoff + 1e-9)
      if !(near.energy - far.energy).isClose(to: jump, relative: 1e-6, absolute: 1e-9) {
        violations.append(
          "\(first)–\(second) at \(cutoff) Å: jump \(near.energy - far.energy) instead of \(jump)")
      }
    }
  }
}
