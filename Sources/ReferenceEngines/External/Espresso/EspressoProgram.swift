import Crystal
import Foundation
import NumericalCore

/// Quantum ESPRESSO's `pw.x`: density functional theory with plane waves and pseudopotentials.
///
/// Energies are what belongs to the forces: with smeared occupations that is the free energy E − TS of
/// the electrons (N. Marzari et al., Phys. Rev. Lett. 82, 3296 (1999), doi:10.1103/PhysRevLett.82.3296),
/// which `pw.x` prints as the total energy.
public struct EspressoProgram: CalculationProgram, Hashable {
  /// The settings of a calculation.
  public struct Parameters: Sendable, Hashable {
    /// How occupations are smeared.
    public enum Smearing: String, Sendable, CaseIterable {
      /// A Gaussian.
      case gaussian
      /// Methfessel and Paxton's first order.
      case methfesselPaxton = "methfessel-paxton"
      /// Marzari and Vanderbilt's cold smearing.
      case marzariVanderbilt = "marzari-vanderbilt"
      /// The Fermi distribution.
      case fermiDirac = "fermi-dirac"
    }

    /// The program with its arguments.
    public var command: [String]
    /// Variables set for the program.
    public var environment: [String: String]
    /// The pseudopotential of every element.
    public var pseudopotentials: [ChemicalElement: PseudopotentialFile]
    /// Plane waves of the wave functions, in Ry.
    public var cutoff: Double
    /// Plane waves of the density, in Ry.
    public var densityCutoff: Double
    /// The largest distance between k-points in 1/Å, with the factor 2π.
    public var kPointSpacing: Double
    /// The distribution of occupations.
    public var smearing: Smearing
    /// Its width in eV.
    public var smearingWidth: Double
    /// Whether spin up and spin down differ.
    public var isSpinPolarized: Bool
    /// The magnetization that elements start from, −1 to 1; 0.5 where none is given.
    public var startingMagnetization: [ChemicalElement: Double]
    /// The estimated error of the energy at which the self-consistent field ends, in Ry per cell; `nil`
    /// for `defaultConvergencePerAtom` times the number of atoms.
    public var convergence: Double?
    /// Most steps of the self-consistent field.
    public var steps: Int
    /// The share of the new density in every step.
    public var mixing: Double
    /// Further variables of the namelists `control`, `system` and `electrons`, as they are written.
    public var extra: [String: [String: String]]

    /// In Ry: errors of about 0.01 meV per atom and 1 meV/Å.
    public static let defaultConvergencePerAtom = 1e-9

    /// Creates settings.
    ///
    /// - Parameters:
    ///   - pseudopotentials: The pseudopotential of every element.
    ///   - cutoff: Of the wave functions, in Ry.
    ///   - densityCutoff: In Ry; by default 4 times the cutoff where all pseudopotentials conserve the
    ///     norm, and 10 times otherwise.
    public init(
      pseudopotentials: [ChemicalElement: PseudopotentialFile], cutoff: Double,
      densityCutoff: Double? = nil
    ) {
      command = ["pw.x"]
      environment = [:]
      self.pseudopotentials = pseudopotentials
      self.cutoff = cutoff
      let conservesNorm = pseudopotentials.values.allSatisfy { $0.kind == .normConserving }
      self.densityCutoff = densityCutoff ?? (conservesNorm ? 4 : 10) * cutoff
      kPointSpacing = 0.3
      smearing = .gaussian
      smearingWidth = 0.1
      isSpinPolarized = false
      startingMagnetization = [:]
      steps = 100
      mixing = 0.4
      extra = [:]
    }
  }

  /// The settings.
  public let parameters: Parameters

  /// Creates the program.
  public init(_ parameters: Parameters) { self.parameters = parameters }

  /// `espresso`.
  public var kind: String { "espresso" }

  /// Cutoffs, k-points and smearing.
  public var summary: String {
    let files = parameters.pseudopotentials.sorted { $0.key < $1.key }.map(\.value.name)
    return "espresso: \(files.joined(separator: ", ")), \(parameters.cutoff) Ry "
      + "(density \(parameters.densityCutoff) Ry), k-points \(parameters.kPointSpacing) 1/Å, "
      + "\(parameters.smearing.rawValue) \(parameters.smearingWidth) eV"
      + (parameters.isSpinPolarized ? ", spin" : "")
  }

  /// The canonical bytes of the settings; of pseudopotentials the content counts, not the path.
  public var settingsBytes: [UInt8] {
    var encoder = ByteEncoder()
    encoder.encode("espresso 1")
    for (element, file) in parameters.pseudopotentials.sorted(by: { $0.key < $1.key }) {
      encoder.encode(element)
      encoder.encode(file.digest)
    }
    for number in [
      parameters.cutoff, parameters.densityCutoff, parameters.kPointSpacing,
      parameters.smearingWidth, parameters.convergence ?? 0, parameters.mixing,
    ] {
      encoder.encode(number)
    }
    encoder.encode(parameters.smearing.rawValue)
    encoder.encode(parameters.isSpinPolarized)
    for (element, value) in parameters.startingMagnetization.sorted(by: { $0.key < $1.key }) {
      encoder.encode(element)
      encoder.encode(value)
    }
    encoder.encode(parameters.steps)
    for (namelist, variables) in parameters.extra.sorted(by: { $0.key < $1.key }) {
      encoder.encode(namelist)
      for (name, value) in variables.sorted(by: { $0.key < $1.key }) {
        encoder.encode(name)
        encoder.encode(value)
      }
    }
    return encoder.bytes
  }

  /// The smallest Γ-centred mesh with at most `kPointSpacing` between points.
  public func mesh(for structure: Structure) -> [Int]? {
    structure.reciprocalMesh(spacing: parameters.kPointSpacing)
  }

  /// `pw.x` reads its standard input.
  public var launch: CalculationLaunch {
    CalculationLaunch(
      command: parameters.command, input: Self.inputName, output: Self.outputName,
      environment: parameters.environment)
  }

  /// On an empty input `pw.x` prints its version and ends.
  public var versionLaunch: CalculationLaunch? {
    CalculationLaunch(
      command: parameters.command, input: nil, output: Self.outputName,
      environment: parameters.environment)
  }

  /// The version in the first lines of any output.
  public func version(in output: String) -> String? { EspressoOutput.version(in: output) }

  /// Where `pw.x` keeps densities and wave functions.
  public var scratch: [String] { [Self.scratchName] }

  /// Reads `pw.out`; the output of another structure counts as none.
  public func result(in folder: String, for structure: Structure) -> CalculationResult {
    guard let data = FileManager.default.contents(atPath: "\(folder)/\(Self.outputName)") else {
      return .unfinished(reason: "no \(Self.outputName)")
    }
    return EspressoOutput(String(decoding: data, as: UTF8.self)).singlePoint(of: structure)
  }

  static let inputName = "pw.in"
  static let outputName = "pw.out"
  static let scratchName = "scratch"
}
