/// The monomials xᵃ yᵇ zᶜ that a set of basic moments needs, ordered so that each is a coordinate times
/// an earlier one, and a dense numbering ("slots") of moments: those of one monomial follow each other,
/// for μ = 0, 1, … without gaps.
package struct MonomialTable: Sendable {
  /// How a monomial is made and which moments it enters.
  package struct Entry: Sendable {
    /// The earlier monomial.
    package var parent: Int32
    /// The coordinate (0, 1, 2) it is multiplied with.
    package var axis: Int32
    /// The number of radial functions it is summed with.
    package var radialCount: Int32
    /// The slot of its moment with μ = 0.
    package var firstSlot: Int32
  }

  /// ∂(xᵃyᵇzᶜ)/∂x = a xᵃ⁻¹yᵇzᶜ, and so for y and z.
  package struct Derivative: Sendable {
    /// The monomials of the three derivatives.
    package var monomial: SIMD3<Int32>
    /// Their factors: the powers.
    package var factor: SIMD3<Double>
  }

  /// The monomials; the first is 1.
  package let entries: [Entry]
  /// The derivatives of each monomial.
  package let derivatives: [Derivative]
  /// The slot of each basic moment.
  package let slotOfBasicMoment: [Int]
  /// The number of slots.
  package let slotCount: Int

  /// The number of monomials.
  package var count: Int { entries.count }

  private struct Powers: Hashable {
    var x: Int
    var y: Int
    var z: Int

    subscript(axis: Int) -> Int { axis == 0 ? x : (axis == 1 ? y : z) }

    func lowered(_ axis: Int) -> Powers {
      Powers(x: x - (axis == 0 ? 1 : 0), y: y - (axis == 1 ? 1 : 0), z: z - (axis == 2 ? 1 : 0))
    }

    /// By degree, then like words.
    static func precedes(_ a: Powers, _ b: Powers) -> Bool {
      let (da, db) = (a.x + a.y + a.z, b.x + b.y + b.z)
      return (da, b.x, b.y) < (db, a.x, a.y)
    }
  }

  /// Creates the table that a set of basic moments needs.
  package init(_ basicMoments: [BasicMoment]) {
    var radialCounts: [Powers: Int] = [Powers(x: 0, y: 0, z: 0): 0]
    for moment in basicMoments {
      let powers = Powers(x: moment.x, y: moment.y, z: moment.z)
      radialCounts[powers] = max(radialCounts[powers] ?? 0, moment.radial + 1)
      // All derivatives, and theirs, take part.
      for x in 0...powers.x {
        for y in 0...powers.y {
          for z in 0...powers.z { radialCounts[Powers(x: x, y: y, z: z), default: 0] += 0 }
        }
      }
    }
    let powers = radialCounts.keys.sorted(by: Powers.precedes)
    let indexOf = Dictionary(uniqueKeysWithValues: powers.enumerated().map { ($1, $0) })
    var entries: [Entry] = []
    var derivatives: [Derivative] = []
    var slot = 0
    for power in powers {
      let count = radialCounts[power] ?? 0
      let axis = (0..<3).last { power[$0] > 0 } ?? 0
      var derivative = Derivative(monomial: .zero, factor: .zero)
      for c in 0..<3 where power[c] > 0 {
        derivative.monomial[c] = Int32(indexOf[power.lowered(c)] ?? 0)
        derivative.factor[c] = Double(power[c])
      }
      entries.append(
        Entry(
          parent: derivative.monomial[axis], axis: Int32(axis), radialCount: Int32(count),
          firstSlot: Int32(slot)))
      derivatives.append(derivative)
      slot += count
    }
    slotOfBasicMoment = basicMoments.map { moment in
      let index = indexOf[Powers(x: moment.x, y: moment.y, z: moment.z)] ?? 0
      return Int(entries[index].firstSlot) + moment.radial
    }
    self.entries = entries
    self.derivatives = derivatives
    slotCount = slot
  }
}
