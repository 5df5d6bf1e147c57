import Crystal
import Dynamics
import NumericalCore
import Potential
import TestSupport
import Testing

@Suite("Relaxations with a repulsion at short range")
struct RepulsionTests {
  /// A potential of TiO₂ that was trained near minima alone: nothing tells it of short bonds.
  private func potential(
    level: Int, _ repulsion: ShortRangeRepulsion?
  ) throws -> MomentTensorPotential {
    let reference = try ClassicalModels.titaniumDioxide(smoothing: 1, cutoff: 8)
    let minima = [try Prototypes.rutile(), try Prototypes.anatase()]
    let set = try (0..<24).map { index in
      let structure = TestStructures.rattled(
        try TestStructures.strained(minima[index % 2], by: 0.06, seed: UInt64(index)), by: 0.08,
        seed: UInt64(index))
      return try LabelledStructure(structure, try reference.evaluation(of: structure))
    }
    let start = try MomentTensorPotential(
      basis: MomentTensorBasis(level: level),
      radialBasis: RadialBasis(size: 6, minimumDistance: 1.4, cutoff: 5),
      elements: ["Ti", "O"].map { try #require(ChemicalElement(symbol: $0)) },
      repulsion: repulsion)
    var settings = TrainingSettings.plain
    settings.maximumTrials = 20
    return try MomentTensorTrainer.train(
      start, on: TrainingProblem(set, for: start, settings: settings)
    ).potential
  }

  /// The shortest distance over the sum of the covalent radii.
  private func closest(_ structure: Structure) -> Double {
    let list = NeighborList(structure, cutoff: 3)
    var least = Double.infinity
    for i in 0..<structure.atomCount {
      for place in list.neighbors(of: i) {
        let j = Int(list.indices[place])
        let radii = structure.species[i].covalentRadius + structure.species[j].covalentRadius
        least = min(least, list.displacements[place].length / radii)
      }
    }
    return least
  }

  @Test(
    "Random structures with short bonds fall into holes without it and are pushed apart with it",
    arguments: [2, 4])
  func holes(level: Int) throws {
    let open = try potential(level: level, nil)
    let closed = try potential(level: level, ShortRangeRepulsion(inner: 0.6, outer: 0.9))
    let elements = closed.elements
    var fallen = 0
    for seed in UInt64(1)...8 {
      let start = try TestStructures.randomCrystal(
        [elements[0], elements[0]] + Array(repeating: elements[1], count: 4), volumePerAtom: 10,
        minimumDistance: 1.4, seed: seed)
      try #require(closest(start) < 0.7, "a bond is short")
      if closest(Relaxation.run(start, with: open).structure) < 0.5 { fallen += 1 }
      let pushed = Relaxation.run(start, with: closed)
      #expect(closest(pushed.structure) > 0.7, "seed \(seed): \(pushed.outcome)")
    }
    #expect(fallen >= 3, "\(fallen) of 8 fell into a hole")
  }
}
