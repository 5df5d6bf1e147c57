import Crystal
import Evolution
import NumericalCore

/// The random structures that a search would start from.
struct RandomStructures {
  let composition: Composition
  private var breeder = Breeder()
  private let settings: BreedingSettings
  private let volumePerAtom: Double

  /// Prepares a composition with the usual minimum distances and all space groups.
  init(_ composition: Composition) {
    self.composition = composition
    settings = BreedingSettings(
      minimumDistances: MinimumDistances(elements: composition.elements))
    volumePerAtom = VolumeEstimate.fromRadii(composition)
  }

  /// The minimum distances that every structure keeps.
  var minimumDistances: MinimumDistances { settings.minimumDistances }

  /// The structure of a number; `nil` where bounded tries found none.
  mutating func structure(_ number: Int) -> Structure? {
    let order = BreedingOrder(
      kind: .random, composition: composition, targetVolumePerAtom: volumePerAtom)
    var random = RandomStream(seed: 1, purpose: .test, slot: UInt64(number))
    return breeder.breed(order, settings: settings, random: &random).structure
  }
}
