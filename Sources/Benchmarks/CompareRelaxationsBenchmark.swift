import Coordinator
import Crystal
import Dynamics
import Foundation
import StructureFormats

/// `Benchmarks compare-relaxations POT`: our relaxations beside those of ASE from the same starts.
enum CompareRelaxationsBenchmark: Benchmark {
  static let syntax = Syntax(
    "compare-relaxations", "evaluations of our relaxations and of the optimisers of ASE",
    reason: "a relaxation costs evaluations, and everybody has the optimisers of ASE to compare "
      + "with. Same starts, same potential (ASE asks `Benchmarks serve` over a pipe), same "
      + "tolerances: 0.02 eV/Å and 0.4 GPa, no limits for distances. The best method of ASE is the "
      + "one with the fewest evaluations in total. An energy is the same where it is at most "
      + "1 meV/atom higher. Needs Debian's python3-ase and the script of this repository.",
    arguments: ["POT"],
    options: RandomStructures.options + [
      .init("script", "FILE.py", "default Tools/relax_with_ase.py"),
      .init("python", "PROGRAM", "default /usr/bin/python3"),
      .init("list", nil, "prints evaluations and energies of every start too"),
    ])

  /// Energies per atom that differ by less count as the same, in eV: twice what forces of 0.02 eV/Å
  /// leave along the softest directions.
  private static let energyTolerance = 0.001
  private static let limit = 1000

  /// What one relaxation came to.
  private struct End {
    let evaluations: Int
    let hasConverged: Bool
    let energyPerAtom: Double
  }

  /// A method of ASE with its relaxations in the order of the starts.
  private struct Method {
    let name: String
    var ends: [End] = []

    var total: Int { ends.reduce(0) { $0 + $1.evaluations } }
    var median: Double { Sample(ends.map { Double($0.evaluations) }).median }
    var converged: Int { ends.count { $0.hasConverged } }

    var quantity: Report.Quantity {
      .init(
        name, name,
        .text("\(total) evaluations, median \(significant(median)), \(converged) converged"))
    }

    /// How the ends of another compare; one of the two that has not converged is the higher one.
    func compared(with others: [End]) -> Comparison {
      var result = Comparison()
      for (end, other) in zip(ends, others) {
        let difference = other.energyPerAtom - end.energyPerAtom
        switch (other.hasConverged, end.hasConverged) {
        case (false, _): result.higher += 1
        case (true, false): result.lower += 1
        case (true, true):
          result.difference += difference / Double(ends.count)
          if difference < -energyTolerance {
            result.lower += 1
          } else if difference > energyTolerance {
            result.higher += 1
          } else {
            result.same += 1
          }
        }
      }
      return result
    }
  }

  /// How many energies are lower, the same and higher, and the mean difference in eV/atom.
  private struct Comparison {
    var (lower, same, higher) = (0, 0, 0)
    var difference = 0.0

    var text: String {
      "\(lower) lower, \(same) same, \(higher) higher; on average \(fixed(difference, 4)) eV/atom"
    }
  }

  static func run(_ arguments: Arguments) throws -> Report {
    let path = arguments.argument("POT")
    let potential = try PotentialFile(path: path).potential
    let starts = try RandomStructures.starts(arguments).starts
    let settings = RelaxationSettings(
      stages: [.gigapascals(force: 0.02, stress: 0.4, evaluations: limit)])
    var ours = Method(name: "polymorph")
    let seconds = Stopwatch.seconds {
      ours.ends = starts.map { start in
        let result = Relaxation.run(start, with: potential, settings: settings)
        return End(
          evaluations: result.evaluations, hasConverged: result.hasConverged,
          energyPerAtom: result.enthalpyPerAtom)
      }
    }
    let methods = try relaxedByASE(starts, potential: path, arguments)
    var quantities: [Report.Quantity] = [
      .init(
        "mean_evaluations", "evaluations per relaxation (mean)",
        .number(Double(ours.total) / Double(starts.count))),
      .init("evaluations", "evaluations in total", .integer(ours.total)),
      .init("median_evaluations", "evaluations per relaxation (median)", .number(ours.median)),
      .init("converged", "converged", .integer(ours.converged)),
      .init("starts", "relaxations", .integer(starts.count)),
      .init(
        "milliseconds", "ms per relaxation (mean)",
        .number(1000 * seconds / Double(starts.count))),
    ]
    guard let best = methods.min(by: { $0.total < $1.total }) else {
      quantities.append(.init("ase", "ASE", .text("not installed (apt install python3-ase)")))
      return Report(quantities)
    }
    quantities += [
      .init("best_of_ase", "best method of ASE", .text(best.name)),
      .init(
        "same_or_lower_percent", "energies the same as its or lower (%)",
        .number(
          100 * Double(starts.count - best.compared(with: ours.ends).higher)
            / Double(starts.count))),
    ]
    quantities += methods.map(\.quantity)
    quantities += methods.map {
      .init(
        "energies_\($0.name)", "energies beside \($0.name)",
        .text($0.compared(with: ours.ends).text))
    }
    if arguments.has("list") { list(ours, methods) }
    return Report(
      quantities,
      peer: .init(name: "ASE \(best.name)", value: Double(best.total) / Double(starts.count)))
  }

  /// Runs the script; no method where ASE is not installed.
  private static func relaxedByASE(
    _ starts: [Structure], potential: String, _ arguments: Arguments
  ) throws -> [Method] {
    let python = arguments.option("python") ?? "/usr/bin/python3"
    let script = arguments.option("script") ?? "Tools/relax_with_ase.py"
    let folder = try ScratchFolder()
    defer { folder.remove() }
    let output = folder.path + "/output"
    guard try ChildProgram.run([python, "-c", "import ase"], output: output) == 0 else {
      return []
    }
    let file = folder.path + "/starts.extxyz"
    try StructureFile.write(starts.map { StructureRecord(structure: $0) }, to: file)
    guard let program = Bundle.main.executablePath else {
      throw BenchmarkFailure("the path of this program is unknown")
    }
    let status = try ChildProgram.run(
      [python, script, program, potential, file, "\(limit)"], output: output)
    let text = String(decoding: try Data(contentsOf: URL(fileURLWithPath: output)), as: UTF8.self)
    guard status == 0 else { throw BenchmarkFailure("\(script) failed:\n\(text)") }
    var methods: [Method] = []
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count == 5, let number = Int(words[1]), starts.indices.contains(number),
        let evaluations = Int(words[2]), let energy = Double(words[4])
      else { throw BenchmarkFailure("\(script) printed '\(line)'") }
      if methods.last?.name != String(words[0]) { methods.append(Method(name: String(words[0]))) }
      methods[methods.count - 1].ends.append(
        End(
          evaluations: evaluations, hasConverged: words[3] == "1",
          energyPerAtom: energy / Double(starts[number].atomCount)))
    }
    return methods
  }

  private static func list(_ ours: Method, _ methods: [Method]) {
    for number in ours.ends.indices {
      let ends = ([ours] + methods).map { method in
        let end = method.ends[number]
        return "\(end.evaluations)\(end.hasConverged ? "" : "!") \(fixed(end.energyPerAtom, 4))"
      }
      print("\(number): " + ends.joined(separator: ", "))
    }
  }
}
