import Crystal
import Foundation
import NumericalCore
import StructureFormats

/// Writes a ranking as inputs for other programs.
public struct CandidateExport {
  /// What is written.
  public enum Format: String, Sendable, CaseIterable {
    /// A folder per candidate with the inputs of a relaxation and of a single point for VASP.
    case vasp
    /// The same for `pw.x` of Quantum ESPRESSO.
    case espresso
    /// The same for CP2K.
    case cp2k
    /// A POSCAR file per candidate.
    case poscar
    /// A CIF per candidate, with its symmetry.
    case cif
    /// One extended XYZ file with all candidates and their energies.
    case extxyz
  }

  private let settings: CampaignSettings
  private let table: ResultTable
  private let campaign: String
  private let options: ExportOptions

  /// Prepares an export.
  ///
  /// - Parameters:
  ///   - settings: The campaign's settings.
  ///   - table: The ranking.
  ///   - campaign: The campaign's identifier, by which finished calculations are known again.
  ///   - options: What the program needs beside the candidates.
  public init(
    _ settings: CampaignSettings, _ table: ResultTable, campaign: String,
    options: ExportOptions = ExportOptions()
  ) {
    self.settings = settings
    self.table = table
    self.campaign = campaign
    self.options = options
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
    let calculation = try options.calculation(format, pressureGPa: settings.pressure)
    let fresh = output + ".new-\(getpid())"
    try files.createDirectory(atPath: fresh, withIntermediateDirectories: true)
    var names: [String] = []
    do {
      if format == .extxyz {
        try StructureFile.write(
          table.rows.map(labelledRecord), to: fresh + "/candidates.extxyz", format: .extxyz)
        names = ["candidates.extxyz"]
      } else if let calculation {
        for row in table.rows {
          // As the campaign itself would begin.
          let start = CampaignRules.rerankStart(row.structure)
          let title = "\(start.composition().formula) candidate \(row.candidate)"
          let inputs = try calculation.files(for: start, title: title)
          let mark = (ExportedCandidate.fileName, exported(row, format).text)
          try write(inputs + [mark], into: "\(fresh)/\(row.fileName)")
          names.append(row.fileName)
        }
        let common = calculation.commonFiles()
        try write(common, into: fresh)
        names += common.map(\.path)
        for copy in try calculation.copies() {
          guard let data = files.contents(atPath: copy.source) else {
            throw CampaignError.wrongInput(
              "\(copy.source): no readable file; it goes with the export")
          }
          try AtomicFile.write([UInt8](data), to: "\(fresh)/\(copy.name)")
          names.append(copy.name)
        }
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

  private func exported(_ row: ResultTable.Row, _ format: Format) -> ExportedCandidate {
    ExportedCandidate(
      campaign: campaign, candidate: row.candidate, program: format.rawValue,
      formula: row.structure.composition().formula, modelEnthalpyPerAtom: row.modelEnthalpyPerAtom,
      pressure: settings.pressure)
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

  private func write(_ inputs: [CalculationExport.File], into folder: String) throws {
    let files = FileManager.default
    for input in inputs {
      let path = "\(folder)/\(input.path)"
      try files.createDirectory(
        atPath: URL(fileURLWithPath: path).deletingLastPathComponent().path,
        withIntermediateDirectories: true)
      try AtomicFile.write(input.text, to: path)
      if path.hasSuffix(".sh") {
        try files.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
      }
    }
  }

  private func write(
    _ row: ResultTable.Row, _ format: Format, into folder: String
  ) throws -> String {
    let isCIF = format == .cif
    let name = row.fileName + (isCIF ? ".cif" : ".vasp")
    try StructureFile.write(
      [row.record], to: "\(folder)/\(name)", format: isCIF ? .cif : .poscar)
    return name
  }
}
