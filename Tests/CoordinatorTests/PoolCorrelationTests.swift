import Coordinator
import Crystal
import NumericalCore
import StructureFormats
import TestSupport
import Testing

@Suite("What is told of a pool")
struct PoolCorrelationTests {
  /// Cells of one atom of titanium, or of two of titanium and oxygen, with their energies.
  private func pool(_ energies: [(hasOxygen: Bool, energy: Double)]) throws -> [StructureRecord] {
    let (titanium, oxygen) = (
      try #require(ChemicalElement(symbol: "Ti")), try #require(ChemicalElement(symbol: "O"))
    )
    return try energies.map { hasOxygen, energy in
      let lattice = try Lattice(
        Matrix3(rows: Vector3(4, 0, 0), Vector3(0, 4, 0), Vector3(0, 0, 4)))
      let positions = [Vector3(0, 0, 0), Vector3(2, 2, 2)]
      var record = StructureRecord(
        structure: try Structure(
          lattice: lattice, species: hasOxygen ? [titanium, oxygen] : [titanium],
          positions: hasOxygen ? positions : [positions[0]]))
      record.energy = energy
      return record
    }
  }

  private func correlation() throws -> PoolCorrelation {
    let entries = try PoolStructure.entries(
      of: try pool([
        (true, -18), (true, -17.9), (true, -17.7), (false, -8), (false, -7.9), (false, -7.6),
      ]), path: "pool.xyz")
    // The potential is wrong by a constant for each ratio of elements, and by 0.05 eV for one structure.
    let model = [-8.8, -8.75, -8.65, -8.5, -8.35, -8.1]
    return PoolCorrelation(
      PoolComparison(entries, modelPerAtom: model, window: 0.2), poolCount: entries.count)
  }

  @Test("Energies are per atom, formulas the smallest, and a missing energy is named")
  func entries() throws {
    let entries = try PoolStructure.entries(
      of: try pool([(true, -18), (false, -8)]), path: "pool.xyz")
    #expect(entries.map(\.referencePerAtom) == [-9, -8])
    #expect(entries.map(\.formula) == ["OTi", "Ti"])
    // 64 Å³ at 0.01 eV/Å³.
    let pressed = try PoolStructure.entries(
      of: try pool([(true, -18)]), path: "pool.xyz", pressure: 0.01)
    #expect(abs(pressed[0].referencePerAtom - (-9 + 0.32)) < 1e-12)
    var records = try pool([(true, -18), (false, -8)])
    records[1].energy = nil
    #expect {
      try PoolStructure.entries(of: records, path: "pool.xyz")
    } throws: {
      "\($0)".hasPrefix("pool.xyz: structure 2: found no energy")
    }
  }

  @Test("Compositions are told apart in the tables and in the plot")
  func compositions() throws {
    let correlation = try correlation()
    let text = correlation.text
    #expect(text.contains("6 structures of OTi, Ti\n"))
    #expect(text.contains("lowest 3 of OTi by the potential"))
    // 50 meV for one of four that are no ground states, below 200 meV one of three.
    let lines = text.split(separator: "\n")
    let all = try #require(lines.first { $0.hasPrefix("all ") })
    #expect(all.split(separator: " ").dropFirst().prefix(2) == ["6", "25.00"])
    let low = try #require(lines.first { $0.hasPrefix("below 200 ") })
    #expect(low.split(separator: " ").dropFirst(2).prefix(2) == ["5", "28.87"])
    let plot = try #require(correlation.plots.first)
    #expect(correlation.plots.count == 1 && plot.name == "parity.svg")
    let names = plot.plot.panels.flatMap(\.series).compactMap(\.name)
    #expect(names == ["equal", "window", "OTi", "Ti"])
    #expect(!correlation.hasFailures)
  }

  @Test("Files hold the same as text and plots, whatever the folder held before")
  func files() throws {
    let folder = try TemporaryFolder()
    try folder.write("parity.svg", "old")
    let correlation = try correlation()
    #expect(try correlation.write(to: folder.path) == ["correlate.json", "parity.svg"])
    #expect(try folder.read("correlate.json") == correlation.json.text() + "\n")
    #expect(try folder.read("parity.svg") == correlation.plots[0].plot.svg())
  }
}
