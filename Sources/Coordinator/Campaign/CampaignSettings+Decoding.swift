import Crystal
import Evolution
import NumericalCore
import Potential
import Settings

extension CampaignSettings {
  /// Reads a campaign file.
  ///
  /// - Throws: `SettingsError` with file, line, key, what was found and what is allowed.
  public init(path: String) throws(SettingsError) {
    try self.init(SettingsDocument(path: path))
  }

  /// Reads a campaign.
  ///
  /// - Throws: `SettingsError` with file, line, key, what was found and what is allowed.
  public init(_ document: SettingsDocument) throws(SettingsError) {
    var campaign = try document.mapping()
    let title = try campaign.optional("title")?.string("a title")
    let target = try Target(&campaign)
    let pressure =
      try campaign.optional("pressure")?.number(in: -100...10000, unit: "GPa") ?? 0
    let seed = try campaign.optional("seed")?.integer(in: 0...Int.max) ?? 1
    let potential = try PotentialChoice(campaign.section("potential"), target.elements)
    let initial = try campaign.section("initial_training")
    let training = try Training(campaign.section("training"), melts: InitialTraining.melts(initial))
    let reference = try Reference(
      campaign.required("reference", "the labelling method (kind: buckingham, vasp, ...)"),
      target: target)
    let learning = try campaign.section("active_learning")
    let initialTraining = try InitialTraining(
      initial, learns: potential.kind != .reference,
      pressure: pressure / PhysicalConstants.gigapascalsPerElectronvoltPerCubicAngstrom,
      maximumLabels: ActiveLearning.maximumLabels(learning), potentialLevel: potential.level)
    let activeLearning = try ActiveLearning(
      learning, potentialLevel: potential.level, initialLabels: initialTraining.labels)
    let distances = try DistanceLimits(
      campaign.section("minimum_distances"), target.elements, cutoff: potential.cutoff)
    let search = try Search(
      campaign.section("search"), target.space,
      fewest: initialTraining.meltQuench == nil ? 1 : 0)
    let relaxation = try Relaxations(campaign.section("relaxation"))
    let rerank = try Rerank(campaign.section("rerank"))
    try campaign.finish()
    self.init(
      title: title ?? target.name, target: target, pressure: pressure, seed: UInt64(seed),
      potential: potential, training: training,
      reference: reference, initialTraining: initialTraining, activeLearning: activeLearning,
      distances: distances, search: search, relaxation: relaxation, rerank: rerank)
  }
}

extension CampaignSettings.PotentialChoice {
  /// In Å.
  private static let largestCutoff = 20.0

  init(_ section: SettingsReader, _ elements: [ChemicalElement]) throws(SettingsError) {
    var section = section
    let kindValue = section.optional("kind")
    if let kindValue, case .scalar("nnp", _) = kindValue.node.content {
      throw kindValue.error(
        allowed: "mtp", suggestion: "searches with a neural network are not in this version")
    }
    kind = try kindValue?.enumeration(Kind.self) ?? .mtp
    guard kind == .mtp else {
      level = 2
      cutoff = Self.largestCutoff
      radialBasis = 2
      minimumDistance = nil
      repulsion = nil
      try section.finish()
      return
    }
    let levelValue = section.optional("level")
    level = try levelValue?.integer(in: 2...28) ?? 12
    if let levelValue, level % 2 != 0 {
      throw levelValue.error(
        allowed: "an even integer from 2 to 28", suggestion: "try \(level + 1)")
    }
    cutoff =
      try section.optional("cutoff")?.number(
        in: 1...Self.largestCutoff, unit: "Å", suggestion: "try 5") ?? 5
    radialBasis = try section.optional("radial_basis")?.integer(in: 2...30) ?? 8
    minimumDistance = try section.optional("minimum_distance")?
      .number(in: 0...0.9 * cutoff, unit: "Å")
    let repulsionValue = section.optional("repulsion")
    if let repulsionValue {
      repulsion = try Self.repulsion(repulsionValue)
    } else {
      repulsion = .standard
    }
    try section.finish()
    guard let (element, radius) = repulsion?.widest(of: elements), radius >= cutoff else { return }
    let found = "a repulsion up to \((100 * radius).rounded() / 100) Å between atoms of \(element)"
    let allowed = "one that ends below potential.cutoff (\(cutoff) Å)"
    let suggestion = "try a larger cutoff, or repulsion: none"
    throw repulsionValue?.error(found: found, allowed: allowed, suggestion: suggestion)
      ?? section.error(found: found, allowed: allowed, suggestion: suggestion)
  }

