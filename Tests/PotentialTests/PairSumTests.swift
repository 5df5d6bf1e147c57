import Crystal
import Foundation
import NumericalCore
import Potential
import TestSupport
import Testing

@Suite("Pair sums of classical potentials")
struct PairSumTests {
  private func random(_ symbols: [String], seed: UInt64) throws -> Structure {
    try TestStructures.randomCrystal(
      symbols.map(ClassicalModels.element), volumePerAtom: 8, minimumDistance: 1.3, seed: seed)
  }

  /// Sums u(r) and its derivatives over a neighbor list, one pair after the other.
  private func plainSum(
    _ structure: Structure, cutoff: Double,
    _ pair: (ChemicalElement, ChemicalElement, Double) -> (energy: Double, slope: Double)
  ) -> Evaluation {
    let list = NeighborList(structure, cutoff: cutoff)
    var energy = 0.0
    var virial = Matrix3.zero
    var forces = [Vector3](repeating: .zero, count: structure.atomCount)
    for i in 0..<structure.atomCount {
      for place in list.neighbors(of: i) {
        let d = list.displacements[place]
        let u = pair(structure.species[i], structure.species[Int(list.indices[place])], d.length)
        energy += 0.5 * u.energy
        forces[i] += (u.slope / d.length) * d
        virial += (0.5 * u.slope / d.length) * Matrix3.outer(d, d)
      }
    }
    return Evaluation(energy: energy, forces: forces, virial: virial, of: structure)
  }

  private func compare(_ found: Evaluation, _ expected: Evaluation, _ label: String) {
    let scale = max(1, abs(expected.energy), expected.largestForce())
    #expect(abs(found.energy - expected.energy) < 1e-12 * scale, "\(label)")
    for (f, g) in zip(found.forces, expected.forces) {
      #expect((f - g).length < 1e-12 * scale, "\(label)")
    }
    let size = max(scale, expected.virial.frobeniusNorm)
    #expect((found.virial - expected.virial).frobeniusNorm < 1e-12 * size, "\(label)")
  }

  @Test("Near, middle and far images add up to the plain sum, cut where the cutoff says")
  func shortRange() throws {
    let (ti, o) = (try ClassicalModels.element("Ti"), try ClassicalModels.element("O"))
    // An exponential that reaches the cutoff, one that ends before it, and powers alone.
    let pairs: [BuckinghamPotential.Pair] = [
      .init(ti, ti, amplitude: 900, decayLength: 0.8),
      .init(ti, o, amplitude: 17000, decayLength: 0.12, dispersion: 12, wall: 1),
      .init(o, o, amplitude: 0, decayLength: 1, dispersion: 30, wall: 20),
    ]
    let potential = try BuckinghamPotential(.init(cutoff: 9.3, charges: [], pairs: pairs))
    for seed in 0..<10 {
      let symbols = Array(["Ti", "O", "O", "Ti", "O"].prefix(1 + seed % 5))
      let structure = try random(symbols, seed: UInt64(seed))
      let expected = plainSum(structure, cutoff: 9.3) { a, b, r in
        guard
          let p = pairs.first(where: {
            ($0.first, $0.second) == (min(a, b), max(a, b))
              || ($0.first, $0.second) == (max(a, b), min(a, b))
          })
        else { return (0, 0) }
        let e = p.amplitude * exp(-r / p.decayLength)
        let (c, w) = (p.dispersion / pow(r, 6), p.wall / pow(r, 12))
        return (e - c + w, -e / p.decayLength + (6 * c - 12 * w) / r)
      }
      compare(try potential.evaluation(of: structure), expected, "seed \(seed)")
    }
  }

  @Test("Lennard-Jones is the plain sum, in cells of one atom too")
  func lennardJones() throws {
    let potential = try ClassicalModels.binaryLennardJones(.none)
    for seed in 0..<10 {
      let structure = try random(
        Array(["Ar", "Ne", "Ne", "Ar"].prefix(1 + seed % 4)), seed: UInt64(seed))
      let expected = plainSum(structure, cutoff: 10) { a, b, r in
        guard let p = potential.parameters.pairs.first(where: { $0.joins(a, b) }),
          let cutoff = p.cutoff, r < cutoff
        else { return (0, 0) }
        let s6 = pow(p.diameter / r, 6)
        return (4 * p.depth * s6 * (s6 - 1), 24 * p.depth * s6 * (1 - 2 * s6) / r)
      }
      compare(try potential.evaluation(of: structure), expected, "seed \(seed)")
    }
  }

  @Test("The screened interaction and its slope are those of the error function")
  func screenedCoulomb() {
    let alpha = 0.7
    for step in 0..<400 {
      let r = 0.2 + 0.02 * Double(step)
      let found = ScreenedCoulomb.lanes(SIMD8(repeating: r * r), alpha: alpha)
      let energy = complementaryErrorFunction(alpha * r) / r
      let gaussian = 2 * alpha / Double.pi.squareRoot() * exp(-alpha * alpha * r * r)
      let slope = -(energy + gaussian) / (r * r)
      // glibc's functions are within a unit in the last place.
      #expect(found.energy[3].isClose(to: energy, relative: 3e-14, absolute: 0), "\(r)")
      #expect(found.slope[3].isClose(to: slope, relative: 3e-14, absolute: 0), "\(r)")
      #expect(found.distance[3].isClose(to: r, relative: 4e-16, absolute: 0))
      #expect(found.inverse[3].isClose(to: 1 / r, relative: 1e-15, absolute: 0))
    }
  }

  @Test("Vector functions agree with glibc's")
  func functions() {
    for step in 0...2000 {
      let x = -0.3567 * Double(step)
      let found = vectorExponential(SIMD8(repeating: x))[5]
      #expect(found.isClose(to: exp(x), relative: 1e-15, absolute: 1e-303), "\(x)")
      let angle = Double.pi * (Double(step) / 2000 - 0.5)
      let (sine, cosine) = vectorSineAndCosine(SIMD8(repeating: angle))
      #expect(abs(sine[2] - sin(angle)) < 4e-16 && abs(cosine[2] - cos(angle)) < 4e-16)
    }
  }

  @Test("Half of reciprocal space: of k and −k exactly one, none beyond the cutoff")
  func waveVectors() throws {
    for seed in 0..<5 {
      let lattice = try random(["Ti", "O", "O"], seed: UInt64(seed)).lattice
      let cutoff = 5.0
      let waves = WaveVectors(lattice, cutoff: cutoff)
      var count = 0
      var found = Set<[Int]>()
      for row in waves.rows {
        #expect(row.start == count)
        count += row.count
        for n in 0..<row.count { found.insert([row.first, row.second, row.lowest + n]) }
      }
      #expect(count == waves.count && found.count == count)
      for i in -9...9 {
        for j in -9...9 {
          for k in -9...9 where (i, j, k) != (0, 0, 0) {
            let length = (Vector3(Double(i), Double(j), Double(k)) * waves.reciprocal).length
            let times =
              (found.contains([i, j, k]) ? 1 : 0) + (found.contains([-i, -j, -k]) ? 1 : 0)
            #expect(times == (length <= cutoff ? 1 : 0))
          }
        }
      }
    }
  }
}
