import NumericalCore

/// Planes along z and, for many images, lines along y: images of one species, plane and line follow
/// each other.
struct LayerGrid {
  /// The number of combinations of species, plane and line.
  let keyCount: Int
  private let planes: Int
  private let lines: Int
  private let low: Vector3
  private let perPlane: Double
  private let perLine: Double
  private let reach: Double

  /// Some runs of consecutive keys.
  struct Rows {
    /// The first key of the first run.
    var first: Int
    /// The number of keys of a run.
    let length: Int
    /// From one run's first key to the next's.
    let step: Int
    /// The number of runs.
    let count: Int
  }

  /// Makes a grid for about so many images.
  init(_ search: NeighborSearch, imageCount: Int, speciesCount: Int) {
    let (low, high) = (search.low, search.high)
    self.low = low
    reach = search.cutoff * NeighborSearch.margin
    func count(_ length: Double, enough: Int) -> Int {
      imageCount < enough ? 1 : max(1, min(64, Int((4 * length / search.cutoff).rounded(.down))))
    }
    planes = count(high.z - low.z, enough: 96)
    lines = count(high.y - low.y, enough: 2000)
    perPlane = Double(planes) / (high.z - low.z)
    perLine = Double(lines) / (high.y - low.y)
    keyCount = speciesCount * planes * lines
  }

  /// The first key of a species.
  func firstKey(of species: Int) -> Int { species * planes * lines }

  // 1.5 · 2⁵²: added to a small number it leaves that number, rounded, in the last bits.
  private static var shift: Double { 6_755_399_441_055_744 }

  // A plane or line, as a whole number: monotonic, whatever happens on the border of two.
  @inline(__always)
  private static func cell(_ x: SIMD8<Double>, _ perCell: Double, _ count: Int) -> SIMD8<Double> {
    var place = x * perCell
    let last = SIMD8<Double>(repeating: Double(count &- 1))
    place.replace(with: 0, where: place .< 0)
    place.replace(with: last, where: place .> last)
    return (place - 0.5 + shift) - shift
  }

  /// The keys of eight images.
  ///
  /// - Parameters:
  ///   - y: Their y in Å.
  ///   - z: Their z in Å.
  ///   - first: The first keys of their species.
  /// - Returns: Species, plane and line as one number.
  @inline(__always)
  func keys(y: SIMD8<Double>, z: SIMD8<Double>, first: SIMD8<Double>) -> SIMD8<Int64> {
    let plane = Self.cell(z - low.z, perPlane, planes)
    let line = Self.cell(y - low.y, perLine, lines)
    let key = first + plane * Double(lines) + line
    return unsafeBitCast(key + Self.shift, to: SIMD8<Int64>.self) & SIMD8(repeating: 0xffff_ffff)
  }

  /// Rows of images of one species that a sphere around a point meets.
  @inline(__always)
  func rows(around r: Vector3, species: Int) -> Rows {
    let x = SIMD8(r.z - reach, r.z + reach, r.y - reach, r.y + reach, 0, 0, 0, 0)
    let planes = Self.cell(x - low.z, perPlane, planes)
    let lines = Self.cell(x - low.y, perLine, lines)
    let (top, bottom) = (Int(planes[0]), Int(planes[1]))
    let (left, right) = (Int(lines[2]), Int(lines[3]))
    let first = (species &* self.planes &+ top) &* self.lines &+ left
    // Where there are no lines, planes follow each other.
    if self.lines == 1 {
      return Rows(first: first, length: bottom &- top &+ 1, step: 1, count: 1)
    }
    return Rows(
      first: first, length: right &- left &+ 1, step: self.lines, count: bottom &- top &+ 1)
  }
}

/// Tests images for their distance, thirty-two at a time, in single precision: images a little beyond
/// the cutoff may be found too.
struct ImageScan {
  private typealias Sixteen = SIMD16<Float>

  /// So many numbers behind the last may be read and written.
  static let width = 32

  /// The images' x, y, z and squared distance from the origin of a structure, in rows.
  let x: UnsafeMutablePointer<Float>
  /// From x to y, y to z and z to the square.
  let rowLength: Int
  /// `BitPlaces.table`.
  let table: UnsafePointer<SIMD8<UInt8>>
  /// Receives numbers of images.
  let hits: UnsafeMutablePointer<Int32>
  /// The number of hits so far.
  private(set) var count: Int
  // −2 c and the cutoff's square less that of c.
  private var center = (x: Sixteen.zero, y: Sixteen.zero, z: Sixteen.zero, limit: Sixteen.zero)

