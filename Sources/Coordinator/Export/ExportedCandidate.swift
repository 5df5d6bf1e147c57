import Foundation
import NumericalCore

/// The file `candidate.json` of an exported candidate: it tells, when the calculations come back, what they are
/// of.
struct ExportedCandidate: Sendable, Hashable, Codable {
  /// The name of the file.
  static let fileName = "candidate.json"

  /// The campaign's identifier.
  let campaign: String
  /// The candidate's number.
  let candidate: Int
  /// The format of the export: the program.
  let program: String
  /// The cell's content, such as `O4Ti2`.
  let formula: String
  /// Enthalpy of the potential at the time of the export in eV per atom.
  let modelEnthalpyPerAtom: Double
  /// The campaign's pressure in GPa.
  let pressure: Double

  private enum CodingKeys: String, CodingKey {
    case campaign, candidate, program, formula
    case modelEnthalpyPerAtom = "model_enthalpy_ev_per_atom"
    case pressure = "pressure_gpa"
  }

  /// The content of the file.
  var text: String {
    JSONValue.object([
      .init("campaign", .text(campaign)), .init("candidate", .integer(candidate)),
      .init("program", .text(program)), .init("formula", .text(formula)),
      .init("model_enthalpy_ev_per_atom", .number(modelEnthalpyPerAtom)),
      .init("pressure_gpa", .number(pressure)),
    ]).text() + "\n"
  }

  /// Why the file of a folder cannot be read.
  struct Damage: Error {
    /// One phrase.
    let reason: String
  }

  /// Reads the file of a folder; `nil` where it holds none.
  ///
  /// - Throws: `Damage` where the file is there and cannot be read.
  static func read(in folder: String) throws(Damage) -> ExportedCandidate? {
    let path = "\(folder)/\(fileName)"
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    guard let data = FileManager.default.contents(atPath: path) else {
      throw Damage(reason: "\(fileName) cannot be opened")
    }
    do { return try JSONDecoder().decode(ExportedCandidate.self, from: data) } catch {
      throw Damage(reason: "\(fileName) is damaged: \(phrase(error))")
    }
  }

  /// What the decoder complains of, without its types.
  private static func phrase(_ error: any Error) -> String {
    switch error as? DecodingError {
    case .keyNotFound(let key, _): "'\(key.stringValue)' is missing"
    case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
      context.codingPath.last.map { "'\($0.stringValue)' is of another kind" }
        ?? "it is no JSON object"
    default: "\(error)"
    }
  }
}

extension CampaignFolder {
  /// The SHA-256 of the settings that the campaign began with, which include its seed: it stays the same while
  /// the campaign goes on.
  ///
  /// - Throws: `CampaignError` where there is no campaign or its settings are missing.
  public func identifier() throws -> String {
    guard let text = try open().log.journal.meta("campaign") else {
      throw CampaignError.failed("\(database): the campaign's settings are missing")
    }
    return SHA256.hexadecimal(of: Array(text.utf8))
  }
}
