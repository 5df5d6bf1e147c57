import Foundation

/// The right to compute in a folder: of several processes that want the same label, one computes.
///
/// The kernel drops it when the last holder of its descriptor is gone, however that ended.
struct FolderLock: ~Copyable {
  let descriptor: Int32

  /// Waits for the lock.
  ///
  /// - Returns: `nil` where `shouldStop` said so before the lock was free.
  static func acquire(
    _ folder: String, shouldStop: () -> Bool
  ) throws(ReferenceEngineError) -> FolderLock? {
    let path = folder + "/lock"
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw .file(path: path, reason: String(cString: strerror(errno)))
    }
    let lock = FolderLock(descriptor: descriptor)
    var pause: UInt32 = 1000
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      let reason = errno
      guard reason == EWOULDBLOCK || reason == EINTR else {
        throw .file(
          path: path,
          reason: "\(String(cString: strerror(reason))); the file system must support flock")
      }
      if shouldStop() { return nil }
      usleep(pause)
      pause = min(200_000, 2 * pause)
    }
    return lock
  }

  private init(descriptor: Int32) { self.descriptor = descriptor }

  deinit { close(descriptor) }
}
