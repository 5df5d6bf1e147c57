import Crystal

extension NetworkFolder {
  /// The files of a potential, for n2p2 and LAMMPS' `pair_style hdnnp` with `cflength 1 cfenergy 1` in units metal.
  ///
  /// Functions, with their rows of `scaling.data` and their weights, are put into the order of n2p2. Inputs are
  /// scaled by `scale_symmetry_functions_sigma`: the mean is a function's center and sigma is 1/scale. Shifts become
  /// `atom_energy`, which n2p2 and LAMMPS add. Reading the files gives the same energies to rounding.
  ///
  /// A potential does not know the ranges of functions in its training set: min and max of `scaling.data` lie
  /// 10 sigma beside the mean, min not above 0, so extrapolation warnings of LAMMPS tell little.
  ///
  /// - Parameter potential: The potential.
  /// - Returns: `input.nn`, `scaling.data`, and `weights.ZZZ.data` of each element.
  /// - Throws: `PotentialError.invalidParameters` where the files cannot hold the potential: layers of elements that
  ///   differ in nodes or activations, a scale that is not positive, a repulsion of nuclei.
  public static func files(
    _ potential: NeuralNetworkPotential
  ) throws(PotentialError) -> [(name: String, text: String)] {
    try potential.checkExchange("a folder of n2p2")
    try checkLayers(potential)
    var networks: [NeuralNetworkPotential.AtomicNetwork] = []
    for network in potential.networks { networks.append(try sorted(network)) }
    var files = [
      (name: "input.nn", text: inputText(potential.elements, networks)),
      (name: "scaling.data", text: scalingText(networks)),
    ]
    for (element, network) in zip(potential.elements, networks) {
      let number = "\(element.atomicNumber)"
      let zeros = String(repeating: "0", count: max(0, 3 - number.count))
      files.append(
        (name: "weights.\(zeros)\(number).data", text: weightsText(network.network, of: element)))
    }
    return files
  }

  // Elements share global_nodes_short and global_activation_short.
  private static func checkLayers(_ potential: NeuralNetworkPotential) throws(PotentialError) {
    let shapes = potential.networks.map { atomic in
      atomic.network.layers.map { "\($0.nodeCount) \($0.activation.rawValue)" }.joined(
        separator: ", ")
    }
    for (element, shape) in zip(potential.elements, shapes) where shape != shapes[0] {
      throw .invalidParameters(
        "a folder of n2p2 has the same layers for all elements (global_nodes_short, global_activation_short); found "
          + "\(potential.elements[0]): \(shapes[0]), \(element): \(shape)")
    }
  }

  /// The same network with its functions in the order of n2p2.
  private static func sorted(
    _ atomic: NeuralNetworkPotential.AtomicNetwork
  ) throws(PotentialError) -> NeuralNetworkPotential.AtomicNetwork {
    let keys = atomic.functions.map(key)
    let order = keys.indices.sorted { one, other in
      keys[one] == keys[other] ? one < other : keys[one].lexicographicallyPrecedes(keys[other])
    }
    let first = atomic.network.layers[0]
    var weights: [Double] = []
    for node in 0..<first.nodeCount {
      for place in order { weights.append(first.weights[node * first.inputCount + place]) }
    }
    let layer = NeuralNetwork.Layer(
      first.activation, inputCount: first.inputCount, weights: weights, biases: first.biases)
    return try NeuralNetworkPotential.AtomicNetwork(
      functions: order.map { atomic.functions[$0] }, centers: order.map { atomic.centers[$0] },
      scales: order.map { atomic.scales[$0] },
      network: NeuralNetwork([layer] + atomic.network.layers.dropFirst()), shift: atomic.shift)
  }

  // The numbers by which n2p2 sorts, as in NetworkInput: type, r_c, η, R_s, ζ, λ, elements.
  private static func key(_ function: SymmetryFunction) -> [Double] {
    switch function {
    case .radial(let radial):
      [2, radial.cutoff, radial.width, radial.center, Double(radial.neighbor.atomicNumber)]
    case .angular(let angular):
      [
        angular.isWide ? 9 : 3, angular.cutoff, angular.width, 0, angular.exponent,
        angular.isPositive ? 1 : -1, Double(angular.first.atomicNumber),
        Double(angular.second.atomicNumber),
      ]
    }
  }

  private static func inputText(
    _ elements: [ChemicalElement], _ networks: [NeuralNetworkPotential.AtomicNetwork]
  ) -> String {
    let layers = networks[0].network.layers
    var lines = [
      "# Energies in eV, lengths in Å.",
      "number_of_elements \(elements.count)",
      "elements \(elements.map(\.symbol).joined(separator: " "))",
    ]
    lines += zip(elements, networks).map { "atom_energy \($0.symbol) \($1.shift)" }
    lines += [
      "cutoff_type 1 0.0",
      "scale_symmetry_functions_sigma",
      "scale_min_short 0.0",
      "scale_max_short 1.0",
      "global_hidden_layers_short \(layers.count - 1)",
      (["global_nodes_short"] + layers.dropLast().map { "\($0.nodeCount)" }).joined(separator: " "),
      (["global_activation_short"] + layers.map { letter($0.activation) }).joined(separator: " "),
    ]
    for (element, atomic) in zip(elements, networks) {
      lines += atomic.functions.map { "symfunction_short \(element.symbol) \(words($0))" }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func letter(_ activation: NeuralNetwork.Activation) -> String {
    switch activation {
    case .linear: "l"
    case .tanh: "t"
    case .logistic: "s"
    case .softplus: "p"
    }
  }

  // 2 N eta Rs rc; 3 or 9 N1 N2 eta lambda zeta rc.
  private static func words(_ function: SymmetryFunction) -> String {
    switch function {
    case .radial(let radial):
      "2 \(radial.neighbor.symbol) \(radial.width) \(radial.center) \(radial.cutoff)"
    case .angular(let angular):
      "\(angular.isWide ? 9 : 3) \(angular.first.symbol) \(angular.second.symbol) \(angular.width) "
        + "\(angular.isPositive ? "1.0" : "-1.0") \(angular.exponent) \(angular.cutoff)"
    }
  }

  private static func scalingText(_ networks: [NeuralNetworkPotential.AtomicNetwork]) -> String {
    var text = "# element, function, min, max, mean, sigma; min and max are guesses\n"
    for (element, atomic) in networks.enumerated() {
      for place in atomic.functions.indices {
        let (mean, sigma) = (atomic.centers[place], 1 / atomic.scales[place])
        let (least, largest) = (min(0, mean - 10 * sigma), mean + 10 * sigma)
        text += "\(element + 1) \(place + 1) \(least) \(largest) \(mean) \(sigma)\n"
      }
    }
    return text
  }

  // For every layer the weights, those of an input together, then the biases.
  private static func weightsText(_ network: NeuralNetwork, of element: ChemicalElement) -> String {
    var text =
      "# \(element.symbol): value, a, index, from layer, from node, to layer, to node; "
      + "or value, b, index, layer, node\n"
    var index = 0
    for (place, layer) in network.layers.enumerated() {
      for input in 0..<layer.inputCount {
        for node in 0..<layer.nodeCount {
          index += 1
          let weight = layer.weights[node * layer.inputCount + input]
          text += "\(weight) a \(index) \(place) \(input + 1) \(place + 1) \(node + 1)\n"
        }
      }
      for (node, bias) in layer.biases.enumerated() {
        index += 1
        text += "\(bias) b \(index) \(place + 1) \(node + 1)\n"
      }
    }
    return text
  }
}