  // None, or fractions of the sum of covalent radii.
  private static func repulsion(
    _ value: SettingsValue
  ) throws(SettingsError) -> ShortRangeRepulsion? {
    if value.isNone { return nil }
    guard value.isMapping else {
      throw value.error(
        allowed: "none, or inner and outer as fractions of the sum of covalent radii",
        suggestion: "try {inner: 0.4, outer: 0.7}")
    }
    var section = try value.mapping()
    let standard = ShortRangeRepulsion.standard
    let range = ShortRangeRepulsion.range
    let inner = try section.optional("inner")?.number(in: range) ?? standard.inner
    let outer = try section.optional("outer")?.number(in: range) ?? standard.outer
    try section.finish()
    do { return try ShortRangeRepulsion(inner: inner, outer: outer) } catch {
      throw value.error(
        found: "inner \(inner) and outer \(outer)", allowed: "outer above inner",
        suggestion: "try {inner: 0.4, outer: 0.7}")
    }
  }
}

extension CampaignSettings.Training {
  /// The cap of forces in eV/Å; atoms of hot liquids meet larger ones than those of crystals.
  private static let usualCaps = (crystals: 20.0, melts: 50.0)

  init(_ section: SettingsReader, melts: Bool) throws(SettingsError) {
    var section = section
    let weightsValue = section.optional("weights")
    let numbers =
      try weightsValue?.numbers(in: 0...1e12, counts: 3...3) ?? [1, 0.01, 0.001]
    let scaling =
      try section.optional("scaling")?.enumeration(TrainingWeights.Scaling.self) ?? .vibrations
    do {
      weights = try TrainingWeights(
        energy: numbers[0], force: numbers[1], stress: numbers[2], scaling: scaling)
    } catch {
      let allowed = "weights of energy, force and stress, not all 0"
      guard let weightsValue else { throw section.error(found: "\(error)", allowed: allowed) }
      throw weightsValue.error(
        found: "\(numbers)", allowed: allowed, suggestion: "try [1, 0.01, 0.001]")
    }
    forceCap =
      try section.optional("force_cap")?.positiveNumber(unit: "eV/Å")
      ?? (melts ? Self.usualCaps.melts : Self.usualCaps.crystals)
    energyWindow = try section.optional("energy_window")?.positiveNumber(unit: "eV/atom") ?? 10
    robustForce = try section.optional("robust_force")?.positiveNumber(unit: "eV/Å") ?? 2
    let robust = section.optional("robust_energy")
    robustEnergy =
      robust?.isNone == true
      ? nil
      : try robust?.positiveNumber(
        unit: "eV/atom", suggestion: "try 0.5, or none for equal weights") ?? 0.5
    try section.finish()
  }
}

extension CampaignSettings.InitialTraining {
  private static let meltKey = "melt_quench"

  /// Whether the block asks for melts, before anything else is read of it.
  static func melts(_ section: SettingsReader) -> Bool {
    var section = section
    return section.optional(meltKey) != nil
  }

  init(
    _ section: SettingsReader, learns: Bool, pressure: Double, maximumLabels: Int,
    potentialLevel: Int
  ) throws(SettingsError) {
    var section = section
    let melt = section.optional(Self.meltKey)
    if let melt, !learns {
      throw melt.error(
        found: "melts in a campaign with potential.kind: reference",
        allowed: "melts where a potential learns from them", suggestion: "remove the block")
    }
    meltQuench = try melt.map { value throws(SettingsError) in
      try CampaignSettings.MeltQuench(
        value, pressure: pressure, maximumLabels: maximumLabels, potentialLevel: potentialLevel)
    }
    randomStructures =
      try section.optional("random_structures")?.integer(in: (melt == nil ? 2 : 0)...100_000)
      ?? (melt == nil ? 40 : 0)
    try section.finish()
  }
}

extension CampaignSettings.ActiveLearning {
  init(
    _ section: SettingsReader, potentialLevel: Int, initialLabels: Int
  ) throws(SettingsError) {
    var section = section
    mode = try section.optional("mode")?.enumeration(ExtrapolationMode.self) ?? .neighbourhood
    let levelValue = section.optional("level")
    level = try levelValue?.integer(in: 2...28) ?? potentialLevel
    if let levelValue, level % 2 != 0 || level > potentialLevel {
      throw levelValue.error(
        allowed: "an even integer from 2 to potential.level (\(potentialLevel))",
        suggestion: "leave it out for \(potentialLevel)")
    }
    let selectValue = section.optional("select")
    select = try selectValue?.number(in: 1...1e6, suggestion: "try 2.1") ?? 2.1
    let breakValue = section.optional("break")
    breaking = try breakValue?.number(in: 1...1e9, suggestion: "try 10") ?? 10
    guard breaking > select else {
      guard let value = breakValue ?? selectValue else {
        preconditionFailure("the defaults are in order")
      }
      throw value.error(
        found: "select \(select) and break \(breaking)", allowed: "break above select",
        suggestion: "try select 2.1 and break 10")
    }
    batch = try section.optional("batch")?.integer(in: 1...10_000) ?? 8
    verify = try section.optional("verify")?.integer(in: 0...1000) ?? 2
    let limit = section.optional("max_labels")
    maximumLabels =
      try limit?.integer(in: 0...10_000_000) ?? max(Self.usualMaximum, initialLabels)
    if let limit, maximumLabels < initialLabels {
      throw limit.error(
        allowed: "at least the \(initialLabels) of initial_training",
        suggestion: "try \(initialLabels + 200)")
    }
    try section.finish()
  }

