/// Where an i-PI server listens.
public enum IPIAddress: Sendable, Hashable {
  /// A UNIX socket: the file `/tmp/ipi_NAME`, as clients of the protocol name it, or a path from the
  /// root.
  case unix(name: String)
  /// A TCP port of a host; a server takes any free port for 0.
  case tcp(host: String, port: Int)

  /// The path of a UNIX socket, `nil` for TCP.
  public var path: String? {
    guard case .unix(let name) = self else { return nil }
    return name.hasPrefix("/") ? name : "/tmp/ipi_\(name)"
  }
}

extension IPIAddress: CustomStringConvertible {
  /// A path, or a host with its port.
  public var description: String {
    switch self {
    case .unix: path ?? ""
    case .tcp(let host, let port): "\(host):\(port)"
    }
  }
}
