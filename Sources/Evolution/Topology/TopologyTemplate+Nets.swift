extension TopologyTemplate {
  /// Nets with one or two kinds of vertices, most of them also with atoms in the middle of the edges.
  ///
  /// Described, mostly by the same symbols, in the Reticular Chemistry Structure Resource (M. O'Keeffe,
  /// M. A. Peskov, S. J. Ramsden and O. M. Yaghi, Acc. Chem. Res. 41, 1782 (2008)); the frameworks lta, ana,
  /// mep and mtn also by Ch. Baerlocher and L. B. McCusker, Database of Zeolite Structures. Coordinates are rounded
  /// and not copied from there; tests check numbers of vertices, symmetry and coordination.
  static let nets: [TopologyTemplate] = {
    let plain = [
      TopologyTemplate("pcu", .group(221), [1, 1, 1], [[0, 0, 0]], count: 1),
      TopologyTemplate("bcu", .group(229), [1, 1, 1], [[0, 0, 0]], count: 1),
      TopologyTemplate("fcu", .group(225), [1, 1, 1], [[0, 0, 0]], count: 1),
      TopologyTemplate(
        "hcp", .group(194), [1, 1, 1.633], [[1 / 3, 2 / 3, 0.25]], count: 2),
      TopologyTemplate("hex", .group(191), [1, 1, 1], [[0, 0, 0]], count: 1),
      TopologyTemplate("bct", .group(139), [1, 1, 0.816], [[0, 0, 0]], count: 1),
      TopologyTemplate(
        "dhcp", .group(194), [1, 1, 3.266], [[0, 0, 0], [1 / 3, 2 / 3, 0.75]], count: 4),
      TopologyTemplate("dia", diamondGroup, [1, 1, 1], [[0.125, 0.125, 0.125]], count: 2),
      TopologyTemplate("lon", .group(194), [1, 1, 1.633], [[1 / 3, 2 / 3, 0.0625]], count: 4),
      TopologyTemplate("nbo", .group(229), [1, 1, 1], [[0, 0.5, 0.5]], count: 3),
      TopologyTemplate("sod", .group(229), [1, 1, 1], [[0.25, 0, 0.5]], count: 6),
      TopologyTemplate("srs", .group(214), [1, 1, 1], [[0.125, 0.125, 0.125]], count: 4),
      TopologyTemplate("ths", .group(141), [1.732, 1.732, 6], [[0, 0, 0.41667]], count: 4),
      TopologyTemplate("qtz", .group(180), [4.998, 4.998, 5.46], [[0.5, 0, 0]], count: 3),
      TopologyTemplate("lvt", anataseGroup, [1, 1, 1], [[0, 0, 0]], count: 4),
      TopologyTemplate("crs", diamondGroup, [1, 1, 1], [[0.5, 0.5, 0.5]], count: 4),
      TopologyTemplate("reo", .group(221), [1, 1, 1], [[0.5, 0, 0]], count: 3),
      TopologyTemplate(
        "gra", .group(194), [2.461, 2.461, 6.708], [[0, 0, 0.25], [1 / 3, 2 / 3, 0.25]], count: 4),
      TopologyTemplate("crb", .group(139), [4.33, 4.33, 2.48], [[0.18, 0.18, 0]], count: 4),
      TopologyTemplate("kag", .group(191), [1, 1, 0.7], [[0.5, 0, 0]], count: 3),
      TopologyTemplate("sra", .group(74), [4.43, 7.06, 7.48], [[0, 0.051, 0.165]], count: 4),
      TopologyTemplate("bc8", .group(206), [1, 1, 1], [[0.1003, 0.1003, 0.1003]], count: 8),
      TopologyTemplate(
        "st12", .group(96), [5.93, 5.93, 6.98],
        [[0.0912, 0.0912, 0], [0.173, 0.3784, 0.2486]], count: 12),
      TopologyTemplate("ana", .group(230), [1, 1, 1], [[0.125, 0.1624, 0.4124]], count: 24),
      TopologyTemplate("lta", .group(221), [1, 1, 1], [[0, 0.1823, 0.3684]], count: 24),
      TopologyTemplate(
        "mep", .group(223), [1, 1, 1],
        [[0.25, 0, 0.5], [0.1837, 0.1837, 0.1837], [0, 0.3077, 0.1173]], count: 46),
      TopologyTemplate(
        "mtn", diamondGroup, [1, 1, 1],
        [[0.125, 0.125, 0.125], [0.2172, 0.2172, 0.2172], [0.1823, 0.1823, 0.3702]], count: 34),
    ]
    let edges = [
      "pcu": 4, "dia": 6, "lon": 12, "nbo": 9, "sod": 18, "srs": 10, "ths": 10, "qtz": 9, "lvt": 12,
      "crs": 16, "gra": 10, "hex": 5, "ana": 72, "lta": 72,
    ]
    return plain + plain.compactMap { net in edges[net.name].map { net.withEdges(count: $0) } }
  }()

  /// Structures of elements that are no net above.
  ///
  /// Described by J. Donohue, The Structures of the Elements (Wiley, 1974); rounded and checked as above.
  static let elements: [TopologyTemplate] = [
    TopologyTemplate("beta-tin", .group(141), [5.83, 5.83, 3.18], [[0, 0, 0]], count: 2),
    TopologyTemplate("arsenic", .group(166), [3.76, 3.76, 10.55], [[0, 0, 0.227]], count: 2),
    TopologyTemplate(
      "selenium", .group(152), [4.366, 4.366, 4.954], [[0.2254, 0, 1 / 3]], count: 3),
    TopologyTemplate(
      "gallium", .group(64), [4.523, 7.661, 4.524], [[0, 0.1549, 0.081]], count: 4),
    TopologyTemplate(
      "black-phosphorus", .group(64), [3.314, 10.478, 4.376], [[0, 0.1017, 0.0806]], count: 4),
    TopologyTemplate(
      "alpha-uranium", .group(63), [2.854, 5.869, 4.955], [[0, 0.1025, 0.25]], count: 2),
    TopologyTemplate(
      "alpha-manganese", .group(217), [1, 1, 1],
      [[0, 0, 0], [0.317, 0.317, 0.317], [0.356, 0.356, 0.042], [0.089, 0.089, 0.278]], count: 29),
    TopologyTemplate(
      "beta-manganese", .group(213), [1, 1, 1],
      [[0.0636, 0.0636, 0.0636], [0.125, 0.2022, 0.4522]], count: 20),
    TopologyTemplate(
      "sigma-phase", .group(136), [8.8, 8.8, 4.56],
      [
        [0, 0, 0], [0.3986, 0.3986, 0], [0.4635, 0.1313, 0], [0.7393, 0.0661, 0],
        [0.1827, 0.1827, 0.2524],
      ], count: 30),
    TopologyTemplate(
      "alpha-boron", .group(166), [4.908, 4.908, 12.567],
      [[0.1187, -0.1187, 0.8912], [0.1965, -0.1965, 0.0244]], count: 12),
  ]
}
