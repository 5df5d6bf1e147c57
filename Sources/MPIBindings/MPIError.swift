import CMPI

/// Why communication between ranks failed.
public enum MPIError: Error, Equatable, CustomStringConvertible {
  /// A library call returned an error status.
  case call(String, message: String)
  /// The launcher promised another number of ranks than the library found.
  case wrongSize(promised: Int, found: Int, variable: String)
  /// Nothing arrived in time.
  case timeout(waitingFor: String, seconds: Double)
  /// A message is larger than one call can carry.
  case messageTooLarge(bytes: Int)
  /// The library was started or ended before.
  case notAvailable(String)

  /// The message for people.
  public var description: String {
    switch self {
    case .call(let name, let message): "\(name) failed: \(message)"
    case .wrongSize(let promised, let found, let variable):
      "\(variable) promises \(promised) ranks, the MPI library found \(found); "
        + "start with the mpirun of the library this program was built with"
    case .timeout(let what, let seconds): "no message from \(what) within \(seconds) s"
    case .messageTooLarge(let bytes): "a message of \(bytes) bytes exceeds 2147483647"
    case .notAvailable(let what): "MPI is not available: \(what)"
    }
  }

  /// Throws where a library call did not succeed.
  static func check(_ status: Int32, _ name: String) throws(MPIError) {
    guard status != polymorph_mpi_success() else { return }
    var text = [CChar](repeating: 0, count: Int(polymorph_mpi_max_error_string()) + 1)
    var length: Int32 = 0
    let known = MPI_Error_string(status, &text, &length) == polymorph_mpi_success()
    let bytes = text.prefix(known ? Int(length) : 0).map { UInt8(bitPattern: $0) }
    let message = String(decoding: bytes, as: UTF8.self)
    throw .call(name, message: message.isEmpty ? "status \(status)" : message)
  }
}
