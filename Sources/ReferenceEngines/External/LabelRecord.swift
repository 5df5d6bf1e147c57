import Crystal
import Foundation
import NumericalCore

/// The file `label.json` of a calculation's folder: what became of it, for people, for other programs
/// and for the engine itself.
///
/// It is written last, aside and then renamed. Numbers keep all their bits.
public struct LabelRecord: Sendable, Hashable, Codable {
  /// The name of the file.
  public static let fileName = "label.json"

  /// The label's key.
  public var key: String
  /// The `kind:` of the engine.
  public var engine: String
  /// The engine's version as it enters the key.
  public var version: String
  /// The version that the calculation itself names.
  public var programVersion: String?
  /// The command with its arguments.
  public var command: [String]
  /// Processes of the program, as far as the command tells.
  public var processes: Int
  /// Which try it was: 1 with the settings as asked for, 2 with safer ones.
  public var attempt: Int
  /// Wall-clock seconds of all tries; `nil` where the calculation was found finished.
  public var seconds: Double?
  /// Steps of the self-consistent field.
  public var iterations: Int?
  /// Whether the label depends on what the engine computed before.
  public var historyDependent = false
  /// Why there is no label; `nil` where there is one.
  public var failure: String?
  /// Energy of the cell in eV.
  public var energy: Double?
  /// Forces in eV/Å, in the order of the atoms.
  public var forces: [[Double]]?
  /// ∂E/∂ε in eV, rows of the matrix.
  public var virial: [[Double]]?

  private enum CodingKeys: String, CodingKey {
    case key, engine, version, command, processes, attempt, seconds, iterations, failure, energy
    case forces, virial
    case programVersion = "program_version"
    case historyDependent = "history_dependent"
  }

  /// The label, or why there is none.
  ///
  /// - Returns: `nil` where the record does not fit the structure.
  func outcome(for structure: Structure) -> LabelOutcome? {
    if let failure { return .failed(reason: failure) }
    guard let energy, let forces, let virial, forces.count == structure.atomCount,
      virial.count == 3, (forces + virial).allSatisfy({ $0.count == 3 })
    else { return nil }
    func vector(_ values: [Double]) -> Vector3 { Vector3(values[0], values[1], values[2]) }
    let evaluation = Evaluation(
      energy: energy, forces: forces.map(vector),
      virial: Matrix3(rows: vector(virial[0]), vector(virial[1]), vector(virial[2])), of: structure)
    return evaluation.isFinite() ? .labelled(evaluation) : nil
  }

  /// Takes a label's numbers.
  mutating func set(_ evaluation: Evaluation, _ details: CalculationDetails) {
    func values(_ vector: Vector3) -> [Double] { [vector.x, vector.y, vector.z] }
    energy = evaluation.energy
    forces = evaluation.forces.map(values)
    virial = (0..<3).map { values(evaluation.virial[$0]) }
    programVersion = details.programVersion
    iterations = details.iterations
  }

  /// Reads the record of a folder.
  ///
  /// - Returns: `nil` where there is none, or none that is whole.
  static func read(in folder: String) -> LabelRecord? {
    guard let data = FileManager.default.contents(atPath: "\(folder)/\(fileName)") else {
      return nil
    }
    // A record that is no JSON is as good as none: the calculation beside it is read again.
    return try? JSONDecoder().decode(LabelRecord.self, from: data)
  }

  /// Writes the record into a folder.
  func write(in folder: String) throws(ReferenceEngineError) {
    let path = "\(folder)/\(Self.fileName)"
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    do {
      try AtomicFile.write([UInt8](encoder.encode(self)) + [UInt8(ascii: "\n")], to: path)
    } catch {
      throw .file(path: path, reason: "\(error)")
    }
  }
}
