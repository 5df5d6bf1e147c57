import Crystal
import NumericalCore
import StructureFormats

extension FinishedCalculation {
  static func readEspresso(_ folder: String) -> FinishedCalculation {
    let relaxation: String
    guard let path = existing("\(folder)/relax.out") else {
      return .unusable(reason: "no relax.out, which holds the structure")
    }
    do throws(FormatError) { relaxation = try text(of: path) } catch {
      return .unusable(reason: error.description)
    }
    let structure: Structure
    switch EspressoRelaxation(relaxation).outcome {
    case .atRest(let found): structure = found
    case .unusable(let reason): return .unusable(reason: "\(path): \(reason)")
    }
    if let path = existing("\(folder)/static.out") {
      let single: String
      do throws(FormatError) { single = try text(of: path) } catch {
        return .unusable(reason: error.description)
      }
      return label(single, structure, path, .singlePoint)
    }
    // After a relaxation of the cell, pw.x computes the last structure with the basis of its own cell.
    guard let start = relaxation.range(of: EspressoRelaxation.finalStep) else {
      return .unusable(reason: "no static.out, and no final calculation in \(path)")
    }
    return label(String(relaxation[start.upperBound...]), structure, path, .relaxation)
  }

  private static func text(of path: String) throws(FormatError) -> String {
    String(decoding: try StructureFile.bytes(of: path), as: UTF8.self)
  }

  private static func label(
    _ text: String, _ structure: Structure, _ path: String, _ source: Source
  ) -> FinishedCalculation {
    switch EspressoOutput(text).result(for: structure) {
    case .finished(let evaluation, _):
      do throws(CrystalError) {
        return .finished(try LabelledStructure(structure, evaluation), source: source)
      } catch { return .unusable(reason: "\(path): \(error.description)") }
    case .failed(let reason), .unfinished(let reason):
      return .unusable(reason: "\(path): \(reason)")
    }
  }
}
