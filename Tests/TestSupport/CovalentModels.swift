import Potential

extension ClassicalModels {
  /// A model of silicon.
  ///
  /// F. H. Stillinger and T. A. Weber, Phys. Rev. B 31, 5262 (1985).
  public static func stillingerWeberSilicon() throws -> StillingerWeberPotential {
    try StillingerWeberPotential(
      StillingerWeberPotential.Parameters(
        element("Si"), epsilon: 2.1675, sigma: 2.0951, pairStrength: 7.049556277,
        repulsion: 0.6022245584, repulsiveExponent: 4, attractiveExponent: 0, reach: 1.8,
        angleStrength: 21, angleDecay: 1.2))
  }

  /// A model of silicon and carbon.
  ///
  /// J. Tersoff, Phys. Rev. B 39, 5566 (1989), table I.
  public static func tersoffSiliconCarbon() throws -> TersoffPotential {
    let (si, c) = (try element("Si"), try element("C"))
    return try TersoffPotential(
      TersoffPotential.Parameters(
        elements: [
          .init(
            si, repulsion: 1830.8, attraction: 471.18, repulsiveDecay: 2.4799,
            attractiveDecay: 1.7322, beta: 1.1e-6, exponent: 0.78734, c: 1.0039e5, d: 16.217,
            h: -0.59825, innerCutoff: 2.7, outerCutoff: 3),
          .init(
            c, repulsion: 1393.6, attraction: 346.74, repulsiveDecay: 3.4879,
            attractiveDecay: 2.2119, beta: 1.5724e-7, exponent: 0.72751, c: 3.8049e4, d: 4.3484,
            h: -0.57058, innerCutoff: 1.8, outerCutoff: 2.1),
        ], mixing: [.init(si, c, chi: 0.9776)]))
  }

  /// The binary Lennard-Jones model of the reference files, argon for A and neon for B.
  public static func binaryLennardJones(
    _ truncation: LennardJonesPotential.Truncation
  ) throws -> LennardJonesPotential {
    let (a, b) = (try element("Ar"), try element("Ne"))
    return try LennardJonesPotential(
      LennardJonesPotential.Parameters(
        truncation: truncation,
        pairs: [
          .init(a, a, depth: 1, diameter: 2, cutoff: 10),
          .init(a, b, depth: 1.5, diameter: 1.6, cutoff: 8),
          .init(b, b, depth: 0.5, diameter: 1.76, cutoff: 8.8),
        ]))
  }
}
