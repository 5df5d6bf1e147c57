import Dynamics
import NumericalCore
import Settings

extension MeltQuenchSettings {
  private static let gigapascals =
    PhysicalConstants.gigapascalsPerElectronvoltPerCubicAngstrom

  /// Reads what a `melt_quench` block says of the way through liquid and glass; times are in ps there,
  /// periods and intervals in fs.
  ///
  /// - Parameter section: The block; the time step is known already.
  /// - Throws: `SettingsError` with file, line, key, what was found and what is allowed.
  mutating func read(_ section: inout SettingsReader) throws(SettingsError) {
    superheat = try Self.temperature(&section, "superheat") ?? superheat
    superheatTime = try time(&section, "superheat_time") ?? superheatTime
    coolingFactor = try section.optional("cooling")?.number(in: 0.5...0.99) ?? coolingFactor
    meltingTime = try time(&section, "melting_time") ?? meltingTime
    ballisticTime = try time(&section, "ballistic_time") ?? 0.1 * meltingTime
    pressure =
      try section.optional("pressure").map { value throws(SettingsError) in
        try value.number(in: -100...10_000, unit: "GPa") / Self.gigapascals
      } ?? pressure
    pressureTolerance =
      try section.optional("pressure_tolerance").map { value throws(SettingsError) in
        try value.positiveNumber(unit: "GPa") / Self.gigapascals
      } ?? pressureTolerance
    longestVolumeTime = try time(&section, "volume_time") ?? longestVolumeTime
    liquidTime = try time(&section, "liquid_time") ?? liquidTime
    quenchRate =
      try section.optional("quench_rate").map { value throws(SettingsError) in
        try value.positiveNumber(unit: "K/ps") / 1000
      } ?? quenchRate
    glassTemperature = try Self.temperature(&section, "glass_temperature") ?? glassTemperature
    annealTemperature = try Self.temperature(&section, "anneal_temperature") ?? annealTemperature
    annealTime = try time(&section, "anneal_time") ?? annealTime
    pressing =
      try section.optional("press")?.number(in: 0...10, unit: "bulk moduli of the liquid")
      ?? pressing
    relaxationTime =
      try section.optional("thermostat_time")?.number(in: timeStep...1e6, unit: "fs")
      ?? relaxationTime
    sampleInterval =
      try section.optional("sample")?.number(in: timeStep...1e6, unit: "fs") ?? sampleInterval
  }

  private func time(
    _ section: inout SettingsReader, _ key: String
  ) throws(SettingsError) -> Double? {
    guard let value = section.optional(key) else { return nil }
    return 1000 * (try value.number(in: timeStep / 1000...1e6, unit: "ps"))
  }

  private static func temperature(
    _ section: inout SettingsReader, _ key: String
  ) throws(SettingsError) -> Double? {
    try section.optional(key)?.positiveNumber(upTo: 1e6, unit: "K")
  }

  /// The same as a block; reading it gives equal settings.
  var entries: [SettingsNode.Entry] {
    // What the file says, without the last digits that a change of units leaves.
    func tidy(_ value: Double) -> Double { (value * 1e9).rounded() / 1e9 }
    func picoseconds(_ time: Double) -> SettingsNode { .number(tidy(time / 1000)) }
    return [
      .init("superheat", .number(superheat)), .init("superheat_time", picoseconds(superheatTime)),
      .init("cooling", .number(coolingFactor)), .init("melting_time", picoseconds(meltingTime)),
      .init("ballistic_time", picoseconds(ballisticTime)),
      .init("pressure", .number(tidy(pressure * Self.gigapascals))),
      .init("pressure_tolerance", .number(tidy(pressureTolerance * Self.gigapascals))),
      .init("volume_time", picoseconds(longestVolumeTime)),
      .init("liquid_time", picoseconds(liquidTime)),
      .init("quench_rate", .number(tidy(quenchRate * 1000))),
      .init("glass_temperature", .number(glassTemperature)),
      .init("anneal_temperature", .number(annealTemperature)),
      .init("anneal_time", picoseconds(annealTime)), .init("press", .number(pressing)),
      .init("thermostat_time", .number(relaxationTime)), .init("sample", .number(sampleInterval)),
    ]
  }
}
