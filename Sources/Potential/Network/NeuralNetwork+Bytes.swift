import NumericalCore

extension NeuralNetwork: ByteCodable {
  /// Appends all layers.
  public func encode(to encoder: inout ByteEncoder) {
    encoder.encode(layers.count)
    for layer in layers {
      encoder.encode(layer.activation.rawValue)
      encoder.encode(layer.inputCount)
      encoder.encode(layer.weights)
      encoder.encode(layer.biases)
    }
  }

  /// Reads all layers.
  ///
  /// - Throws: `ByteCodingError` where they do not fit together.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    let count = try decoder.decode(Int.self)
    var layers: [Layer] = []
    guard (1...1000).contains(count) else { throw .invalid("a network of \(count) layers") }
    for _ in 0..<count {
      let name = try decoder.decode(String.self)
      guard let activation = Activation(rawValue: name) else {
        throw .invalid("the activation '\(name)'")
      }
      let inputs = try decoder.decode(Int.self)
      let weights = try decoder.decode([Double].self)
      let biases = try decoder.decode([Double].self)
      guard inputs > 0, weights.count == inputs * biases.count else {
        throw .invalid("a layer of \(inputs) inputs with \(weights.count) weights")
      }
      layers.append(Layer(activation, inputCount: inputs, weights: weights, biases: biases))
    }
    do { try self.init(layers) } catch { throw .invalid("\(error)") }
  }
}
