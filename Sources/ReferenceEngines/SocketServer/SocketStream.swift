import Glibc

/// A connected socket that never blocks beyond a deadline.
final class SocketStream {
  private let descriptor: Int32

  /// Takes over a connected socket and closes it in the end.
  init(_ descriptor: Int32, isTCP: Bool) throws(IPIError) {
    self.descriptor = descriptor
    let flags = fcntl(descriptor, F_GETFL)
    guard flags >= 0, fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) == 0 else {
      throw SystemSocket.error("setting up the connection")
    }
    // The protocol is small questions and answers: waiting for larger packets costs 40 ms each.
    if isTCP { try SystemSocket.set(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY) }
  }

  deinit { close(descriptor) }

  /// Reads exactly so many bytes.
  ///
  /// - Parameters:
  ///   - count: How many.
  ///   - awaited: What they are, for messages.
  ///   - deadline: Until when.
  /// - Returns: The bytes.
  /// - Throws: `IPIError` where the other side ends or is late.
  func read(
    _ count: Int, _ awaited: String, until deadline: SocketDeadline
  ) throws(IPIError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var done = 0
    while done < count {
      let received = bytes.withUnsafeMutableBytes { buffer in
        recv(descriptor, buffer.baseAddress.map { $0 + done }, count - done, 0)
      }
      if received > 0 {
        done += received
      } else if received == 0 {
        throw .closed(while: "\(awaited) was awaited")
      } else {
        try wait(POLLIN, errno, awaited, until: deadline)
      }
    }
    return bytes
  }

  /// Writes all bytes.
  ///
  /// - Parameters:
  ///   - bytes: What to send.
  ///   - meaning: What they are, for messages.
  ///   - deadline: Until when.
  /// - Throws: `IPIError` where the other side ended or does not take them in time.
  func write(
    _ bytes: [UInt8], _ meaning: String, until deadline: SocketDeadline
  ) throws(IPIError) {
    var done = 0
    while done < bytes.count {
      let sent = bytes.withUnsafeBytes { buffer in
        send(
          descriptor, buffer.baseAddress.map { $0 + done }, bytes.count - done,
          Int32(MSG_NOSIGNAL))
      }
      if sent >= 0 {
        done += sent
      } else {
        try wait(POLLOUT, errno, "readiness to take \(meaning)", until: deadline)
      }
    }
  }

  /// Waits after a call that did nothing until the socket is ready.
  private func wait(
    _ event: Int32, _ reason: Int32, _ awaited: String, until deadline: SocketDeadline
  ) throws(IPIError) {
    switch reason {
    case EINTR: return
    case EAGAIN, EWOULDBLOCK:
      _ = try SystemSocket.poll(
        descriptor, event, milliseconds: deadline.milliseconds(awaited))
    case ECONNRESET, EPIPE: throw .closed(while: "\(awaited) was awaited")
    default: throw .system(step: "waiting for \(awaited)", reason: SystemSocket.text(reason))
    }
  }
}
