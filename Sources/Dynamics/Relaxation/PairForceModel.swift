import Crystal
import Foundation
import NumericalCore

/// Pair forces that resemble a potential: fitted, while a relaxation runs, to the forces and stresses
/// that it has met.
///
/// The energy is a sum of φ(r) over pairs, with one φ for every pair of elements; φ' is a cubic
/// B-spline with even knots. Its coefficients minimise, by linear least squares, the misfit of the
/// changes of forces and ∂E/∂ε from one structure to the next, each relative to its size, older ones
/// with less weight. One evaluation of twelve atoms gives 45 numbers, so three evaluations determine
/// the model; a penalty on the curvature of φ' and on the distance from exponential springs decides
/// what data leave open.
package struct PairForceModel {
  /// Beyond this distance in Å pairs do not count.
  package let cutoff: Double
  private let start: Double
  private let spacing: Double
  /// The elements, by atomic number.
  private let elements: [ChemicalElement]
  /// The place of every atom's element.
  private let kinds: [Int]
  private let hasStrain: Bool
  /// Numbers in forces and ∂E/∂ε of a structure and one to spare, rounded up to full vectors.
  private let width: Int

  private var gram: [Double]
  private var moment: [Double]
  private var solver: CholeskyFactor
  private var coefficients: [Double]
  private let prior: [Double]
  /// What every coefficient adds to the derivatives, row after row: in this structure, in the last.
  private var design: [SIMD8<Double>]
  private var lastDesign: [SIMD8<Double>]
  private var observed: [Double]
  private var lastObserved: [Double]
  private var hasSeenOne = false

  /// Pieces of a spline; it has three more coefficients.
  private static let pieces = 8
  private static let splines = pieces + 3
  /// How much the past counts at the next structure.
  private static let fading = 0.9
  /// Weight of the exponential springs and of the curvature of φ', relative to the mean of the data.
  private static let (priorWeight, curvatureWeight) = (3e-4, 1e-2)

  /// Prepares a model for structures with the atoms of one.
  ///
  /// - Parameters:
  ///   - structure: The first structure; its density decides how far pairs reach.
  ///   - hasStrain: Whether it learns from ∂E/∂ε too.
  package init(_ structure: Structure, hasStrain: Bool) {
    elements = structure.distinctElements()
    kinds = structure.species.map { [elements] in elements.firstIndex(of: $0) ?? 0 }
    self.hasStrain = hasStrain
    cutoff = Self.cutoff(structure, elements)
    start = cutoff / 6
    spacing = (cutoff - start) / Double(Self.pieces)
    let total = elements.count * (elements.count + 1) / 2 * Self.splines
    width = (3 * structure.atomCount + 10 + 7) / 8 * 8
    gram = [Double](repeating: 0, count: total * total)
    moment = [Double](repeating: 0, count: total)
    solver = CholeskyFactor(order: total)
    design = [SIMD8<Double>](repeating: .zero, count: total * width / 8)
    lastDesign = design
    observed = [Double](repeating: 0, count: width)
    lastObserved = observed
    var prior = moment
    for j in elements.indices {
      for i in 0...j {
        let length = elements[i].covalentRadius + elements[j].covalentRadius
        for k in 0..<Self.splines {
          let r = start + Double(k - 1) * spacing
          prior[Self.first(i, j) + k] = -ExponentialSpring.stiffness(r / length) * length / 5
        }
      }
    }
    self.prior = prior
    coefficients = prior
  }

  /// Far enough for the shell of second neighbors, from radii and density.
  private static func cutoff(_ structure: Structure, _ elements: [ChemicalElement]) -> Double {
    let radius = elements.map(\.covalentRadius).max() ?? 1
    // Without three periods the volume means nothing.
    guard structure.periodicity == .full else { return 4 * radius }
    return min(max(2.2 * radius, 1.6 * cbrt(structure.volumePerAtom)), 8 * radius)
  }

  /// The place of the first coefficient of a pair of elements.
  private static func first(_ a: Int, _ b: Int) -> Int {
    let (low, high) = (min(a, b), max(a, b))
    return (high * (high + 1) / 2 + low) * splines
  }

  // MARK: Use

  /// What a pair adds to the Hessian, in eV/Å².
  package struct Stiffness {
    /// φ'', along the bond.
    package var along: Double
    /// φ'/r, across it.
    package var across: Double
  }

  /// The stiffness of the pair of two atoms at a distance.
  ///
  /// - Parameters:
  ///   - i: An atom.
  ///   - j: Another atom.
  ///   - r: Their distance in Å, below the cutoff.
  /// - Returns: φ'' and φ'/r in eV/Å²; either may be negative.
  package func stiffness(_ i: Int, _ j: Int, _ r: Double) -> Stiffness {
    let (piece, u) = place(r)
    let base = Self.first(kinds[i], kinds[j]) + piece
    let v = 1 - u
    let (c0, c1) = (coefficients[base], coefficients[base + 1])
    let (c2, c3) = (coefficients[base + 2], coefficients[base + 3])
    let values = Self.weights(u)
    let force = c0 * values[0] + c1 * values[1] + c2 * values[2] + c3 * values[3]
    let slope =
      0.5 * (-v * v * c0 + (3 * u - 4) * u * c1 + ((2 - 3 * u) * u + 1) * c2 + u * u * c3)
    return Stiffness(along: slope / spacing, across: force / r)
  }

  /// The piece that a distance lies in, and where between its knots.
  @inline(__always)
  private func place(_ r: Double) -> (Int, Double) {
    let t = max(0, (r - start) / spacing)
    let piece = min(Int(t), Self.pieces - 1)
    return (piece, t - Double(piece))
  }

  /// The four B-splines of a piece.
  @inline(__always)
  private static func weights(_ u: Double) -> SIMD4<Double> {
    let v = 1 - u
    return SIMD4(
      v * v * v, (3 * u - 6) * u * u + 4, ((3 - 3 * u) * u + 3) * u + 1, u * u * u) / 6
  }

  // MARK: Fit

  /// Learns from a structure, and fits.
  ///
  /// - Parameters:
  ///   - structure: With the atoms of the first one.
  ///   - evaluation: Its forces and virial.
  ///   - pairs: Its neighbors closer than `cutoff`.
  package mutating func learn(
    _ structure: Structure, _ evaluation: Evaluation, _ pairs: NeighborList
  ) {
    swap(&design, &lastDesign)
    swap(&observed, &lastObserved)
    describe(structure, pairs)
    observe(structure, evaluation)
    if hasSeenOne {
      for index in lastDesign.indices { lastDesign[index] = design[index] - lastDesign[index] }
      for index in lastObserved.indices {
        lastObserved[index] = observed[index] - lastObserved[index]
      }
      accumulate(lastDesign, lastObserved)
    } else {
      hasSeenOne = true
      accumulate(design, observed)
    }
    fit()
  }

  /// Strain counts like moves of this length in Å for every atom.
  private func strainWeight(_ atoms: Int) -> Double { 0.5 / Double(atoms).squareRoot() }

  /// Derivatives by positions, then by strain, that every coefficient adds.
  private mutating func describe(_ structure: Structure, _ pairs: NeighborList) {
    let atoms = structure.atomCount
    let weight = hasStrain ? strainWeight(atoms) : 0
    let (width, kinds) = (width, kinds)
    for index in design.indices { design[index] = .zero }
    for i in 0..<atoms {
      for index in pairs.neighbors(of: i) {
        let j = Int(pairs.indices[index])
        // Every pair is listed twice; of an atom and its own image the strain alone is left.
        guard j >= i else { continue }
        let d = pairs.displacements[index]
        let r = d.length
        let (piece, u) = place(r)
        let base = Self.first(kinds[i], kinds[j]) + piece
        let weights = Self.weights(u)
        let unit = SIMD4(d.x / r, d.y / r, d.z / r, 0)
        let strain = (j == i ? 0.5 : 1) * weight * d
        // Eight of the nine components in one vector: stores that overlap would wait for each other.
        let virial =
          SIMD8(strain.x, strain.x, strain.x, strain.y, strain.y, strain.y, strain.z, strain.z)
          * SIMD8(unit.x, unit.y, unit.z, unit.x, unit.y, unit.z, unit.x, unit.y)
        let last = strain.z * unit.z
        design.withUnsafeMutableBytes { bytes in
          guard let all = bytes.baseAddress?.assumingMemoryBound(to: Double.self) else { return }
          for k in 0..<4 {
            let row = all + (base + k) * width
            Self.add(unit, -weights[k], to: row + 3 * i)
            Self.add(unit, weights[k], to: row + 3 * j)
            let strainRows = UnsafeMutableRawPointer(row + 3 * atoms)
            let sum = strainRows.loadUnaligned(as: SIMD8<Double>.self)
              .accumulating(virial, SIMD8(repeating: weights[k]))
            strainRows.storeBytes(of: sum, as: SIMD8<Double>.self)
            row[3 * atoms + 8] += weights[k] * last
          }
        }
      }
    }
  }

  /// Adds three components, and nothing to the number behind them.
  @inline(__always)
  private static func add(
    _ v: SIMD4<Double>, _ factor: Double, to place: UnsafeMutablePointer<Double>
  ) {
    let raw = UnsafeMutableRawPointer(place)
    let sum = raw.loadUnaligned(as: SIMD4<Double>.self)
      .accumulating(v, SIMD4(repeating: factor))
    raw.storeBytes(of: sum, as: SIMD4<Double>.self)
  }

  private mutating func observe(_ structure: Structure, _ evaluation: Evaluation) {
    let atoms = structure.atomCount
    for atom in 0..<atoms {
      for axis in 0..<3 { observed[3 * atom + axis] = -evaluation.forces[atom][axis] }
    }
    guard hasStrain else { return }
    let weight = strainWeight(atoms)
    for row in 0..<3 {
      for column in 0..<3 {
        observed[3 * atoms + 3 * row + column] = weight * evaluation.virial[row, column]
      }
    }
  }

  /// Adds to the normal equations; the past fades.
  private mutating func accumulate(_ rows: [SIMD8<Double>], _ right: [Double]) {
    let total = moment.count
    let norm = dot(right, right)
    guard norm > 1e-20 else { return }
    let (weight, vectors) = (1 / norm, width / 8)
    gram.withUnsafeMutableBufferPointer { gram in
      rows.withUnsafeBufferPointer { rows in
        for p in 0..<total {
          let a = rows.baseAddress.map { $0 + p * vectors }
          for q in 0...p {
            let b = rows.baseAddress.map { $0 + q * vectors }
            guard let a, let b else { return }
            var sum = SIMD8<Double>.zero
            for k in 0..<vectors { sum.accumulate(a[k], b[k]) }
            gram[p * total + q] = Self.fading * gram[p * total + q] + weight * sum.sum()
          }
        }
      }
    }
    for p in 0..<total {
      var sum = 0.0
      for k in 0..<vectors {
        let row = rows[p * vectors + k]
        for lane in 0..<8 { sum += row[lane] * right[8 * k + lane] }
      }
      moment[p] = Self.fading * moment[p] + weight * sum
    }
  }

  /// Solves the normal equations with their penalties.
  private mutating func fit() {
    let total = moment.count
    var trace = 0.0
    for p in 0..<total { trace += gram[p * total + p] }
    // Without any pair in reach the springs stay what they are.
    guard trace > 0 else { return }
    let toPrior = Self.priorWeight * trace / Double(total)
    let toLine = Self.curvatureWeight * trace / Double(total)
    var right = moment
    for p in 0..<total { right[p] += toPrior * prior[p] }
    let second = [1.0, -2, 1]
    let (gram, prior) = (gram, prior)
    solver.factorize { a, stride in
      for p in 0..<total {
        for q in 0...p { a[p * stride + q] = gram[p * total + q] }
        a[p * stride + p] += toPrior
      }
      for last in 2..<max(total, 2) where last % Self.splines >= 2 {
        for x in 0..<3 {
          for y in 0...x {
            a[(last - 2 + x) * stride + last - 2 + y] += toLine * second[x] * second[y]
          }
        }
      }
    }
    for last in 2..<max(total, 2) where last % Self.splines >= 2 {
      let curvature = prior[last - 2] - 2 * prior[last - 1] + prior[last]
      for x in 0..<3 { right[last - 2 + x] += toLine * second[x] * curvature }
    }
    solver.solve(&right)
    coefficients = right
  }
}

/// The springs that count as long as nothing is known: stiffer, the closer the atoms.
///
/// D. Packwood et al., J. Chem. Phys. 144, 164109 (2016), doi:10.1063/1.4947024, eq. 8, with the sum of
/// the covalent radii as length of every pair, and 5 eV/Å² at that distance.
enum ExponentialSpring {
  /// The stiffness in eV/Å² at a distance in units of the sum of the covalent radii.
  static func stiffness(_ ratio: Double) -> Double { 5 * exp(-5 * max(ratio - 1, -0.3)) }
}
