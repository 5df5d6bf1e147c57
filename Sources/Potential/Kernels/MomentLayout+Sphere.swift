/// Moments with z-power 2 and more from those that are summed over neighbors, as z² = 1 − x² − y² on the
/// unit sphere; and back, the derivatives with respect to them onto the others.
extension MomentLayout {
  /// Computes the moments with z-power of at least 2.
  func expand(_ values: LanePointer) {
    let steps = sphereSteps.span
    for index in 0..<steps.count {
      let step = steps[unchecked: index]
      values[Int(step.target)] =
        (values[Int(step.lower)] - values[Int(step.overX)]) - values[Int(step.overY)]
    }
  }

  /// Adds dV/dM of the moments with z-power of at least 2 to those they are made of.
  func fold(_ adjoints: LanePointer) {
    let steps = sphereSteps.span
    var index = steps.count
    while index > 0 {
      index &-= 1
      let step = steps[unchecked: index]
      let adjoint = adjoints[Int(step.target)]
      adjoints[Int(step.lower)] += adjoint
      adjoints[Int(step.overX)] -= adjoint
      adjoints[Int(step.overY)] -= adjoint
    }
  }
}
