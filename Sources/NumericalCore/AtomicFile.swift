import Foundation

/// Why a file could not be written.
public struct FileWritingError: Error, Equatable, CustomStringConvertible {
  /// The file.
  public let path: String
  /// What was being done, such as `opening`.
  public let step: String
  /// The system's reason.
  public let reason: String

  /// The message for people.
  public var description: String { "\(path): \(step) failed: \(reason)" }

  fileprivate init(_ path: String, _ step: String) {
    self.path = path
    self.step = step
    reason = String(cString: strerror(errno))
  }
}

/// Whole files that appear at once: a reader, and a machine that loses power, sees the old bytes or
/// the new ones, never a part.
public enum AtomicFile {
  /// Writes bytes aside, flushes them to the disk, renames the file over the target and flushes the
  /// folder.
  ///
  /// - Parameters:
  ///   - bytes: The content.
  ///   - path: The target, replaced where it exists.
  /// - Throws: `FileWritingError` with the step that failed; the target is then as before.
  public static func write(_ bytes: [UInt8], to path: String) throws(FileWritingError) {
    let aside = "\(path).\(getpid()).partial"
    do throws(FileWritingError) {
      try writeDurably(bytes, to: aside)
      guard rename(aside, path) == 0 else { throw FileWritingError(path, "renaming") }
    } catch {
      unlink(aside)
      throw error
    }
    try flushFolder(of: path)
  }

  /// Writes text as UTF-8; see `write(_:to:)` for bytes.
  ///
  /// - Throws: `FileWritingError` with the step that failed.
  public static func write(_ text: String, to path: String) throws(FileWritingError) {
    try write(Array(text.utf8), to: path)
  }

  private static func writeDurably(_ bytes: [UInt8], to path: String) throws(FileWritingError) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw FileWritingError(path, "opening") }
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes { buffer in
        Glibc.write(descriptor, buffer.baseAddress.map { $0 + written }, buffer.count - written)
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else {
        let error = FileWritingError(path, "writing")
        close(descriptor)
        throw error
      }
      written += count
    }
    guard fsync(descriptor) == 0 else {
      let error = FileWritingError(path, "flushing")
      close(descriptor)
      throw error
    }
    guard close(descriptor) == 0 else { throw FileWritingError(path, "closing") }
  }

  private static func flushFolder(of path: String) throws(FileWritingError) {
    var folder = "."
    if let slash = path.lastIndex(of: "/") {
      folder = slash == path.startIndex ? "/" : String(path[..<slash])
    }
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileWritingError(folder, "opening the folder") }
    defer { close(descriptor) }
    // Some network file systems cannot flush a folder and say EINVAL; the rename stands all the same.
    guard fsync(descriptor) == 0 || errno == EINVAL else {
      throw FileWritingError(folder, "flushing the folder")
    }
  }
}
