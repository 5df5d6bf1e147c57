import Synchronization

extension MomentTensorPotential {
  /// What the kernels need to know of the parameters.
  struct CompiledParameters: Sendable {
    /// The radial functions of all pairs of species.
    let radial: RadialPolynomials
    /// The constants of the leaves' terms.
    let leafConstants: [Double]
    /// The coefficient of every node that is a basis function, in the order of the leaves' nodes.
    let nodeCoefficients: [Double]
  }

  /// Compiles the potential when it is first needed; shared by copies with the same parameters.
  final class Compilation: Sendable {
    private let result = Mutex<EvaluationSweep?>(nil)

    func sweep(of potential: MomentTensorPotential) -> EvaluationSweep {
      result.withLock { result in
        if let result { return result }
        let made = EvaluationSweep(potential)
        result = made
        return made
      }
    }
  }

  /// The potential in the form that the kernels need.
  var sweep: EvaluationSweep { compilation.sweep(of: self) }
}

extension MomentTensorPotential.CompiledParameters {
  init(_ potential: MomentTensorPotential) {
    let parameters = potential.parameters
    let radialCount = potential.radialParameterCount
    let species = potential.speciesCount
    radial = RadialPolynomials(
      potential.radialBasis, functionCount: potential.radialFunctionCount,
      parameters: parameters[..<radialCount], pairCount: species * species)
    let coefficients = parameters[(radialCount + species)...]
    let graph = potential.basis.graph
    leafConstants = graph.leaves.constants(coefficients)
    var ofNode = [Double](repeating: 0, count: graph.nodeCount)
    for (scalar, place) in graph.placeOfScalar.enumerated() where place < graph.nodeCount {
      ofNode[place] += coefficients[coefficients.startIndex + scalar]
    }
    nodeCoefficients = graph.leaves.nodes.map {
      ofNode[Int($0) / MemoryLayout<Lanes>.stride]
    }
  }
}
