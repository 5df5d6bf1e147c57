import NumericalCore

extension Population.Member: ByteCodable {
  func encode(to encoder: inout ByteEncoder) {
    encoder.encode(basin)
    encoder.encode(fitness)
    encoder.encode(distances)
    encoder.encode(density)
  }

  init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    basin = try decoder.decode()
    fitness = try decoder.decode()
    distances = try decoder.decode([Double].self)
    density = try decoder.decode()
  }
}

extension Population: ByteCodable {
  /// Appends the whole state.
  public func encode(to encoder: inout ByteEncoder) {
    encoder.encode(settings)
    encoder.encode(index)
    encoder.encode(hull)
    encoder.encode(antiseeds)
    encoder.encode(operators)
    encoder.encode(potentialVersion)
    encoder.encode(pendingVersion)
    encoder.encode(commitCount)
    encoder.encode(orderCount)
    encoder.encode(volumeRatio)
    encoder.encode(recipes)
    encoder.encode(ranking)
    encoder.encode(survivors)
    encoder.encode(awaited)
    encoder.encode(staged)
    encoder.encode(failed)
    encoder.encode(waiting)
  }

  /// Reads the whole state.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    self.init(settings: try decoder.decode(PopulationSettings.self))
    index = try decoder.decode()
    try reference.restore(try decoder.decode(ConvexHull?.self), index)
    antiseeds = try decoder.decode()
    operators = try decoder.decode()
    potentialVersion = try decoder.decode()
    pendingVersion = try decoder.decode(Int?.self)
    commitCount = try decoder.decode()
    orderCount = try decoder.decode()
    volumeRatio = try decoder.decode()
    guard Self.volumeRatios.contains(volumeRatio) else {
      throw .invalid("a volume ratio of \(volumeRatio)")
    }
    recipes = try decoder.decode()
    ranking = try decoder.decode([Member].self)
    survivors = try decoder.decode([Int].self)
    awaited = try decoder.decode([Int].self)
    staged = try decoder.decode([Individual].self)
    failed = try decoder.decode([Int].self)
    waiting = try decoder.decode([Individual].self)
    guard (ranking.map(\.basin) + survivors).allSatisfy(index.basins.indices.contains) else {
      throw .invalid("a member that is no basin")
    }
  }
}
