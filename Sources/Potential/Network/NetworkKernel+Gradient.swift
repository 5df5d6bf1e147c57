import NumericalCore

// The derivatives of energies and of their changes with respect to weights and biases: backpropagation through the
// network and its tangent.
extension NetworkKernel {
  /// How many vectors of memory the gradient of a block needs.
  var gradientDemand: Int { 4 * nodeCount + 4 * largestLayer }

  /// Adds ∂/∂p (e E + Ė) for all weights and biases p, with Ė the change of the energy with the inputs.
  ///
  /// - Parameters:
  ///   - inputs: One vector for each input.
  ///   - changes: The change of each input; zero in lanes without an atom.
  ///   - energyWeight: e of each lane; zero in lanes without an atom.
  ///   - gradient: One vector for each parameter, in the order of `NeuralNetwork.parameters`; is added to.
  ///   - memory: `gradientDemand` vectors.
  func addGradient(
    _ inputs: LanePointer, _ changes: LanePointer, energyWeight: Lanes, to gradient: LanePointer,
    _ memory: LanePointer
  ) {
    // Of all nodes: values, the sums' changes, slopes and bends of the activations.
    let (values, sums) = (memory, memory + nodeCount)
    let (moves, slopes) = (memory + 2 * nodeCount, memory + 3 * nodeCount)
    var (source, sourceMoves, first) = (inputs, changes, 0)
    for layer in layers {
      Self.multiply(
        layer.forward, layer.biases, source, values + first, layer.inputs, layer.nodes)
      Self.multiply(layer.forward, nil, sourceMoves, sums + first, layer.inputs, layer.nodes)
      for node in first..<first &+ layer.nodes {
        (values[node], slopes[node]) = Self.activate(layer.activation, values[node])
        moves[node] = slopes[node] * sums[node]
      }
      source = values + first
      sourceMoves = moves + first
      first &+= layer.nodes
    }
    // dL/d(value) and dL/d(change) of the nodes of a layer, and of those before it.
    let rest = memory + 4 * nodeCount
    var (errors, moveErrors) = (rest, rest + largestLayer)
    var (next, moveNext) = (rest + 2 * largestLayer, rest + 3 * largestLayer)
    errors[0] = energyWeight
    moveErrors[0] = Lanes(repeating: 1)
    var end = parameterCount
    for place in layers.indices.reversed() {
      let layer = layers[place]
      first &-= layer.nodes
      for node in 0..<layer.nodes {
        let (value, slope) = (values[first &+ node], slopes[first &+ node])
        let bend = Self.bend(layer.activation, value, slope)
        errors[node] =
          (errors[node] * slope).accumulating(moveErrors[node] * bend, sums[first &+ node])
        moveErrors[node] *= slope
      }
      let isFirst = place == 0
      let below = isFirst ? inputs : values + (first &- layer.inputs)
      let belowMoves = isFirst ? changes : moves + (first &- layer.inputs)
      end &-= layer.inputs &* layer.nodes &+ layer.nodes
      var target = gradient + end
      for node in 0..<layer.nodes {
        let (error, moveError) = (errors[node], moveErrors[node])
        for input in 0..<layer.inputs {
          target[input] = target[input].accumulating(error, below[input])
            .accumulating(moveError, belowMoves[input])
        }
        target += layer.inputs
      }
      for node in 0..<layer.nodes { target[node] += errors[node] }
      guard !isFirst else { break }
      Self.multiply(layer.backward, nil, errors, next, layer.nodes, layer.inputs)
      Self.multiply(layer.backward, nil, moveErrors, moveNext, layer.nodes, layer.inputs)
      swap(&errors, &next)
      swap(&moveErrors, &moveNext)
    }
  }

  /// The second derivative of an activation, told from its value and slope.
  @inline(__always)
  private static func bend(
    _ activation: NeuralNetwork.Activation, _ value: Lanes, _ slope: Lanes
  ) -> Lanes {
    switch activation {
    case .linear: .zero
    case .tanh: -(value + value) * slope
    case .logistic: slope * (Lanes(repeating: 1) - (value + value))
    case .softplus: slope * (Lanes(repeating: 1) - slope)
    }
  }
}
