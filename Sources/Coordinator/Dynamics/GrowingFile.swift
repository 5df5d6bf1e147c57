import Foundation

/// A file that grows while a run goes on, and is cut back to what a checkpoint knows when it is taken up.
final class GrowingFile {
  private let path: String
  private let descriptor: Int32
  private var pending: [UInt8] = []
  /// The length in bytes, with what is not written yet.
  private(set) var length: Int

  /// Opens a file.
  ///
  /// - Parameters:
  ///   - path: The file; made where it does not exist.
  ///   - length: What is kept of it, in bytes.
  /// - Throws: `CampaignError.failed` where it is shorter or cannot be opened.
  init(path: String, keeping length: Int) throws(CampaignError) {
    self.path = path
    self.length = length
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Self.failure(path, "opened") }
    guard lseek(descriptor, 0, SEEK_END) >= off_t(length) else {
      close(descriptor)
      throw .failed("\(path): shorter than the checkpoint says; was it changed?")
    }
    guard ftruncate(descriptor, off_t(length)) == 0, lseek(descriptor, 0, SEEK_END) >= 0 else {
      let error = Self.failure(path, "cut")
      close(descriptor)
      throw error
    }
  }

  deinit { close(descriptor) }

  /// Adds text; it may be lost until `flush()`.
  func append(_ text: String) { append(Array(text.utf8)) }

  /// Adds bytes; they may be lost until `flush()`.
  func append(_ bytes: [UInt8]) {
    pending += bytes
    length += bytes.count
  }

  /// Begins anew; what is in the file stays until `cut()`, for checkpoints that know of it.
  func startOver() {
    pending = []
    length = 0
  }

  /// Takes away what was there before `startOver()`.
  ///
  /// - Throws: `CampaignError.failed` where that cannot be done.
  func cut() throws(CampaignError) {
    precondition(length == 0, "what is cut off began anew")
    guard ftruncate(descriptor, 0) == 0, lseek(descriptor, 0, SEEK_SET) == 0 else {
      throw Self.failure(path, "cut")
    }
  }

  /// Makes everything safe.
  ///
  /// - Throws: `CampaignError.failed` where it cannot be written.
  func flush() throws(CampaignError) {
    var written = 0
    while written < pending.count {
      let count = pending.withUnsafeBytes {
        write(descriptor, $0.baseAddress?.advanced(by: written), $0.count - written)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw Self.failure(path, "written") }
      written += count
    }
    pending = []
    guard fsync(descriptor) == 0 else { throw Self.failure(path, "flushed") }
  }

  private static func failure(_ path: String, _ what: String) -> CampaignError {
    .failed("\(path): cannot be \(what): \(String(cString: strerror(errno)))")
  }
}
