import Crystal
import Foundation
import NumericalCore
import ReferenceEngines
import Settings
import TestSupport
import Testing

/// Curves in the place of a program: VASP's settings from 200 eV and 1.0 1/Å on.
private struct Curve {
  let structure: Structure
  let program: VASPProgram

  init() throws {
    structure = try ExternalMethods.silicon()
    var settings = VASPSettings()
    settings.cutoff = 200
    settings.kSpacing = 1
    program = VASPProgram(settings)
  }

  func label(energyPerAtom: Double, pressure: Double = 0, force: Double = 0) -> LabelOutcome {
    let atoms = structure.atomCount
    return .labelled(
      Evaluation(
        energy: Double(atoms) * energyPerAtom,
        forces: (0..<atoms).map { Vector3(0.1, Double($0), force) },
        virial: -pressure * structure.volume * .identity, of: structure))
  }

  func search(
    _ thresholds: ConvergenceThresholds = ConvergenceThresholds(), largestCutoff: Double? = nil,
    smallestKSpacing: Double? = nil
  ) -> ConvergenceSearch {
    ConvergenceSearch(
      of: structure, with: program, thresholds: thresholds, largestCutoff: largestCutoff,
      smallestKSpacing: smallestKSpacing)
  }

  /// Runs a search to its end.
  func end(
    _ search: inout ConvergenceSearch, _ outcome: (CalculationAccuracy) -> LabelOutcome
  ) throws -> ConvergenceSearch.Step {
    for _ in 0..<100 {
      guard case .compute(let accuracy) = search.next else { return search.next }
      #expect(search.outcome(at: accuracy) == nil, "computed twice: \(accuracy)")
      search.record(outcome(accuracy), at: accuracy)
    }
    throw SettingsError(file: "", line: nil, keyPath: "", found: "no end", allowed: "an end")
  }

  /// The cutoffs as the search walks them.
  func cutoffs() throws -> [Double] {
    var search = search()
    var random = RandomStream(seed: 3, purpose: .test)
    let end = try end(&search) { _ in label(energyPerAtom: random.uniform(0, 10)) }
    #expect(end == .reachedLimit(.cutoff))
    return try #require(search.series.first).settings.map(\.cutoff)
  }
}

@Suite("Convergence of cutoff and k-points")
struct ConvergenceSearchTests {
  @Test("Steps are round numbers that always rise, up to four times the start")
  func steps() throws {
    let cutoffs = try Curve().cutoffs()
    #expect(cutoffs.first == 200)
    #expect(cutoffs.last.map { $0 <= 800 && $0 > 680 } == true)
    for (lower, higher) in zip(cutoffs, cutoffs.dropFirst()) {
      #expect(higher.truncatingRemainder(dividingBy: 10) == 0)
      #expect(higher / lower > 1.1 && higher / lower < 1.2)
    }
    let start = CalculationAccuracy(cutoff: 3, kSpacing: 0.5)
    let tight = start.tightened(.rydberg, cutoffFactor: 1.01, spacingDivisor: 1.5)
    #expect(tight == CalculationAccuracy(cutoff: 4, kSpacing: 0.333))
    #expect(start.tightened(.rydberg, cutoffFactor: 1, spacingDivisor: 1) == start)
  }

  @Test("The answer is the first setting that both next ones agree with, in each direction")
  func smoothCurve() throws {
    let curve = try Curve()
    func missing(_ accuracy: CalculationAccuracy) -> Double {
      exp((200 - accuracy.cutoff) / 40) + accuracy.kSpacing * accuracy.kSpacing / 20
    }
    var search = curve.search()
    let end = try curve.end(&search) { curve.label(energyPerAtom: missing($0)) }
    guard case .converged(let answer) = end else {
      Issue.record("\(end)")
      return
    }
    #expect(search.series.map(\.kind) == [.cutoff, .kSpacing, .both])
    for series in search.series.dropLast() {
      let energies = series.settings.map(missing)
      let first = (0..<energies.count - 2).first { place in
        [1, 2].allSatisfy { abs(energies[place] - energies[place + $0]) < 0.02 }
      }
      // It ends there: the two settings after the answer are the last ones.
      #expect(first == energies.count - 3)
      #expect(series.settings.contains(answer) || series.kind == .cutoff)
    }
    let meshes = search.series[1].settings.map {
      curve.structure.reciprocalMesh(spacing: $0.kSpacing)
    }
    #expect(Set(meshes).count == meshes.count)
    let changes = search.changes(in: search.series[0])
    #expect(changes.last == .some(nil) && changes.dropLast().allSatisfy { $0 != nil })
  }

