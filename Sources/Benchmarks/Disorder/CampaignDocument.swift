import Settings

/// A campaign file, or a plan of dynamics, whose blocks can be replaced.
struct CampaignDocument {
  private var entries: [SettingsNode.Entry]

  /// Reads a file.
  ///
  /// - Throws: `SettingsError` where it cannot be read, or is no mapping.
  init(path: String) throws {
    let root = try SettingsDocument(path: path).root.withoutLines()
    guard case .mapping(let entries) = root.content else {
      throw WrongCommandLine("\(path): found no mapping, allowed: a campaign file")
    }
    self.entries = entries
  }

  /// The block of a key; `nil` where it is absent.
  subscript(key: String) -> SettingsNode? {
    get { entries.first { $0.key == key }?.value }
    set {
      entries.removeAll { $0.key == key }
      if let newValue { entries.append(.init(key, newValue)) }
    }
  }

  /// The keys of a block within a block, without some of them.
  func entries(of path: [String], without keys: [String] = []) -> [SettingsNode.Entry] {
    var found = entries
    for key in path {
      guard case .mapping(let inner)? = found.first(where: { $0.key == key })?.value.content else {
        return []
      }
      found = inner
    }
    return found.filter { !keys.contains($0.key) }
  }

  /// The same with another seed.
  func with(seed: Int) -> CampaignDocument {
    var other = self
    other["seed"] = .integer(seed)
    return other
  }

  /// The file.
  var text: String { SettingsNode.mapping(entries).yaml() }
}
