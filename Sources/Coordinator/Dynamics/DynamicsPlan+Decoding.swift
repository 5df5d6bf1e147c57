import Crystal
import Dynamics
import Evolution
import Foundation
import NumericalCore
import Potential
import ReferenceEngines
import Settings
import StructureFormats

extension DynamicsPlan {
  /// Reads a plan; files that it names are looked for beside it.
  ///
  /// - Throws: `SettingsError` with file, line, key, what was found and what is allowed.
  public init(path: String) throws(SettingsError) {
    let document = try SettingsDocument(path: path)
    var plan = try document.mapping()
    let folder = (path as NSString).deletingLastPathComponent
    title = try plan.optional("title")?.string("a title") ?? (path as NSString).lastPathComponent
    seed = UInt64(try plan.optional("seed")?.integer(in: 0...Int.max) ?? 1)
    let force = try ForceSource(&plan, folder: folder)
    self.force = force
    let stepValue = plan.optional("time_step")
    let timeStep = try stepValue?.positiveNumber(upTo: 100, unit: "fs") ?? 1
    self.timeStep = timeStep
    start = try Start(plan.required("start", "the structure to start with"), folder: folder)
    program = try Program(&plan, seed: seed, timeStep: timeStep)
    frameInterval = try plan.optional("frames")?.number(in: timeStep...1e9, unit: "fs") ?? 20
    tableInterval = try plan.optional("table")?.number(in: timeStep...1e9, unit: "fs") ?? 100
    try plan.finish()
    node = document.root.withoutLines()
    try check(plan)
  }

  /// Checks what no single key can tell.
  private func check(_ plan: SettingsReader) throws(SettingsError) {
    let structure: Structure
    do { structure = try startStructure() } catch {
      throw plan.error(found: "\(error)", allowed: "a start with a volume")
    }
    guard structure.atomCount > 1 else {
      throw plan.error(
        found: "a single atom", allowed: "at least two atoms",
        suggestion: "add supercell: [2, 2, 2] to start")
    }
    switch force {
    case .reference(let settings): try settings.check(structure.composition())
    case .potential(let file, _):
      let known = file.potential.elements
      if let unknown = structure.distinctElements().first(where: { !known.contains($0) }) {
        throw plan.error(
          found: "\(unknown) in the start",
          allowed: "what the potential knows: \(known.map(\.symbol).joined(separator: ", "))")
      }
    }
    try checkMemory(atoms: structure.atomCount, plan)
    var needsBulk = false
    switch program {
    case .meltQuench: needsBulk = true
    case .stages(let stages):
      for case .isobaric in stages.map(\.ensemble) { needsBulk = true }
    }
    if needsBulk, structure.periodicity != .full {
      throw plan.error(
        found: "a start that does not repeat in all directions",
        allowed: "a bulk structure where pressure is kept")
    }
  }
}

extension DynamicsPlan {
  /// Spectra are made of what is held in memory, at most so many bytes.
  private static let largestMotion = 1 << 30

  private func checkMemory(atoms: Int, _ plan: SettingsReader) throws(SettingsError) {
    guard case .stages(let stages) = program else { return }
    for stage in stages {
      guard let interval = stage.spectrumInterval else { continue }
      let bytes = Double(atoms * MotionRecord.bytesPerAtom) * stage.time / interval
      guard bytes > Double(Self.largestMotion) else { continue }
      throw plan.error(
        found: "a spectrum of \(Int(bytes / Double(1 << 20))) MiB in stage '\(stage.name)'",
        allowed: "up to 1024 MiB",
        suggestion: "make spectrum longer or the stage shorter")
    }
  }
}

