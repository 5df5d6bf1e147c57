import NumericalCore

/// Rows of a design matrix as they are computed: padded, in the kernel's order of columns.
final class DesignRows {
  private(set) var width = 0
  private var arena = OctetArena()
  private var elements: OctetPointer
  private var capacity = 0

  /// Creates memory for no row.
  init() { elements = arena.take(0) }

  /// Computes all rows of a batch.
  func compute(
    _ batch: SiteBatch, _ potential: MomentTensorPotential, _ content: DesignKernel.Content,
    by kernel: DesignKernel
  ) {
    width =
      (content.contains(.linear) ? kernel.design.columns.width : 0)
      + (content.contains(.radial) ? kernel.design.radialWidthOfAll : 0)
    let count = batch.rowCount * width / Octet.scalarCount
    if capacity < count {
      arena = OctetArena()
      elements = arena.take(count)
      capacity = count
    } else {
      elements.update(repeating: .zero, count: count)
    }
    kernel.addRows(of: batch, potential, content, to: elements, width: width)
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
    let source = UnsafeRawPointer(elements).assumingMemoryBound(to: Double.self) + row * width
    columns.withUnsafeBufferPointer { columns in
      for n in 0..<columns.count { target[n] = weight * source[Int(columns[n])] }
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
