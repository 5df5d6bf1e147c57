/// Why the archive of a campaign could not be read or written.
public enum ArchiveError: Error, Equatable, CustomStringConvertible {
  /// SQLite refused: file, what was tried, its result code and its words.
  case database(path: String, action: String, code: Int32, message: String)
  /// Another process held the database longer than the patience given.
  case busy(path: String, seconds: Double)
  /// The file exists already.
  case exists(path: String)
  /// The file does not exist.
  case missing(path: String)
  /// The file holds something else than a campaign, or another version of it.
  case schema(path: String, found: String, expected: String)
  /// A value does not fit: what was found and what is allowed.
  case value(String, allowed: String)
  /// Another process works on the campaign.
  case locked(path: String, holder: String)
  /// The lock file could not be used.
  case lockFile(path: String, reason: String)

  /// The message for people.
  public var description: String {
    switch self {
    case .database(let path, let action, let code, let message):
      "\(path): \(action) failed: \(message) (SQLite \(code))"
    case .busy(let path, let seconds):
      "\(path): another program has held the database for \(seconds) s; close it and try again"
    case .exists(let path): "\(path): exists already; resume the campaign or choose another folder"
    case .missing(let path): "\(path): no such database"
    case .schema(let path, let found, let expected): "\(path): \(found), but expected \(expected)"
    case .value(let found, let allowed): "\(found); allowed: \(allowed)"
    case .locked(let path, let holder): "\(path): the campaign is in use by \(holder)"
    case .lockFile(let path, let reason): "\(path): cannot be locked: \(reason)"
    }
  }
}
