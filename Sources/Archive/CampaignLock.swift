import Foundation

/// The right to write into a campaign's folder.
///
/// The kernel drops it with its holder, however that ends, so that no stale lock has to be removed
/// by hand.
public final class CampaignLock {
  /// The lock file; it stays behind, empty of meaning.
  public let path: String
  private let descriptor: Int32

  /// Takes the lock of a folder.
  ///
  /// - Parameters:
  ///   - directory: The campaign's folder.
  ///   - waitSeconds: How long a holder that is about to end is waited for.
  /// - Throws: `ArchiveError.locked` with the holder where the lock is not free in time, `.lockFile` where
  ///   the file cannot be made or its file system has no locks.
  public init(directory: String, waitSeconds: Double = 0) throws(ArchiveError) {
    path = directory + "/lock"
    // Close-on-exec: an external engine that outlives the search must not keep the campaign locked.
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw .lockFile(path: path, reason: String(cString: strerror(errno)))
    }
    let clock = ContinuousClock()
    let end = clock.now + .seconds(waitSeconds)
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      let reason = errno
      guard reason == EWOULDBLOCK || reason == EINTR else {
        let message = String(cString: strerror(reason))
        close(descriptor)
        throw .lockFile(path: path, reason: "\(message); the file system must support flock")
      }
      guard clock.now < end else {
        let holder = Self.holder(descriptor)
        close(descriptor)
        throw .locked(path: path, holder: holder)
      }
      usleep(50_000)
    }
    let name = "process \(getpid()) on \(ProcessInfo.processInfo.hostName)\n"
    // The name only serves the message for others; the lock holds without it.
    _ = ftruncate(descriptor, 0)
    _ = name.withCString { pwrite(descriptor, $0, strlen($0), 0) }
  }

  deinit { close(descriptor) }

  private static func holder(_ descriptor: Int32) -> String {
    var bytes = [UInt8](repeating: 0, count: 256)
    let count = pread(descriptor, &bytes, bytes.count, 0)
    let text = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    let name = text.trimmingCharacters(in: .whitespacesAndNewlines)
    return name.isEmpty ? "another process" : name
  }
}
