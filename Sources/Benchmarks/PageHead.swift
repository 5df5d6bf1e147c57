import Coordinator

/// How a page begins that a benchmark writes: what it is about, the command, and where it was measured.
struct PageHead {
  let title: String
  let introduction: String
  /// `nil` where no ranks are chosen.
  let ranks: Int?
  let environment: RunEnvironment
  /// Further lines of the list, such as how far the benchmark is.
  var items: [String] = []

  /// The lines, without an empty one at the end.
  var lines: [String] {
    let command = (["Benchmarks"] + CommandLine.arguments.dropFirst()).joined(separator: " ")
    var lines = ["# \(title)", ""]
    lines += wrapped(introduction + " This page is written by the benchmark; do not edit it.")
    lines += ["", "```", command, "```", "", "- date: \(today)"]
    if let ranks {
      lines.append("- ranks: \(ranks)\(ranks > 1 ? " (one of them coordinates)" : "")")
    }
    lines.append(
      "- processor: \(environment.processor), \(coreCount) cores, shared with other work")
    return lines + items.map { "- \($0)" }
  }
}
