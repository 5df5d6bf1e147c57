import Crystal
import Foundation
import NumericalCore
import StructureFormats

extension VASPProgram {
  /// In Å: an OUTCAR prints five decimals.
  private static let printedPrecision = 1e-4

  /// Reads `vasprun.xml`, or the OUTCAR where that breaks off or is damaged.
  ///
  /// - Returns: `.finished` for a converged single point of this very structure; `.unfinished` where nothing
  ///   is there, or it breaks off or is of another structure; `.failed` where VASP ended without one.
  public func result(in folder: String, for structure: Structure) -> CalculationResult {
    let written: Written
    do throws(ReferenceEngineError) { written = try calculated(structure) } catch {
      // Nothing can have been computed: the inputs are refused for the same reason.
      return .unfinished(reason: error.description)
    }
    var problem: String?
    for name in ["vasprun.xml", "OUTCAR"] {
      let path = "\(folder)/\(name)"
      guard FileManager.default.fileExists(atPath: path) else { continue }
      let output: VASPOutput
      do throws(FormatError) { output = try VASPOutput(path: path) } catch {
        if problem == nil { problem = error.description }
        continue
      }
      if case .cut(let line, let reason) = output.ending {
        if problem == nil { problem = "\(path):\(line): \(reason)" }
        continue
      }
      return label(output, written)
    }
    if let complaint = complaint(in: folder) { return .failed(reason: complaint) }
    return .unfinished(reason: problem ?? "\(folder): neither vasprun.xml nor OUTCAR is there")
  }

  private func label(_ output: VASPOutput, _ written: Written) -> CalculationResult {
    guard let first = output.steps.first else {
      return .failed(reason: "\(output.path): VASP ended without an ionic step")
    }
    var difference: String?
    for step in output.steps {
      switch step.content {
      case .unusable(let line, let reason):
        return .failed(reason: "\(output.path):\(line): \(reason)")
      case .usable(let record):
        difference = record.structure.difference(
          from: written.structure, lattice: Self.printedPrecision,
          positions: Self.printedPrecision)
        if difference == nil { return label(step, record, output, written) }
      }
    }
    return .unfinished(
      reason: "\(output.path):\(first.line): is of another structure: \(difference ?? "")")
  }

  private func label(
    _ step: VASPOutput.IonicStep, _ record: StructureRecord, _ output: VASPOutput,
    _ written: Written
  ) -> CalculationResult {
    guard let labelled = record.labelled else {
      return .failed(reason: "\(output.path):\(step.line): energy, forces or stress are missing")
    }
    // VASP's atoms are grouped by element; the structure's need not be.
    var forces = labelled.evaluation.forces
    for (place, atom) in written.order.enumerated() {
      forces[atom] = labelled.evaluation.forces[place]
    }
    let evaluation = Evaluation(
      energy: labelled.evaluation.energy, forces: forces, virial: labelled.evaluation.virial,
      of: written.structure)
    return .finished(
      evaluation,
      details: CalculationDetails(
        programVersion: output.programVersion.map { "VASP \($0)" },
        iterations: step.electronicSteps, seconds: output.processorSeconds))
  }

  /// What VASP complained of before it stopped.
  private func complaint(in folder: String) -> String? {
    let path = "\(folder)/\(Self.outputName)"
    guard let data = FileManager.default.contents(atPath: path) else { return nil }
    let text = String(decoding: data.suffix(1 << 20), as: UTF8.self)
    let marks = [
      "VERY BAD NEWS", "I REFUSE TO CONTINUE", "ERROR", "Error EDDDAV", "EDWAV: internal error",
      "ZBRENT: fatal error", "BRMIX: very serious problems", "internal error in",
    ]
    for line in text.split(whereSeparator: \.isNewline) {
      guard marks.contains(where: { line.contains($0) }) else { continue }
      let words = line.filter { $0 != "|" && $0 != "*" }.trimmingCharacters(in: .whitespaces)
      return "VASP stopped: \(words.onOneLine(limit: 200))"
    }
    return nil
  }
}
