import Crystal
import NumericalCore

/// The words of the i-PI protocol; each crosses as 12 ASCII characters, filled up with blanks.
enum IPIWord: String, Sendable, CaseIterable {
  // From the server.
  case status = "STATUS"
  case initialize = "INIT"
  case positions = "POSDATA"
  case getForce = "GETFORCE"
  case exit = "EXIT"
  // From the client.
  case needInitialization = "NEEDINIT"
  case ready = "READY"
  case haveData = "HAVEDATA"
  case forceReady = "FORCEREADY"

  /// Bytes of a word on the wire.
  static let size = 12

  /// The word on the wire.
  var bytes: [UInt8] {
    let text = Array(rawValue.utf8)
    return text + [UInt8](repeating: 0x20, count: Self.size - text.count)
  }

  /// Reads a word.
  ///
  /// - Throws: `IPIError.unexpectedWord` for any but the allowed ones.
  init(_ bytes: [UInt8], among allowed: [IPIWord]) throws(IPIError) {
    // Fortran fills with blanks, C with zeros.
    let text = String(decoding: bytes, as: UTF8.self)
      .prefix { $0 != "\0" && $0 != " " }
    guard let word = allowed.first(where: { $0.rawValue == text }) else {
      throw .unexpectedWord(
        found: String(decoding: bytes, as: UTF8.self), allowed: allowed.map(\.rawValue))
    }
    self = word
  }
}

/// The units of the protocol, Hartree atomic units, in those of the program.
enum AtomicUnits {
  /// One Bohr radius in Å.
  static let length = PhysicalConstants.angstromsPerBohr
  /// One Hartree in eV.
  static let energy = PhysicalConstants.electronvoltsPerHartree
  /// One Hartree per Bohr radius in eV/Å.
  static let force = energy / length
}

/// Numbers as they cross: in the byte order of the machine's kind, 64 and 32 bits wide.
struct IPIBytes {
  /// What was written so far.
  private(set) var bytes: [UInt8] = []

  mutating func append(_ value: Double) {
    withUnsafeBytes(of: value.bitPattern) { bytes.append(contentsOf: $0) }
  }

  mutating func append(_ value: Vector3) {
    append(value.x)
    append(value.y)
    append(value.z)
  }

  /// The elements row by row.
  mutating func append(_ value: Matrix3) {
    append(value.a)
    append(value.b)
    append(value.c)
  }

  mutating func append(count: Int) {
    withUnsafeBytes(of: Int32(clamping: count)) { bytes.append(contentsOf: $0) }
  }

  /// The numbers that bytes hold.
  static func numbers(_ bytes: [UInt8]) -> [Double] {
    bytes.withUnsafeBytes { buffer in
      (0..<buffer.count / 8).map {
        Double(bitPattern: buffer.loadUnaligned(fromByteOffset: 8 * $0, as: UInt64.self))
      }
    }
  }

  /// The count that four bytes hold.
  static func count(_ bytes: [UInt8]) -> Int {
    Int(bytes.withUnsafeBytes { $0.loadUnaligned(as: Int32.self) })
  }

  /// The vectors that numbers hold.
  static func vectors(_ numbers: [Double]) -> [Vector3] {
    (0..<numbers.count / 3).map {
      Vector3(numbers[3 * $0], numbers[3 * $0 + 1], numbers[3 * $0 + 2])
    }
  }

  /// The matrix that nine numbers hold row by row.
  static func matrix(_ numbers: [Double]) -> Matrix3 {
    let rows = vectors(numbers)
    return Matrix3(rows: rows[0], rows[1], rows[2])
  }
}

/// The cell and the positions that a server sends.
struct IPIGeometry {
  /// Lattice vectors as rows in Å.
  let vectors: Matrix3
  /// Cartesian positions in Å.
  let positions: [Vector3]

  /// The message, with its word.
  static func bytes(of structure: Structure) -> [UInt8] {
    let lattice = structure.lattice
    var message = IPIBytes()
    // i-PI's cell holds the lattice vectors as columns, and crosses row by row.
    message.append((1 / AtomicUnits.length) * lattice.vectors.transposed)
    message.append(AtomicUnits.length * lattice.inverse.transposed)
    message.append(count: structure.atomCount)
    for position in structure.positions { message.append((1 / AtomicUnits.length) * position) }
    return IPIWord.positions.bytes + message.bytes
  }

  /// Reads what follows the word.
  ///
  /// - Throws: `IPIError` where the count is not the expected one or a number is not finite.
  init(
    from stream: SocketStream, atomCount: Int, until deadline: SocketDeadline
  ) throws(IPIError) {
    let cells = IPIBytes.numbers(try stream.read(144, "the cell", until: deadline))
    let count = IPIBytes.count(try stream.read(4, "the number of atoms", until: deadline))
    guard count == atomCount else { throw .atomCount(found: count, expected: atomCount) }
    let numbers = IPIBytes.numbers(
      try stream.read(24 * count, "the positions", until: deadline))
    vectors = AtomicUnits.length * IPIBytes.matrix(Array(cells[..<9])).transposed
    positions = IPIBytes.vectors(numbers).map { AtomicUnits.length * $0 }
    guard vectors.isFinite else { throw .notFinite("the cell") }
    guard positions.allSatisfy(\.isFinite) else { throw .notFinite("a position") }
  }
}

/// The energy, forces and virial that a client sends.
enum IPIResult {
  /// The largest allowed text beside the numbers: 64 MiB.
  static let largestExtra = 1 << 26

  /// The message, with its word.
  static func bytes(of evaluation: Evaluation) -> [UInt8] {
    var message = IPIBytes()
    message.append(evaluation.energy / AtomicUnits.energy)
    message.append(count: evaluation.forces.count)
    for force in evaluation.forces { message.append((1 / AtomicUnits.force) * force) }
    // i-PI's virial is −∂E/∂ε, positive when compressed.
    message.append((-1 / AtomicUnits.energy) * evaluation.virial.transposed)
    // One byte beside the numbers: some servers take none for the end of the connection.
    message.append(count: 1)
    return IPIWord.forceReady.bytes + message.bytes + [0]
  }

  /// Reads what follows the word; the text beside the numbers is read and left.
  ///
  /// - Throws: `IPIError` where the count is not the expected one or a number is not finite.
  static func evaluation(
    of structure: Structure, from stream: SocketStream, until deadline: SocketDeadline
  ) throws(IPIError) -> Evaluation {
    let energy = IPIBytes.numbers(try stream.read(8, "an energy", until: deadline))[0]
    let count = IPIBytes.count(try stream.read(4, "the number of forces", until: deadline))
    guard count == structure.atomCount else {
      throw .atomCount(found: count, expected: structure.atomCount)
    }
    let forces = IPIBytes.vectors(
      IPIBytes.numbers(try stream.read(24 * count, "forces", until: deadline)))
    let virial = IPIBytes.matrix(
      IPIBytes.numbers(try stream.read(72, "a virial", until: deadline)))
    let extra = IPIBytes.count(try stream.read(4, "a count of bytes", until: deadline))
    guard (0...largestExtra).contains(extra) else { throw .byteCount(extra) }
    _ = try stream.read(extra, "the text beside the forces", until: deadline)
    guard energy.isFinite else { throw .notFinite("the energy") }
    guard forces.allSatisfy(\.isFinite) else { throw .notFinite("a force") }
    guard virial.isFinite else { throw .notFinite("the virial") }
    return Evaluation(
      energy: AtomicUnits.energy * energy, forces: forces.map { AtomicUnits.force * $0 },
      virial: -AtomicUnits.energy * virial.transposed.symmetrized, of: structure)
  }
}
