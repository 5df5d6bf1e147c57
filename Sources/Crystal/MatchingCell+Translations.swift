import NumericalCore

extension MatchingCell {
  /// The cell cut down by the translations that bring every atom onto one of its element.
  ///
  /// - Parameter tolerance: How far in Å an atom may lie from where a translation puts it.
  /// - Returns: `nil` where there is no such translation, or where those found are no group: then the
  ///   tolerance is too wide for the crystal.
  func primitive(within tolerance: Double) -> MatchingCell? {
    let found = translations(within: tolerance)
    let count = found.count
    guard count > 1, ends.allSatisfy({ $0 % count == 0 }),
      let multiples = Self.basis(of: found),
      let merged = merged(by: found, tolerance)
    else { return nil }
    let smaller = 1 / Double(count) * (multiples * vectors)
    let short = LatticeReduction.short(smaller) * smaller
    guard let inverse = short.inverse else { return nil }
    return MatchingCell(
      vectors: short, elements: elements, ends: ends.map { $0 / count },
      positions: merged.map { $0 * vectors * inverse })
  }

  // Fractional translations, zero first. A group of n of them has n t whole: they are rounded to that.
  private func translations(within tolerance: Double) -> [Vector3] {
    var found = [Vector3.zero]
    for atom in atoms(of: 0).dropFirst() {
      if let shift = commonShift(
        onto: positions, near: positions[atom] - positions[0], vectors, tolerance)
      {
        found.append(shift)
      }
    }
    let count = Double(found.count)
    let exact = found.map { shift in (count * shift).map { $0.rounded() / count } }
    let isGroup = zip(found, exact).allSatisfy { shift, whole in
      ((shift - whole) * vectors).length <= tolerance
    }
    return isGroup ? exact : []
  }

  // Whole numbers M such that M/n are vectors of the lattice that n translations and the cell span:
  // the triangular form of the rows n t and n times the cell.
  private static func basis(of translations: [Vector3]) -> Matrix3? {
    let count = translations.count
    var rows = translations.map { shift in
      (0..<3).map { Int((Double(count) * shift[$0]).rounded()) }
    }
    for axis in 0..<3 { rows.append((0..<3).map { $0 == axis ? count : 0 }) }
    for column in 0..<3 {
      // Euclid's algorithm down the column.
      while let pivot = rows.indices.dropFirst(column).filter({ rows[$0][column] != 0 }).min(by: {
        (abs(rows[$0][column]), $0) < (abs(rows[$1][column]), $1)
      }) {
        rows.swapAt(column, pivot)
        var isDone = true
        for index in rows.indices.dropFirst(column + 1) where rows[index][column] != 0 {
          let factor = rows[index][column] / rows[column][column]
          for k in 0..<3 { rows[index][k] -= factor * rows[column][k] }
          if rows[index][column] != 0 { isDone = false }
        }
        if isDone { break }
      }
    }
    let triangle = rows.prefix(3).map { Vector3(Double($0[0]), Double($0[1]), Double($0[2])) }
    let basis = Matrix3(rows: triangle[0], triangle[1], triangle[2])
    // One cell in n: anything else is no group.
    return abs(basis.determinant).rounded() == Double(count * count) ? basis : nil
  }

  // One atom for every n, at the mean place.
  private func merged(by translations: [Vector3], _ tolerance: Double) -> [Vector3]? {
    var isTaken = [Bool](repeating: false, count: positions.count)
    var result: [Vector3] = []
    for kind in elements.indices {
      for atom in atoms(of: kind) where !isTaken[atom] {
        var sum = Vector3.zero
        for shift in translations {
          let target = positions[atom] + shift
          guard
            let mate = nearest(
              to: target, among: atoms(of: kind), in: positions, vectors, 2 * tolerance, isTaken)
          else { return nil }
          isTaken[mate.atom] = true
          sum += mate.difference
        }
        result.append(positions[atom] + sum / Double(translations.count))
      }
    }
    return result
  }

  /// The shift, close to a given one, that brings all atoms onto others with the least displacements.
  ///
  /// - Parameters:
  ///   - others: Fractional positions, as many of each element.
  ///   - shift: The shift that the search starts from, fractional.
  ///   - metric: Vectors in Å as rows, by which displacements are measured.
  ///   - tolerance: The largest displacement in Å under the best shift, twice that under the first.
  /// - Returns: `nil` where an atom has no partner.
  func commonShift(
    onto others: [Vector3], near shift: Vector3, _ metric: Matrix3, _ tolerance: Double
  ) -> Vector3? {
    var isTaken = [Bool](repeating: false, count: others.count)
    var differences: [Vector3] = []
    for kind in elements.indices {
      for atom in atoms(of: kind) {
        guard
          let mate = nearest(
            to: positions[atom] + shift, among: atoms(of: kind), in: others, metric,
            2 * tolerance, isTaken)
        else { return nil }
        isTaken[mate.atom] = true
        differences.append(mate.difference)
      }
    }
    let mean = differences.reduce(.zero, +) / Double(differences.count)
    let isWithin = differences.allSatisfy {
      (($0 - mean) * metric).squaredLength <= tolerance * tolerance
    }
    return isWithin ? shift + mean : nil
  }

  private struct Mate {
    let atom: Int
    /// From where it should be to where it is, fractional.
    let difference: Vector3
  }

  // Tolerances are far below half a cell, so the rounded difference is the shortest one where it counts.
  private func nearest(
    to target: Vector3, among atoms: Range<Int>, in others: [Vector3], _ metric: Matrix3,
    _ reach: Double, _ isTaken: [Bool]
  ) -> Mate? {
    var best: Mate?
    var least = reach * reach
    for atom in atoms where !isTaken[atom] {
      let difference = (others[atom] - target).map { $0 - $0.rounded() }
      let square = (difference * metric).squaredLength
      if square <= least {
        least = square
        best = Mate(atom: atom, difference: difference)
      }
    }
    return best
  }
}
