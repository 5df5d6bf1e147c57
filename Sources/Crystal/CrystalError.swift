/// Why a crystal or one of its properties could not be made.
public enum CrystalError: Error, Equatable, CustomStringConvertible {
  /// A formula or list of counts describes no composition.
  case composition(String)
  /// Lattice vectors are dependent or not finite.
  case singularLattice(String)
  /// Atoms, positions or other arrays do not belong together, or a number is not finite.
  case inconsistentStructure(String)
  /// The symmetry library could not analyse a structure.
  case symmetry(String)

  /// The message for people.
  public var description: String {
    switch self {
    case .composition(let what): "no composition: \(what)"
    case .singularLattice(let what): "no lattice: \(what)"
    case .inconsistentStructure(let what): "no structure: \(what)"
    case .symmetry(let what): "symmetry not found: \(what)"
    }
  }
}
