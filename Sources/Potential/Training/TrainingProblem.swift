import Crystal
import NumericalCore

/// Labelled structures with their weights in the loss: what a training fits, the same on every rank.
public struct TrainingProblem: Sendable {
  /// Why a structure is kept but not trained on.
  public enum Exclusion: Sendable, Hashable, CustomStringConvertible {
    /// Its largest force in eV/Å exceeds the cap.
    case force(Double, cap: Double)
    /// It lies too high, in eV/atom, above the lowest structure of its composition.
    case energy(Double, window: Double)
    /// Its weight is 0.
    case weight

    /// The message for people.
    public var description: String {
      switch self {
      case .force(let force, let cap): "force \(force) eV/Å above the cap of \(cap) eV/Å"
      case .energy(let energy, let window):
        "\(energy) eV/atom above the lowest of its composition, window \(window) eV/atom"
      case .weight: "weight 0"
      }
    }
  }

  /// Square roots of the weights of one structure's rows.
  struct RowWeights: Sendable {
    var energy: Double
    var force: Double
    var stress: Double
  }

  /// The labelled structures, in the order whose index decides the shard.
  public let structures: [LabelledStructure]
  /// The weight of every structure relative to the others, beside the weights of `settings`.
  public let multipliers: [Double]
  /// The species of the potential, in its order.
  public let elements: [ChemicalElement]
  /// The repulsion of the potential, which is not learned; `nil` for none.
  public let repulsion: ShortRangeRepulsion?
  /// What the training aims at.
  public let settings: TrainingSettings
  /// For every structure why it is left out, `nil` where it is trained on.
  public let exclusions: [Exclusion?]
  /// A least-squares energy per species in eV, subtracted before the fit so that large absolute
  /// energies cost no digits.
  let baseline: [Double]
  // What the repulsion leaves of every label; `nil` where there is none.
  private let remainders: [Evaluation]?
  // Enthalpies above the lowest of the composition in eV/atom, for every structure.
  private let heights: [Double]
  // Atoms of each species, for every structure.
  private let speciesCounts: [[Int]]

  /// Prepares a training.
  ///
  /// - Parameters:
  ///   - structures: Labelled structures.
  ///   - multipliers: Relative weight of every structure, none negative; 1 where absent. Those of
  ///     weight 0 are left out.
  ///   - potential: The potential to fit; only its species and its repulsion count.
  ///   - settings: Weights, cap and window.
  /// - Throws: `PotentialError.unknownElement` where a structure holds another species, `.training` where
  ///   nothing is left to train on.
  public init(
    _ structures: [LabelledStructure], multipliers: [Double]? = nil,
    for potential: MomentTensorPotential, settings: TrainingSettings
  ) throws(PotentialError) {
    try self.init(
      structures, multipliers: multipliers, elements: potential.elements,
      repulsion: potential.repulsion, settings: settings)
  }

  /// Prepares a training of any kind of potential.
  ///
  /// - Parameters:
  ///   - structures: Labelled structures.
  ///   - multipliers: As above.
  ///   - elements: The species of the potential, in its order.
  ///   - repulsion: The repulsion of the potential, which is not learned; `nil` for none.
  ///   - settings: Weights, cap and window.
  /// - Throws: As above.
  public init(
    _ structures: [LabelledStructure], multipliers: [Double]? = nil, elements: [ChemicalElement],
    repulsion: ShortRangeRepulsion?, settings: TrainingSettings
  ) throws(PotentialError) {
    let multipliers = multipliers ?? Array(repeating: 1, count: structures.count)
    guard multipliers.count == structures.count, multipliers.allSatisfy({ $0 >= 0 && $0.isFinite })
    else { throw .training("every structure needs one weight that is not negative") }
    self.structures = structures
    self.multipliers = multipliers
    self.elements = elements
    self.repulsion = repulsion
    self.settings = settings
    let table = repulsion.map { RepulsionTable($0, elements) }
    var counts: [[Int]] = []
    var remainders: [Evaluation] = []
    for labelled in structures {
      var count = [Int](repeating: 0, count: elements.count)
      let indices = try labelled.structure.speciesIndices(among: elements)
      for species in indices { count[species] += 1 }
      counts.append(count)
      if let table {
        remainders.append(
          labelled.subtracting(table.evaluation(of: labelled.structure, species: indices)))
      }
    }
    speciesCounts = counts
    self.remainders = table == nil ? nil : remainders
    let heights = Self.heights(of: structures, settings)
    self.heights = heights
    let exclusions = structures.indices.map { index in
      multipliers[index] == 0
        ? .weight : Self.exclusion(of: structures[index], height: heights[index], settings)
    }
    self.exclusions = exclusions
    guard exclusions.contains(where: { $0 == nil }) else {
      throw .training(
        structures.isEmpty
          ? "there is no labelled structure"
          : "the force cap, the energy window or weights of 0 exclude all \(structures.count) structures"
      )
    }
    let used = exclusions.indices.filter { exclusions[$0] == nil }
    baseline = try Self.baseline(
      used.map { counts[$0] },
      used.map { (table == nil ? structures[$0].evaluation : remainders[$0]).energy })
  }

