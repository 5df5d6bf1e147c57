import Crystal
import Settings

extension SettingsValue {
  /// The symbols of so many elements, as in `elements: [Ti, O]`.
  func elementSymbols(_ count: Int) throws(SettingsError) -> [ChemicalElement] {
    var elements: [ChemicalElement] = []
    for name in try list("element symbol\(count == 1 ? "" : "s")", counts: count...count) {
      guard let element = ChemicalElement(symbol: try name.string("an element symbol")) else {
        throw name.error(allowed: "an element symbol such as Ti")
      }
      elements.append(element)
    }
    return elements
  }
}
