import CMPI

/// A message on its way; it keeps its bytes until the library has taken them.
///
/// It must be completed, by `wait()` or by `isComplete()` until it says so.
public final class PendingSend {
  private let buffer: UnsafeMutableBufferPointer<UInt8>
  private var request: MPI_Request?
  private var isDone = false

  init(
    _ bytes: [UInt8], to destination: Int, tag: Int, on communicator: MPI_Comm?
  ) throws(MPIError) {
    guard let count = Int32(exactly: bytes.count) else {
      throw .messageTooLarge(bytes: bytes.count)
    }
    buffer = .allocate(capacity: max(1, bytes.count))
    _ = buffer.initialize(from: bytes)
    let status = MPI_Isend(
      buffer.baseAddress, count, polymorph_mpi_byte(), Int32(destination), Int32(tag),
      communicator, &request)
    if status != polymorph_mpi_success() { isDone = true }
    try MPIError.check(status, "MPI_Isend")
  }

  deinit {
    // The library may still read the bytes of an unfinished send: leaking them is the safe way out.
    assert(isDone, "a pending send must be completed")
    if isDone { buffer.deallocate() }
  }

  /// Whether the library has taken the message; also lets it make progress.
  ///
  /// - Returns: Once `true`, always `true`.
  /// - Throws: `MPIError` where the library failed.
  public func isComplete() throws(MPIError) -> Bool {
    guard !isDone else { return true }
    var flag: Int32 = 0
    var status = MPI_Status()
    try MPIError.check(MPI_Test(&request, &flag, &status), "MPI_Test")
    isDone = flag != 0
    return isDone
  }

  /// Waits until the library has taken the message, sleeping in between.
  ///
  /// - Throws: `MPIError` where the library failed.
  public func wait() throws(MPIError) {
    var patience = Patience()
    while !(try isComplete()) { patience.pause() }
  }
}
