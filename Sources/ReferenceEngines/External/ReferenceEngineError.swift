/// Why a reference engine cannot do its work.
public enum ReferenceEngineError: Error, Hashable, Sendable {
  /// The engine has no parameters, pseudopotential or basis for something in the structure.
  case unsupported(String)
  /// A program is not installed or cannot be started.
  case cannotStart(program: String, reason: String)
  /// A file or folder cannot be read or written.
  case file(path: String, reason: String)
}

extension ReferenceEngineError: CustomStringConvertible {
  /// What failed, where, and what to try.
  public var description: String {
    switch self {
    case .unsupported(let what): what
    case .cannotStart(let program, let reason): "\(program) cannot be started: \(reason)"
    case .file(let path, let reason): "\(path): \(reason)"
    }
  }
}