  private static let usualMaximum = 250

  /// The limit of labels before anything else is known of the block.
  static func maximumLabels(_ section: SettingsReader) throws(SettingsError) -> Int {
    var section = section
    return try section.optional("max_labels")?.integer(in: 0...10_000_000) ?? usualMaximum
  }
}

extension CampaignSettings.DistanceLimits {
  init(
    _ section: SettingsReader, _ elements: [ChemicalElement], cutoff: Double
  ) throws(SettingsError) {
    var section = section
    fraction = try section.optional("default")?.number(in: 0.1...2, suggestion: "try 0.7") ?? 0.7
    let known = elements.map(\.symbol)
    var pairs: [Pair] = []
    for (key, value) in section.allValues() where key != "default" {
      let symbols = key.split(separator: "-", omittingEmptySubsequences: false).map(String.init)
      let named = symbols.compactMap { ChemicalElement(symbol: $0) }
      guard symbols.count == 2, named.count == 2,
        named.allSatisfy(elements.contains)
      else {
        throw value.error(
          found: "the pair '\(key)'",
          allowed: "default, or pairs of \(known.joined(separator: ", ")) as "
            + "\(known[0])-\(known[known.count - 1])")
      }
      let distance = try value.number(in: 0.1...cutoff, unit: "Å")
      let pair = Pair(
        first: min(named[0], named[1]), second: max(named[0], named[1]),
        distance: distance)
      guard !pairs.contains(where: { $0.first == pair.first && $0.second == pair.second }) else {
        throw value.error(found: "the pair '\(key)' again", allowed: "every pair once")
      }
      pairs.append(pair)
    }
    self.pairs = pairs
    try section.finish()
    let limits = MinimumDistances(
      elements: elements, covalentFraction: fraction,
      pairs: pairs.map { ($0.first, $0.second, $0.distance) })
    let largest = elements.flatMap { a in
      elements.map { limits[a, $0] }
    }.max()
    guard let largest, largest >= cutoff else { return }
    throw section.error(
      found:
        "atoms kept \((100 * largest).rounded() / 100) Å apart with a potential.cutoff of \(cutoff) Å",
      allowed: "distances below the cutoff", suggestion: "try potential.cutoff: 5")
  }
}

extension CampaignSettings.Search {
  init(
    _ section: SettingsReader, _ space: CompositionSpace, fewest: Int
  ) throws(SettingsError) {
    var section = section
    candidates = try section.optional("candidates")?.integer(in: fewest...100_000_000) ?? 300
    let usual = PopulationSettings.defaultSize(for: space)
    population =
      try section.optional("population")?.integer(in: 2...10000, suggestion: "try \(usual)")
      ?? usual
    let windowValue = section.optional("window")
    window = try windowValue?.integer(in: 1...10000) ?? min(16, population)
    if let windowValue, window > population {
      throw windowValue.error(
        allowed: "a window up to the population, \(population)",
        suggestion: "try \(min(16, population))")
    }
    delays = try CampaignSettings.Delays(section.section("delays"), window: window)
    spaceGroups = try Self.spaceGroups(section.optional("space_groups"))
    topologies = try TopologySettings(section.optional("topologies"))
    operators = try Self.operators(section.optional("operators"), space, topologies)
    draws = try section.optional("draws")?.integer(in: 1...100) ?? Self.usualDraws
    var softMutation = try section.section("soft_mutation")
    hessian = try softMutation.optional("hessian")?.enumeration() ?? .bonds
    try softMutation.finish()
    adaptive = try section.optional("adaptive")?.flag() ?? true
    antiseeds = try CampaignSettings.Antiseeds(section.section("antiseeds"))
    niche = try section.optional("niche")?.number(in: 0...1) ?? 0
    let limit = section.optional("packings")
    packings =
      limit?.isNone == true
      ? nil : try limit?.integer(in: 2...100_000, suggestion: "try 3, or none for no limit")
    try section.finish()
  }

  private static func spaceGroups(_ value: SettingsValue?) throws(SettingsError) -> [Int] {
    let everything = Array(1...230)
    guard let value else { return everything }
    guard value.isList else {
      _ = try value.word(of: ["all"])
      return everything
    }
    let groups = try value.integers(in: 1...230, counts: 1...230)
    guard Set(groups).count == groups.count else {
      throw value.error(found: "\(groups)", allowed: "every space group once")
    }
    return groups.sorted()
  }

