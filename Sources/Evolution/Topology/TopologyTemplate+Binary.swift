extension TopologyTemplate {
  /// Structure types with two kinds of sites, and of binary compounds.
  ///
  /// The types are described by R. W. G. Wyckoff, Crystal Structures, 2nd ed. (Interscience, 1963–1971),
  /// M. J. Mehl et al., Comput. Mater. Sci. 136, S1 (2017), and D. Hicks et al., ibid. 161, S1 (2019).
  /// Coordinates are rounded and not copied from there; tests check numbers of atoms, symmetry and
  /// coordination, which a relaxation needs, not the last digits.
  static let binaries: [TopologyTemplate] = [
    TopologyTemplate(
      "rocksalt", .group(225), [1, 1, 1], [[0, 0, 0], [0.5, 0.5, 0.5]], count: 2),
    TopologyTemplate("cscl", .group(221), [1, 1, 1], [[0, 0, 0], [0.5, 0.5, 0.5]], count: 2),
    TopologyTemplate(
      "wurtzite", .group(186), [3.82, 3.82, 6.26], [[1 / 3, 2 / 3, 0], [1 / 3, 2 / 3, 0.375]],
      count: 4),
    TopologyTemplate(
      "nias", .group(194), [3.62, 3.62, 5.03], [[0, 0, 0], [1 / 3, 2 / 3, 0.25]], count: 4),
    TopologyTemplate(
      "tungsten-carbide", .group(187), [2.906, 2.906, 2.837], [[0, 0, 0], [1 / 3, 2 / 3, 0.5]],
      count: 2),
    TopologyTemplate(
      "mnp", .group(62), [5.26, 3.17, 5.92], [[0.005, 0.25, 0.196], [0.188, 0.25, 0.569]],
      count: 8),
    TopologyTemplate(
      "feb", .group(62), [5.506, 2.952, 4.061], [[0.18, 0.25, 0.125], [0.036, 0.25, 0.61]],
      count: 8),
    TopologyTemplate(
      "chromium-boride", .group(63), [2.97, 7.86, 2.93], [[0, 0.146, 0.25], [0, 0.44, 0.25]],
      count: 4),
    TopologyTemplate(
      "fesi", .group(198), [1, 1, 1], [[0.137, 0.137, 0.137], [0.842, 0.842, 0.842]], count: 8),
    TopologyTemplate(
      "litharge", .group(129), [3.96, 3.96, 5.01], [[0, 0, 0], [0, 0.5, 0.237]], count: 4),
    TopologyTemplate(
      "sns", .group(62), [11.2, 3.987, 4.334], [[0.1198, 0.25, 0.1194], [0.8508, 0.25, 0.4793]],
      count: 8),
    TopologyTemplate(
      "pts", .group(131), [3.47, 3.47, 6.11], [[0, 0.5, 0], [0, 0, 0.25]], count: 4),
    TopologyTemplate(
      "tenorite", .group(15), [4.6837, 3.4226, 5.1288], beta: 99.54,
      [[0.25, 0.25, 0], [0, 0.4184, 0.25]], count: 4),
    TopologyTemplate(
      "gold-copper", .group(123), [2.8, 2.8, 3.67], [[0, 0, 0], [0.5, 0.5, 0.5]], count: 2),
    TopologyTemplate(
      "cinnabar", .group(152), [4.145, 4.145, 9.496], [[0.7198, 0, 1 / 3], [0.4889, 0, 5 / 6]],
      count: 6),
    TopologyTemplate(
      "sic-4h", .group(186), [3.081, 3.081, 10.085],
      [[0, 0, 0], [1 / 3, 2 / 3, 0.25], [0, 0, 0.1875], [1 / 3, 2 / 3, 0.4375]], count: 8),
    TopologyTemplate(
      "sic-6h", .group(186), [3.081, 3.081, 15.117],
      [
        [0, 0, 0], [1 / 3, 2 / 3, 0.16667], [2 / 3, 1 / 3, 0.33333], [0, 0, 0.125],
        [1 / 3, 2 / 3, 0.29167], [2 / 3, 1 / 3, 0.45833],
      ], count: 12),
    TopologyTemplate(
      "rutile", .group(136), [4.594, 4.594, 2.959], [[0, 0, 0], [0.305, 0.305, 0]], count: 6),
    TopologyTemplate(
      "anatase", .group(141), [3.785, 3.785, 9.514], [[0, 0, 0], [0, 0, 0.208]], count: 6),
    TopologyTemplate(
      "brookite", .group(61), [9.174, 5.449, 5.138],
      [[0.1289, 0.0972, 0.8628], [0.0095, 0.1491, 0.1835], [0.2314, 0.111, 0.5366]], count: 24),
    TopologyTemplate(
      "alpha-lead-dioxide", .group(60), [4.541, 5.493, 4.906],
      [[0, 0.171, 0.25], [0.286, 0.376, 0.412]], count: 12),
    TopologyTemplate(
      "baddeleyite", .group(14), [5.1505, 5.2116, 5.3173], beta: 99.23,
      [[0.2754, 0.0395, 0.2083], [0.07, 0.3317, 0.3447], [0.4496, 0.7569, 0.4792]], count: 12),
    TopologyTemplate(
      "fluorite", .group(225), [1, 1, 1], [[0, 0, 0], [0.25, 0.25, 0.25]], count: 3),
    TopologyTemplate(
      "cotunnite", .group(62), [7.62, 4.535, 9.045],
      [[0.246, 0.25, 0.095], [0.858, 0.25, 0.074], [0.477, 0.25, 0.837]], count: 12),
    TopologyTemplate(
      "cadmium-iodide", .group(164), [4.24, 4.24, 6.84], [[0, 0, 0], [1 / 3, 2 / 3, 0.249]],
      count: 3),
    TopologyTemplate(
      "cadmium-chloride", .group(166), [3.845, 3.845, 17.457], [[0, 0, 0], [0, 0, 0.252]],
      count: 3),
    TopologyTemplate(
      "molybdenite", .group(194), [3.16, 3.16, 12.29],
      [[1 / 3, 2 / 3, 0.25], [1 / 3, 2 / 3, 0.621]], count: 6),
    TopologyTemplate(
      "pyrite", .group(205), [1, 1, 1], [[0, 0, 0], [0.385, 0.385, 0.385]], count: 12),
    TopologyTemplate(
      "marcasite", .group(58), [4.443, 5.425, 3.387], [[0, 0, 0], [0.2, 0.378, 0]], count: 6),
    TopologyTemplate(
      "cuprite", .group(224), [1, 1, 1], [[0, 0, 0], [0.25, 0.25, 0.25]], count: 6),
    TopologyTemplate(
      "alb2", .group(191), [3.005, 3.005, 3.257], [[0, 0, 0], [1 / 3, 2 / 3, 0.5]], count: 3),
    TopologyTemplate(
      "laves-c15", diamondGroup, [1, 1, 1], [[0.125, 0.125, 0.125], [0.5, 0.5, 0.5]], count: 6),
    TopologyTemplate(
      "laves-c14", .group(194), [5.18, 5.18, 8.52],
      [[1 / 3, 2 / 3, 0.063], [0, 0, 0], [0.83, 0.66, 0.25]], count: 12),
    TopologyTemplate(
      "laves-c36", .group(194), [4.815, 4.815, 15.8],
      [
        [0, 0, 0.094], [1 / 3, 2 / 3, 0.844], [1 / 3, 2 / 3, 0.125], [0.5, 0, 0],
        [0.167, 0.334, 0.25],
      ], count: 24),
    TopologyTemplate(
      "mosi2", .group(139), [3.2, 3.2, 7.861], [[0, 0, 0], [0, 0, 0.333]], count: 3),
    TopologyTemplate(
      "calcium-carbide", .group(139), [3.88, 3.88, 6.38], [[0, 0, 0], [0, 0, 0.4068]], count: 3),
    TopologyTemplate(
      "cual2", .group(140), [6.06, 6.06, 4.87], [[0, 0, 0.25], [0.158, 0.658, 0]], count: 6),
    TopologyTemplate(
      "ni2in", .group(194), [4.18, 4.18, 5.13],
      [[1 / 3, 2 / 3, 0.25], [0, 0, 0], [1 / 3, 2 / 3, 0.75]], count: 6),
    TopologyTemplate(
      "alpha-quartz", .group(154), [4.913, 4.913, 5.405],
      [[0.4697, 0, 2 / 3], [0.4133, 0.2672, 0.7855]], count: 9),
    TopologyTemplate(
      "beta-quartz", .group(180), [4.998, 4.998, 5.46], [[0.5, 0, 0], [0.2072, 0.4144, 0.5]],
      count: 9),
    TopologyTemplate(
      "alpha-cristobalite", .group(92), [4.972, 4.972, 6.922],
      [[0.3003, 0.3003, 0], [0.2392, 0.1044, 0.1787]], count: 12),
    TopologyTemplate(
      "thsi2", .group(141), [4.126, 4.126, 14.346], [[0, 0, 0], [0, 0, 0.4165]], count: 6),
    TopologyTemplate(
      "tisi2", .group(70), [8.269, 8.553, 4.798], [[0, 0, 0], [0.3365, 0, 0]], count: 6),
    TopologyTemplate(
      "zrsi2", .group(63), [3.72, 14.61, 3.67],
      [[0, 0.102, 0.25], [0, 0.75, 0.25], [0, 0.446, 0.25]], count: 6),
    TopologyTemplate(
      "crsi2", .group(180), [4.43, 4.43, 6.36], [[0.5, 0, 0.5], [0.1667, 0.3333, 0.5]], count: 9),
    TopologyTemplate(
      "cu2sb", .group(129), [3.99, 3.99, 6.09], [[0, 0, 0], [0, 0.5, 0.27], [0, 0.5, 0.7]],
      count: 6),
    TopologyTemplate(
      "cecu2", .group(74), [4.43, 7.06, 7.48], [[0, 0.25, 0.538], [0, 0.051, 0.165]], count: 6),
    TopologyTemplate(
      "corundum", .group(167), [4.76, 4.76, 12.99], [[0, 0, 0.352], [0.306, 0, 0.25]], count: 10),
    TopologyTemplate(
      "bixbyite", .group(206), [1, 1, 1],
      [[0.25, 0.25, 0.25], [0.968, 0, 0.25], [0.391, 0.154, 0.382]], count: 40),
    TopologyTemplate(
      "lanthana", .group(164), [3.94, 3.94, 6.13],
      [[1 / 3, 2 / 3, 0.245], [0, 0, 0], [1 / 3, 2 / 3, 0.645]], count: 5),
    TopologyTemplate(
      "tetradymite", .group(166), [4.38, 4.38, 30.5], [[0, 0, 0.4], [0, 0, 0], [0, 0, 0.212]],
      count: 5),
    TopologyTemplate(
      "stibnite", .group(62), [11.31, 3.84, 11.23],
      [
        [0.0293, 0.25, 0.674], [0.3508, 0.25, 0.4641], [0.0494, 0.25, 0.131],
        [0.3748, 0.25, 0.0614], [0.2074, 0.25, 0.8076],
      ], count: 20),
    TopologyTemplate(
      "th3p4", .group(220), [1, 1, 1], [[0.375, 0, 0.25], [0.083, 0.083, 0.083]], count: 14),
    TopologyTemplate(
      "beta-silicon-nitride", .group(176), [7.6, 7.6, 2.91],
      [[0.1733, 0.7677, 0.25], [0.3299, 0.0314, 0.25], [1 / 3, 2 / 3, 0.25]], count: 14),
    TopologyTemplate(
      "bif3", .group(225), [1, 1, 1], [[0, 0, 0], [0.25, 0.25, 0.25], [0.5, 0.5, 0.5]], count: 4),
    TopologyTemplate("cu3au", .group(221), [1, 1, 1], [[0, 0, 0], [0, 0.5, 0.5]], count: 4),
    TopologyTemplate("a15", .group(223), [1, 1, 1], [[0, 0, 0], [0.25, 0, 0.5]], count: 8),
    TopologyTemplate(
      "ni3sn", .group(194), [5.29, 5.29, 4.24], [[1 / 3, 2 / 3, 0.25], [0.833, 0.666, 0.25]],
      count: 8),
    TopologyTemplate(
      "al3ti", .group(139), [3.85, 3.85, 8.6], [[0, 0, 0], [0, 0, 0.5], [0, 0.5, 0.25]], count: 4),
    TopologyTemplate(
      "aluminium-fluoride", .group(167), [4.93, 4.93, 12.45], [[0, 0, 0], [0.43, 0, 0.25]],
      count: 8),
    TopologyTemplate(
      "bismuth-iodide", .group(148), [7.516, 7.516, 20.718],
      [[0, 0, 0.1667], [0.3415, 0.3395, 0.0805]], count: 8),
    TopologyTemplate(
      "cementite", .group(62), [5.09, 6.74, 4.53],
      [[0.186, 0.063, 0.328], [0.036, 0.25, 0.852], [0.89, 0.25, 0.45]], count: 16),
    TopologyTemplate(
      "uranium-chloride", .group(176), [7.43, 7.43, 4.32],
      [[1 / 3, 2 / 3, 0.25], [0.388, 0.301, 0.25]], count: 8),
    TopologyTemplate(
      "na3as", .group(194), [5.09, 5.09, 9.0],
      [[1 / 3, 2 / 3, 0.25], [0, 0, 0.25], [1 / 3, 2 / 3, 0.583]], count: 8),
    TopologyTemplate(
      "skutterudite", .group(204), [1, 1, 1], [[0.25, 0.25, 0.25], [0, 0.335, 0.158]], count: 16),
    TopologyTemplate(
      "cacu5", .group(191), [5.08, 5.08, 4.09], [[0, 0, 0], [1 / 3, 2 / 3, 0], [0.5, 0, 0.5]],
      count: 6),
    TopologyTemplate("cab6", .group(221), [1, 1, 1], [[0, 0, 0], [0.5, 0.5, 0.207]], count: 7),
    TopologyTemplate(
      "mn5si3", .group(193), [6.91, 6.91, 4.81],
      [[1 / 3, 2 / 3, 0], [0.236, 0, 0.25], [0.599, 0, 0.25]], count: 16),
    TopologyTemplate(
      "nazn13", .group(226), [1, 1, 1],
      [[0.25, 0.25, 0.25], [0, 0, 0], [0, 0.1806, 0.1192]], count: 28),
  ]
}
