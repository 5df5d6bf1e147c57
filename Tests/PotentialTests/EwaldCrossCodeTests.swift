import Crystal
import Foundation
import NumericalCore
import Potential
import TestSupport
import Testing

@Suite("Rigid ions against LAMMPS")
struct EwaldCrossCodeTests {
  private struct Golden: Decodable {
    let lattice: [[Double]]
    let species: [String]
    let positions: [[Double]]
    let energy: Double
    let pressure: [Double]
    let forces: [[Double]]

    enum CodingKeys: String, CodingKey {
      case lattice, species, positions
      case energy = "energy_eV"
      case pressure = "pressure_bar_xx_yy_zz_xy_xz_yz"
      case forces = "forces_eV_per_A"
    }
  }

  @Test("Energy, forces and stress of a random triclinic cell agree")
  func randomCell() throws {
    let folder = try #require(Bundle.module.url(forResource: "Fixtures", withExtension: nil))
    let golden = try JSONDecoder().decode(
      Golden.self,
      from: Data(contentsOf: folder.appendingPathComponent("lammps-buckingham/expected.json")))
    func vector(_ v: [Double]) -> Vector3 { Vector3(v[0], v[1], v[2]) }
    let structure = try Structure(
      lattice: Lattice(
        Matrix3(
          rows: vector(golden.lattice[0]), vector(golden.lattice[1]), vector(golden.lattice[2]))),
      species: golden.species.map(ClassicalModels.element),
      positions: golden.positions.map(vector))
    var parameters = try ClassicalModels.titaniumDioxide().parameters
    parameters.pairs = parameters.pairs.map {
      BuckinghamPotential.Pair(
        $0.first, $0.second, amplitude: $0.amplitude, decayLength: $0.decayLength,
        dispersion: $0.dispersion)
    }
    let found = try BuckinghamPotential(parameters).evaluation(of: structure)
    #expect(found.energy.isClose(to: golden.energy, .crossCode))
    for (force, expected) in zip(found.forces, golden.forces) {
      #expect(force.isClose(to: vector(expected), .crossCode))
    }
    let p = golden.pressure
    let barsPerUnit = PhysicalConstants.gigapascalsPerElectronvoltPerCubicAngstrom * 1e4
    let expected = Matrix3(
      rows: Vector3(p[0], p[3], p[4]), Vector3(p[3], p[1], p[5]), Vector3(p[4], p[5], p[2]))
    // LAMMPS' factor from eV/Å³ to bar (1.6021765e6) differs from CODATA 2018 by 8e-8.
    #expect(((-barsPerUnit) * found.stress).isClose(to: expected, .crossCode))
  }
}
