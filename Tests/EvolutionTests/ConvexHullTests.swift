import Evolution
import Foundation
import NumericalCore
import TestSupport
import Testing

/// The hull once more, by looking at every simplex of phases: all subsets of at most as many phases as
/// elements whose mixture can have the composition.
private struct EverySimplex {
  let phases: [ConvexHull.Phase]

  private static func fractions(_ counts: [Int]) -> [Double] {
    counts.map { Double($0) / Double(counts.reduce(0, +)) }
  }

  func energy(at counts: [Int]) -> Double? {
    var best: Double?
    visit([], from: 0, Self.fractions(counts), &best)
    return best
  }

  private func visit(_ chosen: [Int], from first: Int, _ target: [Double], _ best: inout Double?) {
    if let shares = Self.shares(chosen.map { Self.fractions(phases[$0].ratio) }, target) {
      let energy = zip(shares, chosen).reduce(0) { $0 + $1.0 * phases[$1.1].energyPerAtom }
      best = min(best ?? .infinity, energy)
    }
    guard chosen.count < target.count else { return }
    for next in first..<max(first, phases.count) {
      visit(chosen + [next], from: next + 1, target, &best)
    }
  }

  /// Shares by the normal equations; `nil` where the corners are dependent, miss the target, or would
  /// need a negative share.
  private static func shares(_ corners: [[Double]], _ target: [Double]) -> [Double]? {
    guard !corners.isEmpty else { return nil }
    let size = corners.count
    var gram = Matrix(rows: size, columns: size)
    var side = Matrix(rows: size, columns: 1)
    for i in 0..<size {
      for j in 0..<size {
        gram[i, j] = zip(corners[i], corners[j]).reduce(0) { $0 + $1.0 * $1.1 }
      }
      side[i, 0] = zip(corners[i], target).reduce(0) { $0 + $1.0 * $1.1 }
    }
    guard let inverse = try? LinearAlgebra.inverse(gram),
      inverse.elements.allSatisfy({ abs($0) < 1e9 })
    else { return nil }
    let shares = (0..<size).map { i in
      (0..<size).reduce(0.0) { $0 + inverse[i, $1] * side[$1, 0] }
    }
    guard shares.allSatisfy({ $0 > -1e-9 }) else { return nil }
    for axis in target.indices {
      let reached = zip(shares, corners).reduce(0) { $0 + $1.0 * $1.1[axis] }
      guard abs(reached - target[axis]) < 1e-9 else { return nil }
    }
    return shares
  }
}

@Suite("Convex hull")
struct ConvexHullTests {
  private func drawn(
    _ count: Int, elements: Int, atoms: Int, grid: Double, _ random: inout RandomStream
  ) -> [ConvexHull.Phase] {
    (0..<count).map { id in
      var counts = Array(repeating: 0, count: elements)
      for _ in 0..<random.integer(below: atoms) + 1 { counts[random.integer(below: elements)] += 1 }
      // Energies on a grid make equal energies, straight lines and flat faces common.
      let energy =
        grid > 0 ? grid * (random.uniform(-9, 9) / grid).rounded() : random.uniform(-9, 9)
      return ConvexHull.Phase(id: id, counts: counts, energyPerAtom: energy)
    }
  }

