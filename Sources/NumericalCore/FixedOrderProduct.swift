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

/// Products of one vector with many rows of single-precision numbers, each summed in a fixed order.
///
/// - Parameters:
///   - rows: The rows, one after another, each as long as the vector.
///   - vector: The vector.
/// - Returns: One product for every row.
/// - Complexity: O(number of elements), thirty-two at a time
package func fixedOrderProducts(ofRows rows: [Float], with vector: [Float]) -> [Float] {
  let length = vector.count
  guard length > 0 else { return [] }
  precondition(rows.count % length == 0, "rows are as long as the vector")
  return rows.withUnsafeBytes { rows in
    vector.withUnsafeBytes { vector in
      (0..<rows.count / (4 * length)).map { row in
        singleLaneProduct(
          UnsafeRawBufferPointer(rebasing: rows[4 * length * row..<4 * length * (row + 1)]), vector)
      }
    }
  }
}

private func singleLaneProduct(_ u: UnsafeRawBufferPointer, _ v: UnsafeRawBufferPointer) -> Float {
  let stride = MemoryLayout<Float>.stride
  var (first, second) = (SIMD16<Float>.zero, SIMD16<Float>.zero)
  let whole = u.count / (32 * stride) * (32 * stride)
  for place in Swift.stride(from: 0, to: whole, by: 32 * stride) {
    first +=
      u.loadUnaligned(fromByteOffset: place, as: SIMD16<Float>.self)
      * v.loadUnaligned(fromByteOffset: place, as: SIMD16<Float>.self)
    second +=
      u.loadUnaligned(fromByteOffset: place + 16 * stride, as: SIMD16<Float>.self)
      * v.loadUnaligned(fromByteOffset: place + 16 * stride, as: SIMD16<Float>.self)
  }
  let sixteen = first + second
  let eight = sixteen.lowHalf + sixteen.highHalf
  let four = eight.lowHalf + eight.highHalf
  var sum = (four[0] + four[1]) + (four[2] + four[3])
  for place in Swift.stride(from: whole, to: u.count, by: stride) {
    sum +=
      u.loadUnaligned(fromByteOffset: place, as: Float.self)
      * v.loadUnaligned(fromByteOffset: place, as: Float.self)
  }
  return sum
}
