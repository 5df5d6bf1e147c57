import Archive
import Crystal
import Foundation
import NumericalCore
import Settings
import StructureFormats

/// Reads what people put into a running campaign's folder (R9): structures in `seeds/`, and new limits
/// in `limits.yaml` (`candidates:`, `max_labels:`).
struct PeopleInputs {
  let folder: String
  /// Limits that the campaign file of a resume has changed.
  let changedLimits: [CampaignInput]

  /// Inputs that are not yet in the journal.
  ///
  /// A file that cannot be read is told of and left alone: a search must not end for a typing error
  /// in a seed.
  func new(for state: CampaignState, in log: DatabaseLog) throws -> [CampaignInput] {
    let known = try log.storedInputs().map(\.input)
    let knownBytes = Set(known.map(\.canonicalBytes))
    var inputs = try changedLimits + seeds(state) + limits(state)
    inputs.removeAll { knownBytes.contains($0.canonicalBytes) }
    return inputs
  }

  private func seeds(_ state: CampaignState) throws -> [CampaignInput] {
    let path = folder + "/seeds"
    // No folder, no seeds.
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else { return [] }
    var inputs: [CampaignInput] = []
    for name in names.sorted() {
      let records: [StructureRecord]
      do {
        records = try StructureFile.read("\(path)/\(name)")
      } catch {
        warn("seeds/\(name) is not used: \(error)")
        continue
      }
      for (index, record) in records.enumerated() {
        let elements = record.structure.distinctElements()
        let allowed = state.settings.compositions[0].elements
        guard elements.allSatisfy(allowed.contains), record.structure.periodicity == .full else {
          warn("seeds/\(name) is not used: it needs a bulk crystal of \(allowed)")
          continue
        }
        inputs.append(
          CampaignInput(name: "seeds/\(name)#\(index + 1)", content: .seed(record.structure)))
      }
    }
    return inputs
  }

  private func limits(_ state: CampaignState) throws -> [CampaignInput] {
    let path = folder + "/limits.yaml"
    guard FileManager.default.fileExists(atPath: path) else { return [] }
    do throws(SettingsError) {
      var reader = try SettingsDocument(path: path).mapping()
      var inputs: [CampaignInput] = []
      if let count = try reader.optional("candidates")?.integer(in: 1...10_000_000),
        count != state.settings.candidates
      {
        inputs.append(CampaignInput(name: "limits.yaml", content: .candidates(count)))
      }
      if let count = try reader.optional("max_labels")?.integer(in: 0...10_000_000),
        count != state.settings.maxLabels
      {
        inputs.append(CampaignInput(name: "limits.yaml", content: .maxLabels(count)))
      }
      try reader.finish()
      return inputs
    } catch {
      warn("limits.yaml is not used: \(error)")
      return []
    }
  }

  private func warn(_ text: String) {
    // Nobody is left to be told where the standard error is closed.
    try? FileHandle.standardError.write(contentsOf: Data("polymorph: \(text)\n".utf8))
  }
}
