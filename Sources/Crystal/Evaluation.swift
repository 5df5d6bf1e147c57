import NumericalCore

/// What a potential or a reference method says of a structure.
public struct Evaluation: Sendable, Hashable {
  /// Energy of the cell in eV.
  public var energy: Double
  /// Force on every atom in eV/Å.
  public var forces: [Vector3]
  /// Stress σ = (1/V) ∂E/∂ε in eV/Å³, symmetric, positive in tension.
  ///
  /// Zero where the structure does
  /// not repeat in all three directions: use `virial` then.
  public var stress: Matrix3
  /// ∂E/∂ε in eV, the stress times the volume; meaningful for clusters and slabs too.
  public var virial: Matrix3

  /// Creates an evaluation from the strain derivative of the energy.
  ///
  /// - Parameters:
  ///   - energy: Energy of the cell in eV.
  ///   - forces: Forces in eV/Å.
  ///   - virial: ∂E/∂ε in eV.
  ///   - structure: The structure they belong to; its volume turns the virial into a stress.
  public init(energy: Double, forces: [Vector3], virial: Matrix3, of structure: Structure) {
    self.energy = energy
    self.forces = forces
    self.virial = virial
    stress = structure.periodicity == .full ? (1 / structure.volume) * virial : .zero
  }

  /// The pressure −tr σ/3 in eV/Å³.
  public var pressure: Double { -stress.trace / 3 }

  /// The length of the largest force in eV/Å.
  ///
  /// - Complexity: O(N)
  public func largestForce() -> Double {
    forces.reduce(0) { max($0, $1.squaredLength) }.squareRoot()
  }

  /// Whether every number is finite.
  ///
  /// - Complexity: O(N)
  public func isFinite() -> Bool {
    energy.isFinite && virial.isFinite && stress.isFinite && forces.allSatisfy(\.isFinite)
  }
}

extension Evaluation: ByteCodable {
  /// Appends energy, forces, stress and virial.
  public func encode(to encoder: inout ByteEncoder) {
    encoder.encode(energy)
    encoder.encode(forces)
    encoder.encode(stress)
    encoder.encode(virial)
  }

  /// Reads energy, forces, stress and virial.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    energy = try decoder.decode()
    forces = try decoder.decode([Vector3].self)
    stress = try decoder.decode(Matrix3.self)
    virial = try decoder.decode(Matrix3.self)
  }
}

/// A structure together with what a reference method says of it.
public struct LabelledStructure: Sendable, Hashable {
  /// The structure.
  public let structure: Structure
  /// Its energy, forces and stress.
  public let evaluation: Evaluation

  /// Creates a labelled structure.
  ///
  /// - Throws: `CrystalError.inconsistentStructure` where forces and atoms differ in number or a number is
  ///   not finite.
  public init(_ structure: Structure, _ evaluation: Evaluation) throws(CrystalError) {
    guard evaluation.forces.count == structure.atomCount else {
      throw .inconsistentStructure(
        "\(evaluation.forces.count) forces for \(structure.atomCount) atoms")
    }
    guard evaluation.isFinite() else {
      throw .inconsistentStructure("energy, force or stress is not finite")
    }
    self.structure = structure
    self.evaluation = evaluation
  }
}

extension LabelledStructure {
  /// The enthalpy (E + PV)/N in eV per atom.
  ///
  /// - Parameter pressure: In eV/Å³; at 0 the structure need not have a volume.
  /// - Returns: The enthalpy.
  public func enthalpyPerAtom(at pressure: Double) -> Double {
    let work = pressure == 0 ? 0 : pressure * structure.volume
    return (evaluation.energy + work) / Double(structure.atomCount)
  }
}

extension LabelledStructure: ByteCodable {
  /// Appends structure and evaluation.
  public func encode(to encoder: inout ByteEncoder) {
    encoder.encode(structure)
    encoder.encode(evaluation)
  }

  /// Reads structure and evaluation.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    let structure = try decoder.decode(Structure.self)
    let evaluation = try decoder.decode(Evaluation.self)
    do { try self.init(structure, evaluation) } catch { throw .invalid(error.description) }
  }
}
