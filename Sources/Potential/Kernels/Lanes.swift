// Kernels treat eight central atoms of one species at once, one in each lane of a vector: moments,
// products and gradients need no sums across lanes and no transposition.

/// Eight numbers, one for each atom of a block.
package typealias Lanes = SIMD8<Double>

/// Where a block's numbers are.
package typealias LanePointer = UnsafeMutablePointer<Lanes>

/// The number of atoms in a block.
package let laneCount = 8

/// The number of neighbor slots that kernels treat at once.
package let chunkSlots = 4
