import Glibc

/// The server of the i-PI protocol: it listens for clients that compute energies, forces and virials.
///
/// ```swift
/// let server = try IPIServer(.unix(name: "silicon"))
/// let connection = try server.accept(within: 60)        // pw.x --ipi silicon:UNIX, by hand
/// let evaluation = try connection.evaluation(of: structure, within: 600)
/// connection.end()
/// ```
///
/// The protocol: V. Kapil et al., Comput. Phys. Commun. 236, 214 (2019).
public final class IPIServer {
  /// Where it listens, with the port it got.
  public let address: IPIAddress
  private let descriptor: Int32

  /// Starts to listen.
  ///
  /// A UNIX socket file that no server listens to any more is replaced.
  ///
  /// - Parameter address: Where; port 0 for any free one.
  /// - Throws: `IPIError` where the address is in use or impossible.
  public init(_ address: IPIAddress) throws(IPIError) {
    switch address {
    case .unix: descriptor = try Self.listening(at: address)
    case .tcp(let host, let port): descriptor = try Self.listening(host: host, port: port)
    }
    guard case .tcp(let host, _) = address else {
      self.address = address
      return
    }
    do throws(IPIError) {
      self.address = .tcp(host: host, port: try SystemSocket.port(of: descriptor))
    } catch {
      close(descriptor)
      throw error
    }
  }

  deinit {
    close(descriptor)
    if let path = address.path { unlink(path) }
  }

  /// Waits for a client.
  ///
  /// - Parameters:
  ///   - seconds: How long.
  ///   - check: Called ten times a second; what it throws ends the wait, such as the end of a program that
  ///     should have called.
  /// - Returns: The connection.
  /// - Throws: `IPIError` where nobody comes in time.
  public func accept(
    within seconds: Double, check: () throws(IPIError) -> Void = {}
  ) throws(IPIError) -> IPIConnection {
    let deadline = SocketDeadline(seconds: seconds)
    while true {
      let isReady = try SystemSocket.poll(
        descriptor, POLLIN, milliseconds: deadline.milliseconds("client at \(address)"))
      if isReady, let client = try acceptOne() {
        return IPIConnection(try SocketStream(client, isTCP: address.path == nil))
      }
      try check()
    }
  }

  /// Takes a waiting client, `nil` where it has left again.
  private func acceptOne() throws(IPIError) -> Int32? {
    let client = Glibc.accept(descriptor, nil, nil)
    if client >= 0 {
      // Programs that are started later must not keep the connection open.
      guard fcntl(client, F_SETFD, FD_CLOEXEC) == 0 else {
        let failure = SystemSocket.error("setting up a connection")
        close(client)
        throw failure
      }
      // Another server that looks whether this one lives connects and leaves.
      var byte: UInt8 = 0
      if recv(client, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)) == 0 {
        close(client)
        return nil
      }
      return client
    }
    switch errno {
    case EINTR, EAGAIN, EWOULDBLOCK, ECONNABORTED: return nil
    default: throw SystemSocket.error("accepting a client")
    }
  }

  private static func listening(at address: IPIAddress) throws(IPIError) -> Int32 {
    let path = address.path ?? ""
    let descriptor = try SystemSocket.stream(AF_UNIX)
    do throws(IPIError) {
      var status = try SystemSocket.withAddress(ofPath: path) { bind(descriptor, $0, $1) }
      if status != 0 && errno == EADDRINUSE {
        try removeDeadSocket(address)
        status = try SystemSocket.withAddress(ofPath: path) { bind(descriptor, $0, $1) }
      }
      guard status == 0, listen(descriptor, 8) == 0 else {
        throw .address(path, reason: SystemSocket.text(errno))
      }
      try unblock(descriptor)
    } catch {
      close(descriptor)
      throw error
    }
    return descriptor
  }

  /// Removes the file of a server that ended without doing so.
  private static func removeDeadSocket(_ address: IPIAddress) throws(IPIError) {
    let path = address.path ?? ""
    var information = stat()
    guard lstat(path, &information) == 0, information.st_mode & S_IFMT == S_IFSOCK else {
      throw .address(path, reason: "a file that is no socket is in the way")
    }
    if let descriptor = try? SystemSocket.connected(to: address) {
      close(descriptor)
      throw .address(path, reason: "another server listens there; choose another name")
    }
    unlink(path)
  }

  private static func listening(host: String, port: Int) throws(IPIError) -> Int32 {
    try SystemSocket.withAddresses(host: host, port: port) {
      (family, address, size) throws(IPIError) in
      let descriptor = try SystemSocket.stream(family)
      do throws(IPIError) {
        try SystemSocket.set(descriptor, SOL_SOCKET, SO_REUSEADDR)
        guard bind(descriptor, address, size) == 0, listen(descriptor, 8) == 0 else {
          throw .address("\(host):\(port)", reason: SystemSocket.text(errno))
        }
        try unblock(descriptor)
      } catch {
        close(descriptor)
        throw error
      }
      return descriptor
    }
  }

  /// A client that leaves between `poll` and `accept` must not block the server.
  private static func unblock(_ descriptor: Int32) throws(IPIError) {
    guard fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0 else {
      throw SystemSocket.error("setting up a socket")
    }
  }
}
