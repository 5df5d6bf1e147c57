import Crystal
import NumericalCore

/// Computes the normal equations of a problem; keeps what does not change from one to the next:
/// neighborhoods, compiled tables, memory.
///
/// Results do not depend on what is kept.
public final class TrainingWorkspace {
  /// The data.
  public let problem: TrainingProblem
  private var cutoff = 0.0
  private var batches: [Int: [SiteBatch]] = [:]
  private var compiled: (basis: MomentTensorBasis, kernel: DesignKernel)?
  private var design = DesignRows()
  private var rows: [Double] = []

  // Structures that share a batch fill lanes together; more would only need more memory.
  private static let batchRows = 256
  // Long products are fast.
  private static let gramRows = 512

  /// Creates an empty workspace.
  public init(_ problem: TrainingProblem) { self.problem = problem }

  /// The normal equations of one shard for a trainer's request: a pure function of the request and
  /// the shard's structures.
  ///
  /// - Throws: `PotentialError` where the potential cannot treat a structure.
  public func equations(
    for request: MomentTensorTrainer.Request, shard: Int
  ) throws(PotentialError) -> NormalEquations {
    let potential = request.potential
    let kernel = kernel(of: potential)
    let content: DesignKernel.Content =
      request.includingRadial ? [.linear, .radial] : .linear
    var equations = NormalEquations(
      radialCount: request.includingRadial ? potential.radialParameterCount : 0,
      linearCount: potential.linearParameterCount)
    let order = ColumnOrder(kernel.design, includingRadial: request.includingRadial)
    var count = 0
    for batch in try batches(ofShard: shard, potential) {
      design.compute(batch, potential, content, by: kernel)
      for member in batch.members {
        append(member, order, &count)
        if count >= Self.gramRows { flush(&count, order.width, into: &equations) }
      }
    }
    flush(&count, order.width, into: &equations)
    guard equations.gram.elements.allSatisfy(\.isFinite) else {
      throw .notFinite(
        "the equations of a training; atoms of a structure probably coincide")
    }
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

  private func kernel(of potential: MomentTensorPotential) -> DesignKernel {
    if let compiled, compiled.basis == potential.basis { return compiled.kernel }
    let design = DesignProgram(
      potential.basis, speciesCount: potential.speciesCount,
      radialSize: potential.radialBasis.size)
    let kernel = DesignKernel(design, radialBasis: potential.radialBasis)
    compiled = (potential.basis, kernel)
    return kernel
  }

  private func batches(
    ofShard shard: Int, _ potential: MomentTensorPotential
  ) throws(PotentialError) -> [SiteBatch] {
    if potential.radialBasis.cutoff != cutoff {
      batches = [:]
      cutoff = potential.radialBasis.cutoff
    }
    if let known = batches[shard] { return known }
    var result: [SiteBatch] = []
    var batch = SiteBatch()
    for index in problem.members(ofShard: shard) {
      let structure = problem.structures[index].structure
      let rowCount = MomentTensorPotential.designRowCount(atomCount: structure.atomCount)
      if batch.rowCount > 0, batch.rowCount + rowCount > Self.batchRows {
        batch.makeBlocks()
        result.append(batch)
        batch = SiteBatch()
      }
      batch.append(
        structure, index: index, species: try potential.speciesIndices(of: structure),
        speciesCount: potential.speciesCount, cutoff: cutoff)
    }
    if batch.rowCount > 0 {
      batch.makeBlocks()
      result.append(batch)
    }
    batches[shard] = result
    return result
  }

  // MARK: weighted rows

  /// Where the columns [radial | linear | label] come from.
  private struct ColumnOrder {
    let radial: [Int32]
    let scalars: [Int32]
    let speciesCount: Int

    init(_ design: DesignProgram, includingRadial: Bool) {
      radial = includingRadial ? design.radialOrder(after: design.columns.width) : []
      scalars = design.scalarOrder
      speciesCount = design.speciesCount
    }

    var width: Int { radial.count + speciesCount + scalars.count + 1 }
  }

  // The rows of one structure, each times the root of its weight. Off-diagonal components stand for
  // two of the nine in the loss.
  private func append(_ member: SiteBatch.Member, _ order: ColumnOrder, _ count: inout Int) {
    let index = member.index
    let needed = (count + member.rowCount) * order.width
    if rows.count < needed { rows += [Double](repeating: 0, count: needed - rows.count) }
    let label = problem.structures[index].evaluation
    let weights = problem.rowWeights(of: index)
    rows.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      var row = member.firstRow
      func add(_ value: Double, _ weight: Double, _ shifts: [Int]?) {
        defer { row += 1 }
        guard weight > 0 else { return }
        var target = base + count * order.width
        design.copy(row: row, columns: order.radial, weight: weight, to: target)
        target += order.radial.count
        for s in 0..<order.speciesCount { target[s] = weight * Double(shifts?[s] ?? 0) }
        target += order.speciesCount
        design.copy(row: row, columns: order.scalars, weight: weight, to: target)
        target[order.scalars.count] = weight * value
        count += 1
      }
      add(
        label.energy - problem.baselineEnergy(of: index), weights.energy, member.speciesCounts)
      for force in label.forces { for axis in 0..<3 { add(force[axis], weights.force, nil) } }
      for (i, j) in [(0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1)] {
        let weight = i == j ? weights.stress : weights.stress * 2.0.squareRoot()
        add(label.virial[i, j], weight, nil)
      }
    }
  }

  private func flush(_ count: inout Int, _ width: Int, into equations: inout NormalEquations) {
    rows.withUnsafeBufferPointer { equations.add($0, rowCount: count, width: width) }
    count = 0
  }
}
