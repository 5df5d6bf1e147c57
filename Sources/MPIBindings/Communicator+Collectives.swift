import CMPI

/// Calls that every rank makes in the same order.
extension Communicator {
  private static let gatherTag = 1
  // Far below the 2³¹ bytes that one call can carry.
  private static let largestPart = 1 << 28

  /// Waits until every rank is here.
  ///
  /// - Throws: `MPIError` where the library fails.
  public func barrier() throws(MPIError) {
    guard let group = collectiveGroup() else { return }
    var request = polymorph_mpi_request_null()
    try MPIError.check(MPI_Ibarrier(group, &request), "MPI_Ibarrier")
    try Self.wait(for: &request)
  }

  /// Gives every rank the bytes of one rank.
  ///
  /// - Parameters:
  ///   - bytes: On the root what to give; elsewhere ignored.
  ///   - root: The rank that gives.
  /// - Returns: The root's bytes, on every rank.
  /// - Throws: `MPIError` where the library fails.
  public func broadcast(_ bytes: [UInt8], from root: Int = 0) throws(MPIError) -> [UInt8] {
    precondition((0..<size).contains(root), "no such rank")
    guard let group = collectiveGroup() else { return bytes }
    var header = [UInt8](repeating: 0, count: 8)
    if rank == root { withUnsafeBytes(of: UInt64(bytes.count).littleEndian) { header = Array($0) } }
    header = try broadcastPart(header, from: root, in: group)
    let count = header.reversed().reduce(0) { $0 << 8 | Int($1) }
    var result = rank == root ? bytes : []
    if rank != root { result.reserveCapacity(count) }
    for start in stride(from: 0, to: count, by: Self.largestPart) {
      let end = min(count, start + Self.largestPart)
      let part =
        rank == root ? Array(bytes[start..<end]) : [UInt8](repeating: 0, count: end - start)
      let received = try broadcastPart(part, from: root, in: group)
      if rank != root { result += received }
    }
    return result
  }

  /// Collects the bytes of all ranks on one.
  ///
  /// - Parameters:
  ///   - bytes: This rank's bytes; lengths may differ.
  ///   - root: The rank that collects.
  /// - Returns: On the root the bytes of every rank, by rank; elsewhere `nil`.
  /// - Throws: `MPIError` where the library fails.
  public func gather(_ bytes: [UInt8], at root: Int = 0) throws(MPIError) -> [[UInt8]]? {
    precondition((0..<size).contains(root), "no such rank")
    guard let group = collectiveGroup() else { return [bytes] }
    guard rank == root else {
      try PendingSend(bytes, to: root, tag: Self.gatherTag, on: group).wait()
      return nil
    }
    var parts: [[UInt8]] = []
    for source in 0..<size {
      parts.append(source == root ? bytes : try gatherPart(from: source, in: group))
    }
    return parts
  }

  /// Collects the bytes of all ranks on every rank.
  ///
  /// - Returns: The bytes of every rank, by rank.
  /// - Throws: `MPIError` where the library fails.
  public func gatherEverywhere(_ bytes: [UInt8]) throws(MPIError) -> [[UInt8]] {
    let parts = try gather(bytes) ?? []
    var packed: [UInt8] = []
    for part in parts {
      withUnsafeBytes(of: UInt64(part.count).littleEndian) { packed += Array($0) }
      packed += part
    }
    packed = try broadcast(packed)
    var result: [[UInt8]] = []
    var offset = 0
    for _ in 0..<size {
      let count = packed[offset..<offset + 8].reversed().reduce(0) { $0 << 8 | Int($1) }
      result.append(Array(packed[offset + 8..<offset + 8 + count]))
      offset += 8 + count
    }
    return result
  }

  private func gatherPart(from source: Int, in group: MPI_Comm?) throws(MPIError) -> [UInt8] {
    var patience = Patience()
    while true {
      if let envelope = try probe(from: source, tag: Self.gatherTag, in: group) {
        return try receive(envelope, in: group).bytes
      }
      patience.pause()
    }
  }

  private func broadcastPart(
    _ part: [UInt8], from root: Int, in group: MPI_Comm?
  ) throws(MPIError) -> [UInt8] {
    let buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: max(1, part.count))
    _ = buffer.initialize(from: part)
    var request = polymorph_mpi_request_null()
    try MPIError.check(
      MPI_Ibcast(
        buffer.baseAddress, Int32(part.count), polymorph_mpi_byte(), Int32(root), group, &request),
      "MPI_Ibcast")
    // A failed wait leaves the buffer to the library: leaking it is the safe way out.
    try Self.wait(for: &request)
    defer { buffer.deallocate() }
    return Array(UnsafeBufferPointer(rebasing: buffer[..<part.count]))
  }
}
