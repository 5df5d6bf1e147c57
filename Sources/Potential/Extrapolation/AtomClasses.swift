import NumericalCore

/// Atoms whose rows agree: equivalent by symmetry, or by translation in a supercell.
struct AtomClasses {
  // Rows of equivalent atoms differ by the rounding of sums over neighbors in another order.
  private static let tolerance = 1e-12

  /// The atoms.
  let atoms: [Int]
  /// The class of each atom.
  private(set) var numbers: [Int] = []
  /// One row for each class, that of its first atom.
  let distinctRows: Matrix

  /// Compares rows.
  ///
  /// - Parameters:
  ///   - rows: One row per atom.
  ///   - atoms: The atoms to compare.
  ///   - columns: Where their rows are not zero.
  /// - Complexity: O(atoms × classes) where rows differ early, as unequal ones do
  init(_ rows: Matrix, atoms: [Int], _ columns: [Range<Int>]) {
    self.atoms = atoms
    var first: [Int] = []
    for atom in atoms {
      if let number = first.firstIndex(where: { Self.agree(rows, $0, atom, columns) }) {
        numbers.append(number)
      } else {
        numbers.append(first.count)
        first.append(atom)
      }
    }
    if first.count == rows.rows {
      distinctRows = rows
    } else {
      var elements: [Double] = []
      elements.reserveCapacity(first.count * rows.columns)
      for atom in first { elements += rows.row(atom) }
      distinctRows = Matrix(rows: first.count, columns: rows.columns, elements: elements)
    }
  }

  // Whether all elements agree, relative to the largest before them. Elements that are not finite
  // never do.
  private static func agree(
    _ rows: Matrix, _ a: Int, _ b: Int, _ columns: [Range<Int>]
  ) -> Bool {
    let elements = rows.elements.span
    let (first, second) = (a * rows.columns, b * rows.columns)
    var scale = 0.0
    for range in columns {
      for column in range {
        let (x, y) = (elements[first + column], elements[second + column])
        scale = max(scale, abs(x))
        guard abs(x - y) <= tolerance * scale else { return false }
      }
    }
    return true
  }
}

extension MomentTensorPotential {
  /// The columns of ∂V/∂θ that are not zero for an atom of a species: its radial coefficients, the
  /// shifts and the coefficients of the basis functions.
  func siteColumns(ofSpecies species: Int) -> [Range<Int>] {
    let count = speciesCount * radialFunctionCount * radialBasis.size
    let linear = radialParameterCount..<parameterCount
    guard speciesCount > 1 else { return [0..<parameterCount] }
    return [species * count..<(species + 1) * count, linear]
  }
}
