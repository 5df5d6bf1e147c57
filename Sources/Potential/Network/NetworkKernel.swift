import NumericalCore

/// A network for a block of atoms, one in each lane: weights are numbers that all lanes share.
struct NetworkKernel: Sendable {
  /// A layer with its weights in the order in which they are read.
  struct Layer: Sendable {
    let activation: NeuralNetwork.Activation
    let inputs: Int
    let nodes: Int
    /// The weights of all nodes for an input, input after input.
    let forward: [Double]
    /// The weights of all inputs of a node, node after node.
    let backward: [Double]
    let biases: [Double]
  }

  let layers: [Layer]
  /// How many vectors of memory a block needs.
  let laneDemand: Int
  let nodeCount: Int
  /// The most nodes of a layer.
  let largestLayer: Int
  let parameterCount: Int

  init(_ network: NeuralNetwork) {
    layers = network.layers.map { layer in
      let (inputs, nodes) = (layer.inputCount, layer.nodeCount)
      return Layer(
        activation: layer.activation, inputs: inputs, nodes: nodes,
        forward: (0..<inputs * nodes).map { layer.weights[$0 % nodes * inputs + $0 / nodes] },
        backward: layer.weights, biases: layer.biases)
    }
    nodeCount = network.layers.reduce(0) { $0 + $1.nodeCount }
    largestLayer = network.layers.map(\.nodeCount).max() ?? 0
    parameterCount = network.parameterCount
    laneDemand = 3 * nodeCount
  }

  /// So many nodes or inputs are summed at once.
  private static let tile = 6

  /// Energies of the lanes, and their derivatives with respect to the inputs.
  ///
  /// - Parameters:
  ///   - inputs: One vector for each input.
  ///   - gradient: Receives one for each input.
  ///   - memory: `laneDemand` vectors.
  /// - Returns: The network's number for each lane.
  func evaluate(
    _ inputs: LanePointer, gradient: LanePointer, _ memory: LanePointer
  ) -> Lanes {
    // Values of all nodes, the slopes of their activations, and dE/d(sum).
    let (values, slopes, errors) = (memory, memory + nodeCount, memory + 2 * nodeCount)
    var (source, first) = (inputs, 0)
    for layer in layers {
      Self.multiply(layer.forward, layer.biases, source, values + first, layer.inputs, layer.nodes)
      for node in first..<first &+ layer.nodes {
        (values[node], slopes[node]) = Self.activate(layer.activation, values[node])
      }
      source = values + first
      first &+= layer.nodes
    }
    let energy = values[nodeCount - 1]
    errors[nodeCount - 1] = slopes[nodeCount - 1]
    first = nodeCount
    for place in layers.indices.reversed() {
      let layer = layers[place]
      first &-= layer.nodes
      let target = place == 0 ? gradient : errors + (first &- layer.inputs)
      Self.multiply(layer.backward, nil, errors + first, target, layer.nodes, layer.inputs)
      guard place > 0 else { break }
      for input in 0..<layer.inputs { target[input] *= slopes[first &- layer.inputs &+ input] }
    }
    return energy
  }

  /// target_b = start_b + Σ_a weights_{a,b} source_a.
  static func multiply(
    _ weights: [Double], _ start: [Double]?, _ source: LanePointer, _ target: LanePointer,
    _ sources: Int, _ targets: Int
  ) {
    weights.withUnsafeBufferPointer { weights in
      guard let weights = weights.baseAddress else { return }
      var b = 0
      while b &+ tile <= targets {
        var sums = InlineArray<6, Lanes>(repeating: .zero)
        var w = weights + b
        for a in 0..<sources {
          let value = source[a]
          for c in 0..<tile { sums[c].accumulate(value, Lanes(repeating: w[c])) }
          w += targets
        }
        for c in 0..<tile { target[b &+ c] = sums[c] }
        b &+= tile
      }
      while b < targets {
        var sum = Lanes.zero
        for a in 0..<sources {
          sum.accumulate(source[a], Lanes(repeating: weights[a &* targets &+ b]))
        }
        target[b] = sum
        b &+= 1
      }
    }
    if let start {
      for b in 0..<targets { target[b] += Lanes(repeating: start[b]) }
    }
  }

  @inline(__always)
  static func activate(
    _ activation: NeuralNetwork.Activation, _ x: Lanes
  ) -> (value: Lanes, slope: Lanes) {
    let one = Lanes(repeating: 1)
    switch activation {
    case .linear: return (x, one)
    case .tanh:
      // Beyond 20 it is ±1 in double precision.
      let bound = Lanes(repeating: 20)
      let y = Lanes.larger(Lanes.smaller(x, bound), -bound)
      let value = one - Lanes(repeating: 2) / (vectorExponential(y + y) + one)
      return (value, one - value * value)
    case .logistic:
      let value = one / (one + decay(x))
      return (value, value * (one - value))
    case .softplus:
      let decay = decay(x)
      var value = Lanes.zero
      for lane in 0..<laneCount {
        // max(x, 0) + ln(1 + exp(−|x|)).
        value[lane] = max(x[lane], 0) + logarithm(1 + exponential(-abs(x[lane])))
      }
      return (value, one / (one + decay))
    }
  }

  /// exp(−x), finite wherever it is added to 1.
  @inline(__always)
  private static func decay(_ x: Lanes) -> Lanes {
    vectorExponential(Lanes.smaller(-x, Lanes(repeating: 700)))
  }
}
