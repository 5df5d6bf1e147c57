import Crystal
import Foundation
import NumericalCore

/// A landscape for searches in tests: a binary Lennard-Jones compound A4B (ε 1/1.5/0.5, σ in the
/// ratio 2/1.6/1.76) with lengths scaled to the radii of Ti and Fe, force-shifted at 2.5 σ, and a
/// crude descent of atoms and cell.
struct ToyLandscape {
  let elements: [ChemicalElement]
  private let epsilon: [Double] = [1, 1.5, 1.5, 0.5]
  private let sigma: [Double] = [2.86, 2.517, 2.517, 2.288]

  init() throws {
    guard let a = ChemicalElement(symbol: "Ti"), let b = ChemicalElement(symbol: "Fe") else {
      throw CrystalError.composition("no such elements")
    }
    elements = [a, b]
  }

  /// Two A4B units, 10 atoms.
  func composition() throws -> Composition { try Composition(elements, [8, 2]) }

  /// A structure at the bottom of a steepest descent with an adaptive step, and its energy per atom;
  /// `nil` where it exploded.
  func descended(_ structure: Structure, steps: Int = 120) -> (Structure, Double)? {
    let species = structure.species.map { $0 == elements[0] ? 0 : 1 }
    var lattice = structure.lattice.vectors
    var positions = structure.positions
    var current = evaluate(lattice, positions, species)
    var step = 0.02
    for _ in 0..<steps {
      // Strain moves far atoms by up to half a cell: its gradient is scaled to match.
      let strainScale = 1 / Double(species.count * 4)
      var largest = 1e-12
      for force in current.forces { largest = max(largest, force.length) }
      for row in 0..<3 { largest = max(largest, 4 * strainScale * current.virial[row].length) }
      let length = min(step, 0.15 / largest)
      let deformation = Matrix3.identity - (length * strainScale) * current.virial
      let trialLattice = lattice * deformation
      let trial = zip(positions, current.forces).map { ($0 + length * $1) * deformation }
      let next = evaluate(trialLattice, trial, species)
      if next.energy.isFinite, next.energy < current.energy {
        (lattice, positions, current) = (trialLattice, trial, next)
        step = length * 1.3
      } else {
        step = length * 0.4
        if step < 1e-7 { break }
      }
    }
    guard let cell = try? Lattice(lattice),
      let relaxed = try? Structure(
        lattice: cell, species: structure.species, positions: positions)
    else { return nil }
    return (relaxed.wrapped(), current.energy / Double(species.count))
  }

  private struct Numbers {
    var energy = 0.0
    var forces: [Vector3]
    var virial = Matrix3.zero
  }

  private func evaluate(
    _ vectors: Matrix3, _ positions: [Vector3], _ species: [Int]
  ) -> Numbers {
    var result = Numbers(forces: Array(repeating: .zero, count: positions.count))
    guard let lattice = try? Lattice(vectors) else {
      result.energy = .infinity
      return result
    }
    let heights = lattice.heights
    let range = heights.map { min(6, (7.15 / $0 + 0.5).rounded(.down)) }
    for i in positions.indices {
      for j in 0...i {
        let pair = 2 * species[i] + species[j]
        let (e, s) = (epsilon[pair], sigma[pair])
        let cutoff = 2.5 * s
        let (edgeValue, edgeSlope) = lennardJones(cutoff, e, s)
        let f = lattice.fractional(positions[j] - positions[i]).map { $0 - $0.rounded() }
        let base = lattice.cartesian(f)
        for p in stride(from: -range.x, through: range.x, by: 1) {
          for q in stride(from: -range.y, through: range.y, by: 1) {
            for r in stride(from: -range.z, through: range.z, by: 1) {
              let d = base + p * vectors.a + q * vectors.b + r * vectors.c
              let square = d.squaredLength
              guard square < cutoff * cutoff, square > 1e-8 else { continue }
              let length = square.squareRoot()
              let (value, slope) = lennardJones(length, e, s)
              let weight = i == j ? 0.5 : 1.0
              result.energy += weight * (value - edgeValue - (length - cutoff) * edgeSlope)
              let gradient = (weight * (slope - edgeSlope) / length) * d
              if i != j {
                result.forces[i] += gradient
                result.forces[j] -= gradient
              }
              result.virial += Matrix3.outer(gradient, d)
            }
          }
        }
      }
    }
    return result
  }

  private func lennardJones(_ r: Double, _ e: Double, _ s: Double) -> (Double, Double) {
    let x = s / r
    let x6 = x * x * x * x * x * x
    return (4 * e * (x6 * x6 - x6), 4 * e * (-12 * x6 * x6 + 6 * x6) / r)
  }
}
