import Potential
import Settings

extension NetworkTrainingSettings {
  /// Reads a file of settings.
  ///
  /// ```yaml
  /// radial: {widths: [0.003214, 0.035711, …], cutoff: 6}     # η in Å⁻², Å
  /// angular: {widths: [0.000357, …], exponents: [1, 2, 4], cutoff: 4.5}
  /// hidden: [30, 30]             # nodes of the hidden layers
  /// activation: tanh             # or logistic, softplus
  /// epochs: 1000
  /// batch: 8                     # structures
  /// learning_rate: [3.0e-3, 1.0e-5]   # of Adam, first and last
  /// penalty: 1.0e-6              # of the squares of the weights
  /// validation: 0.1              # part of the structures that judges
  /// goal: {energy: 0.010, force: 0.2, stress: 1}   # eV/atom, eV/Å, GPa; default: none
  /// regularisation: 1.0e-3       # of principal components
  /// seed: 1
  /// ```
  ///
  /// - Parameter path: The file.
  /// - Throws: `SettingsError` with file, line, key, what was found and what is allowed.
  public init(path: String) throws(SettingsError) {
    self.init()
    var reader = try SettingsDocument(path: path).mapping()
    try read(&reader)
    try reader.finish()
  }

  /// Reads the keys of a mapping; what is not there keeps its default.
  mutating func read(_ reader: inout SettingsReader) throws(SettingsError) {
    if let value = reader.optional("radial") {
      var section = try value.mapping()
      functions.radialWidths =
        try Self.numbers(&section, "widths", in: 0...1000) ?? functions.radialWidths
      functions.radialCutoff =
        try section.optional("cutoff")?.number(in: 1...20, unit: "Å") ?? functions.radialCutoff
      try section.finish()
    }
    if let value = reader.optional("angular") {
      var section = try value.mapping()
      functions.angularWidths =
        try Self.numbers(&section, "widths", in: 0...1000) ?? functions.angularWidths
      functions.exponents =
        try Self.numbers(&section, "exponents", in: 1...128) ?? functions.exponents
      functions.angularCutoff =
        try section.optional("cutoff")?.number(in: 1...20, unit: "Å") ?? functions.angularCutoff
      try section.finish()
    }
    if let value = reader.optional("hidden") {
      hidden = []
      for nodes in try value.list("nodes of hidden layers", counts: 1...20) {
        hidden.append(try nodes.integer(in: 1...10_000))
      }
    }
    activation =
      try reader.optional("activation")?.enumeration(NeuralNetwork.Activation.self) ?? activation
    epochs = try reader.optional("epochs")?.integer(in: 1...10_000_000) ?? epochs
    batch = try reader.optional("batch")?.integer(in: 1...1_000_000) ?? batch
    if let value = reader.optional("learning_rate") {
      var rates: [Double] = []
      for rate in try value.list("the first and the last rate", counts: 2...2) {
        rates.append(try rate.positiveNumber(upTo: 1))
      }
      (learningRate, lastLearningRate) = (rates[0], rates[1])
    }
    penalty = try reader.optional("penalty")?.number(in: 0...1) ?? penalty
    validation = try reader.optional("validation")?.number(in: 0...0.9) ?? validation
    if let value = reader.optional("goal"), !value.isNone {
      var section = try value.mapping()
      let usual = NetworkErrorGoal()
      goal = NetworkErrorGoal(
        energy: try section.optional("energy")?.positiveNumber(unit: "eV/atom") ?? usual.energy,
        force: try section.optional("force")?.positiveNumber(unit: "eV/Å") ?? usual.force,
        stress: try section.optional("stress")?.positiveNumber(unit: "GPa") ?? usual.stress)
      try section.finish()
    }
    regularisation =
      try reader.optional("regularisation")?.number(in: 1e-12...1) ?? regularisation
    seed = UInt64(try reader.optional("seed")?.integer(in: 0...Int.max) ?? Int(seed))
  }

  private static func numbers(
    _ section: inout SettingsReader, _ key: String, in range: ClosedRange<Double>
  ) throws(SettingsError) -> [Double]? {
    guard let value = section.optional(key) else { return nil }
    var numbers: [Double] = []
    for number in try value.list("numbers", counts: 1...100) {
      numbers.append(try number.number(in: range))
    }
    return numbers
  }
}
