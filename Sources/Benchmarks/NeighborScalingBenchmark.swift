import Coordinator
import Crystal
import NumericalCore
import StructureFormats

/// `Benchmarks neighbor-scaling STRUCTURE`: how the search of neighbors grows with the number of atoms.
enum NeighborScalingBenchmark: Benchmark {
  static let syntax = Syntax(
    "neighbor-scaling", "exponent of the time of finding all neighbors with the number of atoms",
    reason:
      "a search that compares all pairs is quicker for a small cell and useless for a melt of "
      + "thousands of atoms; the exponent must stay near 1. It is the slope of a straight line through "
      + "the logarithms of the medians; atoms are displaced by up to 0.05 Å along each axis.",
    arguments: ["STRUCTURE"],
    options: [
      .init("cutoff", "Å", "cutoff radius; default 5"),
      .init("supercells", "LIST", "cells along each axis, such as 2,3,5; default 2,3,4,5,7,9,11"),
      .repetitions, .peer,
    ])

  /// Medians of one size, in seconds.
  private struct Size {
    let atoms: Int
    let table: Double
    let list: Double
  }

  static func run(_ arguments: Arguments) throws -> Report {
    let runs = try arguments.repetitions()
    let peer = try arguments.peer()
    let cutoff = try arguments.positiveNumber("cutoff") ?? 5
    let counts =
      arguments.has("supercells") ? try arguments.integers("supercells") : [2, 3, 4, 5, 7, 9, 11]
    guard counts.count > 1, counts.allSatisfy((1...40).contains) else {
      throw WrongCommandLine(
        "neighbor-scaling: --supercells: found '\(arguments.option("supercells") ?? "")', "
          + "allowed: two or more numbers from 1 to 40")
    }
    let path = arguments.argument("STRUCTURE")
    guard let unit = try StructureFile.read(path).first?.structure else {
      throw WrongCommandLine("\(path): holds no structure")
    }
    let sizes = counts.sorted().map { count in
      measure(displaced(unit.supercell(count, count, count)), cutoff: cutoff, runs: runs)
    }
    var quantities: [Report.Quantity] = [
      .init(
        "exponent", "exponent of the table that evaluations use",
        .number(exponent(sizes.map { ($0.atoms, $0.table) }))),
      .init(
        "list_exponent", "exponent of a list to be read",
        .number(exponent(sizes.map { ($0.atoms, $0.list) }))),
    ]
    for size in sizes {
      let scale = 1e6 / Double(size.atoms)
      quantities += [
        .init(
          "microseconds_per_atom_\(size.atoms)", "\(size.atoms) atoms, µs per atom (median)",
          .number(scale * size.table)),
        .init(
          "list_microseconds_per_atom_\(size.atoms)", "a list to be read (median)",
          .number(scale * size.list)),
      ]
    }
    return Report(quantities + [.init("runs", "runs", .integer(runs))], peer: peer)
  }

  private static func displaced(_ structure: Structure) -> Structure {
    var random = RandomStream(seed: 1, purpose: .test, slot: UInt64(structure.atomCount))
    return structure.replacing(
      positions: structure.positions.map {
        $0
          + Vector3(
            random.uniform(-0.05, 0.05), random.uniform(-0.05, 0.05), random.uniform(-0.05, 0.05))
      })
  }

  private static func measure(_ structure: Structure, cutoff: Double, runs: Int) -> Size {
    let elements = structure.distinctElements()
    let species = structure.species.map { elements.firstIndex(of: $0) ?? 0 }
    var table = NeighborTable()
    let times = Stopwatch.sample(runs: runs) {
      table.reset(cutoff: cutoff, speciesCount: elements.count)
      table.add(structure, species: species)
    }
    let list = Stopwatch.sample(runs: runs) { _ = NeighborList(structure, cutoff: cutoff) }
    return Size(atoms: structure.atomCount, table: times.median, list: list.median)
  }

  // The slope of a straight line through the logarithms.
  private static func exponent(_ points: [(atoms: Int, seconds: Double)]) -> Double {
    let logarithms = points.map { (x: logarithm(Double($0.atoms)), y: logarithm($0.seconds)) }
    let count = Double(points.count)
    let middle = logarithms.reduce(0) { $0 + $1.x } / count
    let mean = logarithms.reduce(0) { $0 + $1.y } / count
    var (above, below) = (0.0, 0.0)
    for (x, y) in logarithms {
      above += (x - middle) * (y - mean)
      below += (x - middle) * (x - middle)
    }
    return above / below
  }
}
