import NumericalCore

/// Why a structure file could not be read or written.
public struct FormatError: Error, Equatable, CustomStringConvertible {
  /// The file, or the name given to a text.
  public let path: String
  /// The line, from 1; `nil` where the whole file is meant.
  public let line: Int?
  /// What was found.
  public let problem: String
  /// What is allowed; empty where the problem says it.
  public let allowed: String

  /// Creates an error; line breaks and control characters in its parts do not reach the terminal.
  public init(path: String, line: Int? = nil, _ problem: String, allowed: String = "") {
    self.path = path
    self.line = line
    self.problem = problem.onOneLine(limit: 500)
    self.allowed = allowed.onOneLine(limit: 500)
  }

  /// The message for people: file, line, what was found and what is allowed.
  public var description: String {
    let place = line.map { "\(path):\($0)" } ?? path
    return allowed.isEmpty ? "\(place): \(problem)" : "\(place): \(problem); allowed: \(allowed)"
  }
}
