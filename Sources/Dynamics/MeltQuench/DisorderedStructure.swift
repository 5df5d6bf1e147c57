import Crystal
import NumericalCore
import Potential

/// Atoms without any order, to be molten.
public enum DisorderedStructure {
  /// Places atoms at random in a cubic cell and moves them as far apart as they can be, whatever their element.
  ///
  /// Radii of elements would do worse: those of covalent bonds pack the oxygen of an oxide so closely that its energy
  /// lies 9 eV per atom higher, and its forces are five times as large.
  ///
  /// - Parameters:
  ///   - composition: The atoms.
  ///   - volumePerAtom: In Å³; positive.
  ///   - seed: Which structure.
  /// - Returns: The structure, whose atoms are about 0.9 to 1.1 V^⅓ apart for a volume V per atom.
  /// - Throws: `CrystalError` where the volume is none.
  public static func make(
    _ composition: Composition, volumePerAtom: Double, seed: UInt64
  ) throws(CrystalError) -> Structure {
    precondition(volumePerAtom > 0 && volumePerAtom.isFinite, "atoms take up space")
    var random = RandomStream(seed: seed, purpose: .disorder)
    let species = composition.species
    let cell = try Lattice(.identity).scaled(toVolume: volumePerAtom * Double(species.count))
    let scattered = try Structure(
      lattice: cell, species: species,
      fractionalPositions: species.map { _ in random.fractionalPoint() })
    var settings = RelaxationSettings(
      stages: [.init(force: 0.01, stress: 1, evaluations: 300)])
    settings.hasFixedCell = true
    // Spheres that together are as large as the cell cannot all keep clear of each other: they share what
    // there is.
    let diameter = 2 * cubeRoot(3 * volumePerAtom / (4 * Double.pi))
    return Relaxation.run(
      scattered, with: SoftSpheres(elements: composition.elements, diameter: diameter),
      settings: settings
    ).structure
  }
}

/// Spheres that push each other apart: (1 − r/d)² eV where they overlap.
private struct SoftSpheres: InteratomicPotential {
  let elements: [ChemicalElement]
  /// d in Å.
  let diameter: Double

  func evaluation(of structure: Structure) -> Evaluation {
    let neighbors = NeighborList(structure, cutoff: diameter)
    var energy = 0.0
    var forces = [Vector3](repeating: .zero, count: structure.atomCount)
    var virial = Matrix3.zero
    for i in forces.indices {
      for k in neighbors.neighbors(of: i) {
        let displacement = neighbors.displacements[k]
        let length = displacement.length
        guard length > 0 else { continue }
        let overlap = 1 - length / diameter
        // Every pair is met from both of its atoms.
        energy += overlap * overlap / 2
        let slope = -2 * overlap / diameter / length
        forces[i] += slope * displacement
        virial += (slope / 2) * Matrix3.outer(displacement, displacement)
      }
    }
    return Evaluation(energy: energy, forces: forces, virial: virial, of: structure)
  }
}
