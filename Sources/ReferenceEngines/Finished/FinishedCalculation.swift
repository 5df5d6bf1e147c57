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
    }
  }

  /// The first of a file and its compressed form that exists.
  static func existing(_ path: String) -> String? {
    [path, path + ".gz"].first { FileManager.default.fileExists(atPath: $0) }
  }
}