  private static func operators(
    _ value: SettingsValue?, _ space: CompositionSpace, _ topologies: TopologySettings
  ) throws(SettingsError) -> [CampaignSettings.OperatorRatio] {
    var ratios = VariationKind.defaultRatios(in: space)
    for (index, kind) in VariationKind.operators.enumerated()
    where kind == .topological && !topologies.isUsed {
      ratios[index] = 0
    }
    if let value {
      var section = try value.mapping()
      for (index, kind) in VariationKind.operators.enumerated() {
        let given = section.optional(kind.rawValue)
        ratios[index] = try given?.number(in: 0...1e6) ?? 0
        if let given, ratios[index] > 0, let obstacle = space.obstacle(to: kind) {
          throw given.error(allowed: "0: \(obstacle)", suggestion: "remove the line")
        }
        if let given, kind == .topological, ratios[index] > 0, !topologies.isUsed {
          throw given.error(
            allowed: "0 where search.topologies is none", suggestion: "remove the line")
        }
      }
      try section.finish()
    }
    let sum = ratios.reduce(0, +)
    guard sum > 0 else {
      let names = VariationKind.operators.map(\.rawValue).joined(separator: ", ")
      guard let value else { preconditionFailure("the default ratios are positive") }
      throw value.error(
        found: "no operator above 0", allowed: "at least one of \(names) above 0")
    }
    // Dividing ratios that add up to 1 again would change their last digits on every reading.
    let scale = abs(sum - 1) < 1e-12 ? 1 : sum
    return zip(VariationKind.operators, ratios).map { .init(kind: $0, ratio: $1 / scale) }
  }
}

extension TopologySettings {
  /// Reads `none`, `all` or what is left out and changed.
  init(_ value: SettingsValue?) throws(SettingsError) {
    guard let value else {
      self.init()
      return
    }
    if case .scalar = value.node.content {
      self.init(isUsed: try value.word(of: ["all", "none"]) == "all")
      return
    }
    var section = try value.mapping()
    var excluded: [String] = []
    if let list = section.optional("exclude") {
      for name in try list.list("names of nets") {
        excluded.append(try name.word(of: TopologyLibrary.names))
      }
      guard Set(excluded).count == excluded.count else {
        throw list.error(found: "\(excluded)", allowed: "every net once")
      }
    }
    let strain = try section.optional("strain")?.number(in: 0...0.5) ?? 0
    let displacement = try section.optional("displacement")?.number(in: 0...2, unit: "Å") ?? 0
    try section.finish()
    self.init(excluded: excluded, strain: strain, displacement: displacement)
  }
}

extension CampaignSettings.Delays {
  init(_ section: SettingsReader, window: Int) throws(SettingsError) {
    var section = section
    label = try section.optional("label")?.integer(in: 1...1_000_000) ?? window
    refit = try section.optional("refit")?.integer(in: 1...1_000_000) ?? window
    try section.finish()
  }
}

extension CampaignSettings.Antiseeds {
  init(_ section: SettingsReader) throws(SettingsError) {
    var section = section
    height =
      try section.optional("height")?.number(in: 0...1000)
      ?? AntiseedRecords.defaultHeight
    width =
      try section.optional("width")?.positiveNumber(upTo: 1000)
      ?? AntiseedRecords.defaultWidth
    try section.finish()
  }
}

extension CampaignSettings.Convergence {
  init(
    _ section: inout SettingsReader, force: Double, stress: Double
  ) throws(SettingsError) {
    self.force =
      try section.optional("force")?.positiveNumber(upTo: 100, unit: "eV/Å") ?? force
    self.stress =
      try section.optional("stress")?.positiveNumber(upTo: 1000, unit: "GPa") ?? stress
  }
}

extension CampaignSettings.Relaxations {
  init(_ section: SettingsReader) throws(SettingsError) {
    var section = section
    var coarseSection = try section.section("coarse")
    coarse = try .init(&coarseSection, force: 0.1, stress: 2)
    try coarseSection.finish()
    tight = try .init(&section, force: 0.02, stress: 0.4)
    steps = try section.optional("steps")?.integer(in: 1...1_000_000) ?? 400
    try section.finish()
    guard coarse.force >= tight.force, coarse.stress >= tight.stress else {
      throw coarseSection.error(
        found: "coarse force \(coarse.force), stress \(coarse.stress)",
        allowed: "values from the tight ones (\(tight.force) eV/Å, \(tight.stress) GPa) upwards")
    }
  }
}

extension CampaignSettings.Rerank {
  init(_ section: SettingsReader) throws(SettingsError) {
    var section = section
    top = try section.optional("top")?.integer(in: 0...100_000) ?? 10
    convergence = try .init(&section, force: 0.02, stress: 0.4)
    try section.finish()
  }
}
