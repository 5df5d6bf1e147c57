import Crystal
import NumericalCore

/// Vibrations of a crystal at Γ, softest first, the three translations left out.
public struct VibrationalModes: Sendable, Hashable {
  /// The eigenvalues of the mass-weighted force constants, ascending; negative ones belong to a saddle.
  ///
  /// In eV/(Å² amu) from a potential; the bond-strength model has a unit of its own.
  public let eigenvalues: [Double]
  /// For each mode the Cartesian displacement of every atom, e_i/√m_i.
  public let displacements: [[Vector3]]
  /// Neighboring eigenvalues closer than this count as degenerate.
  public let degeneracyWidth: Double

  /// How many of the softest modes a random combination mixes.
  private static let mixedModes = 6

  /// Creates modes: ascending finite eigenvalues, as many displacements of equally many atoms.
  public init(eigenvalues: [Double], displacements: [[Vector3]], degeneracyWidth: Double) {
    precondition(
      Self.areValid(eigenvalues, displacements, degeneracyWidth), "modes contradict each other")
    self.eigenvalues = eigenvalues
    self.displacements = displacements
    self.degeneracyWidth = degeneracyWidth
  }

  /// All modes of the bond-strength model; `nil` where there is only one atom.
  ///
  /// A. O. Lyakhov, A. R. Oganov & M. Valle, Comput. Phys. Commun. 181, 1623 (2010).
  public static func bondStrengthModel(of structure: Structure) -> VibrationalModes? {
    BondStrengthModel.modes(structure.lattice, structure.species, structure.positions)
  }

  /// The number of atoms that the displacements belong to; 0 where there are no modes.
  public var atomCount: Int { displacements.first?.count ?? 0 }

  private static func areValid(
    _ eigenvalues: [Double], _ displacements: [[Vector3]], _ width: Double
  ) -> Bool {
    eigenvalues.count == displacements.count && width >= 0
      && eigenvalues.allSatisfy(\.isFinite)
      && zip(eigenvalues, eigenvalues.dropFirst()).allSatisfy(<=)
      && displacements.allSatisfy { mode in
        mode.count == displacements[0].count && mode.allSatisfy(\.isFinite)
      }
  }

  /// The modes of one frequency: the place of the first and how many follow.
  private func group(_ index: Int) -> Range<Int>? {
    var start = 0
    var group = 0
    while start < eigenvalues.count {
      var end = start + 1
      while end < eigenvalues.count, eigenvalues[end] - eigenvalues[end - 1] <= degeneracyWidth {
        end += 1
      }
      if group == index { return start..<end }
      group += 1
      start = end
    }
    return nil
  }

  /// Cartesian displacements along a mode, the largest of length one; `nil` where there are no modes.
  ///
  /// A degenerate mode, and any index beyond the last, is a random combination.
  func displacement(_ index: Int, _ random: inout RandomStream) -> [Vector3]? {
    guard !eigenvalues.isEmpty else { return nil }
    let members = group(index) ?? 0..<min(Self.mixedModes, eigenvalues.count)
    var sum = Array(repeating: Vector3.zero, count: atomCount)
    for mode in members {
      let factor = members.count == 1 ? 1 : random.normal()
      for (atom, vector) in displacements[mode].enumerated() { sum[atom] += factor * vector }
    }
    let largest = sum.reduce(0) { max($0, $1.squaredLength) }.squareRoot()
    guard largest > 0 else { return nil }
    let scale = Self.sign(of: sum, largest) / largest
    return sum.map { scale * $0 }
  }

  /// A solver may return either sign of a mode: the first large component is made positive.
  private static func sign(of displacement: [Vector3], _ largest: Double) -> Double {
    for vector in displacement {
      for axis in 0..<3 where abs(vector[axis]) > 0.1 * largest {
        return vector[axis] < 0 ? -1 : 1
      }
    }
    return 1
  }
}

extension VibrationalModes: ByteCodable {
  /// Appends every field.
  public func encode(to encoder: inout ByteEncoder) {
    encoder.encode(eigenvalues)
    encoder.encode(displacements.map(\.count).first ?? 0)
    encoder.encode(displacements.flatMap { $0 })
    encoder.encode(degeneracyWidth)
  }

  /// Reads every field.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    let values = try decoder.decode([Double].self)
    let atoms = try decoder.decode(Int.self)
    let all = try decoder.decode([Vector3].self)
    let width = try decoder.decode(Double.self)
    guard atoms >= 0, all.count == atoms * values.count else {
      throw .invalid("\(values.count) modes with \(all.count) displacements")
    }
    let displacements = values.indices.map { Array(all[$0 * atoms..<($0 + 1) * atoms]) }
    guard Self.areValid(values, displacements, width) else {
      throw .invalid("modes of \(atoms) atoms")
    }
    self.init(eigenvalues: values, displacements: displacements, degeneracyWidth: width)
  }
}
