import NumericalCore

/// Which nets the topological generator may use, and how far it leaves them.
public struct TopologySettings: Sendable, Hashable {
  /// Whether there are topological structures at all.
  public var isUsed: Bool
  /// The names of templates that are left out, in the order of their names.
  public private(set) var excluded: [String]
  /// Standard deviation of a random strain of the cell; 0 for none.
  public var strain: Double
  /// Standard deviation in Å of random displacements along each axis; 0 for none.
  public var displacement: Double

  /// Creates settings.
  ///
  /// - Parameters:
  ///   - isUsed: Whether there are topological structures at all.
  ///   - excluded: Names of templates to leave out, known to `TopologyLibrary`.
  ///   - strain: Standard deviation of the strain's components, not negative.
  ///   - displacement: Standard deviation of displacements in Å, not negative.
  public init(
    isUsed: Bool = true, excluded: [String] = [], strain: Double = 0, displacement: Double = 0
  ) {
    precondition(excluded.allSatisfy(TopologyLibrary.names.contains), "templates have names")
    precondition(strain >= 0 && displacement >= 0, "deviations are not negative")
    self.isUsed = isUsed
    self.excluded = excluded.sorted()
    self.strain = strain
    self.displacement = displacement
  }
}

extension TopologySettings: ByteCodable {
  /// Appends every setting.
  public func encode(to encoder: inout ByteEncoder) {
    encoder.encode(isUsed)
    encoder.encode(excluded.count)
    for name in excluded { encoder.encode(name) }
    encoder.encode(strain)
    encoder.encode(displacement)
  }

  /// Reads every setting.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    let isUsed = try decoder.decode(Bool.self)
    let count = try decoder.decode(Int.self)
    guard (0...TopologyLibrary.names.count).contains(count) else {
      throw .invalid("\(count) excluded templates")
    }
    var excluded: [String] = []
    for _ in 0..<count { excluded.append(try decoder.decode(String.self)) }
    let strain = try decoder.decode(Double.self)
    let displacement = try decoder.decode(Double.self)
    guard excluded.allSatisfy(TopologyLibrary.names.contains), strain >= 0, displacement >= 0 else {
      throw .invalid("topological settings that exclude \(excluded)")
    }
    self.init(
      isUsed: isUsed, excluded: excluded, strain: strain, displacement: displacement)
  }
}
