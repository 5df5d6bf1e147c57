import Crystal

/// Networks in the text of SIMPLE-NN and its `pair_style nn` of LAMMPS: `potential_saved`, `potential_saved_bestmodel`.
///
/// K. Lee, D. Yoo, W. Jeong and S. Han, Comput. Phys. Commun. 242, 95 (2019), doi:10.1016/j.cpc.2019.04.014.
///
/// ```
/// ELEM_LIST Si O
///
/// POT Si 6.0                           # the largest cutoff in Å
/// SYM 2                                # so many functions
/// 2 6.0 0.003214 0.0 0.0 O             # G²: r_c η R_s, a number without meaning, neighbor
/// 4 4.5 0.000357 2.0 -1.0 Si O         # G⁴ (5: G⁵): r_c η ζ λ, neighbors
/// scale1 2.9 2.0                       # taken away from the functions
/// scale2 0.7 0.5                       # then they are divided by these
/// NET 2 2 30 1                         # hidden layers, nodes of each layer
/// LAYER 0 linear PCA                   # only with principal components
/// w0 0.3 0.2                           # the weights of a node, then its bias
/// b0 -0.1
/// …
/// ```
///
/// Functions are those of `SymmetryFunction`, with nothing to convert: η in Å⁻² is not divided by r_c², cutoffs are
/// cosines, every pair of neighbors counts once and with the factor 2^{1−ζ}; G⁴ has exponential and cutoff of r_jk,
/// G⁵ has neither. The file does not tell units; those of VASP, eV and Å, are assumed. An atom's energy is the
/// network's number alone.
///
/// The layer of principal components, w_k = V[:, k]/√(var_k + level) and b_k = −mean_k/√(var_k + level), is linear, and
/// reading multiplies it into the next layer. Writing adds the shift of an element to the bias of its last node.
public enum SavedNetwork {
  /// How file names begin.
  public static let namePrefix = "potential_saved"

  /// Activations by the format's words.
  static let activations: [(word: String, activation: NeuralNetwork.Activation)] = [
    ("linear", .linear), ("tanh", .tanh), ("sigmoid", .logistic),
  ]

  /// Reads a potential.
  ///
  /// - Parameter path: The file.
  /// - Returns: The potential.
  /// - Throws: `PotentialError.malformedFile` with file and line where something is missing, wrong or not supported.
  public static func read(_ path: String) throws(PotentialError) -> NeuralNetworkPotential {
    var reader = try SavedNetworkReader(path: path)
    return try reader.read()
  }

  /// The text of a potential; reading it gives the same energies to rounding.
  ///
  /// - Parameter potential: The potential.
  /// - Returns: The text.
  /// - Throws: `PotentialError.invalidParameters` where the format cannot hold the potential: softplus nodes, a scale
  ///   that is not positive, a repulsion of nuclei, a shift without a linear last node.
  public static func text(_ potential: NeuralNetworkPotential) throws(PotentialError) -> String {
    try potential.checkExchange("\(namePrefix) of SIMPLE-NN")
    var text = "ELEM_LIST \(potential.elements.map(\.symbol).joined(separator: " "))\n"
    for (element, atomic) in zip(potential.elements, potential.networks) {
      let reach = atomic.functions.map(\.cutoff).reduce(0, max)
      text += "\nPOT \(element.symbol) \(reach)\nSYM \(atomic.functions.count)\n"
      for function in atomic.functions { text += words(function) + "\n" }
      text += "scale1 \(list(atomic.centers))\nscale2 \(list(atomic.scales.map { 1 / $0 }))\n"
      text += try layers(atomic, of: element)
    }
    return text
  }

  private static func list(_ numbers: some Sequence<Double>) -> String {
    numbers.map(\.description).joined(separator: " ")
  }

  private static func words(_ function: SymmetryFunction) -> String {
    switch function {
    case .radial(let radial):
      "2 \(radial.cutoff) \(radial.width) \(radial.center) 0.0 \(radial.neighbor.symbol)"
    case .angular(let angular):
      "\(angular.isWide ? 5 : 4) \(angular.cutoff) \(angular.width) \(angular.exponent) "
        + "\(angular.isPositive ? "1.0" : "-1.0") \(angular.first.symbol) \(angular.second.symbol)"
    }
  }

  private static func layers(
    _ atomic: NeuralNetworkPotential.AtomicNetwork, of element: ChemicalElement
  ) throws(PotentialError) -> String {
    let layers = atomic.network.layers
    let last = layers.count - 1
    guard atomic.shift == 0 || layers[last].activation == .linear else {
      throw .invalidParameters(
        "\(namePrefix) of SIMPLE-NN holds the shift of \(element) only in a linear last node; found "
          + layers[last].activation.rawValue)
    }
    var text = "NET \(last) \(layers.map { "\($0.nodeCount)" }.joined(separator: " "))\n"
    for (place, layer) in layers.enumerated() {
      guard let word = activations.first(where: { $0.activation == layer.activation })?.word else {
        let names = activations.map(\.activation.rawValue).joined(separator: ", ")
        throw .invalidParameters(
          "\(namePrefix) of SIMPLE-NN has nodes of these kinds: \(names); found \(layer.activation.rawValue) of "
            + "\(element)")
      }
      text += "LAYER \(place) \(word)\n"
      for (node, bias) in layer.biases.enumerated() {
        let first = node * layer.inputCount
        text += "w\(node) \(list(layer.weights[first..<first + layer.inputCount]))\n"
        text += "b\(node) \(place == last ? bias + atomic.shift : bias)\n"
      }
    }
    return text
  }
}
