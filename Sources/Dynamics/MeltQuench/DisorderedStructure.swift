import Crystal
import NumericalCore
import Potential

/// Atoms without any order, to be molten.
public enum DisorderedStructure {
  /// Places atoms at random in a cubic cell and pushes them apart where they overlap.
  ///
  /// - Parameters:
  ///   - composition: The atoms.
  ///   - volumePerAtom: In Å³; positive.
  ///   - seed: Which structure.
  /// - Returns: The structure; no two atoms are much closer than 0.9 times the sum of their covalent radii
  ///   where the volume has room for that.
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
    // Whatever overlap is left where the room is too small is left to the melt.
    return Relaxation.run(
      scattered, with: SoftSpheres(elements: composition.elements), settings: settings
    ).structure
  }
}

/// Spheres that push each other apart: (1 − r/d)² eV where they overlap.
private struct SoftSpheres: InteratomicPotential {
  let elements: [ChemicalElement]

  /// The sum of covalent radii times this is where spheres touch.
  private static let fraction = 0.9

  func evaluation(of structure: Structure) -> Evaluation {
    let radii = structure.species.map { Self.fraction * $0.covalentRadius }
    let reach = 2 * (radii.max() ?? 1)
    let neighbors = NeighborList(structure, cutoff: reach)
    var energy = 0.0
    var forces = [Vector3](repeating: .zero, count: structure.atomCount)
    var virial = Matrix3.zero
    for i in radii.indices {
      for k in neighbors.neighbors(of: i) {
        let displacement = neighbors.displacements[k]
        let (length, touch) = (displacement.length, radii[i] + radii[Int(neighbors.indices[k])])
        guard length < touch, length > 0 else { continue }
        let overlap = 1 - length / touch
        // Every pair is met from both of its atoms.
        energy += overlap * overlap / 2
        let slope = -2 * overlap / touch / length
        forces[i] += slope * displacement
        virial += (slope / 2) * Matrix3.outer(displacement, displacement)
      }
    }
    return Evaluation(energy: energy, forces: forces, virial: virial, of: structure)
  }
}
