import Crystal
import NumericalCore

/// Whether atoms flow at a temperature.
///
/// The rule of C. Hong et al., Phys. Rev. B 102, 224104 (2020): the mean-square displacement of all atoms grows at least with
/// the power 0.8 of time, and at the end is at least that of 1.5 Å. Theirs is that from the beginning of a
/// test, which for a hundred atoms makes one good liquid in ten look like a solid; here it is averaged over
/// the beginnings in one half of a test that takes twice as long, doubtful tests are made longer, and unless the
/// first test of a temperature is clearly that of a liquid, two of three decide: whether a crystal begins to grow
/// within a test is a matter of chance.
public struct MeltingTest: Sendable, Hashable {
  /// The temperature in K.
  public let temperature: Double
  /// The slope of log ⟨r²⟩ over log t.
  public let slope: Double
  /// The root of the mean-square displacement after half of the test, in Å.
  public let displacement: Double
  /// Whether they do.
  public let isLiquid: Bool

  /// A test of the usual length has so many frames.
  static let frames = 100
  /// A test whose slope is closer to the limit than this is made twice as long, and again.
  static let doubt = 0.1
  /// So many times the usual length at most.
  static let longest = 2
  /// With such a slope one test is enough.
  static let clearSlope = 0.95

  /// Judges a temperature.
  ///
  /// - Parameters:
  ///   - temperature: In K.
  ///   - species: The element of every atom.
  ///   - frames: Positions in Å at equal intervals of time.
  ///   - settings: The rule.
  init(
    temperature: Double, species: [ChemicalElement], frames: [[Vector3]],
    _ settings: MeltQuenchSettings
  ) {
    self.temperature = temperature
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
    isLiquid =
      slope >= settings.diffusiveSlope && displacement >= settings.diffusiveDistance
  }

  /// Whether no other test is needed.
  var isClearlyLiquid: Bool { isLiquid && slope >= Self.clearSlope }

  /// Whether a longer test could tell otherwise.
  func isDoubtful(_ settings: MeltQuenchSettings) -> Bool {
    abs(slope - settings.diffusiveSlope) < Self.doubt
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

extension MeltingTest: ByteCodable {
  /// Appends temperature, slope, displacement and verdict.
  public func encode(to encoder: inout ByteEncoder) {
    encoder.encode(temperature)
    encoder.encode(slope)
    encoder.encode(displacement)
    encoder.encode(isLiquid)
  }

  /// Reads a test.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    temperature = try decoder.decode()
    slope = try decoder.decode()
    displacement = try decoder.decode()
    isLiquid = try decoder.decode()
  }
}
