import Crystal
import Foundation
import StructureFormats

/// Which of VASP's potentials stands for which element, and where the user's licensed files lie.
public struct VASPPotentials: Sendable, Hashable {
  /// The names chosen by the user; other elements take the recommended ones.
  public var names: [ChemicalElement: String]
  /// The library, in which `NAME/POTCAR` is the file of a potential; `nil` where only names are known.
  public var folder: String?

  /// Creates a choice of potentials.
  public init(names: [ChemicalElement: String] = [:], folder: String? = nil) {
    self.names = names
    self.folder = folder
  }

  /// The potential of an element, such as `Ti_sv`.
  public func name(of element: ChemicalElement) -> String {
    names[element] ?? Self.recommended[element.symbol] ?? element.symbol
  }

  /// The names of the potentials to join, one a line.
  ///
  /// - Parameter elements: The elements in the order of the POSCAR.
  /// - Returns: The text of a file.
  public func list(for elements: [ChemicalElement]) -> String {
    elements.map { name(of: $0) + "\n" }.joined()
  }

  /// The POTCAR of some elements: the files of the library, one after the other.
  ///
  /// - Parameter elements: The elements in the order of the POSCAR.
  /// - Returns: The text of the file.
  /// - Throws: `ReferenceEngineError.file` where a potential is missing, compressed or of another element;
  ///   `.unsupported` where no library is named.
  public func potcar(for elements: [ChemicalElement]) throws(ReferenceEngineError) -> String {
    guard let folder else {
      throw .unsupported(
        "no library of potentials is named; set potcar_folder to the folder that holds "
          + "\(elements.first.map(name) ?? "Si")/POTCAR")
    }
    var text = ""
    for element in elements { text += try potcar(of: element, in: folder) }
    return text
  }

  private func potcar(
    of element: ChemicalElement, in folder: String
  ) throws(ReferenceEngineError) -> String {
    let name = name(of: element)
    let path = "\(folder)/\(name)/POTCAR"
    let files = FileManager.default
    guard files.fileExists(atPath: path) else {
      for ending in ["gz", "Z", "bz2"] where files.fileExists(atPath: "\(path).\(ending)") {
        throw .file(path: "\(path).\(ending)", reason: "is compressed; unpack it beside itself")
      }
      throw .file(path: path, reason: missing(element, in: folder))
    }
    // Old potentials carry names of people outside ASCII in their comments.
    guard let data = files.contents(atPath: path),
      let text = String(data: data, encoding: .utf8) ?? String(data: data, encoding: .isoLatin1)
    else { throw .file(path: path, reason: "cannot be read") }
    let title = text.prefix { !$0.isNewline }
    guard let found = VASPElementName.element(title: title) else {
      throw .file(
        path: path, reason: "does not begin with a title such as 'PAW_PBE Ti_pv 07Sep2000'")
    }
    guard found == element else {
      throw .file(path: path, reason: "is a potential of \(found), not of \(element)")
    }
    return text.hasSuffix("\n") ? text : text + "\n"
  }

  private func missing(_ element: ChemicalElement, in folder: String) -> String {
    guard let all = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
      return "is missing: the folder \(folder) cannot be read"
    }
    let near = all.filter { VASPElementName.element($0) == element }.sorted()
    guard !near.isEmpty else { return "is missing: the library has no potential of \(element)" }
    return "is missing; the library has \(near.joined(separator: ", ")): name one of them in "
      + "potentials:"
  }

  // The choices that VASP's documentation recommends for PBE; elements not named use the plain file.
  private static let recommended: [String: String] = [
    "Li": "Li_sv", "Na": "Na_pv", "K": "K_sv", "Ca": "Ca_sv", "Sc": "Sc_sv", "Ti": "Ti_sv",
    "V": "V_sv", "Cr": "Cr_pv", "Mn": "Mn_pv", "Ga": "Ga_d", "Ge": "Ge_d", "Rb": "Rb_sv",
    "Sr": "Sr_sv", "Y": "Y_sv", "Zr": "Zr_sv", "Nb": "Nb_sv", "Mo": "Mo_sv", "Tc": "Tc_pv",
    "Ru": "Ru_pv", "Rh": "Rh_pv", "In": "In_d", "Sn": "Sn_d", "Cs": "Cs_sv", "Ba": "Ba_sv",
    "Pr": "Pr_3", "Nd": "Nd_3", "Pm": "Pm_3", "Sm": "Sm_3", "Eu": "Eu_2", "Gd": "Gd_3",
    "Tb": "Tb_3", "Dy": "Dy_3", "Ho": "Ho_3", "Er": "Er_3", "Tm": "Tm_3", "Yb": "Yb_2",
    "Lu": "Lu_3", "Hf": "Hf_pv", "Ta": "Ta_pv", "W": "W_sv", "Tl": "Tl_d", "Pb": "Pb_d",
    "Bi": "Bi_d", "Po": "Po_d", "Fr": "Fr_sv", "Ra": "Ra_sv",
  ]
}
