import Crystal
import Foundation
import NumericalCore
import StructureFormats

/// What a relaxation with a single point, run elsewhere from exported inputs, came to.
///
/// Nothing is started and nothing is written: the folder may lie on a read-only disk.
public enum FinishedCalculation: Sendable {
  /// The structure at rest with its energy, forces and stress.
  case finished(LabelledStructure, source: Source)
  /// No usable numbers, and why.
  case unusable(reason: String)

  /// Which of the two steps the numbers come from.
  public enum Source: String, Sendable {
    /// The single point: basis and cell belong together.
    case singlePoint = "single point"
    /// The last step of the relaxation, where there is no single point.
    case relaxation
  }

  /// The programs whose folders can be read.
  public enum Program: String, Sendable, CaseIterable {
    /// `static/` and `relax/` with `vasprun.xml` or OUTCAR, compressed or not.
    case vasp
    /// `static.out` and `relax.out`, compressed or not.
    case espresso
    /// `relax.out`, `relax-1.restart` and `static.out` with their forces and stresses, compressed or not.
    case cp2k
  }

  /// Reads a candidate's folder.
  ///
  /// A single point that did not converge or broke off is not replaced by the relaxation's last step, whose
  /// energy would belong to another basis.
  ///
  /// - Parameters:
  ///   - folder: Path of the folder.
  ///   - program: What ran there.
  /// - Returns: The numbers, or why there are none.
  public static func read(_ folder: String, by program: Program) -> FinishedCalculation {
    switch program {
    case .vasp: readVASP(folder)
    case .espresso: readEspresso(folder)
    case .cp2k: readCP2K(folder)
    }
  }

  /// The first of a file and its compressed form that exists.
  static func existing(_ path: String) -> String? {
    [path, path + ".gz"].first { FileManager.default.fileExists(atPath: $0) }
  }

  /// The text of a file, compressed or not.
  static func text(of path: String) throws(FormatError) -> String {
    String(decoding: try StructureFile.bytes(of: path), as: UTF8.self)
  }

  /// A structure with what a program says of it.
  static func label(
    _ result: CalculationResult, _ structure: Structure, _ path: String, _ source: Source
  ) -> FinishedCalculation {
    switch result {
    case .finished(let evaluation, _):
      do throws(CrystalError) {
        return .finished(try LabelledStructure(structure, evaluation), source: source)
      } catch { return .unusable(reason: "\(path): \(error.description)") }
    case .failed(let reason), .unfinished(let reason):
      return .unusable(reason: "\(path): \(reason)")
    }
  }
}
