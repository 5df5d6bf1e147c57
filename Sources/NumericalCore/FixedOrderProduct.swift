extension RandomAccessCollection<Double> {
  /// The sum of the products of the elements with those of another collection of the same count, in a
  /// fixed order that depends on the count alone.
  ///
  /// - Complexity: O(n), several lanes at a time where the elements are contiguous.
  public func fixedOrderProduct(with other: some RandomAccessCollection<Double>) -> Double {
    precondition(count == other.count, "as many factors on both sides")
    let product = withContiguousStorageIfAvailable { u in
      other.withContiguousStorageIfAvailable { v in
        laneProduct(UnsafeRawBufferPointer(u), UnsafeRawBufferPointer(v))
      }
    }
    if let product, let product { return product }
    return Array(self).fixedOrderProduct(with: Array(other))
  }
}

// Sixteen sums side by side, so that additions need not wait for each other.
private func laneProduct(_ u: UnsafeRawBufferPointer, _ v: UnsafeRawBufferPointer) -> Double {
  let stride = MemoryLayout<Double>.stride
  var (first, second) = (SIMD8<Double>.zero, SIMD8<Double>.zero)
  let whole = u.count / (16 * stride) * (16 * stride)
  for place in Swift.stride(from: 0, to: whole, by: 16 * stride) {
    first +=
      u.loadUnaligned(fromByteOffset: place, as: SIMD8<Double>.self)
      * v.loadUnaligned(fromByteOffset: place, as: SIMD8<Double>.self)
    second +=
      u.loadUnaligned(fromByteOffset: place + 8 * stride, as: SIMD8<Double>.self)
      * v.loadUnaligned(fromByteOffset: place + 8 * stride, as: SIMD8<Double>.self)
  }
  let lanes = first + second
  var sum =
    ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3]))
    + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]))
  for place in Swift.stride(from: whole, to: u.count, by: stride) {
    sum +=
      u.loadUnaligned(fromByteOffset: place, as: Double.self)
      * v.loadUnaligned(fromByteOffset: place, as: Double.self)
  }
  return sum
}

/// Products of one vector with many rows, each summed in a fixed order.
///
/// - Parameters:
///   - rows: The rows, one after another, each as long as the vector.
///   - vector: The vector.
/// - Returns: One product for every row.
/// - Complexity: O(number of elements), sixteen at a time
package func fixedOrderProducts(ofRows rows: [Double], with vector: [Double]) -> [Double] {
  let length = vector.count
  guard length > 0 else { return [] }
  precondition(rows.count % length == 0, "rows are as long as the vector")
  let size = MemoryLayout<Double>.stride * length
  return rows.withUnsafeBytes { rows in
    vector.withUnsafeBytes { vector in
      (0..<rows.count / size).map { row in
        laneProduct(
          UnsafeRawBufferPointer(rebasing: rows[size * row..<size * (row + 1)]), vector)
      }
    }
  }
}
