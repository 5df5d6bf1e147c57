import Archive
import Crystal
import Evolution
import Foundation
import NumericalCore
import Settings
import StructureFormats

/// Reads what people put into a running campaign's folder (R9): structures in `seeds/`, and new limits
/// in `limits.yaml` (`candidates:`, `max_labels:`).
final class PeopleInputs {
  private let folder: String
  /// Limits that the campaign file of a resume has changed.
  private let changedLimits: [ChangedLimit]
  // The folder is read again and again: what was said once is not repeated.
  private var warned: Set<String> = []

  init(folder: String, changedLimits: [ChangedLimit]) {
    self.folder = folder
    self.changedLimits = changedLimits
  }

  /// Inputs that are not yet in the journal.
  ///
  /// A file that cannot be read is told of and left alone: a search must not end for a typing error
  /// in a seed.
  func new(for state: CampaignState, in log: DatabaseLog) throws -> [CampaignInput] {
    let known = Set(try log.storedInputs().map(\.input.canonicalBytes))
    let seeds = try seeds(state).filter { !known.contains($0.canonicalBytes) }
    return seeds + limits(state)
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
        guard record.structure.periodicity == .full,
          state.settings.search.space.hasRatio(of: record.structure)
        else {
          warn(
            "seeds/\(name) is not used: a seed is a bulk crystal with "
              + state.settings.search.space.ratioSummary)
          continue
        }
        inputs.append(
          CampaignInput(name: "seeds/\(name)#\(index + 1)", content: .seed(record.structure)))
      }
    }
    return inputs
  }

  // A limit in limits.yaml counts before one that the campaign file of a resume has changed.
  private func limits(_ state: CampaignState) -> [CampaignInput] {
    var wanted = changedLimits
    do throws(SettingsError) {
      wanted = try limitsFile() + wanted
    } catch {
      warn("limits.yaml is not used: \(error)")
    }
    var inputs: [CampaignInput] = []
    if let (name, count) = wanted.first(where: { $0.key == .candidates }).map({
      ($0.file, $0.value)
    }),
      count != state.settings.candidates
    {
      inputs.append(CampaignInput(name: name, content: .candidates(count)))
    }
    if let (name, count) = wanted.first(where: { $0.key == .maxLabels }).map({ ($0.file, $0.value) }
    ),
      count != state.settings.maxLabels
    {
      inputs.append(CampaignInput(name: name, content: .maxLabels(count)))
    }
    return inputs
  }

  private func limitsFile() throws(SettingsError) -> [ChangedLimit] {
    let path = folder + "/limits.yaml"
    guard FileManager.default.fileExists(atPath: path) else { return [] }
    var reader = try SettingsDocument(path: path).mapping()
    var limits: [ChangedLimit] = []
    if let count = try reader.optional("candidates")?.integer(in: 1...10_000_000) {
      limits.append(ChangedLimit(key: .candidates, value: count, file: "limits.yaml"))
    }
    if let count = try reader.optional("max_labels")?.integer(in: 0...10_000_000) {
      limits.append(ChangedLimit(key: .maxLabels, value: count, file: "limits.yaml"))
    }
    try reader.finish()
    return limits
  }

  private func warn(_ text: String) {
    guard warned.insert(text).inserted else { return }
    // Nobody is left to be told where the standard error is closed.
    try? FileHandle.standardError.write(contentsOf: Data("polymorph: \(text)\n".utf8))
  }
}

/// A limit that people have changed, with the file that says so.
struct ChangedLimit {
  enum Key {
    case candidates
    case maxLabels
  }

  let key: Key
  let value: Int
  let file: String
}

extension CompositionSpace {
  /// What a seed may hold, in words.
  fileprivate var ratioSummary: String {
    switch self {
    case .listed(let compositions):
      "the composition \(compositions.map(\.formula).joined(separator: ", ")) or a multiple of its "
        + "formula unit"
    case .variable(let elements, _):
      "no other elements than \(elements.map(\.symbol).joined(separator: ", "))"
    }
  }
}
