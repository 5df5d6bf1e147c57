import Glibc

/// The operating system's sockets, as far as the protocol needs them.
enum SystemSocket {
  /// What the operating system says of its last call.
  static func error(_ step: String) -> IPIError { .system(step: step, reason: text(errno)) }

  /// An error number in words.
  static func text(_ number: Int32) -> String { String(cString: strerror(number)) }

  /// Creates a stream socket that programs started later do not inherit.
  static func stream(_ family: Int32) throws(IPIError) -> Int32 {
    let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    let descriptor = socket(family, kind, 0)
    guard descriptor >= 0 else { throw error("making a socket") }
    return descriptor
  }

  /// Switches an option on.
  static func set(_ descriptor: Int32, _ level: Int32, _ option: Int32) throws(IPIError) {
    var on: Int32 = 1
    let size = socklen_t(MemoryLayout<Int32>.size)
    guard setsockopt(descriptor, level, option, &on, size) == 0 else {
      throw error("setting an option of the socket")
    }
  }

  /// Waits for an event.
  ///
  /// - Returns: Whether it came, or the connection broke; `false` after the time or a signal.
  static func poll(
    _ descriptor: Int32, _ event: Int32, milliseconds: Int32
  ) throws(IPIError) -> Bool {
    var request = pollfd(fd: descriptor, events: Int16(event), revents: 0)
    let count = Glibc.poll(&request, 1, milliseconds)
    guard count >= 0 || errno == EINTR else { throw error("waiting for the socket") }
    return count > 0
  }

  /// Calls a function with the address of a UNIX socket.
  static func withAddress(
    ofPath path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
  ) throws(IPIError) -> Int32 {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    // One byte is left for the end of the text.
    let limit = MemoryLayout.size(ofValue: address.sun_path) - 1
    guard bytes.count <= limit, !bytes.contains(0) else {
      throw .address(path, reason: "\(bytes.count) bytes, allowed: up to \(limit)")
    }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    let size = socklen_t(MemoryLayout<sockaddr_un>.size)
    return withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, size) }
    }
  }

  /// Calls a function with every address of a host and port until one call makes a socket.
  ///
  /// - Parameters:
  ///   - host: Name or number.
  ///   - port: 0 for any.
  ///   - body: Gives a descriptor, or throws.
  /// - Returns: The first descriptor.
  /// - Throws: `IPIError` of the last address, or where the host is unknown.
  static func withAddresses(
    host: String, port: Int,
    _ body: (Int32, UnsafePointer<sockaddr>, socklen_t) throws(IPIError) -> Int32
  ) throws(IPIError) -> Int32 {
    guard (0...65535).contains(port) else {
      throw .address("\(host):\(port)", reason: "ports run from 0 to 65535")
    }
    var hints = addrinfo()
    hints.ai_family = AF_UNSPEC
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var found: UnsafeMutablePointer<addrinfo>?
    let status = getaddrinfo(host, "\(port)", &hints, &found)
    guard status == 0 else {
      throw .address("\(host):\(port)", reason: String(cString: gai_strerror(status)))
    }
    defer { freeaddrinfo(found) }
    var failure = IPIError.address("\(host):\(port)", reason: "the host has no address")
    var next = found
    while let entry = next {
      next = entry.pointee.ai_next
      guard let address = entry.pointee.ai_addr else { continue }
      do throws(IPIError) {
        return try body(entry.pointee.ai_family, address, entry.pointee.ai_addrlen)
      } catch { failure = error }
    }
    throw failure
  }

  /// Connects to a server once.
  static func connected(to address: IPIAddress) throws(IPIError) -> Int32 {
    switch address {
    case .unix:
      let descriptor = try stream(AF_UNIX)
      do throws(IPIError) {
        let status = try withAddress(ofPath: address.path ?? "") { connect(descriptor, $0, $1) }
        guard status == 0 else { throw error("connecting to \(address)") }
      } catch {
        close(descriptor)
        throw error
      }
      return descriptor
    case .tcp(let host, let port):
      return try withAddresses(host: host, port: port) {
        (family, address, size) throws(IPIError) in
        let descriptor = try stream(family)
        guard connect(descriptor, address, size) == 0 else {
          let failure = error("connecting to \(host):\(port)")
          close(descriptor)
          throw failure
        }
        return descriptor
      }
    }
  }

  /// The port that a listening TCP socket got.
  static func port(of descriptor: Int32) throws(IPIError) -> Int {
    var address = sockaddr_storage()
    var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let status = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &size) }
    }
    guard status == 0 else { throw error("asking for the port") }
    // The port stands at the same place in addresses of both families.
    let port = withUnsafeBytes(of: &address) {
      $0.loadUnaligned(fromByteOffset: 2, as: UInt16.self)
    }
    return Int(UInt16(bigEndian: port))
  }

  /// The name of this machine, for clients on others.
  static func hostName() -> String {
    var bytes = [CChar](repeating: 0, count: 256)
    guard gethostname(&bytes, bytes.count - 1) == 0 else { return "localhost" }
    return String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Sleeps.
  static func sleep(seconds: Double) { usleep(useconds_t(max(0, min(seconds, 1)) * 1e6)) }
}