  @Test("A curve that crosses itself is not taken for a converged one")
  func crossing() throws {
    let curve = try Curve()
    let cutoffs = try curve.cutoffs()
    let energies = [0, 0.001, 0.5, 0.3, 0.29, 0.6, 0.601, 0.602, 0.6]
    var search = curve.search()
    let end = try curve.end(&search) { accuracy in
      let place = cutoffs.firstIndex(of: accuracy.cutoff) ?? 0
      return curve.label(energyPerAtom: energies[min(place, energies.count - 1)])
    }
    #expect(end == .converged(CalculationAccuracy(cutoff: cutoffs[5], kSpacing: 1)))
  }

  @Test("Pressure and forces count as the energy does", arguments: ["pressure", "force"])
  func otherQuantities(quantity: String) throws {
    let curve = try Curve()
    var search = curve.search()
    let end = try curve.end(&search) { accuracy in
      let missing = exp((200 - accuracy.cutoff) / 40)
      // 1 eV/Å³ are 160 GPa.
      return quantity == "force"
        ? curve.label(energyPerAtom: 1, force: 10 * missing)
        : curve.label(energyPerAtom: 1, pressure: 0.2 * missing)
    }
    guard case .converged(let answer) = end else {
      Issue.record("\(end)")
      return
    }
    let missing = exp((200 - answer.cutoff) / 40)
    #expect(answer.cutoff > 300 && missing < (quantity == "force" ? 0.035 : 0.04))
  }

  @Test("A setting beside a failed calculation is not converged; three failures in a row end it")
  func failures() throws {
    let curve = try Curve()
    let cutoffs = try curve.cutoffs()
    var search = curve.search()
    var end = try curve.end(&search) { accuracy in
      accuracy.cutoff == cutoffs[1]
        ? .failed(reason: "no convergence") : curve.label(energyPerAtom: 1)
    }
    #expect(end == .converged(CalculationAccuracy(cutoff: cutoffs[2], kSpacing: 1)))
    search = curve.search()
    end = try curve.end(&search) { accuracy in
      accuracy.cutoff > 240
        ? .failed(reason: "at \(accuracy.cutoff)") : curve.label(energyPerAtom: 1)
    }
    #expect(end == .failed(reason: "at \(cutoffs[4])"))
    #expect(search.series[0].settings.count == 5)
  }

  @Test("Nothing is converged at the limit, however flat the curve")
  func limits() throws {
    let curve = try Curve()
    let flat = { (_: CalculationAccuracy) in curve.label(energyPerAtom: 1) }
    var search = curve.search(largestCutoff: 235)
    #expect(try curve.end(&search, flat) == .reachedLimit(.cutoff))
    #expect(search.series[0].settings.count == 2)
    search = curve.search(smallestKSpacing: 0.7)
    #expect(try curve.end(&search, flat) == .reachedLimit(.kSpacing))
    search = curve.search()
    #expect(
      try curve.end(&search, flat) == .converged(CalculationAccuracy(cutoff: 200, kSpacing: 1)))
    #expect(search.series.map(\.settings.count) == [3, 3, 2])
  }

  @Test("Where cutoff and k-points depend on each other, both go on together until they settle")
  func coupled() throws {
    let curve = try Curve()
    // Both get finer together: the spacings must not end before the cutoffs have settled.
    var search = curve.search(smallestKSpacing: 0.1)
    // At the mesh of the start the cutoff seems not to matter.
    func energy(_ accuracy: CalculationAccuracy) -> Double {
      accuracy.kSpacing == 1 ? 0 : 5 + exp((200 - accuracy.cutoff) / 40)
    }
    let end = try curve.end(&search) { curve.label(energyPerAtom: energy($0)) }
    guard case .converged(let answer) = end else {
      Issue.record("\(end)")
      return
    }
    let together = try #require(search.series.last)
    #expect(together.kind == .both && together.settings[0].cutoff == 200)
    #expect(together.settings[together.settings.count - 3] == answer)
    #expect(exp((200 - answer.cutoff) / 40) < 0.025)
    search = curve.search(largestCutoff: 300)
    #expect(
      try curve.end(&search) { curve.label(energyPerAtom: energy($0)) } == .reachedLimit(.both))
  }
}

@Suite("Programs with another accuracy")
struct AdjustableProgramTests {
  private static let vasp = """
    reference:
      kind: vasp
      cutoff: 300
      incar: {NCORE: 4, LREAL: Auto}
      smearing: {kind: fermi-dirac, width: 0.2}
    """

