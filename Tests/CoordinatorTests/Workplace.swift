import Foundation
import TestSupport
import Testing

/// A folder of its own for every test, and a campaign of the fixtures in it.
final class Workplace {
  let folder: URL
  let campaign: String
  let polymorph = BuiltProgram("polymorph")

  init(_ fixture: String = "quick") throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "polymorph-campaign-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    campaign = try #require(
      Bundle.module.url(forResource: "Fixtures", withExtension: nil)
    ).appendingPathComponent("\(fixture).yaml").path
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

  @discardableResult
  func search(_ directory: String, ranks: Int? = nil, _ more: [String] = []) throws
    -> BuiltProgram.Outcome
  {
    try polymorph.run(
      ["search", campaign, "--directory", path(directory), "--quiet"] + more, ranks: ranks,
      in: folder, timeoutSeconds: 300)
  }

  func digest(_ directory: String) throws -> String {
    let outcome = try polymorph.run(["status", path(directory), "--digest"], in: folder)
    try #require(outcome.status == 0, "\(outcome.errors)")
    return outcome.output.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  func status(_ directory: String) throws -> [String: Any] {
    let outcome = try polymorph.run(["status", path(directory), "--json"], in: folder)
    try #require(outcome.status == 0, "\(outcome.errors)")
    return try #require(
      JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
  }

  func summary(_ directory: String) throws -> [String: Any] {
    try #require(try status(directory)["summary"] as? [String: Any])
  }
}
