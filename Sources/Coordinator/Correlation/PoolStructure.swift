import Crystal
import NumericalCore
import StructureFormats

/// One structure of a pool with its energy by the reference method.
public struct PoolStructure: Sendable {
  /// Its number in the file, from 1.
  public let number: Int
  /// The structure.
  public let structure: Structure
  /// The ratio of its elements, such as `TiO2`.
  public let formula: String
  /// Energy of the reference method in eV per atom; the enthalpy where there is a pressure.
  public let referencePerAtom: Double

  /// Takes the structures of a file.
  ///
  /// - Parameters:
  ///   - records: What the file holds.
  ///   - path: Its name, for messages.
  ///   - pressure: In eV/Å³; with one E + pV takes the place of the energy.
  /// - Returns: The structures in the order of the file.
  /// - Throws: `CampaignError.wrongInput` where a structure has no energy, or no volume at a pressure.
  public static func entries(
    of records: [StructureRecord], path: String, pressure: Double = 0
  ) throws(CampaignError) -> [PoolStructure] {
    var entries: [PoolStructure] = []
    for (index, record) in records.enumerated() {
      let place = "\(path): structure \(index + 1)"
      guard let energy = record.energy, energy.isFinite else {
        throw .wrongInput(
          "\(place): found no energy, allowed: structures with the reference method's energy; label it, "
            + "or take it out of the file")
      }
      let structure = record.structure
      guard pressure == 0 || structure.periodicity == .full else {
        throw .wrongInput(
          "\(place): found a structure that does not repeat in all directions, allowed at a pressure: "
            + "crystals; leave out --pressure")
      }
      entries.append(
        PoolStructure(
          number: index + 1, structure: structure, formula: structure.composition().smallestFormula,
          referencePerAtom: enthalpyPerAtom(energy, of: structure, pressure: pressure)))
    }
    return entries
  }

  /// E + pV per atom in eV.
  static func enthalpyPerAtom(
    _ energy: Double, of structure: Structure, pressure: Double
  ) -> Double {
    let work = pressure == 0 ? 0 : pressure * structure.volume
    return (energy + work) / Double(structure.atomCount)
  }
}
