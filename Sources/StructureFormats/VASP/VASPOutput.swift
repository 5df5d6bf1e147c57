import Crystal
import Foundation
import NumericalCore

/// What VASP wrote of a run: the ionic steps with their labels, and whether VASP came to its end.
///
/// ```swift
/// let output = try VASPOutput(path: "vasprun.xml")
/// let records = try output.records(.usable)
/// ```
///
/// A step that VASP computed but whose numbers are no label keeps the reason in place of numbers, so that
/// nobody can use them by mistake.
public struct VASPOutput: Sendable {
  /// The two files that hold everything.
  public enum Kind: Sendable {
    /// `vasprun.xml`.
    case vasprun
    /// `OUTCAR`.
    case outcar
  }

  /// One step of the ions.
  public struct IonicStep: Sendable {
    /// Its number, from 1.
    public let number: Int
    /// The line of the file where it begins.
    public let line: Int
    /// Steps of the self-consistent field.
    public let electronicSteps: Int
    /// Its numbers, or why they are none.
    public let content: Content

    /// What a step holds.
    public enum Content: Sendable {
      /// A structure with what VASP says of it; parts that VASP was not asked for are missing.
      case usable(StructureRecord)
      /// Numbers that are no label, such as those of an electronic loop that did not converge.
      case unusable(line: Int, reason: String)
    }

    /// The structure with its numbers, where they can be used.
    public var record: StructureRecord? {
      if case .usable(let record) = content { record } else { nil }
    }
  }

  /// How the file ends.
  public enum Ending: Sendable, Hashable {
    /// VASP wrote its last line.
    case finished
    /// The file breaks off: the run was killed, crashed or is still under way.
    case cut(line: Int, reason: String)
  }

  /// The file, for messages.
  public let path: String
  /// VASP's version as it prints it, such as `5.4.4.18Apr17-6-g9f103f2a35`.
  public let programVersion: String?
  /// The steps that lie complete in the file.
  public let steps: [IonicStep]
  /// Whether VASP came to its end.
  public let ending: Ending
  /// VASP's processor time in seconds, as far as the file tells.
  public let processorSeconds: Double?

  /// Reads a file, which may be compressed with gzip.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - kind: Which of the two it is; told by its first bytes where `nil`.
  /// - Throws: `FormatError` where the file is not readable or no output of VASP.
  public init(path: String, kind: Kind? = nil) throws(FormatError) {
    let bytes = try StructureFile.bytes(of: path)
    let kind = kind ?? (bytes.prefix(200).contains(UInt8(ascii: "<")) ? .vasprun : .outcar)
    try self.init(bytes: bytes, path: path, kind: kind)
  }

  package init(bytes: [UInt8], path: String, kind: Kind) throws(FormatError) {
    switch kind {
    case .vasprun: self = try VasprunReader(path: path).output(from: bytes)
    case .outcar:
      var reader = OutcarReader(LineReader(bytes, path: path))
      self = try reader.output()
    }
  }

  init(
    path: String, programVersion: String?, steps: [IonicStep], ending: Ending,
    processorSeconds: Double?
  ) {
    self.path = path
    self.programVersion = programVersion
    self.steps = steps
    self.ending = ending
    self.processorSeconds = processorSeconds
  }

  /// The structures of the steps with their labels.
  ///
  /// - Parameter rule: Whether a step that cannot be used, or a file that breaks off, is an error.
  /// - Returns: One record per step, in order.
  /// - Throws: `FormatError` with the line of what cannot be used.
  public func records(_ rule: IonicStepRule = .all) throws(FormatError) -> [StructureRecord] {
    let usable = steps.compactMap(\.record)
    guard rule == .all else { return usable }
    let way = "--usable-steps reads the \(usable.count) usable of the \(steps.count) steps"
    for step in steps {
      guard case .unusable(let line, let reason) = step.content else { continue }
      throw FormatError(
        path: path, line: line, "ionic step \(step.number): \(reason)",
        allowed: usable.isEmpty ? "steps with a usable label" : "usable steps only; \(way)")
    }
    if case .cut(let line, let reason) = ending {
      throw FormatError(
        path: path, line: line, reason,
        allowed: "the output of a run that VASP ended itself"
          + (usable.isEmpty ? "" : "; \(way) that are complete"))
    }
    return usable
  }
}

/// What to do with steps of a program's output that are no labels, and with output that breaks off.
public enum IonicStepRule: Sendable {
  /// Every step must be usable and the output complete; anything else is an error.
  case all
  /// Steps that are incomplete or not converged are left out.
  case usable
}
