import Crystal
import Foundation
import NumericalCore
import Potential
import StructureFormats
import TestSupport
import Testing

@Suite("Moment tensor potentials agree with MLIP-2")
struct MomentTensorGoldenTests {
  /// Two programs in double precision: some hundred roundings of the largest number.
  private let crossCode = 1e-9
  private let crossCodeGradient = 1e-8

  @Test("Energies, forces and stresses", arguments: MomentTensorFixtures.names)
  func evaluations(name: String) throws {
    let potential = try MomentTensorFixtures.potential(name)
    for (index, record) in try MomentTensorFixtures.records(name + ".efs.cfg").enumerated() {
      let found = try potential.evaluation(of: record.structure)
      let energy = try #require(record.energy)
      let forces = try #require(record.forces)
      let virial = try #require(record.virial)
      #expect(found.energy.isClose(to: energy, relative: crossCode, absolute: 0), "\(index)")
      if forces.contains(where: { $0.length > 1e-9 }) {
        #expect(
          relativeDifference(components(found.forces), components(forces)) < crossCode, "\(index)")
      } else {
        #expect(found.largestForce() < 1e-9, "\(index)")
      }
      #expect(
        relativeDifference(components(found.virial), components(virial)) < crossCode, "\(index)")
    }
  }

  @Test(
    "Derivatives of the energy with respect to the parameters",
    arguments: ["Mo_08", "NiAl_12_random"])
  func parameterGradients(name: String) throws {
    let potential = try MomentTensorFixtures.potential(name)
    let records = try MomentTensorFixtures.records(name + ".efs.cfg")
    let expected = try MomentTensorFixtures.numbers(name + ".egrad.txt", after: "dE/dcoeff:")
    #expect(records.count == expected.count)
    for (record, expected) in zip(records, expected) {
      let found = try potential.energyGradient(of: record.structure)
      #expect(found.count == expected.count)
      for (a, b) in zip(found, expected) {
        #expect(a.isClose(to: b, relative: crossCodeGradient, absolute: crossCodeGradient))
      }
    }
  }

  @Test("Site energies and basis functions")
  func sites() throws {
    let name = "NiAl_12_random"
    let potential = try MomentTensorFixtures.potential(name)
    let records = try MomentTensorFixtures.records(name + ".efs.cfg")
    var energies = try MomentTensorFixtures.numbers(name + ".site.txt", after: "Esite")[...]
    var values = try MomentTensorFixtures.numbers(name + ".site.txt", after: "basis:")[...]
    for record in records {
      let siteEnergies = try potential.siteEnergies(of: record.structure)
      let basis = try potential.basisValues(of: record.structure)
      for atom in 0..<record.structure.atomCount {
        let energy = try #require(energies.first)[0]
        energies.removeFirst()
        #expect(siteEnergies[atom].isClose(to: energy, relative: crossCode, absolute: 0))
        // The file lists the constant function of the shift first.
        let row = try #require(values.first).dropFirst()
        values.removeFirst()
        #expect(row.count == basis.columns)
        for (a, b) in zip(basis.row(atom), row) {
          #expect(a.isClose(to: b, relative: crossCodeGradient, absolute: crossCodeGradient))
        }
      }
    }
    #expect(energies.isEmpty && values.isEmpty)
  }

  @Test(
    "Loss and its gradient, from the design matrix",
    arguments: [
      ("NiAl_12_random", "NiAl_labelled.cfg", "NiAl_12_random.loss.txt"),
      ("Mo_08", "Mo_train12.cfg", "Mo_08.loss12.txt"),
    ])
  func loss(name: String, labels: String, file: String) throws {
    let potential = try MomentTensorFixtures.potential(name)
    let records = try MomentTensorFixtures.records(labels)
    var loss = 0.0
    var gradient = [Double](repeating: 0, count: potential.parameterCount)
    for record in records {
      let structure = record.structure
      let count = structure.atomCount
      let found = try potential.evaluation(of: structure)
      var design = Matrix(
        rows: MomentTensorPotential.designRowCount(atomCount: count),
        columns: potential.parameterCount)
      try potential.designMatrix(of: structure, includingRadial: true, into: &design)
      let energy = try #require(record.energy)
      let forces = try #require(record.forces)
      let virial = try #require(record.virial)
      // Off-diagonal components count twice.
      let strainWeights = [1.0, 1, 1, 2, 2, 2].map { 0.001 * $0 / Double(count) }
      let weights =
        [1 / Double(count)] + [Double](repeating: 0.01, count: 3 * count) + strainWeights
      let errors =
        [found.energy - energy] + components(zip(found.forces, forces).map { $0 - $1 })
        + components(found.virial - virial)
      for row in 0..<design.rows {
        loss += weights[row] * errors[row] * errors[row]
        for column in gradient.indices {
          gradient[column] += 2 * weights[row] * errors[row] * design[row, column]
        }
      }
    }
    let scale = 1 / Double(records.count)
    let expected = try MomentTensorFixtures.numbers(file, after: "no penalty")[0][0]
    #expect((scale * loss).isClose(to: expected, relative: crossCode, absolute: 0))
    let slopes = try MomentTensorFixtures.numbers(file, after: "loss_grad/K:")[0]
    #expect(slopes.count == gradient.count)
    // The file's gradient contains that of the penalty, some 1e-9.
    for (a, b) in zip(gradient, slopes) {
      #expect((scale * a).isClose(to: b, relative: crossCodeGradient, absolute: 1e-7))
    }
  }

  @Test("Numbers of basis functions, radial functions and parameters")
  func counts() throws {
    let lines = try MomentTensorFixtures.text("levels.tsv").split(separator: "\n")
    let header = lines[0].split(separator: "\t").map(String.init)
    for line in lines.dropFirst() {
      let fields = Dictionary(
        uniqueKeysWithValues: zip(header, line.split(separator: "\t").compactMap { Int($0) }))
      let level = try #require(fields["level"])
      let basis = try MomentTensorBasis(level: level)
      #expect(basis.scalarCount == fields["alpha_scalar_moments"], "level \(level)")
      #expect(basis.radialFunctionCount == fields["radial_funcs"], "level \(level)")
      for species in 1...3 {
        let potential = try MomentTensorPotential(
          basis: basis, radialBasis: RadialBasis(size: 8, minimumDistance: 1, cutoff: 5),
          elements: (0..<species).map(ChemicalElement.unnamed))
        #expect(potential.parameterCount == fields["ncoef_\(species)sp_R8"], "level \(level)")
      }
      // A graph that is larger than the peer's would be a step back.
      let products = try #require(fields["alpha_index_times_count"])
      #expect(basis.products.count <= products, "level \(level)")
    }
  }

  @Test("The own basis spans the same functions as the tables of a file")
  func span() throws {
    let golden = try MomentTensorFixtures.potential("NiAl_12_random")
    let own = try MomentTensorPotential(
      basis: MomentTensorBasis(level: 12), radialBasis: golden.radialBasis,
      elements: golden.elements,
      parameters: golden.parameters)
    // The scalar of each table entry is one of ours, whatever the order.
    let structures = try MomentTensorFixtures.records("NiAl_12_random.efs.cfg").map(\.structure)
    let theirs = try structures.map { try golden.basisValues(of: $0) }
    let ours = try structures.map { try own.basisValues(of: $0) }
    var partners = Set<Int>()
    for scalar in 0..<golden.scalarCount {
      let column = theirs.flatMap { matrix in (0..<matrix.rows).map { matrix[$0, scalar] } }
      let partner = (0..<own.scalarCount).first { candidate in
        let other = ours.flatMap { matrix in (0..<matrix.rows).map { matrix[$0, candidate] } }
        return relativeDifference(other, column) < 1e-11
      }
      partners.insert(try #require(partner, "scalar \(scalar) of the file is missing"))
    }
    #expect(partners.count == golden.scalarCount)
  }
}
