import Foundation
import NumericalCore
import Testing

@Suite("Bytes, hashes, sums and spectra")
struct BytesAndSeriesTests {
  @Test("SHA-256 gives the answers of FIPS 180-4, in one piece or in many")
  func sha256() {
    let long = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"
    let cases = [
      ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (long, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"),
    ]
    for (text, expected) in cases {
      #expect(SHA256.hexadecimal(of: Array(text.utf8)) == expected)
      var hash = SHA256()
      for byte in text.utf8 { hash.update([byte]) }
      #expect(hash.hexadecimal == expected)
    }
    var million = SHA256()
    for _ in 0..<1000 { million.update([UInt8](repeating: UInt8(ascii: "a"), count: 1000)) }
    #expect(
      million.hexadecimal == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
  }

  @Test("Every kind of value comes back from its bytes")
  func roundTrip() throws {
    var encoder = ByteEncoder()
    encoder.encode(UInt8(7))
    encoder.encode(Int32(-5))
    encoder.encode(Int.min)
    encoder.encode(-0.0)
    encoder.encode(true)
    encoder.encode("Ti–O µs")
    encoder.encode([UInt8]([1, 2, 3]))
    encoder.encode([1.5, .infinity])
    encoder.encode([Int]([-1, 0, 1]))
    encoder.encode(nil as Double?)
    encoder.encode(3 as Int?)
    encoder.encode(Matrix3(rows: Vector3(1, 2, 3), Vector3(4, 5, 6), Vector3(7, 8, 9)))
    encoder.encode(Vector3(1, 2, 3) as Vector3?)
    encoder.encode([Vector3(4, 5, 6)])
    var decoder = ByteDecoder(encoder.bytes)
    #expect(try decoder.decode(UInt8.self) == 7)
    #expect(try decoder.decode(Int32.self) == -5)
    #expect(try decoder.decode(Int.self) == Int.min)
    #expect(try decoder.decode(Double.self).sign == .minus)
    #expect(try decoder.decode(Bool.self))
    #expect(try decoder.decode(String.self) == "Ti–O µs")
    #expect(try decoder.decode([UInt8].self) == [1, 2, 3])
    #expect(try decoder.decode([Double].self) == [1.5, .infinity])
    #expect(try decoder.decode([Int].self) == [-1, 0, 1])
    #expect(try decoder.decode(Double?.self) == nil)
    #expect(try decoder.decode(Int?.self) == 3)
    #expect(try decoder.decode(Matrix3.self).c.z == 9)
    #expect(try decoder.decode(Vector3?.self) == Vector3(1, 2, 3))
    #expect(try decoder.decode([Vector3].self) == [Vector3(4, 5, 6)])
    #expect(decoder.isAtEnd)
  }

  @Test("Bytes that end early, are left over or impossible throw")
  func faulty() throws {
    let matrix = Matrix(rows: 2, columns: 3, elements: [1, 2, 3, 4, 5, 6])
    let bytes = matrix.canonicalBytes
    #expect(try Matrix(canonicalBytes: bytes) == matrix)
    for count in 0..<bytes.count {
      #expect(throws: ByteCodingError.self) { try Matrix(canonicalBytes: Array(bytes[..<count])) }
    }
    #expect(throws: ByteCodingError.trailingBytes(1)) { try Matrix(canonicalBytes: bytes + [0]) }
    var huge = ByteEncoder()
    huge.encode(Int.max)
    var decoder = ByteDecoder(huge.bytes)
    #expect(throws: ByteCodingError.self) { try decoder.decode([Double].self) }
    var truth = ByteDecoder([2])
    #expect(throws: ByteCodingError.self) { try truth.decode(Bool.self) }
  }

  @Test("Fixed-order sums agree with exact ones and do not depend on chance")
  func sums() {
    for count in 0..<40 {
      let values = (0..<count).map { Double($0 * $0) }
      #expect(values.fixedOrderSum() == values.reduce(0, +))
    }
    var stream = RandomStream(seed: 5, purpose: .test)
    let values = (0..<1001).map { _ in stream.normal() }
    #expect(values.fixedOrderSum() == values.fixedOrderSum())
    // 1001 numbers of size one: rounding stays below 1001 units of 1e-16 times the sum of sizes.
    #expect(abs(values.fixedOrderSum() - values.reduce(0, +)) < 1e-12)
  }

  @Test("Products of a vector with many rows are those of each row, to the bit")
  func products() {
    var stream = RandomStream(seed: 8, purpose: .test)
    #expect(fixedOrderProducts(ofRows: [], with: []).isEmpty)
    for length in 1...70 {
      let vector = (0..<length).map { _ in stream.normal() }
      let rows = (0..<3 * length).map { _ in stream.normal() }
      let products = fixedOrderProducts(ofRows: rows, with: vector)
      #expect(products.count == 3)
      for (place, product) in products.enumerated() {
        let row = rows[place * length..<(place + 1) * length]
        #expect(product == row.fixedOrderProduct(with: vector))
        let plain = zip(row, vector).reduce(0) { $0 + $1.0 * $1.1 }
        // 70 products of size one, each rounded to 1e-16.
        #expect(abs(product - plain) < 1e-13)
      }
    }
  }

  @Test("Power spectra are those of the defining sum", arguments: [1, 2, 7, 16, 45])
  func spectrum(count: Int) {
    var stream = RandomStream(seed: 6, purpose: .test, slot: UInt64(count))
    let series = (0..<count).map { _ in stream.normal() }
    let spectrum = FourierTransform.powerSpectrum(of: series)
    #expect(spectrum.count == count / 2 + 1)
    for (k, power) in spectrum.enumerated() {
      var (re, im) = (0.0, 0.0)
      for (j, x) in series.enumerated() {
        let angle = -2 * Double.pi * Double(j * k) / Double(count)
        re += x * cos(angle)
        im += x * sin(angle)
      }
      #expect(abs(power - (re * re + im * im)) < 1e-11)
    }
  }

  @Test("Threads transform at the same time")
  func threads() async {
    func spectrum(_ seed: Int) -> [Double] {
      let series = (0..<(200 + 7 * seed)).map { cosine(0.1 * Double($0 * (seed + 1))) }
      return FourierTransform.cosineTransform(of: FourierTransform.powerSpectrum(of: series))
    }
    let expected = (0..<24).map(spectrum)
    await withTaskGroup(of: Bool.self) { group in
      for task in 0..<192 {
        group.addTask { spectrum(task % 24) == expected[task % 24] }
      }
      for await agrees in group { #expect(agrees) }
    }
  }
}
