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
      return label(
        EspressoOutput(single).result(for: structure), structure, path, .singlePoint)
    }
    // After a relaxation of the cell, pw.x computes the last structure with the basis of its own cell.
    guard let start = relaxation.range(of: EspressoRelaxation.finalStep) else {
      return .unusable(reason: "no static.out, and no final calculation in \(path)")
    }
    let last = EspressoOutput(String(relaxation[start.upperBound...])).result(for: structure)
    return label(last, structure, path, .relaxation)
  }
}
