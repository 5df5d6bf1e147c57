import NumericalCore

/// What is wrong in a settings file: where, what was found, what is allowed and what to try.
public struct SettingsError: Error, Equatable, CustomStringConvertible {
  /// The file as it was named by the user.
  public let file: String
  /// The line, counted from 1; `nil` where the file as a whole is meant.
  public let line: Int?
  /// The key with its parents, such as `search.population` or `reference.pairs[2].rho` (list places
  /// count from 1); empty where no key is meant.
  public let keyPath: String
  /// What was found.
  public let found: String
  /// What is allowed there.
  public let allowed: String
  /// What to try, where something helpful is known.
  public let suggestion: String?

  /// Creates an error; line breaks in its parts become blanks so that it prints as one line, and
  /// very long parts are cut.
  public init(
    file: String, line: Int?, keyPath: String, found: String, allowed: String,
    suggestion: String? = nil
  ) {
    self.file = file
    self.line = line
    self.keyPath = keyPath.onOneLine(limit: 200)
    self.found = found.onOneLine(limit: 500)
    self.allowed = allowed.onOneLine(limit: 500)
    self.suggestion = suggestion?.onOneLine(limit: 500)
  }

  /// The message for people, on one line:
  /// `campaign.yaml:12: search.population: found -3, allowed: an integer from 2 to 10000; try 32`.
  public var description: String {
    var message = file
    if let line { message += ":\(line)" }
    message += ": "
    if !keyPath.isEmpty { message += "\(keyPath): " }
    message += "found \(found), allowed: \(allowed)"
    if let suggestion { message += "; \(suggestion)" }
    return message
  }
}
