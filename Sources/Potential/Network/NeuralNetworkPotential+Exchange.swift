import Crystal

extension NeuralNetworkPotential {
  /// Checks what no format of another program can hold.
  ///
  /// - Parameter format: The format's name for the message.
  /// - Throws: `PotentialError.invalidParameters` for a repulsion, a species without a name, an element without
  ///   functions, a scale that is not positive and a number that is not finite.
  func checkExchange(_ format: String) throws(PotentialError) {
    if let repulsion {
      throw .invalidParameters(
        "\(format) cannot hold the repulsion of nuclei (\(repulsion.inner) to \(repulsion.outer) times the sum of "
          + "covalent radii); take the line 'repulsion' out of the .nnp file and add pair_style zbl in LAMMPS "
          + "(hybrid/overlay)")
    }
    for (element, atomic) in zip(elements, networks) {
      guard element.unnamedType == nil else {
        throw .invalidParameters(
          "\(format) needs names of elements; found the unnamed species \(element)")
      }
      guard !atomic.functions.isEmpty else {
        throw .invalidParameters(
          "\(format) needs symmetry functions of every element; found none of \(element)")
      }
      for (place, scale) in atomic.scales.enumerated() {
        // Written is the width 1/scale, which must be a number too.
        guard scale > 0, scale.isFinite, (1 / scale).isFinite else {
          throw .invalidParameters(
            "\(format) divides functions by widths above 0; found the scale \(scale) of function \(place + 1) of "
              + "\(element)")
        }
      }
      guard (atomic.centers + atomic.network.parameters + [atomic.shift]).allSatisfy(\.isFinite)
      else {
        throw .invalidParameters(
          "\(format) holds finite numbers; found another one in the network of \(element)")
      }
    }
  }
}