  private func check(_ text: String, cutoff: Double) throws {
    let method = try ExternalMethods.method(text)
    let program = try #require(method.program as? any AdjustableProgram)
    #expect(program.with(program.accuracy).settingsBytes == program.settingsBytes)
    let accuracy = CalculationAccuracy(cutoff: cutoff, kSpacing: 0.417)
    let finer = program.with(accuracy)
    #expect(finer.accuracy == accuracy && finer.launch == program.launch)
    #expect(finer.with(program.accuracy).settingsBytes == program.settingsBytes)
    let folder = try TemporaryFolder()
    let source = "\(folder.path)/in/engine.yaml"
    try FileManager.default.createDirectory(
      atPath: "\(folder.path)/in", withIntermediateDirectories: true)
    try AtomicFile.write(text, to: source)
    let written = try ReferenceBlock(path: source)
      .text(with: finer, comments: ["one", "two\nlines"], at: "\(folder.path)/reference.yaml")
    #expect(written.hasPrefix("# one\n# two lines\nreference:\n  kind: "), "\(written)")
    let read = try ExternalMethods.method(written)
    #expect(read.program.settingsBytes == finer.settingsBytes, "\(written)")
    #expect(read.limits == method.limits)
  }

  @Test("Blocks are written with nothing but cutoffs and k-points changed")
  func blocks() throws {
    try check(ExternalMethods.espresso, cutoff: 23)
    try check(ExternalMethods.espresso + "\n  density_cutoff: 50\n  time_limit: 2h", cutoff: 19)
    try check(Self.vasp, cutoff: 410)
  }

  @Test(
    "The same for CP2K, whose relative cutoff stays",
    .enabled(if: FileManager.default.fileExists(atPath: "/usr/share/cp2k/BASIS_MOLOPT")),
    .enabled(if: ChildProcess.path(of: "cp2k.psmp") != nil))
  func cp2k() throws {
    try check(ExternalMethods.cp2k, cutoff: 230)
  }

  @Test("Each program's own ranges are those of its settings, also behind the protocol")
  func ranges() throws {
    func check<Program: AdjustableProgram>(
      _ program: Program, _ cutoffs: ClosedRange<Double>, _ kSpacings: ClosedRange<Double>
    ) {
      #expect(Program.cutoffs == cutoffs && program.allowedCutoffs == cutoffs)
      #expect(Program.kSpacings == kSpacings && program.allowedKSpacings == kSpacings)
    }
    check(VASPProgram(VASPSettings()), 50...5000, 0.02...5)
    let espresso = try ExternalMethods.method(ExternalMethods.espresso).program
    check(try #require(espresso as? EspressoProgram), 1...1000, 0.01...10)
    let vasp: any AdjustableProgram = VASPProgram(VASPSettings())
    #expect(vasp.allowedKSpacings == 0.02...5)
    for (text, key) in [("k_spacing: 0.015", "k_spacing"), ("cutoff: 49", "cutoff")] {
      #expect {
        _ = try ExternalMethods.settings("reference:\n  kind: vasp\n  \(text)\n")
      } throws: { ($0 as? SettingsError)?.keyPath == "reference.\(key)" }
    }
  }

  @Test("The cutoff of the density stays the same multiple, and never falls below four")
  func density() throws {
    let text = ExternalMethods.espresso.replacing(
      "cutoff: 12", with: "cutoff: 12\n  density_cutoff: 60")
    let program = try #require(
      ExternalMethods.method(text).program as? EspressoProgram)
    let finer = program.with(CalculationAccuracy(cutoff: 21, kSpacing: 0.5))
    #expect(finer.parameters.densityCutoff == 105)
    #expect(finer.parameters.pseudopotentials == program.parameters.pseudopotentials)
  }

  @Test("A folder that counts from the block's file is still found from elsewhere")
  func paths() throws {
    let folder = try TemporaryFolder()
    try FileManager.default.createDirectory(
      atPath: "\(folder.path)/in", withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(
      atPath: "\(folder.path)/in/pseudo", withDestinationPath: "/usr/share/espresso/pseudo")
    let source = "\(folder.path)/in/engine.yaml"
    try AtomicFile.write(
      ExternalMethods.espresso.replacing("/usr/share/espresso/pseudo", with: "pseudo"), to: source)
    guard case .external(let method) = try ReferenceSettings(path: source).model,
      let program = method.program as? any AdjustableProgram
    else {
      Issue.record("no program")
      return
    }
    let block = try ReferenceBlock(path: source)
    for place in ["in/reference.yaml", "reference.yaml"] {
      let path = "\(folder.path)/\(place)"
      let text = block.text(with: program, comments: [], at: path)
      #expect(text.contains("\(folder.path)/in/pseudo") == (place == "reference.yaml"), "\(text)")
      try AtomicFile.write(text, to: path)
      let settings = try ReferenceSettings(path: path)
      #expect(try settings.canonicalBytes == ReferenceSettings(path: source).canonicalBytes)
    }
  }
}