extension DynamicsPlan.ForceSource {
  fileprivate init(_ plan: inout SettingsReader, folder: String) throws(SettingsError) {
    let (file, block) = (plan.optional("potential"), plan.optional("reference"))
    switch (file, block) {
    case (let file?, nil):
      let name = try file.string("the name of a potential (.mtp, or .yaml with a reference: block)")
      let path = name.hasPrefix("/") || folder.isEmpty ? name : folder + "/" + name
      do { self = .potential(try PotentialFile(path: path), path: name) } catch {
        throw file.error(found: "\(error)", allowed: "a potential that can be read")
      }
    case (nil, let block?): self = .reference(try ReferenceSettings(block.mapping()))
    case (nil, nil):
      throw plan.error(
        found: "neither potential nor reference",
        allowed: "potential: FILE, or a reference: block",
        suggestion: "potential: my.mtp")
    case (_, let block?):
      throw block.error(
        found: "potential and reference", allowed: "one of them", suggestion: "remove one")
    }
  }
}

extension DynamicsPlan.Start {
  fileprivate init(_ value: SettingsValue, folder: String) throws(SettingsError) {
    var section = try value.mapping()
    if let file = section.optional("structure") {
      let name = try file.string("the name of a structure file")
      let path = name.hasPrefix("/") || folder.isEmpty ? name : folder + "/" + name
      let number = try section.optional("index")?.integer(in: 1...Int.max) ?? 1
      var structure: Structure
      do {
        let records = try StructureFile.read(path)
        guard number <= records.count else {
          throw file.error(
            found: "\(records.count) structures in '\(name)'",
            allowed: "an index up to their number")
        }
        structure = records[number - 1].structure
      } catch let error as SettingsError { throw error } catch {
        throw file.error(found: "\(error)", allowed: "a structure file that can be read")
      }
      if let cells = section.optional("supercell") {
        let counts = try cells.integers(in: 1...1000, counts: 3...3)
        structure = structure.supercell(counts[0], counts[1], counts[2])
      }
      try section.finish()
      self = .structure(structure)
      return
    }
    let formula = try section.required("composition", "structure: FILE, or composition: FORMULA")
    let unit: Composition
    do { unit = try Composition(formula: formula.string("a formula")) } catch {
      throw formula.error(found: "\(error)", allowed: "a formula such as Mg2SiO4")
    }
    let atoms = try section.optional("atoms")?.integer(in: 2...100_000) ?? 100
    let units = max(1, Int((Double(atoms) / Double(unit.atomCount)).rounded()))
    let volume =
      try section.optional("volume_per_atom")?.number(in: 1...1000, unit: "Å³")
      ?? VolumeEstimate.fromRadii(unit)
    try section.finish()
    self = .disorder(unit.repeated(units), volumePerAtom: volume)
  }
}

extension DynamicsPlan.Program {
  fileprivate init(
    _ plan: inout SettingsReader, seed: UInt64, timeStep: Double
  ) throws(SettingsError) {
    let (list, block) = (plan.optional("stages"), plan.optional("melt_quench"))
    switch (list, block) {
    case (let list?, nil):
      var stages: [DynamicsPlan.Stage] = []
      for (index, value) in try list.list("stages", counts: 1...10_000).enumerated() {
        stages.append(try DynamicsPlan.Stage(value, number: index + 1, timeStep: timeStep))
      }
      self = .stages(stages)
    case (nil, let block?):
      var section = try block.mapping()
      var settings = MeltQuenchSettings(seed: seed)
      settings.timeStep = timeStep
      try settings.read(&section)
      try section.finish()
      self = .meltQuench(settings)
    case (nil, nil):
      throw plan.error(
        found: "neither stages nor melt_quench", allowed: "a list of stages, or melt_quench: {}",
        suggestion: "stages: [{ensemble: nvt, temperature: 300, time: 10}]")
    case (_, let block?):
      throw block.error(
        found: "stages and melt_quench", allowed: "one of them", suggestion: "remove one")
    }
  }
}

extension DynamicsPlan.Stage {
  private enum Kind: String, CaseIterable {
    case nve, nvt, npt
  }

  private enum Thermostat: String, CaseIterable {
    case langevin
    case noseHoover = "nose-hoover"
  }

