import Coordinator
import Crystal
import NumericalCore
import Testing

@Suite("Two thresholds of the extrapolation grade")
struct GradeWatchTests {
  private let structures: [Structure]

  init() throws {
    structures = try (0..<6).map { index in
      try Structure(
        lattice: Lattice(Matrix3(diagonal: Vector3(3 + 0.1 * Double(index), 3, 3))),
        species: [#require(ChemicalElement(symbol: "Si"))], positions: [.zero])
    }
  }

  private func watch(_ grades: [Double]) -> (watch: GradeWatch, seen: Int) {
    var watch = GradeWatch(selectThreshold: 2, breakThreshold: 10)
    var seen = 0
    for (structure, grade) in zip(structures, grades) {
      seen += 1
      if !watch.observe(structure, grade: grade) { break }
    }
    return (watch, seen)
  }

  @Test("Below the first threshold nothing is handed back")
  func quiet() {
    let (watch, seen) = watch([1, 1.9, 0.5])
    #expect(seen == 3 && watch.stoppingGrade == nil)
    #expect(watch.harvest { _ in true }.isEmpty)
    #expect(watch.lastReliable?.structure == structures[2])
  }

  @Test("Between the thresholds the geometry of largest grade is handed back")
  func remembered() {
    let (watch, seen) = watch([1, 4, 7, 3])
    #expect(seen == 4 && watch.stoppingGrade == nil)
    #expect(watch.harvest { _ in true }.map(\.grade) == [7])
  }

  @Test("From the second threshold on the relaxation stops and hands back three geometries at most")
  func stopped() {
    let (watch, seen) = watch([1, 7, 3, 12, 1])
    #expect(seen == 4 && watch.stoppingGrade == 12)
    #expect(watch.lastReliable?.structure == structures[2])
    #expect(watch.harvest { _ in true }.map(\.grade) == [3, 7, 12])
    #expect(watch.harvest { _ in false }.map(\.grade) == [3, 7])
  }

  @Test(
    "A grade that is not a number stops like an infinite one", arguments: [Double.nan, .infinity])
  func notANumber(grade: Double) {
    let (watch, seen) = watch([1, grade, 1])
    #expect(seen == 2 && watch.stoppingGrade != nil)
  }
}
