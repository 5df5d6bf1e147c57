import Crystal
import NumericalCore
import ReferenceEngines
import StructureFormats

/// Inputs of an electronic-structure program for a candidate, in two steps: atoms and cell are relaxed at the
/// campaign's pressure, then a single point on the relaxed structure gives the energy.
package protocol CalculationExport {
  /// A file of an export.
  typealias File = (path: String, text: String)

  /// The files of one candidate, by their paths in its folder.
  ///
  /// - Throws: `CampaignError.wrongInput` where something that the program needs is not named.
  func files(for structure: Structure, title: String) throws -> [File]

  /// The files beside the candidates: what to do, and a script that does it.
  ///
  func commonFiles() -> [File]

  /// Files that are copied beside the candidates byte for byte: their names there, and where they lie; none by
  /// default.
  ///
  /// - Throws: `CampaignError.wrongInput` where two of them need one name.
  func copies() throws -> [(name: String, source: String)]
}

extension CalculationExport {
  /// Nothing is copied.
  package func copies() -> [(name: String, source: String)] { [] }
}

/// What an export needs beside the candidates.
public struct ExportOptions: Sendable {
  /// VASP's method and potentials.
  public var vasp = VASPSettings()
  /// The campaign's own method where it is Quantum ESPRESSO.
  public var espresso: EspressoProgram?
  /// The campaign's own method where it is CP2K.
  public var cp2k: Cp2kProgram?
  /// A file that names the pseudopotentials of Quantum ESPRESSO; it is preferred to the campaign's method.
  public var pseudopotentials: String?
  /// Largest force at rest in eV/Å.
  public var force = 0.02

  /// Creates the default options.
  public init() {}

  /// Creates options that take over the campaign's own method where it is one of the programs.
  public init(for reference: ReferenceSettings) {
    guard case .external(let method) = reference.model else { return }
    switch method.program {
    case let program as VASPProgram: vasp = program.settings
    case let program as EspressoProgram: espresso = program
    case let program as Cp2kProgram: cp2k = program
    default: break
    }
  }

  /// What writes inputs in a format; `nil` for formats of structures.
  ///
  /// - Parameters:
  ///   - format: The format.
  ///   - pressureGPa: The pressure in GPa.
  /// - Returns: What writes the inputs.
  /// - Throws: `CampaignError.wrongInput` where pseudopotentials are not named, or `SettingsError`.
  package func calculation(
    _ format: CandidateExport.Format, pressureGPa: Double
  ) throws -> (any CalculationExport)? {
    switch format {
    case .vasp: return VASPExport(settings: vasp, pressureGPa: pressureGPa, force: force)
    case .espresso:
      if let path = pseudopotentials {
        return EspressoExport(
          pseudopotentials: try PseudopotentialList(path: path), pressureGPa: pressureGPa,
          force: force)
      }
      guard let espresso else {
        throw CampaignError.wrongInput(
          "export --format espresso: no pseudopotentials are named; write a file such as "
            + "'{folder: /usr/share/espresso/pseudo, files: {Si: Si.pbe-rrkj.UPF}}' and add "
            + "--pseudopotentials FILE")
      }
      return EspressoExport(campaign: espresso, pressureGPa: pressureGPa, force: force)
    case .cp2k: return CP2KExport(campaign: cp2k, pressureGPa: pressureGPa, force: force)
    case .poscar, .cif, .extxyz: return nil
    }
  }
}

extension CalculationProgram {
  /// The input of the regular calculation, as the campaign itself computes labels.
  ///
  /// - Throws: `CampaignError.wrongInput` where the program cannot treat the structure.
  func inputText(for structure: Structure) throws(CampaignError) -> String {
    let files: [CalculationFile]
    do throws(ReferenceEngineError) {
      files = try inputs(for: structure, attempt: .regular)
    } catch { throw .wrongInput("export: \(error)") }
    for file in files {
      if case .text(let text) = file.content { return text }
    }
    throw .failed("\(kind) gives no input")
  }
}

/// The script that runs an export: the same frame for every program.
enum ExportScript {
  /// A script for POSIX shells.
  ///
  /// - Parameters:
  ///   - variable: The variable that holds the program's command.
  ///   - example: A value of it.
  ///   - finished: A file of a candidate's folder and a text in it that tell that nothing is left to do.
  ///   - steps: What is done inside a candidate's folder; what fails there must exit.
  /// - Returns: The file's text.
  static func text(
    _ variable: String, example: String, finished: (file: String, text: String), steps: String
  ) -> String {
    let indented = steps.split(separator: "\n", omittingEmptySubsequences: false)
      .map { $0.isEmpty ? "" : "    \($0)" }.joined(separator: "\n")
    return """
      #!/bin/sh
      # Relaxes every candidate, then computes its energy. Finished candidates are left alone, so the
      # script may be started again after a time limit. Candidates can be named as arguments.
      #
      #   \(variable)="\(example)" ./run.sh
      set -u
      : "${\(variable):?set \(variable) to the command, such as \(example)}"
      cd "$(dirname "$0")" || exit 1
      [ $# -gt 0 ] || set -- */
      failed=0
      for candidate in "$@"; do
        if grep -q '\(finished.text)' "$candidate/\(finished.file)" 2>/dev/null; then continue; fi
        echo "$candidate"
        (
          cd "$candidate" || exit 1
      \(indented)
        ) || { echo "$candidate: failed" >&2; failed=1; }
      done
      exit $failed

      """
  }
}
