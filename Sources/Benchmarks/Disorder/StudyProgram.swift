import Foundation

/// Runs polymorph for the parts of a study, whose folder keeps what is finished.
struct StudyProgram {
  /// The path of polymorph.
  let path: String
  /// The benchmark, for messages.
  let name: String
  let ranks: Int
  /// The folder of all parts.
  let folder: String

  /// Checks that there is such a program.
  ///
  /// - Throws: `WrongCommandLine` where there is none.
  func check() throws(WrongCommandLine) {
    guard FileManager.default.isExecutableFile(atPath: path) else {
      throw WrongCommandLine("\(name): --polymorph: '\(path)' is no program")
    }
  }

  /// A path within the folder.
  func file(_ name: String) -> String { folder + "/" + name }

  /// Runs a verb.
  ///
  /// - Parameters:
  ///   - words: The verb and its arguments.
  ///   - ranks: How many ranks run it.
  ///   - output: The file that takes what it prints; `nil` for the study's log.
  /// - Throws: `BenchmarkFailure` with the end of the log where the program fails.
  func run(
    _ words: [String], ranks: Int = 1, printing output: String? = nil
  ) throws {
    let log = file("study.log")
    let all = ChildProgram.launcher(ranks: ranks) + [path] + words
    let status = try ChildProgram.run(
      all, output: output ?? log, errors: output == nil ? nil : log)
    guard status == 0 else {
      let printed = try String(contentsOfFile: log, encoding: .utf8)
      throw BenchmarkFailure(
        "'\(all.joined(separator: " "))' ended with status \(status):\n" + printed.suffix(2000))
    }
  }

  /// How many ranks work where none coordinates.
  var workers: Int { max(1, ranks - 1) }

  /// The newest potential of a campaign.
  ///
  /// - Throws: `BenchmarkFailure` where there is none.
  func newestPotential(of campaign: String) throws -> String {
    let names = try FileManager.default.contentsOfDirectory(atPath: campaign + "/potentials")
    guard let newest = names.filter({ $0.hasSuffix(".mtp") }).max() else {
      throw BenchmarkFailure("\(campaign): no potential")
    }
    return "\(campaign)/potentials/\(newest)"
  }

  /// A part of the study; what was found before is read.
  func stored<Part: Codable>(_ name: String, _ find: () throws -> Part) throws -> Part {
    let path = file(name + ".found.json")
    if let known = try? Data(contentsOf: URL(fileURLWithPath: path)) {
      return try JSONDecoder().decode(Part.self, from: known)
    }
    StandardError.write("\(name) …\n")
    let part = try find()
    let text = String(decoding: try JSONEncoder().encode(part), as: UTF8.self)
    try Data((text + "\n").utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
    return part
  }

  /// JSON that polymorph has written.
  func decoded<Output: Decodable>(_ type: Output.Type, _ path: String) throws -> Output {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(type, from: Data(contentsOf: URL(fileURLWithPath: path)))
  }

  /// A path that means the same in any folder.
  static func absolute(_ path: String) -> String {
    path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
  }

  /// So many of a list at equal distances; all where it has no more.
  static func evenly<Element>(_ all: [Element], _ count: Int) -> [Element] {
    guard count < all.count else { return all }
    return (0..<count).map { all[(2 * $0 + 1) * all.count / (2 * count)] }
  }
}
