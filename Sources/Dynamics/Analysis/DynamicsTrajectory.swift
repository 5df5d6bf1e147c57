import Crystal
import NumericalCore

/// Positions and velocities at equal intervals of time in a cell that stays.
public struct DynamicsTrajectory: Sendable {
  /// The element of every atom.
  public let species: [ChemicalElement]
  /// The time between frames in fs.
  public let interval: Double
  /// Cartesian positions in Å relative to the center of mass, not wrapped, frame by frame.
  public private(set) var positions: [[Vector3]] = []
  /// Velocities in Å/fs, frame by frame.
  public private(set) var velocities: [[Vector3]] = []
  private let totalMass: Double

  /// Creates an empty trajectory.
  ///
  /// - Parameters:
  ///   - species: The element of every atom.
  ///   - interval: The time between frames in fs; positive.
  public init(species: [ChemicalElement], interval: Double) {
    precondition(interval > 0, "time goes on between frames")
    self.species = species
    self.interval = interval
    totalMass = species.reduce(0) { $0 + $1.mass }
  }

  /// The number of frames.
  public var count: Int { positions.count }

  /// Adds a frame.
  public mutating func append(_ state: DynamicalState) {
    precondition(state.structure.species == species, "the atoms of a trajectory stay")
    append(positions: state.structure.positions, velocities: state.velocities)
  }

  /// Adds a frame of positions in Å, not wrapped, and velocities in Å/fs.
  public mutating func append(positions: [Vector3], velocities: [Vector3]) {
    var center = Vector3.zero
    for (element, r) in zip(species, positions) { center += element.mass * r }
    center = center / totalMass
    self.positions.append(positions.map { $0 - center })
    self.velocities.append(velocities)
  }

  private func atoms(of element: ChemicalElement?) -> [Int] {
    species.indices.filter { element == nil || species[$0] == element }
  }
}

extension DynamicsTrajectory {
  /// The mean-square displacement in Å² after 0, 1, 2, … intervals, averaged over atoms and all times at
  /// which an interval can begin.
  ///
  /// By Fourier transforms, V. Calandrini et al., Collection SFN 12, 201 (2011), doi:10.1051/sfn/201112010, section 2.3.
  ///
  /// - Parameter element: Only its atoms; all atoms by default.
  /// - Returns: One number for each frame; empty where there are no frames or no such atoms.
  /// - Complexity: O(N · frames · log frames)
  public func meanSquareDisplacement(of element: ChemicalElement? = nil) -> [Double] {
    let atoms = atoms(of: element)
    guard count > 0, !atoms.isEmpty else { return [] }
    let products = FourierTransform.autocorrelation(length: count, series: 3 * atoms.count) {
      positions[$1][atoms[$0 / 3]][$0 % 3]
    }
    let squares = positions.map { frame in atoms.reduce(0) { $0 + frame[$1].squaredLength } }
    var both = 2 * squares.reduce(0, +)
    return (0..<count).map { (distance: Int) -> Double in
      guard distance > 0 else { return 0 }
      both -= squares[distance - 1] + squares[count - distance]
      let mean = (both - 2 * products[distance]) / Double((count - distance) * atoms.count)
      // The difference of large sums is not exactly zero where nothing moves.
      return max(0, mean)
    }
  }

  /// The mean-square displacement in Å² from the first frame to each of the frames.
  ///
  /// - Complexity: O(N · frames)
  public func squareDisplacementFromStart() -> [Double] {
    guard let first = positions.first else { return [] }
    return positions.map { frame in
      zip(frame, first).reduce(0) { $0 + ($1.0 - $1.1).squaredLength } / Double(first.count)
    }
  }

  /// The velocity autocorrelation ⟨v(0)·v(t)⟩ in Å²/fs² after 0, 1, 2, … intervals, averaged over atoms and
  /// all times at which an interval can begin.
  ///
  /// - Parameters:
  ///   - element: Only its atoms; all atoms by default.
  ///   - isMassWeighted: Whether atoms count by their mass in amu.
  /// - Returns: One number for each frame.
  /// - Complexity: O(N · frames · log frames)
  public func velocityAutocorrelation(
    of element: ChemicalElement? = nil, isMassWeighted: Bool = false
  ) -> [Double] {
    let atoms = atoms(of: element)
    guard count > 0, !atoms.isEmpty else { return [] }
    let factors = atoms.map { isMassWeighted ? species[$0].mass.squareRoot() : 1 }
    let sums = FourierTransform.autocorrelation(length: count, series: 3 * atoms.count) {
      factors[$0 / 3] * velocities[$1][atoms[$0 / 3]][$0 % 3]
    }
    return sums.indices.map { sums[$0] / Double((count - $0) * atoms.count) }
  }

  /// The vibrational density of states: the cosine transform of the velocity autocorrelation, atoms
  /// weighted by mass, with Hann's window.
  ///
  /// J. M. Dickey and A. Paskin, Phys. Rev. 188, 1407 (1969), doi:10.1103/PhysRev.188.1407.
  ///
  /// - Parameters:
  ///   - element: Only its atoms; all atoms by default.
  ///   - longest: The correlation is followed for so many intervals; at most as many as there are frames.
  /// - Returns: States per THz and atom, 3 in all, at equal distances of the frequency from 0 on; `nil` with
  ///   fewer than three frames or where nothing moves.
  /// - Complexity: O(N · frames · log frames)
  public func vibrationalDensityOfStates(
    of element: ChemicalElement? = nil, longest: Int
  ) -> VibrationalDensityOfStates? {
    let correlation = velocityAutocorrelation(of: element, isMassWeighted: true)
    let length = min(longest, correlation.count)
    guard length > 2, correlation[0] > 0 else { return nil }
    let windowed = (0..<length).map { (k: Int) -> Double in
      let phase = Double.pi * Double(k) / Double(length - 1)
      return correlation[k] / correlation[0] * (1 + cosine(phase)) / 2
    }
    let spectrum = FourierTransform.cosineTransform(of: windowed)
    // Frequencies are k/(2 (n − 1) Δt); 1/fs is 1000 THz.
    let spacing = 1000 / (2 * Double(length - 1) * interval)
    // By trapezoids the sum over the spectrum is n − 1 times the first sample, which is 1.
    let scale = 3 / (Double(length - 1) * spacing)
    return VibrationalDensityOfStates(spacing: spacing, values: spectrum.map { scale * $0 })
  }
}

/// How many vibrations an atom has at each frequency.
public struct VibrationalDensityOfStates: Sendable, Hashable {
  /// The distance of neighboring frequencies in THz; the first is 0.
  public let spacing: Double
  /// States per THz and atom.
  public let values: [Double]

  /// The frequency in THz of the largest value.
  public var peakFrequency: Double {
    let peak = values.indices.max { values[$0] < values[$1] } ?? 0
    return Double(peak) * spacing
  }
}