@Suite("Reference blocks with VASP's library")
struct PotentialFolderTests {
  /// What a file's block describes; `nil` where that is not VASP.
  private static func program(_ path: String) throws -> VASPProgram? {
    guard case .external(let method) = try ReferenceSettings(path: path).model else { return nil }
    return method.program as? VASPProgram
  }

  @Test("VASP's library counts from the block's file, too")
  func library() throws {
    let folder = try TemporaryFolder()
    try folder.write("in/engine.yaml", "reference:\n  kind: vasp\n  potcar_folder: potpaw\n")
    let source = folder.path + "/in/engine.yaml"
    let first = try #require(try Self.program(source))
    #expect(first.settings.potentials.folder == folder.path + "/in/potpaw")
    let moved = folder.path + "/reference.yaml"
    try AtomicFile.write(
      ReferenceBlock(path: source).text(with: first, comments: [], at: moved), to: moved)
    let second = try #require(try Self.program(moved))
    #expect(second.settings.potentials.folder == folder.path + "/in/potpaw")
  }

  @Test("A folder that is plainly nothing stays nothing, and one of that name a folder")
  func nothing() throws {
    let folder = try TemporaryFolder()
    for (word, expected) in [
      ("~", nil), ("null", nil), ("'null'", "/in/null"), ("'~'", "/in/~"),
    ] {
      let text = "reference:\n  kind: vasp\n  potcar_folder: \(word)\n"
      try folder.write("in/engine.yaml", text)
      let source = folder.path + "/in/engine.yaml"
      let moved = folder.path + "/reference.yaml"
      let program = try #require(ExternalMethods.method(text).program as? VASPProgram)
      try AtomicFile.write(
        ReferenceBlock(path: source).text(with: program, comments: [], at: moved), to: moved)
      let read = try #require(try Self.program(moved), "\(word)")
      #expect(read.settings.potentials.folder == expected.map { folder.path + $0 }, "\(word)")
    }
  }
}

@Suite("Labels against finer ones")
struct RecomputedErrorsTests {
  @Test("Energies are compared as they are and without their mean difference")
  func errors() throws {
    let structure = try ExternalMethods.silicon()
    func evaluation(_ energy: Double, force: Double, pressure: Double) -> Evaluation {
      Evaluation(
        energy: energy, forces: [Vector3(force, 0, 0), .zero],
        virial: -pressure * structure.volume * .identity, of: structure)
    }
    let labels = try [0.2, 0.4, 0.6].map {
      try LabelledStructure(structure, evaluation($0, force: 0.6, pressure: 0.1))
    }
    let finer = (0..<3).map { _ in evaluation(0, force: 0, pressure: 0.3) }
    let errors = RecomputedErrors(of: labels, recomputed: finer)
    #expect(errors.structureCount == 3)
    #expect(errors.energyPerAtom.isClose(to: 0.2, relative: 1e-12, absolute: 0))
    #expect(errors.energyShiftPerAtom.isClose(to: 0.2, relative: 1e-12, absolute: 0))
    #expect(errors.relativeEnergyPerAtom.isClose(to: 0.2 / 3, relative: 1e-12, absolute: 0))
    #expect(errors.force.isClose(to: 0.1, relative: 1e-12, absolute: 0))
    #expect(errors.pressure.isClose(to: 0.2, relative: 1e-12, absolute: 0))
  }

  @Test("Samples are spread evenly, ascending and without repetition")
  func samples() {
    #expect(RecomputedErrors.sample(3, of: 9) == [1, 4, 7])
    #expect(RecomputedErrors.sample(5, of: 3) == [0, 1, 2])
    for total in 1...40 {
      for count in 1...total {
        let sample = RecomputedErrors.sample(count, of: total)
        #expect(sample.count == count && zip(sample, sample.dropFirst()).allSatisfy(<))
        #expect(sample.allSatisfy { (0..<total).contains($0) })
      }
    }
  }
}
