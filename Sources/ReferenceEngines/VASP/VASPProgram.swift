import Crystal
import NumericalCore
import StructureFormats
import Synchronization

/// VASP as a program that labels structures: a single point with energy, forces and stress.
///
/// VASP is licensed and its potentials are: both are the user's. The program only writes the inputs and reads
/// `vasprun.xml`, or the OUTCAR where that is damaged.
public struct VASPProgram: CalculationProgram {
  /// The method.
  public let settings: VASPSettings
  /// How VASP is started, without a shell; empty where inputs are only written.
  public let command: [String]
  private let digests = PotentialDigests()

  /// Creates the program in code.
  public init(_ settings: VASPSettings, command: [String] = []) {
    self.settings = settings
    self.command = command
  }

  /// `vasp`.
  public var kind: String { "vasp" }

  /// The method with its main parameters.
  public var summary: String {
    let spin = settings.isSpinPolarized ? ", spin-polarised" : ""
    let names = settings.potentials.names.sorted { $0.key < $1.key }.map(\.value)
    let potentials = names.isEmpty ? "recommended potentials" : names.joined(separator: ", ")
    return "vasp: \(VASPSettings.number(settings.cutoff)) eV, k-points \(settings.kSpacing) 1/Å, "
      + "\(settings.smearing.rawValue) smearing \(settings.smearingWidth) eV\(spin), \(potentials)"
  }

  /// The canonical bytes of the method.
  public var settingsBytes: [UInt8] { settings.canonicalBytes }

  /// The method with the potentials of a structure: their names and, where the library holds them all, the
  /// SHA-256 of its POTCAR.
  public func settingsBytes(for structure: Structure) -> [UInt8] {
    var encoder = ByteEncoder()
    encoder.encode(settingsBytes)
    // A structure that VASP cannot treat gets no label: any key will do.
    guard let elements = try? calculated(structure).blocks else { return encoder.bytes }
    encoder.encode(settings.potentials.list(for: elements))
    // Where a potential is missing the calculation says so.
    encoder.encode((try? digests.digest(of: elements, in: settings.potentials)) ?? "")
    return encoder.bytes
  }

  /// The smallest Γ-centred mesh with at most `kSpacing` between points, along the vectors of the cell that
  /// VASP is given.
  public func mesh(for structure: Structure) -> [Int]? {
    // A structure that VASP cannot treat gets no label.
    (try? calculated(structure))?.structure.reciprocalMesh(spacing: settings.kSpacing)
  }

  /// Starts the command in the folder; what VASP prints goes to `vasp.out`.
  public var launch: CalculationLaunch {
    CalculationLaunch(command: command, input: nil, output: Self.outputName)
  }

  static let outputName = "vasp.out"

  /// Looks for the potentials of some elements, so that a campaign does not begin without them.
  ///
  /// - Throws: `ReferenceEngineError.file` for the first that is missing, compressed or of another element;
  ///   never where no library is named.
  public func check(_ elements: [ChemicalElement]) throws(ReferenceEngineError) {
    if settings.potentials.folder != nil { _ = try settings.potentials.potcar(for: elements) }
  }

  /// INCAR, KPOINTS, POSCAR and POTCAR; without a library of potentials their names as POTCAR.list.
  ///
  /// - Throws: `ReferenceEngineError` where a potential is missing or the structure is no bulk crystal.
  public func inputs(
    for structure: Structure, mesh: [Int]?, attempt: CalculationAttempt
  ) throws(ReferenceEngineError) -> [CalculationFile] {
    let written = try calculated(structure)
    let elements = written.blocks
    let title = "\(structure.composition().formula) single point"
    let poscar: String
    do throws(FormatError) {
      poscar = try StructureFile.text(
        of: [StructureRecord(structure: written.structure)], format: .poscar)
    } catch { throw .unsupported(error.description) }
    var files = [
      CalculationFile(
        name: "INCAR",
        content: .text(
          settings.incar(
            title: title, .single, atoms: written.structure.species, attempt: attempt))),
      CalculationFile(
        name: "KPOINTS", content: .text(settings.kPoints(for: written.structure, keeping: mesh))),
      CalculationFile(name: "POSCAR", content: .text(poscar)),
    ]
    if settings.potentials.folder == nil {
      let list = settings.potentials.list(for: elements)
      files.append(CalculationFile(name: "POTCAR.list", content: .text(list)))
    } else {
      let potcar = try settings.potentials.potcar(for: elements)
      files.append(CalculationFile(name: "POTCAR", content: .text(potcar)))
    }
    return files
  }

  /// A structure as VASP is given it.
  struct Written {
    /// Grouped by element, with a right-handed cell.
    let structure: Structure
    /// For each place in it the atom of the original.
    let order: [Int]
    /// The elements in the order of the blocks.
    var blocks: [ChemicalElement] {
      var blocks: [ChemicalElement] = []
      for element in structure.species where blocks.last != element { blocks.append(element) }
      return blocks
    }
  }

  /// What VASP computes when it is asked for a structure.
  func calculated(_ structure: Structure) throws(ReferenceEngineError) -> Written {
    guard structure.periodicity == .full else {
      throw .unsupported("VASP needs a crystal that repeats in three directions")
    }
    if let unnamed = structure.species.first(where: { $0.unnamedType != nil }) {
      throw .unsupported("VASP has no potential for the unnamed species \(unnamed)")
    }
    let order = StructureFile.poscarOrder(of: structure)
    let v = structure.lattice.vectors
    // VASP refuses left-handed cells; with two vectors exchanged it is the same crystal.
    let rows = v.determinant > 0 ? v : Matrix3(rows: v.a, v.c, v.b)
    do throws(CrystalError) {
      return Written(
        structure: try Structure(
          lattice: try Lattice(rows), species: order.map { structure.species[$0] },
          positions: order.map { structure.positions[$0] }),
        order: order)
    } catch { throw .unsupported(error.description) }
  }
}

/// The SHA-256 of joined potentials; each list of elements is read once.
private final class PotentialDigests: Sendable {
  private let known = Mutex<[[ChemicalElement]: String]>([:])

  func digest(
    of elements: [ChemicalElement], in potentials: VASPPotentials
  ) throws(ReferenceEngineError) -> String {
    if let digest = known.withLock({ $0[elements] }) { return digest }
    let digest = SHA256.hexadecimal(of: [UInt8](try potentials.potcar(for: elements).utf8))
    known.withLock { $0[elements] = digest }
    return digest
  }
}
