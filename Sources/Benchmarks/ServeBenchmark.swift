import Coordinator
import Crystal
import Foundation
import NumericalCore
import Potential

/// `Benchmarks serve POT`: a potential at the end of a pipe, for programs in other languages.
///
/// One line asks for one bulk crystal: the number of atoms, the nine components of a, b, c in Å, then
/// symbol, x, y, z of every atom. One line answers: energy in eV, the forces in eV/Å atom by atom, and
/// xx, yy, zz, yz, xz, xy of the stress in eV/Å³, positive in tension; or `error` and the reason.
enum ServeBenchmark: Benchmark {
  static let syntax = Syntax(
    "serve", "answers structures on standard input with energies, forces and stresses",
    reason: "an optimiser of another program needs the very same potential to compare with. A line "
      + "'N ax ay az bx by bz cx cy cz' with 'symbol x y z' of every atom behind it is answered by a "
      + "line 'energy fx fy fz ... xx yy zz yz xz xy' (eV, eV/Å, eV/Å³) or 'error REASON'.",
    arguments: ["POT"])

  static func run(_ arguments: Arguments) throws -> Report {
    let potential = try PotentialFile(path: arguments.argument("POT")).potential
    var answered = 0
    let seconds = Stopwatch.seconds {
      while let line = readLine() {
        print(answer(line, potential))
        fflush(nil)
        answered += 1
      }
    }
    StandardError.write("\(answered) structures in \(fixed(seconds, 3)) s\n")
    return Report([.init("answered", "structures", .integer(answered))])
  }

  /// The answer to a line, without its end.
  static func answer(_ line: String, _ potential: any InteratomicPotential) -> String {
    guard let structure = structure(line) else { return "error the line is no structure" }
    do {
      let evaluation = try potential.evaluation(of: structure)
      let stress = evaluation.stress
      let numbers =
        [evaluation.energy] + evaluation.forces.flatMap { [$0.x, $0.y, $0.z] } + [
          stress[0, 0], stress[1, 1], stress[2, 2], stress[1, 2], stress[0, 2], stress[0, 1],
        ]
      return numbers.map { "\($0)" }.joined(separator: " ")
    } catch { return "error \(error)" }
  }

  private static func structure(_ line: String) -> Structure? {
    let fields = line.split(separator: " ")
    guard fields.count >= 10, let count = Int(fields[0]), count > 0,
      fields.count == 10 + 4 * count
    else { return nil }
    var numbers: [Double] = []
    var species: [ChemicalElement] = []
    for (place, field) in fields.enumerated().dropFirst() {
      if place >= 10 && (place - 10).isMultiple(of: 4) {
        guard let element = ChemicalElement(symbol: String(field)) else { return nil }
        species.append(element)
      } else {
        guard let number = Double(field) else { return nil }
        numbers.append(number)
      }
    }
    let vectors = stride(from: 0, to: numbers.count, by: 3).map {
      Vector3(numbers[$0], numbers[$0 + 1], numbers[$0 + 2])
    }
    let cell = Matrix3(rows: vectors[0], vectors[1], vectors[2])
    // A flat cell or an infinite position is no structure; the caller says so.
    guard let lattice = try? Lattice(cell) else { return nil }
    return try? Structure(
      lattice: lattice, species: species, positions: Array(vectors.dropFirst(3)))
  }
}
