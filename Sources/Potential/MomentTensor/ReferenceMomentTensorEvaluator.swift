import Crystal
import Foundation
import NumericalCore

/// A moment tensor potential evaluated term by term as it is defined, one atom and one neighbor
/// after the other: what the fast kernels are tested against.
///
/// Slow.
package struct ReferenceMomentTensorEvaluator: InteratomicPotential {
  private let potential: MomentTensorPotential

  /// Wraps a potential.
  package init(_ potential: MomentTensorPotential) { self.potential = potential }

  package var elements: [ChemicalElement] { potential.elements }

  package func evaluation(of structure: Structure) throws(PotentialError) -> Evaluation {
    let species = try potential.speciesIndices(of: structure)
    let list = NeighborList(structure, cutoff: potential.radialBasis.cutoff)
    var energy = 0.0
    var forces = [Vector3](repeating: .zero, count: structure.atomCount)
    var virial = Matrix3.zero
    for i in 0..<structure.atomCount {
      let neighbors = list.neighbors(of: i).map { place in
        Neighbor(
          atom: Int(list.indices[place]), displacement: list.displacements[place],
          species: species[Int(list.indices[place])])
      }
      let site = site(species[i], neighbors)
      energy += site.energy
      for (neighbor, gradient) in zip(neighbors, site.gradients) {
        forces[neighbor.atom] -= gradient
        forces[i] += gradient
        virial += Matrix3.outer(gradient, neighbor.displacement)
      }
    }
    if let repulsion = potential.repulsion {
      let added = RepulsionTable(repulsion, potential.elements)
        .evaluation(of: structure, species: species)
      energy += added.energy
      for atom in forces.indices { forces[atom] += added.forces[atom] }
      virial += added.virial
    }
    return Evaluation(
      energy: energy, forces: forces, virial: virial.symmetrized, of: structure)
  }

  private struct Neighbor {
    let atom: Int
    let displacement: Vector3
    let species: Int
  }

  // The site energy and its derivatives with respect to the neighbors' positions.
  private func site(
    _ species: Int, _ neighbors: [Neighbor]
  ) -> (energy: Double, gradients: [Vector3]) {
    let basis = potential.basis
    let radial = neighbors.map { radialFunctions(species, $0) }
    var moments = [Double](repeating: 0, count: basis.momentCount)
    for (b, moment) in basis.basicMoments.enumerated() {
      for (neighbor, f) in zip(neighbors, radial) {
        let u = neighbor.displacement / neighbor.displacement.length
        moments[b] += f.values[moment.radial] * monomial(moment, u)
      }
    }
    for term in basis.products {
      moments[term.target] +=
        Double(term.multiplicity) * moments[term.first] * moments[term.second]
    }
    var energy = potential.parameters[potential.radialParameterCount + species]
    var adjoints = [Double](repeating: 0, count: basis.momentCount)
    for (scalar, moment) in basis.scalarMoments.enumerated() {
      let coefficient =
        potential.parameters[potential.radialParameterCount + potential.speciesCount + scalar]
      energy += coefficient * moments[moment]
      adjoints[moment] += coefficient
    }
    for term in basis.products.reversed() {
      let adjoint = Double(term.multiplicity) * adjoints[term.target]
      adjoints[term.first] += adjoint * moments[term.second]
      adjoints[term.second] += adjoint * moments[term.first]
    }
    let gradients = zip(neighbors, radial).map { neighbor, f in
      var gradient = Vector3.zero
      for (b, moment) in basis.basicMoments.enumerated() {
        gradient += adjoints[b] * momentGradient(moment, neighbor.displacement, f)
      }
      return gradient
    }
    return (energy, gradients)
  }

  // f_μ and df_μ/dr of a pair; T_i(ξ) = cos(i arccos ξ) and dT_i/dξ = i U_{i−1}(ξ) by recurrence.
  private func radialFunctions(
    _ species: Int, _ neighbor: Neighbor
  ) -> (values: [Double], slopes: [Double]) {
    let basis = potential.radialBasis
    let r = neighbor.displacement.length
    let width = basis.cutoff - basis.minimumDistance
    let xi = (2 * r - basis.minimumDistance - basis.cutoff) / width
    var (t, u) = ([1.0, xi], [1.0, 2 * xi])
    while t.count < basis.size {
      t.append(2 * xi * t[t.count - 1] - t[t.count - 2])
      u.append(2 * xi * u[u.count - 1] - u[u.count - 2])
    }
    let w = basis.scaling * (r - basis.cutoff) * (r - basis.cutoff)
    let dw = 2 * basis.scaling * (r - basis.cutoff)
    var values = [Double](repeating: 0, count: potential.radialFunctionCount)
    var slopes = values
    for mu in values.indices {
      for i in 0..<basis.size {
        let place = potential.radialIndex(
          central: species, neighbor: neighbor.species, function: mu, index: i)
        let c = potential.parameters[place]
        values[mu] += c * w * t[i]
        let slope = i == 0 ? 0 : Double(i) * u[i - 1] * 2 / width
        slopes[mu] += c * (dw * t[i] + w * slope)
      }
    }
    return (values, slopes)
  }

  private func monomial(_ moment: BasicMoment, _ u: Vector3) -> Double {
    pow(u.x, Double(moment.x)) * pow(u.y, Double(moment.y)) * pow(u.z, Double(moment.z))
  }

  // ∂/∂r of f(r) xᵃ yᵇ zᶜ / r^(a+b+c).
  private func momentGradient(
    _ moment: BasicMoment, _ d: Vector3, _ f: (values: [Double], slopes: [Double])
  ) -> Vector3 {
    let r = d.length
    let u = d / r
    let value = monomial(moment, u)
    let powers = [moment.x, moment.y, moment.z]
    var gradient = (f.slopes[moment.radial] * value) * u
    for axis in 0..<3 {
      var inner = -Double(powers.reduce(0, +)) * u[axis] * value
      if powers[axis] > 0 {
        let lowered = BasicMoment(
          radial: moment.radial, x: powers[0] - (axis == 0 ? 1 : 0),
          y: powers[1] - (axis == 1 ? 1 : 0), z: powers[2] - (axis == 2 ? 1 : 0))
        inner += Double(powers[axis]) * monomial(lowered, u)
      }
      gradient[axis] += f.values[moment.radial] / r * inner
    }
    return gradient
  }
}
