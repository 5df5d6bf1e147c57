// swift-tools-version: 6.2
import Foundation
import PackageDescription

// Vector kernels need the CPU's features: without them a fused multiply-add of a SIMD8<Double> is a
// library call per lane. POLYMORPH_CPU names another target CPU (gcc's -march values) for clusters
// with mixed nodes; "generic" leaves the flag out and multiplies and adds in two steps.
let targetCPU = ProcessInfo.processInfo.environment["POLYMORPH_CPU"] ?? "native"
let hasAVX512 =
  targetCPU == "native"
  ? (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8))?.contains("avx512dq") ?? false
  : ["avx512", "cascadelake", "cooperlake", "icelake", "rapids", "x86-64-v4", "znver4", "znver5"]
    .contains { targetCPU.contains($0) }
let vectorFlags: [SwiftSetting] =
  (targetCPU == "generic"
    ? [.define("POLYMORPH_NO_FMA")]
    : [
      .unsafeFlags(["-Xcc", "-march=\(targetCPU)"], .when(configuration: .release)),
      .define("POLYMORPH_NO_FMA", .when(configuration: .debug)),
    ]) + (hasAVX512 ? [] : [.define("POLYMORPH_FOUR_LANES")])
let strict: [SwiftSetting] =
  ProcessInfo.processInfo.environment["POLYMORPH_STRICT"] == nil
  ? [] : [.treatAllWarnings(as: .error)]

func module(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
  .target(
    name: name, dependencies: dependencies, exclude: exclude, swiftSettings: vectorFlags + strict)
}

func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .executableTarget(
    name: name, dependencies: dependencies, swiftSettings: vectorFlags + strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], fixtures: Bool = false) -> Target {
  .testTarget(
    name: name, dependencies: dependencies + ["TestSupport"],
    resources: fixtures ? [.copy("Fixtures")] : [], swiftSettings: vectorFlags + strict)
}

func library(_ name: String, pkgConfig: String) -> Target {
  .systemLibrary(
    name: name, path: "Sources/SystemLibraries/\(name)", pkgConfig: pkgConfig)
}

let package = Package(
  name: "polymorph",
  targets: [
    library("CMPI", pkgConfig: "ompi-c"),
    library("CBLAS", pkgConfig: "openblas"),
    library("CFFTW", pkgConfig: "fftw3"),
    library("CSpglib", pkgConfig: "spglib"),
    library("CYAML", pkgConfig: "yaml-0.1"),
    library("CSQLite", pkgConfig: "sqlite3"),
    .systemLibrary(name: "CVector", path: "Sources/SystemLibraries/CVector"),
    .systemLibrary(name: "CProcess", path: "Sources/SystemLibraries/CProcess"),

    module("NumericalCore", ["CBLAS", "CFFTW", "CVector"]),
    module("Settings", ["NumericalCore", "CYAML"]),
    module("Crystal", ["NumericalCore", "CSpglib"]),
    module("StructureFormats", ["NumericalCore", "Crystal"]),
    module("Archive", ["NumericalCore", "Crystal", "CSQLite"]),
    module("Potential", ["NumericalCore", "Crystal"]),
    module("Dynamics", ["NumericalCore", "Crystal", "Potential"]),
    module(
      "ReferenceEngines",
      ["NumericalCore", "Crystal", "Potential", "StructureFormats", "Settings", "CProcess"]),
    module("Dataset", ["NumericalCore", "Crystal", "Potential", "StructureFormats"]),
    module("Evolution", ["NumericalCore", "Crystal"]),
    module("Plotting", ["NumericalCore"]),
    module("MPIBindings", ["CMPI"]),
    module(
      "Coordinator",
      [
        "NumericalCore", "Settings", "Crystal", "StructureFormats", "Archive", "Potential",
        "Dynamics", "ReferenceEngines", "Dataset", "Evolution", "MPIBindings", "Plotting",
      ]),
    program(
      "polymorph",
      [
        "NumericalCore", "Settings", "Crystal", "StructureFormats", "Potential", "Dynamics",
        "ReferenceEngines", "Dataset", "MPIBindings", "Coordinator",
      ]),
    program(
      "Benchmarks",
      [
        "NumericalCore", "Settings", "Crystal", "StructureFormats", "Potential", "Dynamics",
        "Evolution", "Plotting", "Coordinator",
      ]),

    .target(
      name: "TestSupport", dependencies: ["NumericalCore", "Crystal", "Potential"],
      path: "Tests/TestSupport", swiftSettings: vectorFlags + strict),
    .executableTarget(
      name: "MPIProbe", dependencies: ["MPIBindings"], path: "Tests/MPIProbe",
      swiftSettings: vectorFlags + strict),
    .executableTarget(
      name: "VASPStandIn",
      dependencies: [
        "NumericalCore", "Crystal", "StructureFormats", "Potential", "Dynamics", "ReferenceEngines",
      ], path: "Tests/VASPStandIn", swiftSettings: vectorFlags + strict),
    tests("NumericalCoreTests", ["NumericalCore"]),
    tests("SettingsTests", ["Settings"]),
    tests("CrystalTests", ["Crystal"]),
    tests("StructureFormatsTests", ["StructureFormats"], fixtures: true),
    tests("ArchiveTests", ["Archive"]),
    tests("PotentialTests", ["Potential", "StructureFormats"], fixtures: true),
    tests("DynamicsTests", ["Dynamics", "Potential", "ReferenceEngines"], fixtures: true),
    tests(
      "ReferenceEnginesTests", ["ReferenceEngines", "Dynamics", "StructureFormats"], fixtures: true),
    tests("DatasetTests", ["Dataset", "StructureFormats"], fixtures: true),
    tests("EvolutionTests", ["Evolution"]),
    tests("PlottingTests", ["Plotting"]),
    tests("MPIBindingsTests", ["MPIBindings"]),
    tests("CoordinatorTests", ["Coordinator"], fixtures: true),
    tests("CommandLineTests", ["Coordinator"], fixtures: true),
  ],
  swiftLanguageModes: [.v6]
)
