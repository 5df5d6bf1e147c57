extension UnsafeMutablePointer where Pointee == Lanes {
  /// The first place from here on where a vector does not lie across two cache lines.
  ///
  /// Swift aligns vectors to 16 bytes only, and an array of them begins wherever the allocator likes. A
  /// vector of 64 bytes across two lines loads at half the speed: evaluations from level 16 on take
  /// 20 % less time without, and less of it depends on chance. An array needs room for
  /// `alignmentReserve` more vectors.
  var alignedToCacheLine: LanePointer {
    UnsafeMutableRawPointer(self).alignedUp(toMultipleOf: cacheLineBytes)
      .assumingMemoryBound(to: Lanes.self)
  }
}

/// The size of a cache line.
let cacheLineBytes = 64

/// How many vectors an aligned beginning costs at most.
let alignmentReserve = 64 / MemoryLayout<Lanes>.stride
