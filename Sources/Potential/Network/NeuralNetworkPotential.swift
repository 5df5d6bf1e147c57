import Crystal
import NumericalCore

/// A Behler–Parrinello potential: the energy of every atom is what the network of its element makes of the symmetry
/// functions of its environment.
///
/// J. Behler and M. Parrinello, Phys. Rev. Lett. 98, 146401 (2007), doi:10.1103/PhysRevLett.98.146401.
public struct NeuralNetworkPotential: Sendable {
  /// What makes the energy of an atom of one element.
  public struct AtomicNetwork: Sendable, Hashable {
    /// What the network is told of the environment.
    public let functions: [SymmetryFunction]
    /// Taken away from the functions, one for each.
    public let centers: [Double]
    /// What is left is multiplied with these.
    public let scales: [Double]
    /// The network, whose inputs are (G − center) · scale.
    public var network: NeuralNetwork
    /// Added to its number, in eV.
    public var shift: Double

    /// Creates the network of an element.
    ///
    /// - Throws: `PotentialError.invalidParameters` where numbers do not fit together or functions are wrong.
    public init(
      functions: [SymmetryFunction], centers: [Double], scales: [Double], network: NeuralNetwork,
      shift: Double = 0
    ) throws(PotentialError) {
      guard functions.count == network.inputCount, centers.count == functions.count,
        scales.count == functions.count
      else {
        throw .invalidParameters(
          "a network of \(network.inputCount) inputs for \(functions.count) symmetry functions, "
            + "\(centers.count) centers and \(scales.count) scales")
      }
      for function in functions { try function.validate() }
      self.functions = functions
      self.centers = centers
      self.scales = scales
      self.network = network
      self.shift = shift
    }
  }

  /// The elements, by atomic number.
  public let elements: [ChemicalElement]
  /// The network of each element.
  public let networks: [AtomicNetwork]
  /// What keeps atoms apart where no training set reaches; `nil` for nothing.
  public let repulsion: ShortRangeRepulsion?
  /// The largest cutoff in Å.
  public let cutoff: Double
  let sweep: NetworkSweep
  let workspaces: WorkspacePool<EvaluationWorkspace>

  /// Creates a potential.
  ///
  /// - Parameters:
  ///   - networks: The network of each element.
  ///   - repulsion: What is added at short range; nothing by default.
  /// - Throws: `PotentialError.invalidParameters` where there is none, or functions see elements without a network.
  public init(
    _ networks: [ChemicalElement: AtomicNetwork], repulsion: ShortRangeRepulsion? = nil
  ) throws(PotentialError) {
    let elements = networks.keys.sorted()
    guard !elements.isEmpty else { throw .invalidParameters("a potential without elements") }
    var cutoff = 0.0
    var list: [AtomicNetwork] = []
    for element in elements {
      guard let network = networks[element] else { continue }
      for function in network.functions {
        guard function.neighbors.allSatisfy(elements.contains) else {
          throw .invalidParameters(
            "a symmetry function of \(element) with "
              + "\(function.neighbors.map(\.symbol).joined(separator: " and ")); there are networks of "
              + elements.map(\.symbol).joined(separator: ", "))
        }
        cutoff = max(cutoff, function.cutoff)
      }
      list.append(network)
    }
    self.elements = elements
    self.networks = list
    self.repulsion = repulsion
    let table = repulsion.map { RepulsionTable($0, elements) }
    self.cutoff = max(cutoff, table?.reach ?? 0)
    sweep = NetworkSweep(list, elements: elements, repulsion: table, cutoff: self.cutoff)
    workspaces = WorkspacePool()
  }
}
