import Foundation
import MPIBindings
import NumericalCore

/// What the bits of a result may depend on besides the input: build, processor and its BLAS kernels.
public struct RunEnvironment: Sendable, Equatable {
  /// SHA-256 of the executable.
  public let build: String
  /// The processor's model name.
  public let processor: String
  /// The core that BLAS chose its kernels for.
  public let blasCore: String

  /// The same by name, as it is stored with a campaign.
  var entries: [(key: String, value: String)] {
    [("build", build), ("processor", processor), ("BLAS core", blasCore)]
  }

  /// The environment of this process.
  public static func current() -> RunEnvironment {
    let executable = FileManager.default.contents(atPath: "/proc/self/exe") ?? Data()
    let information = FileManager.default.contents(atPath: "/proc/cpuinfo") ?? Data()
    let model = String(decoding: information, as: UTF8.self).split(separator: "\n")
      .first { $0.hasPrefix("model name") }?.split(separator: ":").last
    return RunEnvironment(
      build: SHA256.hexadecimal(of: [UInt8](executable)),
      processor: model.map { $0.trimmingCharacters(in: .whitespaces) } ?? "unknown",
      blasCore: LinearAlgebra.coreName)
  }

  /// Compares all ranks; every rank calls it.
  ///
  /// - Returns: On rank 0 what differs, for people; `nil` where all are alike, and on other ranks.
  /// - Throws: `MPIError` where messages fail.
  public func difference(among communicator: Communicator) throws -> String? {
    let text = [build, processor, blasCore].joined(separator: "\n")
    guard let all = try communicator.gather(Array(text.utf8)) else { return nil }
    let others = all.map { String(decoding: $0, as: UTF8.self) }
    guard let rank = others.firstIndex(where: { $0 != text }) else { return nil }
    return "rank \(rank) differs from rank 0 in build, processor or BLAS kernels:\n"
      + "rank 0: \(processor), \(blasCore), build \(build.prefix(12))\n"
      + "rank \(rank): " + others[rank].split(separator: "\n").reversed().joined(separator: ", ")
      + "\nresults would not be reproducible; use one kind of node and one build"
  }
}
