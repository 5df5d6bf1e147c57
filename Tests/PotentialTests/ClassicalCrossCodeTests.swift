import Crystal
import NumericalCore
import Potential
import TestSupport
import Testing

@Suite("Lennard-Jones, Stillinger–Weber and Tersoff against LAMMPS")
struct ClassicalCrossCodeTests {
  /// The same formulas in double precision; see the fixtures' README.
  private static let tolerance = 1e-11

  private func compare(
    _ potential: any InteratomicPotential, _ model: String, system: String, symbols: [String]
  ) throws {
    let calculations = try LAMMPSCalculation.load(model, system: system, symbols: symbols)
    #expect(calculations.count == 20)
    for (index, expected) in calculations.enumerated() {
      let label = "\(model), structure \(index + 1)"
      let found = try potential.evaluation(of: expected.structure)
      let scale = max(1, abs(expected.energy))
      #expect(abs(found.energy - expected.energy) < Self.tolerance * scale, "\(label)")
      let largest = expected.forces.reduce(1) { max($0, $1.length) }
      for (f, g) in zip(found.forces, expected.forces) {
        #expect((f - g).length < Self.tolerance * largest, "\(label): \(f) \(g)")
      }
      let size = max(1, expected.stress.frobeniusNorm)
      #expect(
        (found.stress - expected.stress).frobeniusNorm < Self.tolerance * size,
        "\(label): \(found.stress) \(expected.stress)")
    }
  }

  @Test("Lennard-Jones with every truncation", arguments: LennardJonesPotential.Truncation.allCases)
  func lennardJones(_ truncation: LennardJonesPotential.Truncation) throws {
    try compare(
      ClassicalModels.binaryLennardJones(truncation), "lj-\(truncation.rawValue)", system: "lj",
      symbols: ["Ar", "Ne"])
  }

  @Test("Stillinger–Weber")
  func stillingerWeber() throws {
    try compare(
      ClassicalModels.stillingerWeberSilicon(), "si-stillinger-weber", system: "si",
      symbols: ["Si"])
  }

  @Test("Tersoff, one element and two")
  func tersoff() throws {
    let potential = try ClassicalModels.tersoffSiliconCarbon()
    try compare(potential, "si-tersoff", system: "si", symbols: ["Si"])
    try compare(potential, "sic-tersoff", system: "sic", symbols: ["Si", "C"])
  }
}
