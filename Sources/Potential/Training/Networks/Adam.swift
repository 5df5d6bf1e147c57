/// Steps of stochastic gradients whose sizes follow the gradients' own.
///
/// D. P. Kingma and J. Ba, ICLR 2015, arXiv:1412.6980, algorithm 1, with their β₁, β₂ and ε.
struct Adam: Sendable {
  private var mean: [Double]
  private var square: [Double]
  private var meanDecay = 1.0
  private var squareDecay = 1.0

  init(count: Int) {
    mean = [Double](repeating: 0, count: count)
    square = mean
  }

  /// Takes a step.
  ///
  /// - Parameters:
  ///   - parameters: What is to be improved.
  ///   - gradient: The derivatives of what is to become small.
  ///   - rate: The size of the step.
  mutating func step(_ parameters: inout [Double], along gradient: [Double], rate: Double) {
    let (first, second, tiny) = (0.9, 0.999, 1e-8)
    meanDecay *= first
    squareDecay *= second
    let (meanScale, squareScale) = (1 / (1 - meanDecay), 1 / (1 - squareDecay))
    for i in parameters.indices {
      mean[i] = first * mean[i] + (1 - first) * gradient[i]
      square[i] = second * square[i] + (1 - second) * gradient[i] * gradient[i]
      parameters[i] -=
        rate * mean[i] * meanScale / ((square[i] * squareScale).squareRoot() + tiny)
    }
  }
}
