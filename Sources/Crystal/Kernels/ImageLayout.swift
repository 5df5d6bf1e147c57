import NumericalCore

/// Memory for the images of one structure while they are laid out and sorted.
struct ImageLayout {
  /// Components of the atoms: x, then y, then z, then the first keys of their species, in rows.
  let atoms: UnsafeMutablePointer<Double>
  /// The length of those rows: the number of atoms and some.
  let atomRow: Int
  /// Components of the images as they are found, and the first keys of their species, in rows.
  let found: UnsafeMutablePointer<Double>
  /// The length of those rows.
  let imageRow: Int
  /// The atoms that they belong to.
  let owners: UnsafeMutablePointer<Int32>
  /// The numbers of their translations.
  let shifts: UnsafeMutablePointer<Int32>
  /// Their keys.
  let keys: UnsafeMutablePointer<Int64>
  /// How many images each key has, at the place behind it.
  let starts: UnsafeMutablePointer<Int32>
  /// `BitPlaces.table`.
  let table: UnsafePointer<SIMD8<UInt8>>

  private typealias Eight = SIMD8<Double>

  /// Lays out all images inside the box that holds all neighbors, translation after translation.
  ///
  /// - Parameters:
  ///   - search: The atoms and the box.
  ///   - translations: The first must be none: the first images are the atoms.
  ///   - species: The species of the atoms.
  ///   - grid: What keys are made of.
  /// - Returns: How many images there are.
  func layOut(
    _ search: NeighborSearch, _ translations: [Vector3], species: UnsafePointer<Int32>,
    _ grid: LayerGrid
  ) -> Int {
    let count = search.positions.count
    for (j, r) in search.positions.enumerated() {
      (atoms[j], atoms[atomRow &+ j], atoms[2 &* atomRow &+ j]) = (r.x, r.y, r.z)
      atoms[3 &* atomRow &+ j] = Double(grid.firstKey(of: Int(species[j])))
    }
    // Behind the last atom there is nothing near.
    for j in count..<atomRow { atoms[j] = 1e100 }
    var end = 0
    for (number, t) in translations.enumerated() {
      let begin = end
      if count < 8 {
        // A few atoms are quickly laid out, needed or not.
        for j in 0..<count {
          owners[end] = Int32(truncatingIfNeeded: j)
          place(j, t, number, at: end)
          end &+= 1
        }
      } else {
        for j in stride(from: 0, to: count, by: 8) {
          let bits = BitPlaces.bits(inside(search, t, j))
          let lanes = SIMD8<Int32>(truncatingIfNeeded: table[Int(truncatingIfNeeded: bits)])
          UnsafeMutableRawPointer(owners + end).storeBytes(
            of: lanes &+ Int32(truncatingIfNeeded: j), as: SIMD8<Int32>.self)
          end &+= bits.nonzeroBitCount
        }
        for image in begin..<end { place(Int(owners[image]), t, number, at: image) }
      }
    }
    findKeys(end, grid)
    return end
  }

  @inline(__always)
  private func place(_ j: Int, _ t: Vector3, _ translation: Int, at image: Int) {
    found[image] = atoms[j] + t.x
    found[imageRow &+ image] = atoms[atomRow &+ j] + t.y
    found[2 &* imageRow &+ image] = atoms[2 &* atomRow &+ j] + t.z
    found[3 &* imageRow &+ image] = atoms[3 &* atomRow &+ j]
    shifts[image] = Int32(truncatingIfNeeded: translation)
  }

  private func findKeys(_ count: Int, _ grid: LayerGrid) {
    for image in stride(from: 0, to: grid.keyCount > 1 ? count : 0, by: 8) {
      let keys = grid.keys(
        y: load(found + imageRow, image), z: load(found + 2 &* imageRow, image),
        first: load(found + 3 &* imageRow, image))
      UnsafeMutableRawPointer(self.keys + image).storeBytes(of: keys, as: SIMD8<Int64>.self)
    }
    for key in 0...grid.keyCount { starts[key] = 0 }
    guard grid.keyCount > 1 else {
      starts[1] = Int32(truncatingIfNeeded: count)
      return
    }
    for image in 0..<count { starts[Int(truncatingIfNeeded: keys[image]) &+ 1] &+= 1 }
  }

