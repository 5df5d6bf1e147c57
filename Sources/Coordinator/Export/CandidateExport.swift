import Crystal
import Foundation
import NumericalCore
import StructureFormats

/// Writes a ranking as inputs for other programs.
public struct CandidateExport {
  /// What is written.
  public enum Format: String, Sendable, CaseIterable {
    /// A folder per candidate with POSCAR, INCAR, KPOINTS and the names of the POTCAR files.
    case vasp
    /// A POSCAR file per candidate.
    case poscar
    /// A CIF per candidate, with its symmetry.
    case cif
    /// One extended XYZ file with all candidates and their energies.
    case extxyz
  }

  private let settings: CampaignSettings
  private let table: ResultTable

  /// Prepares an export.
  public init(_ settings: CampaignSettings, _ table: ResultTable) {
    self.settings = settings
    self.table = table
  }

  /// Writes into a new folder, which appears complete or not at all.
  ///
  /// - Returns: The paths written.
  /// - Throws: `CampaignError.wrongInput` where the folder exists or there is nothing to write, or what
  ///   writing throws.
  public func write(_ format: Format, to folder: String) throws -> [String] {
    let files = FileManager.default
    // The folder that is written aside must not lie inside `out/`.
    var output = folder
    while output.count > 1, output.hasSuffix("/") { output.removeLast() }
    guard !files.fileExists(atPath: output) else {
      throw CampaignError.wrongInput("\(output): exists; name a new folder")
    }
    guard !table.rows.isEmpty else {
      throw CampaignError.wrongInput("the campaign has no candidate to export yet")
    }
    let fresh = output + ".new-\(getpid())"
    try files.createDirectory(atPath: fresh, withIntermediateDirectories: true)
    var names: [String] = []
    do {
      if format == .extxyz {
        try StructureFile.write(
          table.rows.map(labelledRecord), to: fresh + "/candidates.extxyz", format: .extxyz)
        names = ["candidates.extxyz"]
      } else {
        for row in table.rows { names.append(try write(row, format, into: fresh)) }
      }
      try files.moveItem(atPath: fresh, toPath: output)
    } catch {
      // What was written aside must not stay behind; the first error is the one to tell.
      try? files.removeItem(atPath: fresh)
      throw error
    }
    return names.map { "\(output)/\($0)" }
  }

  private func labelledRecord(_ row: ResultTable.Row) -> StructureRecord {
    var record = StructureRecord(structure: row.structure, evaluation: row.evaluation)
    record.features = [
      ("candidate", "\(row.candidate)"), ("space_group", "\(row.spaceGroup.number)"),
      ("enthalpy_per_atom", "\(row.enthalpyPerAtom)"),
    ]
    if let distance = row.distanceAboveHull {
      record.features.append(("distance_above_hull", "\(distance)"))
    }
    return record
  }

  private func write(
    _ row: ResultTable.Row, _ format: Format, into folder: String
  ) throws -> String {
    switch format {
    case .poscar:
      let name = row.fileName + ".vasp"
      try StructureFile.write([row.record], to: "\(folder)/\(name)", format: .poscar)
      return name
    case .cif:
      let name = row.fileName + ".cif"
      try StructureFile.write([row.record], to: "\(folder)/\(name)", format: .cif)
      return name
    case .vasp, .extxyz:
      let target = "\(folder)/\(row.fileName)"
      try FileManager.default.createDirectory(
        atPath: target, withIntermediateDirectories: true)
      let input = VASPInput(pressureGPa: settings.pressure)
      try StructureFile.write([row.record], to: target + "/POSCAR", format: .poscar)
      let title = "\(row.structure.composition().formula) candidate \(row.candidate)"
      try AtomicFile.write(input.incar(title: title), to: target + "/INCAR")
      try AtomicFile.write(input.kPoints(for: row.structure), to: target + "/KPOINTS")
      try AtomicFile.write(
        input.potcarList(for: row.structure.elementsInOrder()), to: target + "/POTCAR.list")
      return row.fileName
    }
  }
}

extension Structure {
  /// The elements in the order in which a POSCAR names them: by first atom.
  fileprivate func elementsInOrder() -> [ChemicalElement] {
    var seen: [ChemicalElement] = []
    for element in species where !seen.contains(element) { seen.append(element) }
    return seen
  }
}
