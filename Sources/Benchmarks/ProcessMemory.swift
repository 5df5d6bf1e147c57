import Foundation

/// How much memory this process holds, as Linux tells it.
enum ProcessMemory {
  /// Megabytes (10⁶ bytes) that are resident now; `nil` where the system does not tell.
  static func residentMegabytes() -> Double? { megabytes("VmRSS:") }

  /// The largest number of resident megabytes (10⁶ bytes) so far; `nil` where the system does not tell.
  static func peakMegabytes() -> Double? { megabytes("VmHWM:") }

  private static func megabytes(_ key: String) -> Double? {
    guard let data = FileManager.default.contents(atPath: "/proc/self/status") else { return nil }
    for line in String(decoding: data, as: UTF8.self).split(separator: "\n") {
      let words = line.split(whereSeparator: \.isWhitespace)
      guard words.count == 3, words[0] == key, let kibibytes = Double(words[1]) else { continue }
      return 1024e-6 * kibibytes
    }
    return nil
  }
}
