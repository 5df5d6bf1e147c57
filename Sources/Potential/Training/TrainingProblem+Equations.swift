import Crystal
import NumericalCore

extension TrainingProblem {
  /// The normal equations of one shard for a trainer's request: a pure function of the request and
  /// the shard's structures.
  ///
  /// - Throws: `PotentialError` where the potential cannot treat a structure.
  public func equations(
    for request: MomentTensorTrainer.Request, shard: Int
  ) throws(PotentialError) -> NormalEquations {
    let members = members(ofShard: shard)
    let potential = request.potential
    let columns =
      request.includingRadial ? potential.parameterCount : potential.linearParameterCount
    var equations = NormalEquations(
      radialCount: request.includingRadial ? potential.radialParameterCount : 0,
      linearCount: potential.linearParameterCount)
    let largest = members.map { structures[$0].structure.atomCount }.max() ?? 0
    let largestRows = MomentTensorPotential.designRowCount(atomCount: largest)
    var design = Matrix(rows: largestRows, columns: columns)
    var block = WeightedRows(columns: columns + 1, capacity: max(512, largestRows))
    for index in members {
      let structure = structures[index].structure
      let rows = MomentTensorPotential.designRowCount(atomCount: structure.atomCount)
      if block.count + rows > block.capacity { block.flush(into: &equations) }
      try potential.designMatrix(
        of: structure, includingRadial: request.includingRadial, into: &design)
      append(index, design, to: &block)
    }
    block.flush(into: &equations)
    return equations
  }

  /// The normal equations of all shards, merged in their order, for a trainer's request.
  ///
  /// - Throws: `PotentialError` where the potential cannot treat a structure.
  public func equations(
    for request: MomentTensorTrainer.Request
  ) throws(PotentialError) -> NormalEquations {
    var total = try equations(for: request, shard: 0)
    for shard in 1..<NormalEquations.shardCount {
      total.merge(try equations(for: request, shard: shard))
    }
    return total
  }

  // The rows of one structure, each times the root of its weight. Off-diagonal components stand for
  // two of the nine in the loss.
  private func append(_ index: Int, _ design: Matrix, to block: inout WeightedRows) {
    let label = structures[index].evaluation
    let weights = rowWeights(of: index)
    var row = 0
    block.append(design, row, label: label.energy - baselineEnergy(of: index), weights.energy)
    for force in label.forces {
      for axis in 0..<3 {
        row += 1
        block.append(design, row, label: force[axis], weights.force)
      }
    }
    guard weights.stress > 0 else { return }
    for (i, j) in [(0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1)] {
      row += 1
      let weight = i == j ? weights.stress : weights.stress * 2.0.squareRoot()
      block.append(design, row, label: label.virial[i, j], weight)
    }
  }
}

/// Weighted rows collected before they are multiplied: long products are fast, and where they are cut
/// depends on the shard alone.
private struct WeightedRows {
  let capacity: Int
  private(set) var count = 0
  private var rows: Matrix

  init(columns: Int, capacity: Int) {
    self.capacity = capacity
    rows = Matrix(rows: capacity, columns: columns)
  }

  mutating func append(_ design: Matrix, _ row: Int, label: Double, _ weight: Double) {
    guard weight > 0 else { return }
    let width = design.columns
    let target = count * rows.columns
    let source = row * width
    for column in 0..<width {
      rows.elements[target + column] = weight * design.elements[source + column]
    }
    rows.elements[target + width] = weight * label
    count += 1
  }

  mutating func flush(into equations: inout NormalEquations) {
    equations.add(rows, rowCount: count)
    count = 0
  }
}

extension TrainingProblem {
  /// The gradient of the loss with respect to all parameters, (2/K) Jᵀ(Jθ − y), from equations that
  /// include the radial columns.
  package func lossGradient(
    of equations: NormalEquations, at potential: MomentTensorPotential
  ) -> [Double] {
    let label = equations.gram.rows - 1
    var linear = Array(potential.parameters.suffix(equations.linearCount))
    for (s, energy) in baseline.enumerated() { linear[s] -= energy }
    return (0..<label).map { i in
      var sum = -equations.gram[i, label]
      for (j, value) in linear.enumerated() {
        let column = equations.radialCount + j
        sum += equations.gram[min(i, column), max(i, column)] * value
      }
      return 2 * sum / Double(usedCount())
    }
  }
}
