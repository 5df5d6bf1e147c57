import Crystal
import NumericalCore
import Potential

/// A classical potential inside the program as the reference method: labels cost microseconds and are
/// the same bits everywhere.
public struct EmbeddedReference: ReferenceEngine {
  /// The settings it was made from.
  public let settings: ReferenceSettings
  /// The potential that labels.
  public let potential: any InteratomicPotential

  private let holes: [BuckinghamPotential.Hole]

  /// Creates the engine.
  ///
  /// - Throws: `PotentialError.invalidParameters` where the parameters contradict each other, or the settings
  ///   describe an external program.
  public init(_ settings: ReferenceSettings) throws(PotentialError) {
    self.settings = settings
    guard let potential = try settings.embeddedPotential() else {
      throw .invalidParameters("\(settings.summary) is no potential inside this program")
    }
    self.potential = potential
    holes = (potential as? BuckinghamPotential)?.holes() ?? []
  }

  /// The method with its main parameters.
  public var summary: String { settings.summary }

  /// The canonical bytes of the settings.
  public var settingsBytes: [UInt8] { settings.canonicalBytes }

  /// The version of the embedded potentials.
  public var version: String { "embedded 1" }

  /// Never: a label is a function of the structure.
  public var dependsOnHistory: Bool { false }

  /// Labels a structure.
  ///
  /// - Returns: `.failed` where the potential refuses the structure, the energy lies below the floor,
  ///   or a pair of atoms sits in a short-range hole of the potential.
  public func label(_ structure: Structure) -> LabelOutcome {
    // A look at the shortest distances costs less than a sum over all pairs.
    if let reason = fall(of: structure) { return .failed(reason: reason) }
    let evaluation: Evaluation
    do { evaluation = try potential.evaluation(of: structure) } catch {
      return .failed(reason: error.description)
    }
    if let reason = invalidity(of: structure, evaluation.energy) { return .failed(reason: reason) }
    return .labelled(evaluation)
  }

  /// Why an evaluation cannot be physical.
  ///
  /// - Returns: `nil` where it may be.
  public func invalidity(of structure: Structure, _ evaluation: Evaluation) -> String? {
    fall(of: structure) ?? invalidity(of: structure, evaluation.energy)
  }

  private func invalidity(of structure: Structure, _ energy: Double) -> String? {
    let energy = energy / Double(structure.atomCount)
    guard let floor = settings.energyFloor, energy < floor else { return nil }
    return "invalid: energy below floor, \(energy) eV/atom, floor \(floor)"
  }

  /// Which pair sits behind the barrier of a hole.
  private func fall(of structure: Structure) -> String? {
    guard let reach = holes.map(\.barrierDistance).max() else { return nil }
    let list = NeighborList(structure, cutoff: reach)
    for i in 0..<structure.atomCount {
      for place in list.neighbors(of: i) {
        let (a, b) = (structure.species[i], structure.species[Int(list.indices[place])])
        let distance = list.displacements[place].length
        for hole in holes where distance < hole.barrierDistance {
          if (hole.first, hole.second) == (a, b) || (hole.first, hole.second) == (b, a) {
            return
              "invalid: \(a)–\(b) at \(distance) Å, behind the barrier at \(hole.barrierDistance) Å"
          }
        }
      }
    }
    return nil
  }
}
