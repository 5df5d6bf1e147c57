import Crystal
import NumericalCore

/// Structures whose atoms are the vertices of a known net.
///
/// After P. V. Bushlanov, V. A. Blatov and A. R. Oganov, Comput. Phys. Commun. 236, 1 (2019): a net is drawn
/// whose vertices, in one or several cells, are as many as the atoms; its orbits are coloured with the
/// species, under the whole symmetry or a subgroup of it; the cell is scaled to the target volume. Here
/// every supercell of the right size is possible, and a net that needs n cells is drawn with a chance
/// ∝ 1/n: many cells of a small net are nearly free colourings of a simple lattice, of which few suffice.
struct TopologicalGenerator {
  private var nets = [TopologyNet?](repeating: nil, count: TopologyLibrary.templates.count)

  private enum Ladder {
    static let nets = 30
    static let supercells = 4
    static let colourings = 3
    static let netsPerVolume = 10
    static let volumeGrowth = 1.1
  }

  private mutating func net(_ index: Int) -> TopologyNet {
    if let known = nets[index] { return known }
    let derived = TopologyNet(TopologyLibrary.templates[index])
    nets[index] = derived
    return derived
  }

  /// Makes a structure of a random net among those that fit, in bounded work.
  mutating func structure(
    of composition: Composition, volumePerAtom: Double, _ settings: BreedingSettings,
    _ random: inout RandomStream
  ) -> BreedingOutcome {
    let count = composition.atomCount
    let weights = TopologyLibrary.templates.map { template in
      count % template.vertexCount == 0 && !settings.topologies.excluded.contains(template.name)
        ? Double(template.vertexCount) / Double(count) : 0
    }
    guard settings.topologies.isUsed, weights.contains(where: { $0 > 0 }) else {
      return .rejected(.notApplicable)
    }
    var volume =
      volumePerAtom * random.uniform(1 - settings.volumeSpread, 1 + settings.volumeSpread)
    var reason = RejectionReason.minimumDistances
    for attempt in 1...Ladder.nets {
      let pick = random.index(weights: weights) ?? 0
      for _ in 0..<Ladder.supercells {
        let outcome = structure(
          of: composition, template: pick, volumePerAtom: volume, settings, &random)
        switch outcome {
        case .offspring: return outcome
        case .rejected(let why): reason = why
        }
      }
      if attempt % Ladder.netsPerVolume == 0 { volume *= Ladder.volumeGrowth }
    }
    return .rejected(reason)
  }

  /// Makes a structure of one net in a random supercell.
  mutating func structure(
    of composition: Composition, template index: Int, volumePerAtom: Double,
    _ settings: BreedingSettings, _ random: inout RandomStream
  ) -> BreedingOutcome {
    let template = TopologyLibrary.templates[index]
    let net = net(index)
    precondition(
      composition.atomCount % net.vertices.count == 0, "the vertices are a part of the atoms")
    let supercell = NetSupercell(
      count: composition.atomCount / net.vertices.count, &random)
    let volume = volumePerAtom * Double(composition.atomCount)
    guard let lattice = try? Lattice(supercell.matrix * net.vectors).scaled(toVolume: volume),
      CellShape.violation(of: lattice.niggliReduced(), settings) == nil,
      let inverse = supercell.matrix.inverse
    else { return .rejected(.cellShape) }
    let positions = net.vertices.flatMap { vertex in
      (0..<supercell.count).map { cell in
        lattice.cartesian((vertex + supercell.cell(cell).scaled(by: 1)) * inverse)
      }
    }
    let colouring = NetColouring(net, supercell)
    var outcome = BreedingOutcome.rejected(.notApplicable)
    for _ in 0..<Ladder.colourings {
      guard let drawn = colouring.draw(composition.counts, &random) else { continue }
      var draft = Draft(
        lattice: lattice, composition: composition, species: drawn.species, positions: positions)
      guard draft.distort(settings.topologies, &random) else { continue }
      outcome = draft.finished(
        settings,
        "net \(template.name), \(supercell.count) cells, \(drawn.orbitCount) orbits coloured")
      if case .offspring = outcome { return outcome }
    }
    return outcome
  }
}

extension Draft {
  /// Strains the cell and displaces the atoms as far as the settings ask for.
  ///
  /// - Returns: Whether there still is a cell.
  fileprivate mutating func distort(
    _ settings: TopologySettings, _ random: inout RandomStream
  ) -> Bool {
    if settings.strain > 0 {
      var strain = Matrix3.zero
      for row in 0..<3 {
        for column in row..<3 {
          let component = settings.strain * random.normal() * (row == column ? 1 : 0.5)
          strain[row, column] = component
          strain[column, row] = component
        }
      }
      guard
        let strained = try? lattice.strained(by: strain).scaled(toVolume: lattice.volume)
      else { return false }
      let old = lattice
      positions = positions.map { strained.cartesian(old.fractional($0)) }
      lattice = strained
    }
    if settings.displacement > 0 {
      positions = positions.map {
        $0 + settings.displacement * Vector3(random.normal(), random.normal(), random.normal())
      }
    }
    return true
  }
}
