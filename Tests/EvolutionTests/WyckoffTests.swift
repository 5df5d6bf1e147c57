import Evolution
import Testing

@Suite("Wyckoff positions")
struct WyckoffTests {
  @Test("The 230 groups have the 1731 positions of the International Tables")
  func positionCount() {
    var breeder = Breeder()
    var total = 0
    for group in 1...230 { total += breeder.wyckoffPositions(of: group).count }
    #expect(total == 1731)
  }

  // Multiplicities in the primitive cell and free coordinates, by growing multiplicity, from the
  // International Tables for Crystallography, Vol. A (conventional multiplicity / centring).
  @Test(
    "Known groups have the tabulated multiplicities",
    arguments: [
      (1, [(1, 3)]),
      (
        2, Array(repeating: (1, 0), count: 8) + [(2, 3)]
      ),
      (19, [(4, 3)]),
      (
        136,
        [
          (2, 0), (2, 0), (4, 0), (4, 0), (4, 1), (4, 1), (4, 1), (8, 1), (8, 2), (8, 2), (16, 3),
        ]
      ),
      (167, [(2, 0), (2, 0), (4, 1), (6, 0), (6, 1), (12, 3)]),
      (
        225,
        [
          (1, 0), (1, 0), (2, 0), (6, 0), (6, 1), (8, 1), (12, 1), (12, 1), (12, 1), (24, 2),
          (24, 2), (48, 3),
        ]
      ),
      (
        227,
        [(2, 0), (2, 0), (4, 0), (4, 0), (8, 1), (12, 1), (24, 1), (24, 2), (48, 3)]
      ),
    ] as [(Int, [(Int, Int)])])
  func multiplicities(group: Int, expected: [(Int, Int)]) {
    var breeder = Breeder()
    let found = breeder.wyckoffPositions(of: group)
    #expect(found.map(\.multiplicity) == expected.map(\.0), "group \(group)")
    #expect(found.map(\.dimension) == expected.map(\.1), "group \(group)")
  }
}
