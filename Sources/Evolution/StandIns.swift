// Temporary: stand-ins for types that Crystal is about to provide; deleted as soon as it does.
import Crystal
import NumericalCore
public struct MinimumDistances: Sendable, Hashable, ByteCodable {
  public func distance(_ a: ChemicalElement, _ b: ChemicalElement) -> Double { 0.7 * (a.covalentRadius + b.covalentRadius) }
  public func firstViolation(in s: Structure) -> Int? { nil }
  public init() {}
  public func encode(to encoder: inout ByteEncoder) {}
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {}
}
public struct StructureFingerprint: Sendable, Hashable, ByteCodable {
  public func distance(to: StructureFingerprint) -> Double { 0 }
  public init() {}
  public func encode(to encoder: inout ByteEncoder) {}
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {}
}
struct SpaceGroup { static func standard(_ n: Int) -> SpaceGroup { SpaceGroup() } }
extension WyckoffTable { init(_ g: SpaceGroup) { self.init(allOperations: [GridOperation(rotation: [1,0,0,0,1,0,0,0,1], translation: .zero)]) } }
