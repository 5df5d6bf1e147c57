import NumericalCore

/// A network of full layers that makes one number of many.
public struct NeuralNetwork: Sendable, Hashable {
  /// What a node makes of its sum.
  public enum Activation: String, Sendable, Hashable, CaseIterable {
    /// x.
    case linear
    /// tanh x.
    case tanh
    /// 1/(1 + exp(−x)).
    case logistic
    /// ln(1 + exp x).
    case softplus
  }

  /// Nodes that see all nodes before them.
  public struct Layer: Sendable, Hashable {
    /// What the nodes make of their sums.
    public var activation: Activation
    /// How many numbers come in.
    public let inputCount: Int
    /// The weights, node after node: `inputCount` of each.
    public var weights: [Double]
    /// One for each node.
    public var biases: [Double]

    /// Creates a layer.
    ///
    /// - Parameters:
    ///   - activation: What the nodes make of their sums.
    ///   - inputCount: How many numbers come in.
    ///   - weights: `inputCount` for each node, node after node.
    ///   - biases: One for each node.
    public init(
      _ activation: Activation, inputCount: Int, weights: [Double], biases: [Double]
    ) {
      precondition(
        weights.count == inputCount * biases.count, "a node has a weight for every input")
      self.activation = activation
      self.inputCount = inputCount
      self.weights = weights
      self.biases = biases
    }

    /// The number of nodes.
    public var nodeCount: Int { biases.count }
  }

  /// The layers; the last one has one node.
  public private(set) var layers: [Layer]

  /// Creates a network.
  ///
  /// - Throws: `PotentialError.invalidParameters` where layers do not fit together, or the last has not one node.
  public init(_ layers: [Layer]) throws(PotentialError) {
    guard let last = layers.last, last.nodeCount == 1 else {
      throw .invalidParameters("a network whose last layer has not one node")
    }
    for (before, layer) in zip(layers, layers.dropFirst()) {
      guard layer.inputCount == before.nodeCount else {
        throw .invalidParameters(
          "a layer of \(layer.inputCount) inputs after one of \(before.nodeCount) nodes")
      }
    }
    self.layers = layers
  }

  /// A network with random weights: of Xavier Glorot and Yoshua Bengio, so that sums of all layers are alike.
  ///
  /// - Parameters:
  ///   - inputCount: How many numbers come in.
  ///   - hidden: The nodes of each hidden layer.
  ///   - activation: Of the hidden layers.
  ///   - random: Where weights come from.
  public init(
    inputCount: Int, hidden: [Int], activation: Activation, random: inout RandomStream
  ) {
    var layers: [Layer] = []
    var inputs = inputCount
    for (place, nodes) in (hidden + [1]).enumerated() {
      let range = (6 / Double(inputs + nodes)).squareRoot()
      let weights = (0..<inputs * nodes).map { _ in random.uniform(-range, range) }
      layers.append(
        Layer(
          place == hidden.count ? .linear : activation, inputCount: inputs, weights: weights,
          biases: [Double](repeating: 0, count: nodes)))
      inputs = nodes
    }
    self.layers = layers
  }

  /// How many numbers come in.
  public var inputCount: Int { layers[0].inputCount }

  /// The number of weights and biases.
  public var parameterCount: Int {
    layers.reduce(0) { $0 + $1.weights.count + $1.biases.count }
  }

  /// Weights, then biases, layer after layer.
  public var parameters: [Double] {
    get { layers.flatMap { $0.weights + $0.biases } }
    set {
      precondition(newValue.count == parameterCount, "a number for every weight and bias")
      var first = 0
      for place in layers.indices {
        let (weights, biases) = (layers[place].weights.count, layers[place].biases.count)
        layers[place].weights = Array(newValue[first..<first + weights])
        layers[place].biases = Array(newValue[first + weights..<first + weights + biases])
        first += weights + biases
      }
    }
  }

  /// Replaces the first layer's numbers.
  mutating func setFirstLayer(weights: [Double], biases: [Double]) {
    precondition(
      weights.count == layers[0].weights.count && biases.count == layers[0].biases.count,
      "a number for every weight and bias")
    layers[0].weights = weights
    layers[0].biases = biases
  }

  /// The same network of other inputs: x_i = scale_i (y_i − center_i) is done by the first layer.
  ///
  /// - Parameters:
  ///   - centers: One for each input.
  ///   - scales: One for each input.
  /// - Returns: A network that takes y.
  public func folding(centers: [Double], scales: [Double]) -> NeuralNetwork {
    precondition(
      centers.count == inputCount && scales.count == inputCount, "a number for every input")
    var folded = self
    let first = layers[0]
    for node in 0..<first.nodeCount {
      for input in 0..<inputCount {
        let place = node * inputCount + input
        let weight = first.weights[place] * scales[input]
        folded.layers[0].weights[place] = weight
        folded.layers[0].biases[node] -= weight * centers[input]
      }
    }
    return folded
  }

  /// The same network of other inputs: y_i = center_i + deviation_i x_i is done by the first layer, and the network takes x.
  ///
  /// - Parameters:
  ///   - centers: One for each input.
  ///   - deviations: One for each input.
  /// - Returns: A network that takes x.
  func unfolding(centers: [Double], deviations: [Double]) -> NeuralNetwork {
    folding(
      centers: zip(centers, deviations).map { -$0 / $1 }, scales: deviations)
  }
}
