import Crystal
import NumericalCore

/// Whether atoms flow at a temperature.
///
/// The rule of C. Hong et al., Phys. Rev. B 102, 224104 (2020): the mean-square displacement of all atoms grows at least with
/// the power 0.8 of time, and at the end is at least that of 1.5 Å. Theirs is that from the beginning of a
/// test, which for a hundred atoms makes one good liquid in ten look like a solid; here it is averaged over
/// the beginnings in one half of a test that takes twice as long, and over several tests: see `MeltingVerdict`. Where a
/// crystal grows through half of the cell the other half still flows: atoms whose energy has fallen by much more than cooling
/// lets a liquid's fall are no liquid either.
public struct MeltingTest: Sendable, Hashable {
  /// The temperature in K.
  public let temperature: Double
  /// The slope of log ⟨r²⟩ over log t.
  public let slope: Double
  /// The root of the mean-square displacement after half of the test, in Å.
  public let displacement: Double
  /// The mean potential energy in eV/atom; `nil` where another potential has taken over since.
  public internal(set) var energyPerAtom: Double?
  /// Whether their energy has fallen as that of atoms that freeze.
  public let hasFrozen: Bool
  /// Whether they flow, by this test alone.
  public let isLiquid: Bool

  /// A test has so many frames.
  static let frames = 100
  /// Judges a temperature.
  ///
  /// - Parameters:
  ///   - temperature: In K.
  ///   - species: The element of every atom.
  ///   - frames: Positions in Å at equal intervals of time.
  ///   - energyPerAtom: The mean potential energy in eV/atom.
  ///   - hotter: The last test of a liquid at a higher temperature.
  ///   - settings: The rule.
  init(
    temperature: Double, species: [ChemicalElement], frames: [[Vector3]], energyPerAtom: Double?,
    hotter: MeltingTest?, _ settings: MeltQuenchSettings
  ) {
    self.temperature = temperature
    self.energyPerAtom = energyPerAtom
    let interval = settings.meltingTime / Double(Self.frames)
    var trajectory = DynamicsTrajectory(species: species, interval: interval)
    for frame in frames { trajectory.append(positions: frame, velocities: frame) }
    let squares = trajectory.meanSquareDisplacement().prefix(Self.frames / 2 + 1)
    displacement = (squares.last ?? 0).squareRoot()
    var points: [(x: Double, y: Double)] = []
    for (index, square) in squares.enumerated() where square > 0 {
      let time = Double(index) * interval
      if time >= settings.ballisticTime { points.append((logarithm(time), logarithm(square))) }
    }
    slope = Self.slope(points)
    var hasFrozen = false
    if let energyPerAtom, let hotter, let before = hotter.energyPerAtom {
      let cooling =
        Self.largestHeatCapacity * PhysicalConstants.boltzmann * (hotter.temperature - temperature)
      hasFrozen =
        before - energyPerAtom > cooling + Self.latentHeat(temperature, atoms: species.count)
    }
    self.hasFrozen = hasFrozen
    isLiquid =
      !hasFrozen && slope >= settings.diffusiveSlope
      && displacement >= settings.diffusiveDistance
  }

  /// No liquid's potential energy falls faster with its temperature, in k per atom: twice that of harmonic springs, and more.
  private static let largestHeatCapacity = 5.0

  /// By how much the mean energy of a few ps must fall at one temperature for a crystal, in eV/atom.
  ///
  /// Atoms lose between one half and five k T as they freeze. The mean of a liquid of N atoms is known to some 0.5 k T/√N.
  static func latentHeat(_ temperature: Double, atoms: Int) -> Double {
    PhysicalConstants.boltzmann * temperature
      * max(0.25, 2 / Double(max(1, atoms)).squareRoot())
  }

  private static func slope(_ points: [(x: Double, y: Double)]) -> Double {
    guard points.count > 1 else { return 0 }
    let count = Double(points.count)
    let meanX = points.reduce(0) { $0 + $1.x } / count
    let meanY = points.reduce(0) { $0 + $1.y } / count
    var (above, below) = (0.0, 0.0)
    for point in points {
      above += (point.x - meanX) * (point.y - meanY)
      below += (point.x - meanX) * (point.x - meanX)
    }
    return above / below
  }
}

/// What several tests of one temperature say together.
///
/// The slope of one test of a hundred atoms scatters by 0.1, the logarithm of its displacement by 0.2, which near freezing
/// is what half a step of the temperature makes: their means decide, of as many tests as it takes to be sure, five at
/// most. A test that has frozen counts with the slope 0: whether a crystal begins to grow is a matter of chance, and a
/// liquid that seldom lasts for a test does not last while it is sampled.
struct MeltingVerdict {
  /// Whether atoms flow.
  let isLiquid: Bool
  /// Whether no other test is needed.
  let isCertain: Bool

  private static let mostTests = 5
  /// With such a slope one test is enough.
  private static let clearSlope = 0.95
  /// Twice what slopes, and logarithms of displacements, scatter by.
  private static let doubt = (slope: 0.2, displacement: 0.4)

  /// Judges a temperature.
  ///
  /// - Parameters:
  ///   - tests: All of this temperature, at least one.
  ///   - settings: The rule.
  init(_ tests: [MeltingTest], _ settings: MeltQuenchSettings) {
    let count = Double(tests.count)
    let slope = tests.reduce(0) { $0 + ($1.hasFrozen ? 0 : $1.slope) } / count
    let displacement =
      tests.reduce(0) {
        $0 + logarithm(max(1e-3, $1.displacement) / settings.diffusiveDistance)
      } / count
    let above = slope - settings.diffusiveSlope
    isLiquid = above >= 0 && displacement >= 0
    if tests.count == 1 {
      isCertain = tests[0].isLiquid && slope >= Self.clearSlope
      return
    }
    let root = count.squareRoot()
    let isFlowing = above > Self.doubt.slope / root && displacement > Self.doubt.displacement / root
    let isStill = above < -Self.doubt.slope / root || displacement < -Self.doubt.displacement / root
    isCertain = tests.count >= Self.mostTests || isFlowing || isStill
  }
}

extension MeltingTest: ByteCodable {
  /// Appends temperature, slope, displacement, energy and verdict.
  public func encode(to encoder: inout ByteEncoder) {
    encoder.encode(temperature)
    encoder.encode(slope)
    encoder.encode(displacement)
    encoder.encode(energyPerAtom)
    encoder.encode(hasFrozen)
    encoder.encode(isLiquid)
  }

  /// Reads a test.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    temperature = try decoder.decode()
    slope = try decoder.decode()
    displacement = try decoder.decode()
    energyPerAtom = try decoder.decode(Double?.self)
    hasFrozen = try decoder.decode()
    isLiquid = try decoder.decode()
  }
}
