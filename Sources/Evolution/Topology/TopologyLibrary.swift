import Crystal
import NumericalCore

/// The nets and structure types that the topological generator knows.
public enum TopologyLibrary {
  package static let templates: [TopologyTemplate] =
    TopologyTemplate.nets + TopologyTemplate.elements + TopologyTemplate.binaries
    + TopologyTemplate.ternaries

  /// The names of all templates, each once.
  public static let names: [String] = templates.map(\.name)

  /// Fingerprint distance up to which a template counts as a structure.
  ///
  /// Rutiles from SiO2 to PbO2 are 0.001 to 0.035 from the template, the α-PbO2 type 0.05 or more;
  /// diamond and lonsdaleite are 0.038 apart.
  public static let usualTolerance = 0.04

  /// The templates that reproduce a structure, whatever the species on their vertices.
  ///
  /// All atoms count as one element, volumes are scaled alike, and fingerprints are compared with broad
  /// peaks, so that lattice parameters and free coordinates that relaxation would mend do not hide a
  /// template. What is left after excluding them cannot hold the structure as it is; a template from
  /// which a relaxation runs all the way to it may remain.
  ///
  /// - Parameters:
  ///   - structure: A bulk crystal.
  ///   - tolerance: Largest fingerprint distance, 0 … 1.
  /// - Returns: Names in the library's order.
  /// - Complexity: one fingerprint per template, about 0.1 s.
  public static func templates(
    reproducing structure: Structure, tolerance: Double = usualTolerance
  ) -> [String] {
    let settings = StructureFingerprint.Settings(
      cutoffRadius: 8, binWidth: 0.05, smearing: 0.1, volumePerAtom: 10)
    let element = structure.species[0]
    guard
      let plain = try? Structure(
        lattice: structure.lattice, periodicity: structure.periodicity,
        species: Array(repeating: element, count: structure.atomCount),
        positions: structure.positions)
    else { preconditionFailure("the positions of a structure are its own") }
    let wanted = StructureFingerprint(plain, settings: settings)
    return templates.filter { template in
      guard let net = TopologyNet(template).structure(of: element, volumePerAtom: 10) else {
        return false
      }
      let distance = StructureFingerprint(net, settings: settings).distance(to: wanted)
      return distance <= tolerance
    }.map(\.name)
  }
}
