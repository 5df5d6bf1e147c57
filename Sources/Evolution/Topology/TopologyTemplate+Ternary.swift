extension TopologyTemplate {
  /// Structure types of compounds with three or more elements; where they are described and what was
  /// checked is said at the binary ones.
  ///
  /// Barite: relaxed positions of R. Caracas and E. Bobocioiu, Am. Mineral. 96, 437 (2011).
  static let ternaries: [TopologyTemplate] = [
    TopologyTemplate(
      "half-heusler", .group(216), [1, 1, 1],
      [[0, 0, 0], [0.25, 0.25, 0.25], [0.5, 0.5, 0.5]], count: 3),
    TopologyTemplate(
      "tinisi", .group(62), [6.15, 3.67, 7.02],
      [[0.02, 0.25, 0.18], [0.142, 0.25, 0.561], [0.765, 0.25, 0.623]], count: 12),
    TopologyTemplate(
      "delafossite", .group(166), [3.04, 3.04, 17.16], [[0, 0, 0], [0, 0, 0.5], [0, 0, 0.11]],
      count: 4),
    TopologyTemplate(
      "licoo2", .group(166), [2.816, 2.816, 14.05], [[0, 0, 0], [0, 0, 0.5], [0, 0, 0.26]],
      count: 4),
    TopologyTemplate(
      "chalcopyrite", .group(122), [5.29, 5.29, 10.42],
      [[0, 0, 0], [0, 0, 0.5], [0.257, 0.25, 0.125]], count: 8),
    TopologyTemplate(
      "zrcusias", .group(129), [4.03, 4.03, 8.74],
      [[0, 0, 0], [0, 0, 0.5], [0, 0.5, 0.1415], [0, 0.5, 0.6512]], count: 8),
    TopologyTemplate(
      "thcr2si2", .group(139), [4.04, 4.04, 10.57], [[0, 0, 0], [0, 0.5, 0.25], [0, 0, 0.374]],
      count: 5),
    TopologyTemplate(
      "zrnial", .group(189), [6.92, 6.92, 3.47],
      [[0.59, 0, 0.5], [0.25, 0, 0], [0, 0, 0.5], [1 / 3, 2 / 3, 0]], count: 9),
    TopologyTemplate(
      "perovskite", .group(221), [1, 1, 1], [[0, 0, 0], [0.5, 0.5, 0.5], [0, 0.5, 0.5]], count: 5),
    TopologyTemplate(
      "gdfeo3", .group(62), [5.44, 7.64, 5.38],
      [[0.0359, 0.25, 0.993], [0, 0, 0.5], [0.484, 0.25, 0.0711], [0.2888, 0.0373, 0.7113]],
      count: 20),
    TopologyTemplate(
      "ilmenite", .group(148), [5.088, 5.088, 14.08],
      [[0, 0, 0.3553], [0, 0, 0.1464], [0.3174, 0.0233, 0.2451]], count: 10),
    TopologyTemplate(
      "lithium-niobate", .group(161), [5.148, 5.148, 13.863],
      [[0, 0, 0], [0, 0, 0.28], [0.0492, 0.3446, 0.0647]], count: 10),
    TopologyTemplate(
      "calcite", .group(167), [4.99, 4.99, 17.06], [[0, 0, 0], [0, 0, 0.25], [0.257, 0, 0.25]],
      count: 10),
    TopologyTemplate(
      "aragonite", .group(62), [5.743, 4.962, 7.967],
      [
        [0.7597, 0.25, 0.415], [0.9138, 0.25, 0.7622], [0.9038, 0.25, 0.9225],
        [0.9128, 0.4736, 0.681],
      ], count: 20),
    TopologyTemplate(
      "post-perovskite", .group(63), [3.14, 9.86, 7.3],
      [[0, 0.25, 0.25], [0, 0, 0], [0, 0.923, 0.25], [0, 0.6357, 0.4413]], count: 10),
    TopologyTemplate(
      "banio3", .group(194), [5.63, 5.63, 4.81],
      [[1 / 3, 2 / 3, 0.75], [0, 0, 0], [0.1462, 0.2924, 0.25]], count: 10),
    TopologyTemplate(
      "spinel", diamondGroup, [1, 1, 1],
      [[0.125, 0.125, 0.125], [0.5, 0.5, 0.5], [0.2624, 0.2624, 0.2624]], count: 14),
    TopologyTemplate(
      "olivine", .group(62), [10.2, 5.98, 4.76],
      [
        [0, 0, 0], [0.2774, 0.25, 0.9915], [0.094, 0.25, 0.4262], [0.0913, 0.25, 0.7657],
        [0.4474, 0.25, 0.2215], [0.1628, 0.0331, 0.2777],
      ], count: 28),
    TopologyTemplate(
      "wadsleyite", .group(74), [5.698, 11.438, 8.257],
      [
        [0, 0, 0], [0, 0.25, 0.9701], [0.25, 0.1276, 0.25], [0, 0.1203, 0.6166],
        [0, 0.25, 0.2187], [0, 0.25, 0.7168], [0, 0.9895, 0.2562], [0.2608, 0.1228, 0.9929],
      ], count: 28),
    TopologyTemplate(
      "k2nif4", .group(139), [4.0, 4.0, 13.07],
      [[0, 0, 0.352], [0, 0, 0], [0, 0.5, 0], [0, 0, 0.151]], count: 7),
    TopologyTemplate(
      "beta-k2so4", .group(62), [7.476, 5.763, 10.071],
      [
        [0.674, 0.25, 0.41], [-0.011, 0.25, 0.705], [0.233, 0.25, 0.42], [0.038, 0.25, 0.417],
        [0.296, 0.25, 0.558], [0.301, 0.041, 0.352],
      ], count: 28),
    TopologyTemplate(
      "calcium-titanite", .group(63), [3.136, 9.727, 10.023],
      [[0, 0.388, 0.25], [0, 0.133, 0.07], [0, 0.5, 0], [0, 0.048, 0.25], [0, 0.235, 0.611]],
      count: 14),
    TopologyTemplate(
      "scheelite", .group(88), [5.243, 5.243, 11.376],
      [[0, 0, 0.5], [0, 0, 0], [0.2415, 0.1504, 0.0861]], count: 12),
    TopologyTemplate(
      "zircon", anataseGroup, [6.607, 6.607, 5.982],
      [[0, 0.75, 0.125], [0, 0.75, 0.625], [0, 0.0661, 0.1953]], count: 12),
    TopologyTemplate(
      "barite", .group(62), [8.757, 5.331, 7.045],
      [
        [0.1847, 0.25, 0.157], [0.437, 0.75, 0.1914], [0.5896, 0.75, 0.1074],
        [0.3148, 0.75, 0.0481], [0.4189, 0.9747, 0.3136],
      ], count: 24),
    TopologyTemplate(
      "wolframite", .group(13), [4.83, 5.76, 5.0], beta: 91.2,
      [[0.5, 0.685, 0.25], [0, 0.18, 0.25], [0.211, 0.102, 0.943], [0.25, 0.374, 0.393]],
      count: 12),
    TopologyTemplate(
      "trirutile", .group(136), [4.66, 4.66, 9.24],
      [[0, 0, 0], [0, 0, 0.333], [0.307, 0.307, 0], [0.3, 0.3, 0.327]], count: 18),
    TopologyTemplate(
      "garnet", .group(230), [1, 1, 1],
      [[0.125, 0, 0.25], [0, 0, 0], [0.375, 0, 0.25], [0.0329, 0.0502, 0.6534]], count: 80),
    TopologyTemplate(
      "pyrochlore", diamondGroup, [1, 1, 1],
      [[0.5, 0.5, 0.5], [0, 0, 0], [0.33, 0.125, 0.125], [0.375, 0.375, 0.375]], count: 22),
    TopologyTemplate(
      "elpasolite", .group(225), [1, 1, 1],
      [[0.25, 0.25, 0.25], [0.5, 0.5, 0.5], [0, 0, 0], [0.22, 0, 0]], count: 10),
    TopologyTemplate(
      "k2ptcl6", .group(225), [1, 1, 1], [[0.25, 0.25, 0.25], [0, 0, 0], [0.24, 0, 0]], count: 9),
  ]
}