  fileprivate init(
    _ value: SettingsValue, number: Int, timeStep: Double
  ) throws(SettingsError) {
    var stage = try value.mapping()
    let kind = try stage.required("ensemble", "nve, nvt or npt").enumeration(Kind.self)
    name = try stage.optional("name").map(Self.name) ?? "\(number) \(kind.rawValue)"
    time =
      1000
      * (try stage.required("time", "how long, in ps").number(
        in: timeStep / 1000...1e9, unit: "ps"))
    switch kind {
    case .nve: ensemble = .microcanonical
    case .nvt:
      let (from, to) = try Self.temperatures(&stage)
      let thermostat =
        try stage.optional("thermostat")?.enumeration(Thermostat.self) ?? .langevin
      let period =
        try stage.optional("thermostat_time")?.number(in: timeStep...1e6, unit: "fs") ?? 100
      ensemble =
        thermostat == .langevin
        ? .langevin(from: from, to: to, relaxationTime: period)
        : .noseHoover(from: from, to: to, period: period)
    case .npt:
      let (from, to) = try Self.temperatures(&stage)
      let pressure = try stage.optional("pressure")?.number(in: -100...10_000, unit: "GPa") ?? 0
      let cell = try stage.optional("cell")?.enumeration(IsobaricSettings.Cell.self) ?? .flexible
      let period =
        try stage.optional("thermostat_time")?.number(in: timeStep...1e6, unit: "fs") ?? 100
      let cellPeriod =
        try stage.optional("cell_time")?.number(in: timeStep...1e7, unit: "fs") ?? 1000
      ensemble = .isobaric(
        from: from, to: to,
        pressure: pressure / PhysicalConstants.gigapascalsPerElectronvoltPerCubicAngstrom,
        cell: cell, thermostatPeriod: period, cellPeriod: cellPeriod)
    }
    spectrumInterval = try Self.spectrum(&stage, ensemble, timeStep: timeStep, time: time)
    try stage.finish()
  }

  private static let longestName = 60

  // Names stand in tables and in names of files.
  private static func name(_ value: SettingsValue) throws(SettingsError) -> String {
    let name = try value.string("a name")
    guard !name.isEmpty, name.count <= longestName,
      name.allSatisfy({ $0.isLetter || $0.isNumber || " -_.+".contains($0) })
    else {
      throw value.error(
        found: "'\(name)'",
        allowed: "up to \(longestName) letters, digits, blanks, or any of - _ . +")
    }
    return name
  }

  private static func spectrum(
    _ stage: inout SettingsReader, _ ensemble: DynamicsPlan.StageEnsemble, timeStep: Double,
    time: Double
  ) throws(SettingsError) -> Double? {
    guard let value = stage.optional("spectrum") else { return nil }
    // Vibrations of 25 THz are seen every 20 fs at least.
    let interval = try value.number(in: timeStep...max(timeStep, 20), unit: "fs")
    let isSteady =
      switch ensemble {
      case .microcanonical: true
      case .noseHoover(let from, let to, _): from == to
      case .langevin, .isobaric: false
      }
    guard isSteady else {
      throw value.error(
        found: "a spectrum where noise, a ramp or a moving cell disturbs vibrations",
        allowed: "nve, or nvt with thermostat: nose-hoover at one temperature",
        suggestion: "add a stage {ensemble: nve, time: 20, spectrum: 4} after this one")
    }
    let steps = { (time: Double) in (time / timeStep).rounded() }
    guard steps(time) >= 3 * steps(interval) else {
      throw value.error(
        found: "a spectrum of less than three frames",
        allowed: "an interval of at most a third of the time")
    }
    return interval
  }

  private static func temperatures(
    _ stage: inout SettingsReader
  ) throws(SettingsError) -> (Double, Double) {
    let value = try stage.required("temperature", "a temperature in K, or [first, last]")
    guard value.isList else {
      let temperature = try value.positiveNumber(upTo: 1e6, unit: "K")
      return (temperature, temperature)
    }
    var ends: [Double] = []
    for end in try value.list("temperatures in K", counts: 2...2) {
      ends.append(try end.positiveNumber(upTo: 1e6, unit: "K"))
    }
    return (ends[0], ends[1])
  }
}
