import NumericalCore

/// The inverse Hessian of a quasi-Newton method from its last steps.
///
/// L-BFGS on top of a preconditioner (J. Nocedal and S. J. Wright, Numerical Optimization, 2nd ed., algorithm 7.4).
struct LimitedMemoryHessian {
  private struct Pair {
    var step: [Double]
    var change: [Double]
    let product: Double
  }

  private var pairs: [Pair] = []
  /// A fresh preconditioner knows more than steps of long ago: 30 pairs cost a fifth more evaluations.
  private let capacity = 3
  /// The preconditioner's matrix times 1/scale resembles the Hessian along the last step.
  private var scale = 1.0

  /// Whether it knows nothing beyond the preconditioner.
  var isEmpty: Bool { pairs.isEmpty }

  /// Forgets all steps but keeps the scale.
  mutating func reset() { pairs.removeAll(keepingCapacity: true) }

  /// Trusts the scale of a preconditioner that has just been built.
  mutating func resetScale() { scale = 1 }

  /// −H g.
  func direction(for gradient: [Double], _ preconditioner: SpringPreconditioner) -> [Double] {
    var q = gradient
    var weights = [Double](repeating: 0, count: pairs.count)
    for index in pairs.indices.reversed() {
      let weight = dot(pairs[index].step, q) / pairs[index].product
      weights[index] = weight
      add(-weight, pairs[index].change, to: &q)
    }
    preconditioner.solve(&q)
    for index in q.indices { q[index] *= scale }
    for index in pairs.indices {
      let weight = dot(pairs[index].change, q) / pairs[index].product
      add(weights[index] - weight, pairs[index].step, to: &q)
    }
    for index in q.indices { q[index] = -q[index] }
    return q
  }

  /// Learns from a step and the change of the gradient; steps along negative curvature teach nothing.
  mutating func learn(
    step: [Double], change: [Double], _ preconditioner: SpringPreconditioner
  ) {
    let product = dot(step, change)
    guard product > 1e-10 * (dot(step, step) * dot(change, change)).squareRoot() else { return }
    var solved = change
    preconditioner.solve(&solved)
    let norm = dot(change, solved)
    if norm > 0 { scale = min(max(product / norm, 1e-4), 10) }
    if pairs.count == capacity { pairs.removeFirst() }
    pairs.append(Pair(step: step, change: change, product: product))
  }

  /// Carries the memory into another frame (see `CellCoordinates.reframe`).
  mutating func transform(steps: (inout [Double]) -> Void, changes: (inout [Double]) -> Void) {
    for index in pairs.indices {
      steps(&pairs[index].step)
      changes(&pairs[index].change)
    }
  }
}

/// The scalar product of two vectors of one length, summed in a fixed order.
func dot(_ a: [Double], _ b: [Double]) -> Double {
  a.withUnsafeBufferPointer { a in
    b.withUnsafeBufferPointer { b in
      let count = min(a.count, b.count)
      var (s0, s1, s2, s3) = (0.0, 0.0, 0.0, 0.0)
      var index = 0
      while index + 4 <= count {
        s0 += a[index] * b[index]
        s1 += a[index + 1] * b[index + 1]
        s2 += a[index + 2] * b[index + 2]
        s3 += a[index + 3] * b[index + 3]
        index += 4
      }
      while index < count {
        s0 += a[index] * b[index]
        index += 1
      }
      return (s0 + s1) + (s2 + s3)
    }
  }
}

/// The difference of two vectors of one length.
func difference(_ a: [Double], _ b: [Double]) -> [Double] {
  var result = a
  add(-1, b, to: &result)
  return result
}

/// Adds a multiple of one vector to another of the same length.
func add(_ factor: Double, _ a: [Double], to b: inout [Double]) {
  a.withUnsafeBufferPointer { a in
    b.withUnsafeMutableBufferPointer { b in
      for index in 0..<min(a.count, b.count) { b[index] += factor * a[index] }
    }
  }
}
