import CMPI
import Foundation

extension Communicator {
  /// Sends a message and waits until the library has taken it.
  ///
  /// - Parameters:
  ///   - bytes: What to send.
  ///   - destination: Another rank.
  ///   - tag: 0 … 32767.
  /// - Throws: `MPIError` where the library fails.
  public func send(_ bytes: [UInt8], to destination: Int, tag: Int) throws(MPIError) {
    try startSending(bytes, to: destination, tag: tag).wait()
  }

  /// Sends a message without waiting.
  ///
  /// - Parameters:
  ///   - bytes: What to send.
  ///   - destination: Another rank.
  ///   - tag: 0 … 32767.
  /// - Returns: The message on its way, to be completed.
  /// - Throws: `MPIError` where the library fails.
  public func startSending(
    _ bytes: [UInt8], to destination: Int, tag: Int
  ) throws(MPIError) -> PendingSend {
    precondition((0..<size).contains(destination) && destination != rank, "no other rank")
    precondition((0...32767).contains(tag), "tags run from 0 to 32767")
    return try PendingSend(bytes, to: destination, tag: tag, on: try messageGroup())
  }

  /// Looks for a message without waiting.
  ///
  /// - Parameters:
  ///   - source: The sender, `nil` for any.
  ///   - tag: The tag, `nil` for any.
  /// - Returns: The next message, `nil` where there is none now.
  /// - Throws: `MPIError` where the library fails.
  public func probe(from source: Int? = nil, tag: Int? = nil) throws(MPIError) -> Envelope? {
    guard size > 1 else { return nil }
    return try probe(from: source, tag: tag, in: try messageGroup())
  }

  /// Waits until there is a message, sleeping in between.
  ///
  /// - Parameters:
  ///   - source: The sender, `nil` for any.
  ///   - tag: The tag, `nil` for any.
  ///   - seconds: How long to wait at most.
  /// - Returns: The next message, `nil` where none came in time.
  /// - Throws: `MPIError` where the library fails.
  public func probe(
    from source: Int? = nil, tag: Int? = nil, within seconds: Double
  ) throws(MPIError) -> Envelope? {
    guard size > 1 else { return nil }
    let group = try messageGroup()
    let start = ProcessInfo.processInfo.systemUptime
    var patience = Patience()
    while true {
      if let envelope = try probe(from: source, tag: tag, in: group) { return envelope }
      guard ProcessInfo.processInfo.systemUptime - start <= seconds else { return nil }
      patience.pause()
    }
  }

  /// Waits for a message, sleeping in between.
  ///
  /// - Parameters:
  ///   - source: The sender, `nil` for any.
  ///   - tag: The tag, `nil` for any.
  ///   - timeoutSeconds: How long to wait; infinite for ever.
  /// - Returns: The message.
  /// - Throws: `MPIError` where the library fails or nothing comes in time.
  public func receive(
    from source: Int? = nil, tag: Int? = nil, timeoutSeconds: Double = .infinity
  ) throws(MPIError) -> Message {
    precondition(size > 1, "there is no other rank to wait for")
    guard let envelope = try probe(from: source, tag: tag, within: timeoutSeconds) else {
      let sender = source.map { "rank \($0)" } ?? "any rank"
      throw .timeout(waitingFor: sender, seconds: timeoutSeconds)
    }
    return try receive(envelope, in: messageGroup())
  }

  func probe(
    from source: Int?, tag: Int?, in group: MPI_Comm?
  ) throws(MPIError) -> Envelope? {
    var flag: Int32 = 0
    var status = MPI_Status()
    try MPIError.check(
      MPI_Iprobe(
        source.map { Int32($0) } ?? polymorph_mpi_any_source(),
        tag.map { Int32($0) } ?? polymorph_mpi_any_tag(), group, &flag, &status), "MPI_Iprobe")
    guard flag != 0 else { return nil }
    var count: Int32 = 0
    try MPIError.check(MPI_Get_count(&status, polymorph_mpi_byte(), &count), "MPI_Get_count")
    return Envelope(
      source: Int(status.MPI_SOURCE), tag: Int(status.MPI_TAG), byteCount: Int(count))
  }

  func receive(_ envelope: Envelope, in group: MPI_Comm?) throws(MPIError) -> Message {
    let buffer = UnsafeMutableBufferPointer<UInt8>.allocate(
      capacity: max(1, envelope.byteCount))
    var request = polymorph_mpi_request_null()
    try MPIError.check(
      MPI_Irecv(
        buffer.baseAddress, Int32(envelope.byteCount), polymorph_mpi_byte(),
        Int32(envelope.source), Int32(envelope.tag), group, &request), "MPI_Irecv")
    // A failed wait leaves the buffer to the library: leaking it is the safe way out.
    try Self.wait(for: &request)
    defer { buffer.deallocate() }
    return Message(
      source: envelope.source, tag: envelope.tag,
      bytes: Array(UnsafeBufferPointer(rebasing: buffer[..<envelope.byteCount])))
  }

  static func wait(for request: inout MPI_Request?) throws(MPIError) {
    var patience = Patience()
    while true {
      var flag: Int32 = 0
      var status = MPI_Status()
      try MPIError.check(MPI_Test(&request, &flag, &status), "MPI_Test")
      if flag != 0 { return }
      patience.pause()
    }
  }
}