  /// Goes on after the hits found so far.
  init(
    x: UnsafeMutablePointer<Float>, rowLength: Int, table: UnsafePointer<SIMD8<UInt8>>,
    hits: UnsafeMutablePointer<Int32>, count: Int
  ) {
    self.x = x
    self.rowLength = rowLength
    self.table = table
    self.hits = hits
    self.count = count
  }

  /// Looks from a point: |g − c|² < s is g·(−2c) + |g|² < s − |c|².
  ///
  /// - Parameters:
  ///   - c: The point in Å, relative to the structure's origin.
  ///   - square: The square s of the cutoff and what single precision may lose.
  @inline(__always)
  mutating func look(from c: Vector3, square: Double) {
    center.x = Sixteen(repeating: Float(-2 * c.x))
    center.y = Sixteen(repeating: Float(-2 * c.y))
    center.z = Sixteen(repeating: Float(-2 * c.z))
    center.limit = Sixteen(repeating: Float(square - c.squaredLength))
  }

  /// Hides an image, or shows it again.
  ///
  /// - Returns: The number that shows it again.
  @inline(__always)
  func exchange(_ image: Int, _ square: Float) -> Float {
    let place = x + (3 &* rowLength &+ image)
    defer { place.pointee = square }
    return place.pointee
  }

  /// Adds the images of a range that are close enough.
  @inline(__always)
  mutating func run(_ images: Range<Int>) {
    var place = images.lowerBound
    let end = images.upperBound
    while place < end {
      var bits = BitPlaces.bits(isInside(place), isInside(place &+ 16))
      let left = end &- place
      if left < 32 { bits &= (1 << UInt32(truncatingIfNeeded: left)) &- 1 }
      for byte in 0..<4 {
        write((bits >> UInt32(truncatingIfNeeded: 8 &* byte)) & 255, place &+ 8 &* byte)
      }
      place &+= 32
    }
  }

  /// All bits of a lane are set where the image is close enough.
  @inline(__always)
  private func isInside(_ place: Int) -> SIMD16<Int32> {
    let g = x + place
    var sum = load(g + 3 &* rowLength)
    sum.accumulate(load(g), center.x)
    sum.accumulate(load(g + rowLength), center.y)
    sum.accumulate(load(g + 2 &* rowLength), center.z)
    return unsafeBitCast(sum .< center.limit, to: SIMD16<Int32>.self)
  }

  @inline(__always)
  private func load(_ p: UnsafeMutablePointer<Float>) -> Sixteen {
    UnsafeRawPointer(p).loadUnaligned(as: Sixteen.self)
  }

  @inline(__always)
  private mutating func write(_ bits: UInt32, _ place: Int) {
    let lanes = SIMD8<Int32>(truncatingIfNeeded: table[Int(truncatingIfNeeded: bits)])
    UnsafeMutableRawPointer(hits + count).storeBytes(
      of: lanes &+ Int32(truncatingIfNeeded: place), as: SIMD8<Int32>.self)
    count &+= bits.nonzeroBitCount
  }
}

/// From comparisons of vectors to lists of lanes.
enum BitPlaces {
  /// For every byte the numbers of its bits that are set, lowest first.
  static let table: [SIMD8<UInt8>] = (0..<256).map { byte in
    var places = SIMD8<UInt8>.zero
    var count = 0
    for bit in 0..<8 where byte >> bit & 1 == 1 {
      places[count] = UInt8(bit)
      count += 1
    }
    return places
  }

  /// One bit for each of eight lanes that have all bits set or none.
  @inline(__always)
  static func bits(_ flags: SIMD8<Int64>) -> UInt64 {
    let bits = flags & SIMD8(1, 2, 4, 8, 16, 32, 64, 128)
    let half = bits.lowHalf | bits.highHalf
    let quarter = half.lowHalf | half.highHalf
    return UInt64(truncatingIfNeeded: quarter[0] | quarter[1])
  }

  /// One bit for each of thirty-two lanes that have all bits set or none.
  @inline(__always)
  static func bits(_ low: SIMD16<Int32>, _ high: SIMD16<Int32>) -> UInt32 {
    let bits = (low & lowBits) | (high & (lowBits &<< 16))
    let half = bits.lowHalf | bits.highHalf
    let quarter = half.lowHalf | half.highHalf
    let eighth = quarter.lowHalf | quarter.highHalf
    return UInt32(truncatingIfNeeded: eighth[0] | eighth[1])
  }

  private static var lowBits: SIMD16<Int32> {
    SIMD16(
      1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768)
  }
}
