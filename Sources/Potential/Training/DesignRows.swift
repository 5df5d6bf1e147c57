import NumericalCore

/// Rows of a design matrix as they are computed: padded, in the kernel's order of columns.
struct DesignRows {
  private(set) var width = 0
  private var elements: [Lanes] = []

  /// Computes all rows of a batch.
  mutating func compute(
    _ batch: SiteBatch, _ potential: MomentTensorPotential, _ content: DesignKernel.Content,
    by kernel: DesignKernel
  ) {
    width =
      (content.contains(.linear) ? kernel.design.columns.width : 0)
      + (content.contains(.radial) ? kernel.design.radialWidthOfAll : 0)
    let count = batch.rowCount * width / laneCount
    if elements.count < count { elements = [Lanes](repeating: .zero, count: count) }
    elements.withUnsafeMutableBufferPointer { buffer in
      guard let first = buffer.baseAddress else { return }
      first.update(repeating: .zero, count: count)
      kernel.addRows(of: batch, potential, content, to: first, width: width)
    }
  }

  /// Copies columns of a row, each times a weight.
  ///
  /// - Parameters:
  ///   - row: The row.
  ///   - columns: Which columns.
  ///   - weight: The factor.
  ///   - target: Receives as many numbers as there are columns.
  func copy(
    row: Int, columns: [Int32], weight: Double, to target: UnsafeMutablePointer<Double>
  ) {
    elements.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      let source = base.assumingMemoryBound(to: Double.self) + row * width
      for (n, column) in columns.enumerated() { target[n] = weight * source[Int(column)] }
    }
  }
}

extension DesignProgram {
  /// Where the kernel's rows hold the radial coefficients, in the order of the parameters.
  func radialOrder(after first: Int) -> [Int32] {
    (0..<speciesCount * speciesCount * functionCount).flatMap { block in
      (0..<radialSize).map { Int32(first + block * radialWidth + $0) }
    }
  }

  /// Where the kernel's rows hold the basis functions.
  var scalarOrder: [Int32] { columns.columnOfScalar.map { Int32($0) } }
}
