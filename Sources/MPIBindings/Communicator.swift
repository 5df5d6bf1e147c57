import CMPI
import Foundation

/// The ranks of a run and the messages between them.
///
/// Without a launcher it is a group of one rank and MPI is never started. No call burns a core while
/// it waits. It stays on the thread that made it (`MPI_THREAD_FUNNELED`).
public final class Communicator {
  /// This process' place, from 0.
  public let rank: Int
  /// The number of ranks.
  public let size: Int
  // Two groups of the same ranks: one for the caller's messages, one for collective calls, so that a
  // probe for any message never finds a part of a gather. `nil` without MPI.
  private var groups: (messages: MPI_Comm?, collectives: MPI_Comm?)?

  /// Joins all ranks of the run.
  ///
  /// - Parameter environment: The variables of this process; they tell whether a launcher started it.
  /// - Throws: `MPIError` where the library fails or finds another number of ranks than the launcher
  ///   promised.
  public init(environment: [String: String]) throws(MPIError) {
    guard LaunchEnvironment.isLaunched(environment) else {
      rank = 0
      size = 1
      return
    }
    try Self.startLibrary()
    let world = polymorph_mpi_comm_world()
    try MPIError.check(
      MPI_Comm_set_errhandler(world, polymorph_mpi_errors_return()), "MPI_Comm_set_errhandler")
    var rank: Int32 = 0
    var size: Int32 = 0
    try MPIError.check(MPI_Comm_rank(world, &rank), "MPI_Comm_rank")
    try MPIError.check(MPI_Comm_size(world, &size), "MPI_Comm_size")
    if let promised = LaunchEnvironment.promisedSize(environment), promised.count != Int(size) {
      throw .wrongSize(promised: promised.count, found: Int(size), variable: promised.variable)
    }
    self.rank = Int(rank)
    self.size = Int(size)
    var messages = polymorph_mpi_comm_null()
    var collectives = polymorph_mpi_comm_null()
    try MPIError.check(MPI_Comm_dup(world, &messages), "MPI_Comm_dup")
    try MPIError.check(MPI_Comm_dup(world, &collectives), "MPI_Comm_dup")
    groups = (messages, collectives)
  }

  deinit {
    // An error cannot leave a deinitializer; `finalize()` is the way to see it.
    try? finalize()
  }

  /// Whether MPI carries the messages.
  public var usesMPI: Bool { groups != nil }

  /// Ends MPI once every rank is here; every rank calls it last.
  ///
  /// Calls after the first do nothing.
  ///
  /// - Throws: `MPIError` where the library fails.
  public func finalize() throws(MPIError) {
    guard groups != nil else { return }
    // Where a rank aborts while others are within MPI_Finalize, mpirun of Open MPI 4.1 crashes or hangs at times.
    try barrier()
    groups = nil
    try MPIError.check(MPI_Finalize(), "MPI_Finalize")
  }

  /// Ends all ranks at once, with this exit status where the launcher allows.
  public func abort(status: Int32) -> Never {
    if groups != nil { MPI_Abort(polymorph_mpi_comm_world(), status) }
    exit(status)
  }

  /// The MPI library's name and version; known without starting it.
  public static var libraryVersion: String {
    var text = [CChar](repeating: 0, count: Int(polymorph_mpi_max_library_version()) + 1)
    var length: Int32 = 0
    guard MPI_Get_library_version(&text, &length) == polymorph_mpi_success() else {
      return "unknown"
    }
    let bytes = text.prefix(Int(length)).prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The group for the caller's messages.
  func messageGroup() throws(MPIError) -> MPI_Comm? {
    guard let groups else { throw .notAvailable("there is one rank, or MPI has ended") }
    return groups.messages
  }

  /// The group for collective calls, `nil` where there is only this rank.
  func collectiveGroup() -> MPI_Comm?? {
    precondition(groups != nil || size == 1, "MPI has ended")
    return groups.map(\.collectives)
  }

  private static func startLibrary() throws(MPIError) {
    var isStarted: Int32 = 0
    try MPIError.check(MPI_Initialized(&isStarted), "MPI_Initialized")
    guard isStarted == 0 else { throw .notAvailable("it was started before in this process") }
    var level: Int32 = 0
    try MPIError.check(
      MPI_Init_thread(nil, nil, polymorph_mpi_thread_funneled(), &level), "MPI_Init_thread")
    guard level >= polymorph_mpi_thread_funneled() else {
      throw .notAvailable("the library lacks MPI_THREAD_FUNNELED (level \(level))")
    }
  }
}

@available(*, unavailable, message: "MPI is called from one thread")
extension Communicator: Sendable {}