  @inline(__always)
  private func inside(_ search: NeighborSearch, _ t: Vector3, _ j: Int) -> SIMD8<Int64> {
    let (low, high) = (search.low - t, search.high - t)
    let x = load(atoms, j)
    let y = load(atoms + atomRow, j)
    let z = load(atoms + 2 &* atomRow, j)
    let isInside =
      (x .> Eight(repeating: low.x)) .& (x .< Eight(repeating: high.x))
      .& (y .> Eight(repeating: low.y)) .& (y .< Eight(repeating: high.y))
      .& (z .> Eight(repeating: low.z)) .& (z .< Eight(repeating: high.z))
    return unsafeBitCast(isInside, to: SIMD8<Int64>.self)
  }

  @inline(__always)
  private func load(_ p: UnsafeMutablePointer<Double>, _ place: Int) -> Eight {
    UnsafeRawPointer(p + place).loadUnaligned(as: Eight.self)
  }

  /// Where sorted images go.
  struct Target {
    /// Components: x, then y and z in rows.
    let x: UnsafeMutablePointer<Double>
    /// From x to y.
    let rowLength: Int
    /// The same relative to the origin in single precision, then squared distances from it.
    let single: UnsafeMutablePointer<Float>
    /// Near the middle of the images, in Å.
    let origin: Vector3
    /// The atoms they belong to.
    let owners: UnsafeMutablePointer<Int32>
    /// The numbers of their translations.
    let shifts: UnsafeMutablePointer<Int32>
    /// For each atom of the structure the image that is the atom itself.
    let homes: UnsafeMutablePointer<Int32>
  }

  /// Sorts the images by key; `starts` then tells where the images of each key start.
  ///
  /// - Parameters:
  ///   - count: How many images there are.
  ///   - atomCount: How many atoms; the first images are they.
  ///   - keyCount: How many keys there are.
  ///   - firstImage: How many images of other structures there are already.
  ///   - firstAtom: How many atoms.
  ///   - target: Receives the images.
  func sort(
    _ count: Int, atomCount: Int, keyCount: Int, firstImage: Int, firstAtom: Int,
    into target: Target
  ) {
    starts[0] = Int32(truncatingIfNeeded: firstImage)
    for key in 0..<keyCount { starts[key &+ 1] &+= starts[key] }
    // Each start moves on to the end of its key and is put back afterwards.
    for image in 0..<count {
      var place = firstImage &+ image
      if keyCount > 1 {
        let key = Int(truncatingIfNeeded: keys[image])
        place = Int(starts[key])
        starts[key] = Int32(truncatingIfNeeded: place &+ 1)
      }
      target.x[place] = found[image]
      target.x[target.rowLength &+ place] = found[imageRow &+ image]
      target.x[2 &* target.rowLength &+ place] = found[2 &* imageRow &+ image]
      target.owners[place] = owners[image] &+ Int32(truncatingIfNeeded: firstAtom)
      target.shifts[place] = shifts[image]
      if image < atomCount { target.homes[image] = Int32(truncatingIfNeeded: place) }
    }
    if keyCount > 1 {
      for key in stride(from: keyCount, to: 0, by: -1) { starts[key] = starts[key &- 1] }
    }
    starts[0] = Int32(truncatingIfNeeded: firstImage)
    target.round(firstImage..<firstImage + count)
  }
}

extension ImageLayout.Target {
  /// Makes the numbers in single precision; some behind the range too.
  fileprivate func round(_ images: Range<Int>) {
    func components(_ row: Int, _ image: Int) -> SIMD8<Double> {
      UnsafeRawPointer(x + (row &* rowLength &+ image)).loadUnaligned(as: SIMD8<Double>.self)
    }
    func store(_ numbers: SIMD8<Double>, _ row: Int, _ image: Int) {
      UnsafeMutableRawPointer(single + (row &* rowLength &+ image)).storeBytes(
        of: SIMD8<Float>(numbers), as: SIMD8<Float>.self)
    }
    for image in stride(from: images.lowerBound, to: images.upperBound, by: 8) {
      let dx = components(0, image) - origin.x
      let dy = components(1, image) - origin.y
      let dz = components(2, image) - origin.z
      store(dx, 0, image)
      store(dy, 1, image)
      store(dz, 2, image)
      store(dx * dx + dy * dy + dz * dz, 3, image)
    }
  }
}
