import Crystal
import StructureFormats

extension FinishedCalculation {
  static func readCP2K(_ folder: String) -> FinishedCalculation {
    do throws(FormatError) {
      guard let path = existing("\(folder)/relax.out") else {
        return .unusable(reason: "no relax.out, which tells how the relaxation ended")
      }
      let relaxation = try cp2kOutput("relax", in: folder, path)
      if let reason = relaxation.relaxationComplaint() {
        return .unusable(reason: "\(path): \(reason)")
      }
      guard let restart = existing("\(folder)/relax-1.restart") else {
        return .unusable(reason: "no relax-1.restart, which holds the structure")
      }
      guard let structure = Cp2kRestart(try text(of: restart)).structure else {
        return .unusable(reason: "\(restart): cell and atoms cannot be read")
      }
      if let path = existing("\(folder)/static.out") {
        let result = try cp2kOutput("static", in: folder, path).result(for: structure)
        return label(result, structure, path, .singlePoint)
      }
      return label(relaxation.lastStep(at: structure), structure, path, .relaxation)
    } catch { return .unusable(reason: error.description) }
  }

  /// The output of a step with the files of forces and stress that the export has it write.
  private static func cp2kOutput(
    _ step: String, in folder: String, _ path: String
  ) throws(FormatError) -> Cp2kOutput {
    let names = (forces: "\(step).forces", stress: "\(step).stress")
    func beside(_ name: String) throws(FormatError) -> String {
      guard let path = existing("\(folder)/\(name)") else { return "" }
      return try text(of: path)
    }
    return Cp2kOutput(
      try text(of: path), forces: try beside(names.forces), stress: try beside(names.stress),
      names: names)
  }
}
