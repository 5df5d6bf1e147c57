import Crystal
import NumericalCore

extension MomentTensorPotential: ByteCodable {
  /// Appends the elements and the text of the `.mtp` format, which holds every number bit for bit.
  public func encode(to encoder: inout ByteEncoder) {
    encoder.encode(elements)
    encoder.encode(mtpText)
  }

  /// Reads elements and text.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    let elements = try decoder.decode([ChemicalElement].self)
    let text = try decoder.decode(String.self)
    do { try self.init(mtpText: text, path: "message", elements: elements) } catch {
      throw .invalid(error.description)
    }
  }
}
