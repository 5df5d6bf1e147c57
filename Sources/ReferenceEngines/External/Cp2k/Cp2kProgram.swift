import Crystal
import Foundation
import NumericalCore

/// CP2K's Quickstep: density functional theory with Gaussians and plane waves.
///
/// Energies are what belongs to the forces: with smeared occupations that is the free energy E − TS of
/// the electrons, which CP2K prints as the total energy.
public struct Cp2kProgram: CalculationProgram, Hashable {
  /// The settings of a calculation.
  public struct Parameters: Sendable, Hashable {
    /// Exchange and correlation.
    public enum Functional: String, Sendable, CaseIterable {
      /// Perdew, Burke and Ernzerhof.
      case pbe = "PBE"
      /// The same for solids.
      case pbeSol = "PBEsol"
      /// The local density approximation in Padé form.
      case lda = "LDA"
    }

    /// What one element is made of.
    public struct Kind: Sendable, Hashable {
      /// The name of its basis set.
      public var basis: String
      /// The name of its pseudopotential.
      public var potential: String

      /// Creates a kind.
      public init(basis: String = "DZVP-MOLOPT-SR-GTH", potential: String = "GTH-PBE") {
        self.basis = basis
        self.potential = potential
      }
    }

    /// The program with its arguments.
    public var command: [String]
    /// Variables set for the program.
    public var environment: [String: String]
    /// The file with the basis sets.
    public var basisFile: Cp2kDataFile
    /// The file with the pseudopotentials.
    public var potentialFile: Cp2kDataFile
    /// Basis set and pseudopotential of every element.
    public var kinds: [ChemicalElement: Kind]
    /// Of the finest grid, in Ry.
    public var cutoff: Double
    /// Which Gaussians go to which grid, in Ry.
    public var relativeCutoff: Double
    /// The largest distance between k-points in 1/Å, with the factor 2π.
    public var kPointSpacing: Double
    /// Exchange and correlation.
    public var functional: Functional
    /// The width kT of the Fermi distribution in eV.
    public var smearingWidth: Double
    /// Unoccupied states; `nil` for 4, and 2 for every atom.
    public var addedOrbitals: Int?
    /// Whether spin up and spin down differ.
    public var isSpinPolarized: Bool
    /// The magnetic moments that atoms start from where spins may differ, in Bohr magnetons; 1 for elements
    /// not named.
    ///
    /// Their sum decides the multiplicity of the first density; later ones may have another.
    public var magneticMoments: [ChemicalElement: Double]
    /// The change of the density matrix at which the self-consistent field ends.
    public var convergence: Double
    /// Most steps of the self-consistent field.
    public var steps: Int
    /// The share of the new density in every step.
    public var mixing: Double

    /// Creates settings.
    ///
    /// - Parameters:
    ///   - basisFile: The file with the basis sets.
    ///   - potentialFile: The file with the pseudopotentials.
    ///   - kinds: Basis set and pseudopotential of every element.
    ///   - cutoff: Of the finest grid, in Ry.
    public init(
      basisFile: Cp2kDataFile, potentialFile: Cp2kDataFile, kinds: [ChemicalElement: Kind],
      cutoff: Double
    ) {
      command = ["cp2k.psmp"]
      environment = [:]
      self.basisFile = basisFile
      self.potentialFile = potentialFile
      self.kinds = kinds
      self.cutoff = cutoff
      relativeCutoff = 50
      kPointSpacing = 0.3
      functional = .pbe
      smearingWidth = 0.1
      isSpinPolarized = false
      magneticMoments = [:]
      convergence = 1e-7
      steps = 100
      mixing = 0.3
    }
  }

  /// The settings.
  public let parameters: Parameters

  /// Creates the program.
  public init(_ parameters: Parameters) { self.parameters = parameters }

  /// `cp2k`.
  public var kind: String { "cp2k" }

  /// Functional, basis, cutoffs, k-points and smearing.
  public var summary: String {
    let bases = Set(parameters.kinds.values.map(\.basis)).sorted().joined(separator: ", ")
    return "cp2k: \(parameters.functional.rawValue), \(bases), \(parameters.cutoff) Ry "
      + "(relative \(parameters.relativeCutoff) Ry), k-points \(parameters.kPointSpacing) 1/Å, "
      + "fermi-dirac \(parameters.smearingWidth) eV" + (parameters.isSpinPolarized ? ", spin" : "")
  }

  /// The smallest Γ-centred mesh with at most `kPointSpacing` between points.
  public func mesh(for structure: Structure) -> [Int]? {
    structure.reciprocalMesh(spacing: parameters.kPointSpacing)
  }

  /// The canonical bytes of the settings; of files the content counts, not the path.
  public var settingsBytes: [UInt8] {
    var encoder = ByteEncoder()
    // The third form of inputs differs by the multiplicity, which only those with spin have: labels without
    // stay valid.
    encoder.encode(parameters.isSpinPolarized ? "cp2k 3" : "cp2k 2")
    encoder.encode(parameters.basisFile.digest)
    encoder.encode(parameters.potentialFile.digest)
    for (element, kind) in parameters.kinds.sorted(by: { $0.key < $1.key }) {
      encoder.encode(element)
      encoder.encode(kind.basis)
      encoder.encode(kind.potential)
    }
    for number in [
      parameters.cutoff, parameters.relativeCutoff, parameters.kPointSpacing,
      parameters.smearingWidth, parameters.convergence, parameters.mixing,
    ] {
      encoder.encode(number)
    }
    encoder.encode(parameters.functional.rawValue)
    encoder.encode(parameters.isSpinPolarized)
    for (element, moment) in parameters.magneticMoments.sorted(by: { $0.key < $1.key }) {
      encoder.encode(element)
      encoder.encode(moment)
    }
    encoder.encode(parameters.addedOrbitals ?? -1)
    encoder.encode(parameters.steps)
    return encoder.bytes
  }

  /// CP2K reads a file that is named on its command line.
  public var launch: CalculationLaunch {
    CalculationLaunch(
      command: parameters.command + ["-i", Self.inputName], input: nil, output: Self.outputName,
      environment: parameters.environment)
  }

  /// `cp2k --version`.
  public var versionLaunch: CalculationLaunch? {
    CalculationLaunch(
      command: parameters.command + ["--version"], input: nil, output: Self.outputName,
      environment: parameters.environment)
  }

  /// The version, such as `CP2K version 2023.1`.
  public func version(in output: String) -> String? {
    output.split(whereSeparator: \.isNewline).lazy
      .map { $0.trimmingCharacters(in: .whitespaces) }.first { $0.hasPrefix("CP2K version ") }
  }

  /// Reads output, forces and stress.
  public func result(in folder: String, for structure: Structure) -> CalculationResult {
    func text(_ name: String) -> String? {
      FileManager.default.contents(atPath: "\(folder)/\(name)").map {
        String(decoding: $0, as: UTF8.self)
      }
    }
    guard let output = text(Self.outputName) else {
      return .unfinished(reason: "no \(Self.outputName)")
    }
    return Cp2kOutput(
      output, forces: text(Self.forcesName) ?? "", stress: text(Self.stressName) ?? ""
    ).result(for: structure)
  }

  static let inputName = "cp2k.inp"
  static let outputName = "cp2k.out"
  static let forcesName = "cp2k.forces"
  static let stressName = "cp2k.stress"
}
