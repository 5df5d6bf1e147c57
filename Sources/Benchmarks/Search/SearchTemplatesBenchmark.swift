import Coordinator
import Crystal
import Evolution
import StructureFormats

/// `Benchmarks search-templates`: which nets hold a structure.
enum SearchTemplatesBenchmark: Benchmark {
  static let syntax = Syntax(
    "search-templates", "the nets and structure types that hold the structures of a file",
    reason: "a search with nets proves nothing where a net is the answer. The case file leaves out "
      + "the templates that this names for its targets.",
    arguments: ["STRUCTURES"])

  static func run(_ arguments: Arguments) throws -> Report {
    let records = try StructureFile.read(arguments.argument("STRUCTURES"))
    return Report(
      records.enumerated().map { index, record in
        let names = TopologyLibrary.templates(reproducing: record.structure)
        return .init(
          "structure_\(index + 1)", "\(record.structure.composition().formula)",
          .list(names.map { .text($0) }),
          shown: names.isEmpty ? "none" : names.joined(separator: ", "))
      })
  }
}
