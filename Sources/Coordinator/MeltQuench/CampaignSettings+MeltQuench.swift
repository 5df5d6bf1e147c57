import Crystal
import Dynamics
import Evolution
import Settings

extension CampaignSettings {
  /// Disorder that a campaign learns from before it searches: melts, quenched, annealed and pressed.
  public struct MeltQuench: Sendable, Hashable {
    /// What moves the atoms.
    public enum Method: String, Sendable, Hashable, CaseIterable {
      /// The potential, which learns on the way: labels are asked for where it extrapolates.
      case potential
      /// The reference method: every sampled frame is a label.
      case reference
    }

    /// How every run goes; seeds differ.
    public var settings: MeltQuenchSettings
    /// What moves the atoms.
    public var method: Method
    /// The number of melts.
    public var runs: Int
    /// About so many atoms has each.
    public var atoms: Int
    /// The level of the potential that moves the atoms, at most that of the search.
    ///
    /// With as few labels as there are at first, one of many parameters extrapolates at every step and explodes
    /// where its grade is not its own; after the melts the labels are learnt by the one of the search.
    public var level: Int
    /// The volume in Å³ per atom at the start; `nil`: that of the best disordered structures.
    public var volumePerAtom: Double?
    /// Disordered structures that the first potential learns from; 0 where the reference moves the atoms.
    public var starts: Int
    /// So many frames of each run are labelled whatever their grade, spread evenly over liquid, glass and what is pressed.
    ///
    /// A grade tells what is far from the labels, and those of hot liquids are far from nothing: what cold glasses
    /// need to be accurate it does not ask for.
    public var samples: Int
    /// Most labels of starts and melts together; the frames of the reference are not counted.
    public var maximumLabels: Int

    /// So many disordered structures are labelled unless the file says otherwise.
    static let usualStarts = 12
    /// So many frames are, of each run.
    static let usualSamples = 24
    /// Melts are moved by a potential of this level unless that of the search is lower.
    static let usualLevel = 8
  }
}

extension CampaignSettings.MeltQuench {
  /// Reads the block `initial_training.melt_quench`.
  ///
  /// - Parameters:
  ///   - value: The block.
  ///   - pressure: The campaign's, in eV/Å³.
  ///   - maximumLabels: The campaign's; half of them are for the melts unless the block says otherwise.
  ///   - potentialLevel: The campaign's.
  /// - Throws: `SettingsError` with file, line, key, what was found and what is allowed.
  init(
    _ value: SettingsValue, pressure: Double, maximumLabels: Int, potentialLevel: Int
  ) throws(SettingsError) {
    var section = try value.mapping()
    var settings = MeltQuenchSettings(seed: 0)
    settings.pressing = 1
    settings.timeStep =
      try section.optional("time_step")?.positiveNumber(upTo: 100, unit: "fs")
      ?? settings.timeStep
    settings.pressure = pressure
    // Only the liquid's density hangs on it, and labels are at all densities.
    settings.longestVolumeTime = 100_000
    try settings.read(&section)
    self.settings = settings
    method = try section.optional("method")?.enumeration() ?? .potential
    runs = try section.optional("runs")?.integer(in: 1...1000) ?? 1
    atoms = try section.optional("atoms")?.integer(in: 2...10_000) ?? 100
    let levelValue = section.optional("level")
    level = try levelValue?.integer(in: 2...28) ?? min(Self.usualLevel, potentialLevel)
    if let levelValue, level % 2 != 0 || level > potentialLevel {
      throw levelValue.error(
        allowed: "an even integer from 2 to potential.level (\(potentialLevel))",
        suggestion: "leave it out for \(min(Self.usualLevel, potentialLevel))")
    }
    volumePerAtom = try section.optional("volume_per_atom")?.number(in: 1...1000, unit: "Å³")
    let startsValue = section.optional("starts")
    starts =
      try startsValue?.integer(in: 0...100_000)
      ?? (method == .potential ? Self.usualStarts : 0)
    if let startsValue, (starts == 0) == (method == .potential) {
      throw startsValue.error(
        allowed: method == .potential
          ? "at least one: the first potential learns from them"
          : "0: with method: reference nothing is learnt before the melts",
        suggestion: "leave it out")
    }
    let samplesValue = section.optional("samples")
    samples =
      try samplesValue?.integer(in: 0...100_000) ?? (method == .potential ? Self.usualSamples : 0)
    if let samplesValue, method == .reference {
      throw samplesValue.error(
        found: "a number of samples with method: reference",
        allowed: "samples with method: potential; the reference labels every frame",
        suggestion: "remove the line")
    }
    let limit = section.optional("max_labels")
    let half = max(starts, maximumLabels / 2)
    self.maximumLabels = try limit?.integer(in: 0...10_000_000) ?? half
    if let limit, self.maximumLabels < starts || self.maximumLabels > maximumLabels {
      throw limit.error(
        allowed: "from the \(starts) starts to the \(maximumLabels) of active_learning.max_labels",
        suggestion: "leave it out for \(half)")
    }
    try section.finish()
  }

  /// The same as a block; reading it gives equal settings.
  var node: SettingsNode {
    var entries: [SettingsNode.Entry] = [
      .init("method", .text(method.rawValue)), .init("runs", .integer(runs)),
      .init("atoms", .integer(atoms)),
    ]
    if let volumePerAtom { entries.append(.init("volume_per_atom", .number(volumePerAtom))) }
    if method == .potential {
      entries.append(.init("level", .integer(level)))
      entries.append(.init("starts", .integer(starts)))
      entries.append(.init("samples", .integer(samples)))
    }
    entries.append(.init("max_labels", .integer(maximumLabels)))
    entries.append(.init("time_step", .number(settings.timeStep)))
    return .mapping(entries + settings.entries)
  }
}
