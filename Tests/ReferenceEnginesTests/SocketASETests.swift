import Crystal
import Foundation
import NumericalCore
import ReferenceEngines
import StructureFormats
import TestSupport
import Testing

@Suite("ASE as a client of the i-PI protocol")
struct SocketASETests {
  /// Prints what ASE computes directly for every structure of a file, then serves the same potential.
  ///
  /// ASE 3.22 has the constants of CODATA 2014: with them, energies would differ by 8e-9.
  static let script = """
    import json, sys
    import ase.units
    ase.units.Bohr, ase.units.Ha = 0.529177210903, 27.211386245988
    from ase.calculators.emt import EMT
    from ase.calculators.lj import LennardJones
    from ase.calculators.socketio import SocketClient
    from ase.io import read
    name, path, kind, *place = sys.argv[1:]
    frames = read(path, ':')
    make = {'lj': lambda: LennardJones(sigma=3.4, epsilon=0.0104, rc=8.0), 'emt': EMT}[name]
    results = []
    for atoms in frames:
        atoms.calc = make()
        results.append(dict(energy=atoms.get_potential_energy(), forces=atoms.get_forces().tolist(),
                            stress=atoms.get_stress(voigt=False).tolist()))
    print(json.dumps(results), flush=True)
    atoms = frames[0].copy()
    atoms.calc = make()
    if kind == 'unix':
        client = SocketClient(unixsocket=place[0])
    else:
        client = SocketClient(host=place[0], port=int(place[1]))
    client.run(atoms, use_stress=True)
    """

  private struct Direct: Decodable {
    let energy: Double
    let forces: [[Double]]
    let stress: [[Double]]
  }

  /// ASE as a running client; gives what it computed directly in the end.
  private static func serving(
    _ name: String, _ frames: [Structure], in folder: URL, at address: IPIAddress
  ) throws -> Outcome<Result<String, any Error>> {
    let path = folder.appendingPathComponent("frames.xyz").path
    try StructureFile.write(
      frames.map { StructureRecord(structure: $0) }, to: path, format: .extxyz)
    let place: [String] =
      switch address {
      case .unix(let name): ["unix", name]
      case .tcp(let host, let port): ["tcp", host, "\(port)"]
      }
    let outcome = Outcome<Result<String, any Error>>()
    Thread.detachNewThread {
      outcome.set(Result { try PythonASE.run(script, [name, path] + place) })
    }
    return outcome
  }

  @Test(
    "Energies, forces and stresses are those that ASE computes by itself",
    arguments: ["lj", "emt"])
  func asComputedDirectly(name: String) throws {
    try SocketClients.inFolder { folder in
      let frames = try (1...8).map { seed in
        let seed = UInt64(seed)
        let triclinic = try SocketProtocolTests.triclinic(seed: seed)
        if name == "lj" { return try TestStructures.strained(triclinic, by: 0.08, seed: seed) }
        let copper = ChemicalElement(symbol: "Cu") ?? .unnamed(0)
        let gold = ChemicalElement(symbol: "Au") ?? .unnamed(1)
        let metal = try Structure(
          lattice: triclinic.lattice.scaled(toVolume: 60), species: [copper, gold, gold, copper],
          fractionalPositions: triclinic.fractionalPositions())
        return try TestStructures.strained(metal, by: 0.05, seed: seed)
      }
      let server =
        name == "lj"
        ? try IPIServer(.unix(name: SocketClients.uniqueName()))
        : try IPIServer(.tcp(host: "localhost", port: 0))
      let outcome = try Self.serving(name, frames, in: folder, at: server.address)
      let connection = try server.accept(within: 60)
      let crossed = try frames.map { try connection.evaluation(of: $0, within: 60) }
      connection.end()
      let direct = try JSONDecoder().decode(
        [Direct].self, from: Data(outcome.wait(seconds: 60).get().utf8))
      // The same numbers after a change of units there and back.
      let tolerance = Tolerance(relative: 1e-9, absolute: 1e-9)
      for (ours, theirs) in zip(crossed, direct) {
        #expect(ours.energy.isClose(to: theirs.energy, tolerance))
        for (force, other) in zip(ours.forces, theirs.forces) {
          #expect(force.isClose(to: Vector3(other[0], other[1], other[2]), tolerance))
        }
        let rows = theirs.stress.map { Vector3($0[0], $0[1], $0[2]) }
        #expect(ours.stress.isClose(to: Matrix3(rows: rows[0], rows[1], rows[2]), tolerance))
      }
    }
  }

  @Test("Forces and stress are derivatives of the energies that cross")
  func derivatives() throws {
    try SocketClients.inFolder { folder in
      let structure = try SocketProtocolTests.triclinic()
      let server = try IPIServer(.unix(name: SocketClients.uniqueName()))
      let outcome = try Self.serving("lj", [structure], in: folder, at: server.address)
      let connection = try server.accept(within: 60)
      func energy(_ structure: Structure) throws -> Double {
        try connection.evaluation(of: structure, within: 60).energy
      }
      let evaluation = try connection.evaluation(of: structure, within: 60)
      let step = 1e-4
      for row in 0..<3 {
        for column in 0..<3 {
          var strain = Matrix3.zero
          strain[row, column] = step
          let up = try energy(structure.strained(by: strain))
          let down = try energy(structure.strained(by: -1 * strain))
          // Central differences of eV with steps of 1e-4: errors of 1e-7 by curvature.
          #expect(
            ((up - down) / (2 * step)).isClose(
              to: evaluation.virial[row, column], relative: 1e-5, absolute: 1e-6))
          #expect(
            evaluation.stress[row, column].isClose(
              to: evaluation.virial[row, column] / structure.volume, .roundoff))
        }
      }
      for (atom, axis) in [(0, 0), (1, 2), (3, 1)] {
        var (above, below) = (structure.positions, structure.positions)
        above[atom][axis] += step
        below[atom][axis] -= step
        let up = try energy(structure.replacing(positions: above))
        let down = try energy(structure.replacing(positions: below))
        #expect(
          ((down - up) / (2 * step)).isClose(
            to: evaluation.forces[atom][axis], relative: 1e-5, absolute: 1e-6))
      }
      connection.end()
      _ = try outcome.wait(seconds: 60).get()
    }
  }
}