  @Test(
    "Energies on the hull are the lowest over all simplices of phases", arguments: 1...4,
    [0.0, 1.0])
  func everySimplex(elements: Int, grid: Double) {
    for seed in 0..<(elements == 4 ? 6 : 60) as Range<UInt64> {
      var random = RandomStream(seed: seed, purpose: .test, slot: UInt64(elements))
      let phases = drawn(12, elements: elements, atoms: 6, grid: grid, &random)
      var hull = ConvexHull(elementCount: elements)
      for phase in phases { hull.add(phase) }
      let all = EverySimplex(phases: phases)
      for point in phases + drawn(12, elements: elements, atoms: 9, grid: 0, &random) {
        let (found, expected) = (hull.energyPerAtom(at: point.ratio), all.energy(at: point.ratio))
        #expect((found == nil) == (expected == nil), "seed \(seed): \(point.ratio)")
        guard let found, let expected else { continue }
        #expect(
          found.isClose(to: expected, relative: 0, absolute: 1e-9),
          "seed \(seed): \(point.ratio) \(found) \(expected)")
      }
    }
  }

  @Test("No phase lies below the hull, mixtures have their composition, the order does not matter")
  func properties() throws {
    for seed in 0..<60 as Range<UInt64> {
      var random = RandomStream(seed: seed, purpose: .test, slot: 9)
      let elements = 2 + random.integer(below: 3)
      var phases = drawn(40, elements: elements, atoms: 12, grid: Double(seed % 2), &random)
      var hull = ConvexHull(elementCount: elements)
      for phase in phases {
        let before = hull
        let hasChanged = hull.add(phase)
        #expect(hasChanged == (hull != before))
        let again = hull.add(phase)
        #expect(!again)
      }
      for phase in phases {
        let distance = try #require(hull.distance(of: phase))
        #expect(distance > -1e-9, "seed \(seed)")
        let mixture = try #require(hull.mixture(at: phase.ratio))
        let shares = mixture.parts.map(\.share)
        #expect(shares.reduce(0, +).isClose(to: 1, .roundoff) && shares.allSatisfy { $0 > 0 })
        #expect(mixture.parts.count <= elements)
        let atoms = Double(phase.ratio.reduce(0, +))
        for element in 0..<elements {
          let held = mixture.parts.reduce(0.0) { sum, part in
            let size = Double(part.phase.ratio.reduce(0, +))
            return sum + part.share * Double(part.phase.ratio[element]) / size
          }
          #expect(held.isClose(to: Double(phase.ratio[element]) / atoms, .roundoff))
        }
      }
      // Vertices are below every mixture of the others.
      for vertex in hull.phases {
        var others = ConvexHull(elementCount: elements)
        for phase in hull.phases where phase != vertex { others.add(phase) }
        if let distance = others.distance(of: vertex) { #expect(distance < 0) }
      }
      random.shuffle(&phases)
      var shuffled = ConvexHull(elementCount: elements)
      for phase in phases { shuffled.add(phase) }
      #expect(
        shuffled.phases.map(\.ratio) == hull.phases.map(\.ratio)
          && shuffled.phases.map(\.energyPerAtom) == hull.phases.map(\.energyPerAtom))
      #expect(try ConvexHull(canonicalBytes: hull.canonicalBytes) == hull)
    }
  }

  @Test("Equal phases, multiples of a formula and points on a line change nothing")
  func degenerate() {
    var hull = ConvexHull(elementCount: 2)
    func add(_ id: Int, _ counts: [Int], _ energy: Double) -> Bool {
      hull.add(ConvexHull.Phase(id: id, counts: counts, energyPerAtom: energy))
    }
    #expect(hull.energyPerAtom(at: [1, 0]) == nil)
    #expect(add(1, [2, 0], -1) && add(2, [0, 3], -2) && add(3, [1, 1], -2.5))
    #expect(hull.energyPerAtom(at: [1, 3])?.isClose(to: -2.25, .roundoff) == true)
    for (id, counts, energy) in [
      (4, [4, 4], -2.5), (5, [1, 3], -2.25), (6, [3, 1], -1.75), (7, [1, 0], -1), (8, [2, 1], 0),
    ] {
      let hasChanged = add(id, counts, energy)
      #expect(!hasChanged, "\(id)")
    }
    #expect(hull.phases.map(\.id) == [2, 3, 1])
    // A deeper phase beside it takes the compound off the hull.
    #expect(add(9, [2, 1], -9) && add(10, [1, 2], -9))
    #expect(hull.phases.map(\.id) == [2, 10, 9, 1])
    // The same compound, lower.
    #expect(add(11, [4, 2], -9.5) && hull.phases.map(\.id) == [2, 10, 11, 1])
  }

  @Test("ASE's phase diagram has the same energies", arguments: 2...4)
  func phaseDiagram(elements: Int) throws {
    let symbols = ["Cu", "Ag", "Au", "Pd"].prefix(elements)
    var random = RandomStream(seed: 5, purpose: .test, slot: UInt64(elements))
    var phases = (0..<elements).map { element in
      ConvexHull.Phase(
        id: element, counts: (0..<elements).map { $0 == element ? 1 : 0 },
        energyPerAtom: random.uniform(-1, 1))
    }
    phases += drawn(40, elements: elements, atoms: 12, grid: 0, &random)
    var hull = ConvexHull(elementCount: elements)
    for phase in phases { hull.add(phase) }
    func formula(_ ratio: [Int]) -> String {
      zip(symbols, ratio).filter { $1 > 0 }.map { "\($0)\($1)" }.joined()
    }
    let references = phases.map {
      "('\(formula($0.ratio))', \($0.energyPerAtom * Double($0.ratio.reduce(0, +))))"
    }
    let points = drawn(40, elements: elements, atoms: 12, grid: 0, &random)
    let script = """
      from ase.phasediagram import PhaseDiagram
      diagram = PhaseDiagram([\(references.joined(separator: ", "))], verbose=False)
      for formula in \(points.map { formula($0.ratio) }):
          print(diagram.decompose(formula)[0])
      """
    let printed = try PythonASE.run(script).split(separator: "\n").compactMap {
      Double($0.trimmingCharacters(in: .whitespaces))
    }
    try #require(printed.count == points.count)
    for (point, energy) in zip(points, printed) {
      let expected = energy / Double(point.ratio.reduce(0, +))
      let found = try #require(hull.energyPerAtom(at: point.ratio))
      #expect(found.isClose(to: expected, relative: 1e-9, absolute: 1e-9), "\(point.ratio)")
    }
  }
}
