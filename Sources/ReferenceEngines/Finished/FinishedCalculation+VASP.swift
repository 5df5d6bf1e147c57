import Crystal
import StructureFormats

extension FinishedCalculation {
  static func readVASP(_ folder: String) -> FinishedCalculation {
    for (step, source) in [("static", Source.singlePoint), ("relax", .relaxation)] {
      var problem: String?
      for name in ["vasprun.xml", "OUTCAR"] {
        let file = "\(step)/\(name)"
        guard let path = existing("\(folder)/\(file)") else { continue }
        let output: VASPOutput
        do throws(FormatError) { output = try VASPOutput(path: path) } catch {
          if problem == nil { problem = error.description }
          continue
        }
        // One of the two files may be whole where the other is not.
        if case .cut(let line, let reason) = output.ending {
          if problem == nil { problem = "\(path):\(line): \(reason)" }
          continue
        }
        return lastStep(of: output, source)
      }
      if let problem { return .unusable(reason: problem) }
    }
    return .unusable(reason: "neither static/ nor relax/ holds vasprun.xml or OUTCAR")
  }

  private static func lastStep(of output: VASPOutput, _ source: Source) -> FinishedCalculation {
    guard let last = output.steps.last else {
      return .unusable(reason: "\(output.path): VASP ended without an ionic step")
    }
    switch last.content {
    case .unusable(let line, let reason):
      return .unusable(reason: "\(output.path):\(line): \(reason)")
    case .usable(let record):
      guard let labelled = record.labelled else {
        return .unusable(
          reason: "\(output.path):\(last.line): energy, forces or stress are missing")
      }
      return .finished(labelled, source: source)
    }
  }
}
