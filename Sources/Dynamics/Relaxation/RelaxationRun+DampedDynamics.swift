import Crystal
import NumericalCore
import Potential

extension RelaxationRun {
  /// Damped dynamics with the preconditioner as mass.
  ///
  /// FIRE, E. Bitzek et al., Phys. Rev. Lett. 97, 170201 (2006). Frequencies are about 1, so time steps
  /// are of order 0.1 … 1.
  mutating func dampedDynamics(
    _ stage: RelaxationSettings.Stage, limit: Int,
    _ monitor: (RelaxationStep) -> RelaxationDirective
  ) throws(Interruption) {
    memory.reset()
    rebuild()
    var velocity = [Double](repeating: 0, count: gradient.count)
    var (timeStep, mixing, downhill) = (0.1, 0.1, 0)
    while evaluations < limit && !hasReached(stage) {
      var acceleration = memory.direction(for: gradient, preconditioner)
      coordinates.project(&acceleration)
      if dot(velocity, gradient) > 0 {
        velocity = [Double](repeating: 0, count: gradient.count)
        (timeStep, mixing, downhill) = (0.5 * timeStep, 0.1, 0)
      } else {
        let speed = dot(velocity, velocity).squareRoot()
        let norm = dot(acceleration, acceleration).squareRoot()
        for index in velocity.indices {
          velocity[index] *= 1 - mixing
          if norm > 0 { velocity[index] += mixing * speed / norm * acceleration[index] }
        }
        downhill += 1
        if downhill > 5 { (timeStep, mixing) = (min(1.1 * timeStep, 1), 0.99 * mixing) }
      }
      add(timeStep, acceleration, to: &velocity)
      var step = velocity.map { timeStep * $0 }
      let (move, strain) = coordinates.size(of: step)
      let scale = min(
        1, 0.3 * settings.largestMove / max(move, 1e-300),
        0.3 * settings.largestStrain / max(strain, 1e-300))
      for index in step.indices { step[index] *= scale }
      guard let trial = coordinates.structure(after: step, factor: 1) else { return }
      if let (a, b) = violation(in: trial) { throw .end(.distanceViolated(a, b)) }
      evaluations += 1
      let found: Evaluation
      do { found = try potential.evaluation(of: trial) } catch {
        throw .end(.failed(reason: error.description))
      }
      guard found.isFinite() else { throw .end(.failed(reason: "an energy is not finite")) }
      coordinates.move(along: step, factor: 1)
      accept(trial, found)
      try report(monitor)
    }
    rebuild()
  }
}
