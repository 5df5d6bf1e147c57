import Crystal
import NumericalCore

/// One entry of a structure file: a structure and whatever the file says of it.
public struct StructureRecord: Sendable {
  /// The structure.
  public var structure: Structure
  /// Energy of the cell in eV.
  public var energy: Double?
  /// Forces in eV/Å.
  public var forces: [Vector3]?
  /// Stress σ = (1/V) ∂E/∂ε in eV/Å³; only for structures that repeat in all three directions.
  public var stress: Matrix3?
  /// ∂E/∂ε in eV, for clusters and slabs too.
  public var virial: Matrix3?
  /// Energy of every atom in eV.
  public var siteEnergies: [Double]?
  /// Charge of every atom in elementary charges.
  public var charges: [Double]?
  /// Named values in the order of the file: features of `.cfg`, further keys of extended XYZ.
  public var features: [(key: String, value: String)]
  /// The title or comment of the entry.
  public var comment: String

  /// Creates a record, with energy, forces and stress where an evaluation is at hand.
  public init(
    structure: Structure, evaluation: Evaluation? = nil,
    features: [(key: String, value: String)] = [], comment: String = ""
  ) {
    self.structure = structure
    energy = evaluation?.energy
    forces = evaluation?.forces
    virial = evaluation?.virial
    stress = structure.periodicity == .full ? evaluation?.stress : nil
    self.features = features
    self.comment = comment
  }

  /// Creates a record of a labelled structure.
  public init(
    _ labelled: LabelledStructure, features: [(key: String, value: String)] = [],
    comment: String = ""
  ) {
    self.init(
      structure: labelled.structure, evaluation: labelled.evaluation, features: features,
      comment: comment)
  }

  /// The structure with its label, where energy and forces are present, and for a bulk crystal the
  /// stress too.
  ///
  /// - Complexity: O(N)
  public var labelled: LabelledStructure? {
    guard let energy, let forces else { return nil }
    let known = virial ?? stress.map { structure.volume * $0 }
    let isBulk = structure.periodicity == .full
    guard let known = known ?? (isBulk ? nil : Matrix3.zero) else { return nil }
    var evaluation = Evaluation(energy: energy, forces: forces, virial: known, of: structure)
    if isBulk, let stress { evaluation.stress = stress }
    // Forces of another number than the atoms or infinite values make no label; parsers refuse both.
    return try? LabelledStructure(structure, evaluation)
  }

  /// The value of the first feature of a name.
  public func feature(_ key: String) -> String? { features.first { $0.key == key }?.value }

  /// Sets the stress in eV/Å³, and with it the virial.
  mutating func setStress(_ value: Matrix3) {
    virial = structure.volume * value.symmetrized
    stress = structure.periodicity == .full ? value.symmetrized : nil
  }

  /// Sets ∂E/∂ε in eV, and with it the stress of a bulk crystal.
  mutating func setVirial(_ value: Matrix3) {
    virial = value.symmetrized
    stress =
      structure.periodicity == .full ? (1 / structure.volume) * value.symmetrized : nil
  }

  /// ∂E/∂ε in eV from whichever of virial and stress is known.
  var knownVirial: Matrix3? { virial ?? stress.map { structure.volume * $0 } }
}
