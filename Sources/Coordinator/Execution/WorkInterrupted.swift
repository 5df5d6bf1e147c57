/// Work was broken off because the run is to end: it has no result, and a resume does it again.
public struct WorkInterrupted: Error, CustomStringConvertible {
  /// What happened.
  public let description =
    "interrupted: the work under way has no result and is done again on resume"

  /// Creates the error.
  public init() {}
}
