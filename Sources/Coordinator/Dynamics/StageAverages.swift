import Crystal
import Dynamics
import NumericalCore

/// What a stage of molecular dynamics was like.
struct StageAverages: Sendable {
  /// The word for tables.
  var name: String
  /// How many steps were averaged.
  private(set) var steps = 0
  private var temperature = RunningMean()
  private var pressure = RunningMean()
  private var energy = RunningMean()
  private var volume = RunningMean()
  private var firstConserved: Double?
  private var lastConserved: Double?
  /// g(r); `nil` where the structure is no bulk.
  private(set) var radial: RadialDistribution?
  /// Positions at the first frame in Å.
  private var firstPositions: [Vector3] = []
  /// The mean-square displacement in Å² of the frames since.
  private(set) var squareDisplacements: [Double] = []

  /// Up to here distances are counted, in Å.
  private static let reach = 8.0
  private static let bins = 400

  init(name: String, structure: Structure) {
    self.name = name
    if structure.periodicity == .full {
      radial = RadialDistribution(
        elements: structure.distinctElements(), cutoff: Self.reach, bins: Self.bins)
    }
  }

  /// Takes in a step.
  mutating func add(_ step: DynamicsStep) {
    steps += 1
    temperature.add(step.state.temperature)
    if step.state.structure.periodicity == .full {
      pressure.add(step.state.pressureTensor(step.evaluation).trace / 3)
    }
    energy.add(step.evaluation.energy)
    volume.add(step.state.structure.volume)
    if firstConserved == nil { firstConserved = step.conservedEnergy }
    lastConserved = step.conservedEnergy
  }

  /// Takes in a frame.
  mutating func addFrame(_ structure: Structure) {
    radial?.add(structure)
    if firstPositions.isEmpty { firstPositions = structure.positions }
    let square = zip(structure.positions, firstPositions).reduce(0) {
      $0 + ($1.0 - $1.1).squaredLength
    }
    squareDisplacements.append(square / Double(structure.atomCount))
  }

  /// The means as JSON, with units in the names.
  func json(timeStep: Double, atoms: Int) -> JSONValue {
    let gigapascals = PhysicalConstants.gigapascalsPerElectronvoltPerCubicAngstrom
    var members: [JSONValue.Member] = [
      .init("stage", .text(name)), .init("steps", .integer(steps)),
      .init("picoseconds", .number(Double(steps) * timeStep / 1000)),
      .init("temperature", .number(temperature.mean)),
      .init("temperature_deviation", .number(temperature.deviation)),
    ]
    if radial != nil {
      members += [
        .init("pressure", .number(gigapascals * pressure.mean)),
        .init("pressure_deviation", .number(gigapascals * pressure.deviation)),
        .init("volume_per_atom", .number(volume.mean / Double(atoms))),
      ]
    }
    members += [
      .init("energy_per_atom", .number(energy.mean / Double(atoms))),
      .init("conserved_change_per_atom", .optional(conservedChange.map { $0 / Double(atoms) })),
      .init("square_displacement", .optional(squareDisplacements.last)),
    ]
    if let radial { members.append(.init("pairs", .list(Self.pairs(radial)))) }
    return .object(members)
  }

  /// By how much what is conserved changed, in eV.
  private var conservedChange: Double? {
    guard let firstConserved, let lastConserved else { return nil }
    return lastConserved - firstConserved
  }

  /// One line for people.
  func line(timeStep: Double, atoms: Int) -> String {
    let gigapascals = PhysicalConstants.gigapascalsPerElectronvoltPerCubicAngstrom
    func text(_ value: Double, _ digits: Int) -> String { TextColumn.fixed(value, digits) }
    var line =
      "\(name): \(text(Double(steps) * timeStep / 1000, 2)) ps, "
      + "\(text(temperature.mean, 1)) ± \(text(temperature.deviation, 1)) K"
    if radial != nil {
      line +=
        ", \(text(gigapascals * pressure.mean, 3)) GPa, "
        + "\(text(volume.mean / Double(atoms), 3)) Å³/atom"
    }
    return line + ", \(text(energy.mean / Double(atoms), 5)) eV/atom"
  }

  /// First peaks of all pairs.
  private static func pairs(_ radial: RadialDistribution) -> [JSONValue] {
    var pairs: [JSONValue] = []
    for (place, a) in radial.elements.enumerated() {
      for b in radial.elements[place...] {
        guard let peak = radial.firstPeak(a, b) else { continue }
        pairs.append(
          .object([
            .init("pair", .text("\(a)-\(b)")), .init("peak", .number(peak.distance)),
            .init("height", .number(peak.height)), .init("hollow", .number(peak.hollow)),
            .init(
              "coordination",
              .number(radial.coordination(of: a, by: b, within: peak.hollow))),
          ]))
      }
    }
    return pairs
  }

  /// g(r) of all pairs as a table.
  func radialTable() -> String? {
    guard let radial, radial.count > 0 else { return nil }
    var pairs: [(name: String, values: [Double])] = []
    for (place, a) in radial.elements.enumerated() {
      for b in radial.elements[place...] {
        pairs.append(("\(a)-\(b)", radial.values(a, b)))
      }
    }
    var text = "distance," + pairs.map(\.name).joined(separator: ",") + "\n"
    for bin in 0..<radial.bins {
      let values = pairs.map { "\($0.values[bin])" }.joined(separator: ",")
      text += "\(radial.distance(bin)),\(values)\n"
    }
    return text
  }
}

extension StageAverages: ByteCodable {
  func encode(to encoder: inout ByteEncoder) {
    encoder.encode(name)
    encoder.encode(steps)
    for mean in [temperature, pressure, energy, volume] { encoder.encode(mean) }
    encoder.encode(firstConserved)
    encoder.encode(lastConserved)
    encoder.encode(radial)
    encoder.encode(firstPositions)
    encoder.encode(squareDisplacements)
  }

  init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    name = try decoder.decode(String.self)
    steps = try decoder.decode()
    temperature = try decoder.decode(RunningMean.self)
    pressure = try decoder.decode(RunningMean.self)
    energy = try decoder.decode(RunningMean.self)
    volume = try decoder.decode(RunningMean.self)
    firstConserved = try decoder.decode(Double?.self)
    lastConserved = try decoder.decode(Double?.self)
    radial = try decoder.decode(RadialDistribution?.self)
    firstPositions = try decoder.decode([Vector3].self)
    squareDisplacements = try decoder.decode([Double].self)
  }
}

/// Mean and standard deviation of numbers that come one by one.
///
/// B. P. Welford, Technometrics 4, 419 (1962), doi:10.1080/00401706.1962.10490022.
struct RunningMean: Sendable, Hashable {
  private(set) var count = 0
  private(set) var mean = 0.0
  private var squares = 0.0

  init() {}

  mutating func add(_ value: Double) {
    count += 1
    let before = value - mean
    mean += before / Double(count)
    squares += before * (value - mean)
  }

  /// The standard deviation; 0 of fewer than two numbers.
  var deviation: Double { count > 1 ? (squares / Double(count - 1)).squareRoot() : 0 }
}

extension RunningMean: ByteCodable {
  func encode(to encoder: inout ByteEncoder) {
    encoder.encode(count)
    encoder.encode(mean)
    encoder.encode(squares)
  }

  init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    count = try decoder.decode()
    mean = try decoder.decode()
    squares = try decoder.decode()
  }
}
