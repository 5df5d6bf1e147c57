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
  private let design = DesignRows()
  private var rows: [Double] = []

  // Weighted rows of the basis functions of each shard, and the radial coefficients they belong to.
  // An accepted trial is linearised next: then only the radial columns are new.
  private var linearRows: [Int: LinearRows] = [:]
  private let memoryLimit: Int

  private struct LinearRows {
    var radial: [Double]
    var rows: [Double]
  }

  // Structures that share a batch fill lanes together; more would only need more memory.
  private static let batchRows = 256
  // Long products are fast.
  private static let gramRows = 512

  /// Creates an empty workspace.
  ///
  /// - Parameters:
  ///   - problem: The data.
  ///   - memoryLimit: How many bytes of rows may be kept from a trial for its linearisation.
  public init(_ problem: TrainingProblem, memoryLimit: Int = 1 << 30) {
    self.problem = problem
    self.memoryLimit = memoryLimit
  }

  /// The normal equations of one shard for a trainer's request: a pure function of the request and
  /// the shard's structures.
  ///
  /// - Throws: `PotentialError` where the potential cannot treat a structure.
  public func equations(
    for request: MomentTensorTrainer.Request, shard: Int
  ) throws(PotentialError) -> NormalEquations {
    let potential = request.potential
    let kernel = kernel(of: potential)
    let radial = Array(potential.parameters.prefix(potential.radialParameterCount))
    let known = request.includingRadial ? linearRows[shard] : nil
    let isKnown = known?.radial == radial
    let content: DesignKernel.Content =
      !request.includingRadial ? .linear : isKnown ? .radial : [.linear, .radial]
    var kept = Kept(isSource: isKnown, rows: isKnown ? known?.rows ?? [] : [])
    var equations = NormalEquations(
      radialCount: request.includingRadial ? potential.radialParameterCount : 0,
      linearCount: potential.linearParameterCount)
    let order = ColumnOrder(kernel.design, content)
    var count = 0
    for batch in try batches(ofShard: shard, potential) {
      design.compute(batch, potential, content, by: kernel)
      for member in batch.members {
        append(member, order, &count, &kept)
        if request.includingRadial {
          addResiduals(of: member, order, potential, end: count, to: &equations.residuals)
        }
        if count >= Self.gramRows { flush(&count, order.width, into: &equations) }
      }
    }
    flush(&count, order.width, into: &equations)
    guard equations.gram.elements.allSatisfy(\.isFinite) else {
      throw .notFinite(
        "the equations of a training; atoms of a structure probably coincide")
    }
    if !request.includingRadial { keep(kept.rows, radial, shard) }
    return equations
  }

  // Keeps rows as far as the memory allows.
  private func keep(_ rows: [Double], _ radial: [Double], _ shard: Int) {
    linearRows[shard] = nil
    let size = MemoryLayout<Double>.size
    let used = linearRows.values.reduce(0) { $0 + size * $1.rows.count }
    if used + size * rows.count <= memoryLimit {
      linearRows[shard] = LinearRows(radial: radial, rows: rows)
    }
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
    linearRows = [:]
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

    init(_ design: DesignProgram, _ content: DesignKernel.Content) {
      radial =
        content.contains(.radial)
        ? design.radialOrder(after: content.contains(.linear) ? design.columns.width : 0) : []
      scalars = design.scalarOrder
      speciesCount = design.speciesCount
    }

    var width: Int { radial.count + speciesCount + scalars.count + 1 }
  }

  /// The rows of basis functions of a shard that are kept, or were and are copied.
  private struct Kept {
    let isSource: Bool
    var rows: [Double]
    var next = 0

    mutating func copy(
      to target: UnsafeMutablePointer<Double>, count: Int
    ) {
      for n in 0..<count { target[n] = rows[next &+ n] }
      next += count
    }

    mutating func keep(_ source: UnsafePointer<Double>, count: Int) {
      rows.append(contentsOf: UnsafeBufferPointer(start: source, count: count))
    }
  }

  // The rows of one structure, each times the root of its weight. Off-diagonal components stand for
  // two of the nine in the loss.
  private func append(
    _ member: SiteBatch.Member, _ order: ColumnOrder, _ count: inout Int, _ kept: inout Kept
  ) {
    let index = member.index
    let needed = (count + member.rowCount) * order.width
    if rows.count < needed { rows += [Double](repeating: 0, count: needed - rows.count) }
    let label = problem.learnedLabel(of: index)
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
        if kept.isSource {
          kept.copy(to: target, count: order.scalars.count)
        } else {
          design.copy(row: row, columns: order.scalars, weight: weight, to: target)
          if order.radial.isEmpty { kept.keep(target, count: order.scalars.count) }
        }
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

  // What the potential leaves in the rows of a structure, the last that were appended.
  private func addResiduals(
    of member: SiteBatch.Member, _ order: ColumnOrder, _ potential: MomentTensorPotential,
    end: Int, to sums: inout ResidualSums
  ) {
    let weights = problem.rowWeights(of: member.index)
    let structure = problem.structures[member.index].structure
    var linear = Array(potential.parameters.suffix(potential.linearParameterCount))
    for (s, energy) in problem.baseline.enumerated() { linear[s] -= energy }
    let forceCount = weights.force > 0 ? 3 * structure.atomCount : 0
    var row = end - (weights.energy > 0 ? 1 : 0) - forceCount - (weights.stress > 0 ? 6 : 0)
    func residual() -> Double {
      let start = row * order.width + order.radial.count
      var sum = -rows[start + linear.count]
      for (n, value) in linear.enumerated() { sum += rows[start + n] * value }
      row += 1
      return sum
    }
    if weights.energy > 0 {
      sums.energyPerAtom.add(residual() / (weights.energy * Double(structure.atomCount)))
    }
    for _ in 0..<forceCount { sums.force.add(residual() / weights.force) }
    guard weights.stress > 0 else { return }
    let unit =
      PhysicalConstants.gigapascalsPerElectronvoltPerCubicAngstrom
      / (weights.stress * structure.lattice.volume)
    for component in 0..<6 {
      let isDiagonal = component < 3
      let error = residual() * unit / (isDiagonal ? 1 : 2.0.squareRoot())
      sums.stress.add(error, times: isDiagonal ? 1 : 2)
    }
  }

  private func flush(_ count: inout Int, _ width: Int, into equations: inout NormalEquations) {
    rows.withUnsafeBufferPointer { equations.add($0, rowCount: count, width: width) }
    count = 0
  }
}