  /// What is learned of a structure: its label without the repulsion.
  ///
  /// Weights, cap and window are decided by the whole label.
  func learnedLabel(of index: Int) -> Evaluation {
    remainders?[index] ?? structures[index].evaluation
  }

  /// The part of a label's energy in eV that the baseline takes.
  func baselineEnergy(of index: Int) -> Double {
    zip(baseline, speciesCounts[index]).reduce(0) { $0 + $1.0 * Double($1.1) }
  }

  /// The number of structures trained on.
  ///
  /// - Complexity: O(K)
  public func usedCount() -> Int { exclusions.count { $0 == nil } }

  /// The indices of the structures of one shard that are trained on.
  public func members(ofShard shard: Int) -> [Int] {
    precondition((0..<NormalEquations.shardCount).contains(shard), "there is no such shard")
    return stride(from: shard, to: structures.count, by: NormalEquations.shardCount).filter {
      exclusions[$0] == nil
    }
  }

  /// Whether the structure's ∂E/∂ε is trained on: not where all nine components are exactly zero,
  /// which is how labels without a stress arrive.
  func hasVirial(_ index: Int) -> Bool { structures[index].evaluation.virial != .zero }

  func rowWeights(of index: Int) -> RowWeights {
    let labelled = structures[index]
    var weights = settings.weights.divided(atomCount: labelled.structure.atomCount)
    var factor = multipliers[index]
    if let scale = settings.robustEnergy {
      let height = heights[index] / scale
      factor /= 1 + height * height
    }
    weights.energy *= factor
    weights.force *= factor
    weights.stress *= factor
    if let scale = settings.robustForce {
      let square = labelled.evaluation.forces.reduce(0) { $0 + $1.squaredLength }
      let mean = square / Double(3 * labelled.structure.atomCount)
      weights.force /= 1 + mean / (scale * scale)
    }
    return RowWeights(
      energy: weights.energy.squareRoot(), force: weights.force.squareRoot(),
      stress: hasVirial(index) ? weights.stress.squareRoot() : 0)
  }

  /// Why structures are not trained on.
  ///
  /// - Parameters:
  ///   - structures: The whole training set: enthalpies are measured from the lowest of a composition.
  ///   - settings: Cap, window and pressure.
  /// - Returns: The reason by structure; `nil` for those that are trained on.
  public static func exclusions(
    of structures: [LabelledStructure], settings: TrainingSettings
  ) -> [Exclusion?] {
    zip(structures, heights(of: structures, settings)).map {
      exclusion(of: $0, height: $1, settings)
    }
  }

  private static func exclusion(
    of labelled: LabelledStructure, height: Double, _ settings: TrainingSettings
  ) -> Exclusion? {
    let force = labelled.evaluation.largestForce()
    if let cap = settings.forceCap, force > cap { return .force(force, cap: cap) }
    if let window = settings.energyWindow, height > window {
      return .energy(height, window: window)
    }
    return nil
  }

  private static func heights(
    of structures: [LabelledStructure], _ settings: TrainingSettings
  ) -> [Double] {
    let enthalpies = structures.map { $0.enthalpyPerAtom(at: settings.pressure) }
    let compositions = structures.map { reducedCounts(of: $0.structure) }
    var floors: [[Int]: Double] = [:]
    for (index, composition) in compositions.enumerated() {
      // A collapsed structure, far below all others, betrays itself by its forces.
      if let cap = settings.forceCap, structures[index].evaluation.largestForce() > cap { continue }
      floors[composition] = min(floors[composition] ?? .infinity, enthalpies[index])
    }
    return zip(enthalpies, compositions).map { $0 - (floors[$1] ?? 0) }
  }

  // Atomic numbers and counts divided by their greatest common divisor.
  private static func reducedCounts(of structure: Structure) -> [Int] {
    let composition = structure.composition()
    func divisor(_ a: Int, _ b: Int) -> Int { b == 0 ? a : divisor(b, a % b) }
    let common = composition.counts.reduce(0, divisor)
    return zip(composition.elements, composition.counts).sorted { $0.0 < $1.0 }.flatMap {
      [$0.atomicNumber, $1 / max(1, common)]
    }
  }

  // E/N ≈ Σ x_s a_s with mole fractions x. Where all structures share one composition only one
  // combination is determined; the ridge spreads it evenly.
  private static func baseline(
    _ counts: [[Int]], _ energies: [Double]
  ) throws(PotentialError) -> [Double] {
    let species = counts.first?.count ?? 0
    var equations = NormalEquations(radialCount: 0, linearCount: species)
    var row = Matrix(rows: 1, columns: species + 1)
    for (count, energy) in zip(counts, energies) {
      let n = Double(count.reduce(0, +))
      for s in 0..<species { row[0, s] = Double(count[s]) / n }
      row[0, species] = energy / n
      equations.add(row, rowCount: 1)
    }
    return try VariableProjection.solveLinear(equations, ridge: 1e-10).coefficients
  }
}

extension LabelledStructure {
  /// The label without a part of the energy.
  fileprivate func subtracting(_ part: Evaluation) -> Evaluation {
    Evaluation(
      energy: evaluation.energy - part.energy,
      forces: zip(evaluation.forces, part.forces).map { $0 - $1 },
      virial: evaluation.virial - part.virial, of: structure)
  }
}
