import Crystal
import Evolution
import Foundation
import NumericalCore
import TestSupport
import Testing

/// The springs of the bond-strength model once more, with nothing taken from the module: an energy of
/// displaced atoms.
private struct Springs {
  struct Spring {
    let first: Int
    let second: Int
    let rest: Vector3
    let strength: Double
  }

  let structure: Structure
  var springs: [Spring] = []

  init(_ structure: Structure) {
    self.structure = structure
    let list = NeighborList(structure, cutoff: 10)
    let radius = structure.species.map(\.covalentRadius)
    func excess(_ i: Int, _ place: Int) -> Double {
      list.displacements[place].length - radius[i] - radius[Int(list.indices[place])]
    }
    let total = (0..<structure.atomCount).map { i in
      list.neighbors(of: i).reduce(0.0) { $0 + exp(-excess(i, $1) / 0.37) }
    }
    for i in 0..<structure.atomCount {
      for place in list.neighbors(of: i) where Int(list.indices[place]) != i {
        let j = Int(list.indices[place])
        let delta = excess(i, place)
        func pull(_ atom: Int) -> Double {
          0.481 * structure.species[atom].valenceElectrons / (radius[atom] + 0.5 * delta)
        }
        let s = exp(-delta / 0.37)
        let strength = (pull(i) * pull(j) * s * s / (total[i] * total[j])).squareRoot()
        springs.append(
          Spring(first: i, second: j, rest: list.displacements[place], strength: strength))
      }
    }
  }

  /// Every spring is listed from both ends: a quarter instead of a half.
  func energy(_ moves: [Vector3]) -> Double {
    springs.reduce(0) { sum, spring in
      let length = (spring.rest + moves[spring.second] - moves[spring.first]).length
      let stretch = length - spring.rest.length
      return sum + 0.25 * spring.strength * stretch * stretch
    }
  }

  /// Mass-weighted second derivatives by central differences of the energy.
  func dynamicalMatrix() -> Matrix {
    let order = 3 * structure.atomCount
    let h = 2e-3
    var matrix = Matrix(rows: order, columns: order)
    func energy(_ a: Int, _ da: Double, _ b: Int, _ db: Double) -> Double {
      var moves = [Vector3](repeating: .zero, count: structure.atomCount)
      moves[a / 3][a % 3] += da
      moves[b / 3][b % 3] += db
      return self.energy(moves)
    }
    for a in 0..<order {
      for b in 0...a {
        let second =
          (energy(a, h, b, h) - energy(a, h, b, -h) - energy(a, -h, b, h) + energy(a, -h, b, -h))
          / (4 * h * h)
        let masses = structure.species[a / 3].mass * structure.species[b / 3].mass
        matrix[a, b] = second / masses.squareRoot()
        matrix[b, a] = matrix[a, b]
      }
    }
    return matrix
  }
}

@Suite("Soft modes")
struct VibrationalModesTests {
  @Test("The modes of the spring model are those of its energy's finite-difference Hessian")
  func springModel() throws {
    let structures = [
      TestStructures.rattled(try Prototypes.rutile(), by: 0.1, seed: 1),
      TestStructures.rattled(try Prototypes.caesiumChloride("Cs", "Cl", a: 4.1), by: 0.2, seed: 2),
    ]
    for structure in structures {
      let modes = try #require(VibrationalModes.bondStrengthModel(of: structure))
      let matrix = Springs(structure).dynamicalMatrix()
      let (values, _) = try LinearAlgebra.symmetricEigen(matrix)
      // Three eigenvalues are the translations', the lowest in size.
      let vibrations = values.sorted { abs($0) < abs($1) }.dropFirst(3).sorted()
      let largest = try #require(vibrations.last)
      #expect(modes.eigenvalues.count == 3 * structure.atomCount - 3)
      for (found, expected) in zip(modes.eigenvalues, vibrations) {
        #expect(found.isClose(to: expected, relative: 1e-4, absolute: 1e-5 * largest))
      }
      for (value, displacement) in zip(modes.eigenvalues, modes.displacements) {
        // D e = λ e with e = √m u, in the independent matrix.
        let e = zip(displacement, structure.species).flatMap { u, element in
          (0..<3).map { u[$0] * element.mass.squareRoot() }
        }
        for row in e.indices {
          let product = e.indices.reduce(0) { $0 + matrix[row, $1] * e[$1] }
          #expect(product.isClose(to: value * e[row], relative: 0, absolute: 2e-5 * largest))
        }
        let norm = e.reduce(0) { $0 + $1 * $1 }
        #expect(norm.isClose(to: 1, .roundoff))
      }
    }
  }

  @Test("A soft mutation follows the modes that come with a parent")
  func givenModes() throws {
    let structure = try Prototypes.alphaLeadDioxideType()
    let count = structure.atomCount
    // Two made-up modes: one atom moves along x, another along y.
    let displacements = [0, 1].map { mode in
      (0..<count).map { $0 == 3 * mode ? Vector3(mode == 0 ? 1 : 0, mode == 1 ? 1 : 0, 0) : .zero }
    }
    let modes = VibrationalModes(
      eigenvalues: [-1, 2], displacements: displacements, degeneracyWidth: 0.1)
    #expect(try VibrationalModes(canonicalBytes: modes.canonicalBytes) == modes)
    var settings = BreedingSettings(minimumDistances: MinimumDistances(elements: []))
    settings.softDisplacement = 0.2
    for (mode, isReversed) in [(0, false), (0, true), (1, false)] {
      let order = BreedingOrder(
        kind: .softMutation, composition: try Composition(formula: "Ti4O8"),
        parents: [Parent(id: 1, structure: structure, modes: modes)], targetVolumePerAtom: 10,
        modeIndex: mode, modeIsReversed: isReversed)
      #expect(try BreedingOrder(canonicalBytes: order.canonicalBytes) == order)
      var breeder = Breeder()
      var random = RandomStream(seed: 1, purpose: .breeding)
      let child = try #require(
        breeder.breed(order, settings: settings, random: &random).structure)
      // All atoms but one keep their neighbors: the child is the parent with one atom moved.
      let moved = structure.replacing(
        positions: structure.positions.indices.map { atom in
          let sign = isReversed ? -1.0 : 1.0
          let limit =
            0.2 * structure.species.map(\.covalentRadius).reduce(0, +) / Double(count)
          return structure.positions[atom] + sign * limit * displacements[mode][atom]
        })
      let distance = StructureFingerprint(child).distance(to: StructureFingerprint(moved))
      #expect(distance < 1e-9, "mode \(mode), distance \(distance)")
    }
  }
}
