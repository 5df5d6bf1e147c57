import Dynamics

extension JSONValue {
  /// Tests for a liquid: temperature in K, slope of the mean-square displacement, displacement in Å, energy in eV/atom,
  /// and what each of them says.
  init(_ tests: [MeltingTest]) {
    self = .list(
      tests.map { test in
        .object([
          .init("temperature", .number(test.temperature)), .init("slope", .number(test.slope)),
          .init("displacement", .number(test.displacement)),
          .init("energy_per_atom", .optional(test.energyPerAtom)),
          .init("frozen", .flag(test.hasFrozen)), .init("liquid", .flag(test.isLiquid)),
        ])
      })
  }
}
