import Crystal
import Foundation
import NumericalCore

/// Reads and writes files of structures.
public enum StructureFile {
  /// Reads every entry of a file.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - format: Its format; recognised by name where `nil`.
  ///   - elements: Names for species that the file only numbers (0, 1, …); names in the file win.
  ///   - rule: What to do with steps of a program's output that are incomplete or not converged.
  /// - Returns: The entries in the order of the file.
  /// - Throws: `FormatError` with file and line.
  public static func read(
    _ path: String, format: StructureFormat? = nil, elements: [ChemicalElement]? = nil,
    steps rule: IonicStepRule = .all
  ) throws(FormatError) -> [StructureRecord] {
    let format = try resolved(format, path)
    return try parse(
      bytes: try bytes(of: path), path: path, format: format, elements: elements, steps: rule)
  }

  /// Reads every entry of a text.
  ///
  /// - Parameters:
  ///   - text: The content of a file.
  ///   - path: The name for error messages.
  ///   - format: The format.
  ///   - elements: Names for species that the text only numbers.
  /// - Returns: The entries in the order of the text.
  /// - Throws: `FormatError` with the line.
  public static func parse(
    _ text: String, path: String = "text", format: StructureFormat,
    elements: [ChemicalElement]? = nil
  ) throws(FormatError) -> [StructureRecord] {
    try parse(bytes: Array(text.utf8), path: path, format: format, elements: elements)
  }

  /// The text of records in a format.
  ///
  /// - Parameters:
  ///   - records: The entries.
  ///   - format: The format.
  ///   - elements: The order of species where the format numbers or groups them, and names for unnamed
  ///     species.
  /// - Returns: The content of a file.
  /// - Throws: `FormatError` where the format cannot hold a record.
  public static func text(
    of records: [StructureRecord], format: StructureFormat, elements: [ChemicalElement]? = nil
  ) throws(FormatError) -> String {
    try check(records, path: format.rawValue)
    return try format.implementation.text(of: records, elements: elements, path: format.rawValue)
  }

  /// Writes records to a file, which appears at once: written aside, flushed, renamed.
  ///
  /// - Parameters:
  ///   - records: The entries.
  ///   - path: The file, replaced where it exists.
  ///   - format: Its format; recognised by name where `nil`.
  ///   - elements: As for `text(of:format:elements:)`.
  /// - Throws: `FormatError` where the format cannot hold a record or the file cannot be written.
  public static func write(
    _ records: [StructureRecord], to path: String, format: StructureFormat? = nil,
    elements: [ChemicalElement]? = nil
  ) throws(FormatError) {
    let format = try resolved(format, path)
    guard !path.lowercased().hasSuffix(".gz") else {
      throw FormatError(
        path: path, "compressed files are read, not written", allowed: "a name without .gz")
    }
    try check(records, path: path)
    let text = try format.implementation.text(of: records, elements: elements, path: path)
    do { try AtomicFile.write(text, to: path) } catch {
      throw FormatError(path: path, error.description)
    }
  }

  /// Refuses records whose arrays do not match the atoms or that hold infinite numbers: no reader would
  /// take the file.
  private static func check(_ records: [StructureRecord], path: String) throws(FormatError) {
    for (index, record) in records.enumerated() {
      let count = record.structure.atomCount
      let counts = [record.forces?.count, record.siteEnergies?.count, record.charges?.count]
      guard counts.allSatisfy({ $0 == nil || $0 == count }) else {
        throw FormatError(
          path: path,
          "entry \(index + 1) has other numbers of forces, energies or charges than atoms",
          allowed: "\(count), one per atom")
      }
      let scalars = [record.energy ?? 0] + (record.siteEnergies ?? []) + (record.charges ?? [])
      guard scalars.allSatisfy(\.isFinite), (record.forces ?? []).allSatisfy(\.isFinite),
        record.stress?.isFinite ?? true, record.virial?.isFinite ?? true
      else {
        throw FormatError(
          path: path, "entry \(index + 1) holds an infinite number or NaN",
          allowed: "finite numbers")
      }
      guard record.features.allSatisfy({ !$0.key.isEmpty }) else {
        throw FormatError(path: path, "entry \(index + 1) has a feature without a name")
      }
    }
  }

  private static func parse(
    bytes: [UInt8], path: String, format: StructureFormat, elements: [ChemicalElement]?,
    steps rule: IonicStepRule = .all
  ) throws(FormatError) -> [StructureRecord] {
    let records: [StructureRecord]
    if let kind = format.outputKind {
      records = try VASPOutput(bytes: bytes, path: path, kind: kind).records(rule)
    } else {
      var lines = LineReader(bytes, path: path)
      records = try format.implementation.parse(&lines, elements: elements)
    }
    for (index, record) in records.enumerated() where record.structure.periodicity == .full {
      // Every sum over neighbors of such a cell would exhaust the memory.
      guard record.structure.volumePerAtom >= smallestVolumePerAtom else {
        throw FormatError(
          path: path,
          "entry \(index + 1) has a volume of \(record.structure.volumePerAtom) Å³ per atom",
          allowed: "\(smallestVolumePerAtom) or more; check the unit and the scaling factor")
      }
    }
    return records
  }

  /// In Å³: solids take up 1 or more even at 1000 GPa; reduced units (σ = 1) need some room below.
  private static let smallestVolumePerAtom = 0.01

  private static func resolved(
    _ given: StructureFormat?, _ path: String
  ) throws(FormatError) -> StructureFormat {
    guard let format = given ?? StructureFormat.recognized(path: path) else {
      let endings = StructureFormat.allCases.flatMap { $0.implementation.endings }
      throw FormatError(
        path: path, "the name does not tell the format",
        allowed: endings.map { ".\($0)" }.joined(separator: ", ")
          + ", POSCAR*, CONTCAR*, vasprun*, OUTCAR*")
    }
    return format
  }

  /// The bytes of a file, unpacked where it is compressed with gzip.
  package static func bytes(of path: String) throws(FormatError) -> [UInt8] {
    let bytes = try rawBytes(of: path)
    guard GzipArchive.isArchive(bytes) else { return bytes }
    do { return try GzipArchive.unpacked(bytes) } catch {
      throw FormatError(
        path: path, "the compressed file cannot be unpacked: \(error.reason)",
        allowed: "a complete gzip file")
    }
  }

  private static func rawBytes(of path: String) throws(FormatError) -> [UInt8] {
    guard let file = fopen(path, "rb") else {
      throw FormatError(path: path, "cannot be opened: \(String(cString: strerror(errno)))")
    }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 18)
    while true {
      let count = fread(&chunk, 1, chunk.count, file)
      bytes += chunk[..<count]
      if count < chunk.count { break }
    }
    guard ferror(file) == 0 else {
      throw FormatError(path: path, "cannot be read: \(String(cString: strerror(errno)))")
    }
    return bytes
  }
}
