/// Why a campaign could not be started, continued or read.
public enum CampaignError: Error, CustomStringConvertible {
  /// The command or a file that people wrote is wrong; nothing was changed.
  case wrongInput(String)
  /// The work failed.
  case failed(String)

  /// The message for people.
  public var description: String {
    switch self {
    case .wrongInput(let what), .failed(let what): what
    }
  }
}
