import Crystal

/// `input.nn` of n2p2, as far as an energy depends on it.
struct NetworkInput {
  /// How functions become inputs.
  struct Scaling {
    var centers = false
    var scales = false
    var scalesByDeviation = false
    var least = 0.0
    var largest = 1.0

    /// x = (G − center) · scale.
    func transform(
      _ row: NetworkScaling.Row, path: String
    ) throws(PotentialError) -> (center: Double, scale: Double) {
      var (center, scale) = (0.0, 1.0)
      if centers || scalesByDeviation { center = row.mean } else if scales { center = row.least }
      if scales || scalesByDeviation {
        let width = scalesByDeviation ? row.deviation : row.largest - row.least
        guard width > 0 else {
          throw .malformedFile(
            path: path, line: row.line,
            "found a function that is the same everywhere, allowed: one that varies; remove it")
        }
        scale = (largest - least) / width
        center -= least / scale
      }
      return (center, scale)
    }
  }

  /// A function with the numbers that sort it.
  private struct Entry {
    let function: SymmetryFunction
    let key: [Double]
  }

  let path: String
  private(set) var elements: [ChemicalElement] = []
  private(set) var scaling = Scaling()
  /// Nodes of the hidden layers.
  private(set) var nodes: [Int] = []
  /// One for each layer, the last included.
  private(set) var activations: [NeuralNetwork.Activation] = []
  /// Energies of free atoms in eV.
  private(set) var shifts: [ChemicalElement: Double] = [:]
  private var entries: [ChemicalElement: [Entry]] = [:]

  /// The functions of an element in the order of n2p2.
  func functions(of element: ChemicalElement) -> [SymmetryFunction] {
    (entries[element] ?? []).sorted { $0.key.lexicographicallyPrecedes($1.key) }.map(\.function)
  }

  /// What would make other energies, and is not supported.
  private static let refused: Set<String> = [
    "normalize_nodes", "mean_energy", "conv_energy", "conv_length", "element_hidden_layers_short",
    "element_nodes_short", "element_activation_short", "use_electrostatics", "nnp_type", "nnp_gen",
  ]
  private static let letters: [String: NeuralNetwork.Activation] = [
    "t": .tanh, "l": .linear, "s": .logistic, "p": .softplus,
  ]

  init(path: String) throws(PotentialError) {
    self.path = path
    let lines = try NetworkLines.read(path)
    var hidden: Int?
    for (line, words) in lines {
      guard !Self.refused.contains(words[0]) else {
        throw .malformedFile(path: path, line: line, "found \(words[0]), which is not supported")
      }
      switch words[0] {
      case "elements":
        elements = try words.dropFirst().map { word throws(PotentialError) in
          try element(word, line)
        }.sorted()
      case "cutoff_type":
        let inner = words.count > 2 ? Double(words[2]) : 0
        guard words.count >= 2, words[1] == "1", inner == 0 else {
          throw .malformedFile(
            path: path, line: line,
            "found '\(words.joined(separator: " "))', allowed: cutoff_type 1 (cosine) that begins at 0"
          )
        }
      case "center_symmetry_functions": scaling.centers = true
      case "scale_symmetry_functions": scaling.scales = true
      case "scale_symmetry_functions_sigma": scaling.scalesByDeviation = true
      case "scale_min_short": scaling.least = try number(words, 1, line)
      case "scale_max_short": scaling.largest = try number(words, 1, line)
      case "global_hidden_layers_short": hidden = Int(try number(words, 1, line))
      case "global_nodes_short":
        nodes = try words.indices.dropFirst().map { place throws(PotentialError) in
          let count = try number(words, place, line)
          guard count >= 1, count <= 10_000, count.rounded() == count else {
            throw .malformedFile(
              path: path, line: line, "found \(words[place]) nodes, allowed: 1 to 10000")
          }
          return Int(count)
        }
      case "global_activation_short":
        activations = try words.dropFirst().map { word throws(PotentialError) in
          guard let activation = Self.letters[word] else {
            throw .malformedFile(
              path: path, line: line,
              "found activation '\(word)', allowed: t (tanh), l (linear), s (logistic), p (softplus)"
            )
          }
          return activation
        }
      case "atom_energy":
        guard words.count >= 3 else {
          throw .malformedFile(path: path, line: line, "allowed: atom_energy ELEMENT ENERGY")
        }
        shifts[try element(words[1], line)] = try number(words, 2, line)
      case "symfunction_short": try addFunction(words, line)
      default: break
      }
    }
    guard !elements.isEmpty else {
      throw .malformedFile(path: path, line: 0, "no elements are named")
    }
    guard hidden == nodes.count, activations.count == nodes.count + 1 else {
      throw .malformedFile(
        path: path, line: 0,
        "found \(hidden ?? 0) hidden layers, nodes of \(nodes.count) and \(activations.count) activations; "
          + "there must be nodes for each hidden layer and one activation more")
    }
    guard !(scaling.scales && scaling.scalesByDeviation) else {
      throw .malformedFile(
        path: path, line: 0,
        "found scale_symmetry_functions and scale_symmetry_functions_sigma, allowed: one of them")
    }
    guard !scaling.centers || !scaling.scalesByDeviation else {
      throw .malformedFile(
        path: path, line: 0,
        "found center_symmetry_functions and scale_symmetry_functions_sigma, of which n2p2 then uses the first alone, "
          + "allowed: one of them")
    }
  }

  private func element(_ word: String, _ line: Int) throws(PotentialError) -> ChemicalElement {
    guard let element = ChemicalElement(symbol: word) else {
      throw .malformedFile(path: path, line: line, "found '\(word)', allowed: an element")
    }
    return element
  }

  private func number(
    _ words: [String], _ place: Int, _ line: Int
  ) throws(PotentialError) -> Double {
    guard place < words.count, let number = Double(words[place]), number.isFinite else {
      throw .malformedFile(
        path: path, line: line,
        "found '\(words.joined(separator: " "))', allowed: a number as word \(place + 1)")
    }
    return number
  }

  // C 2 N eta Rs rc; C 3 N1 N2 eta lambda zeta rc [Rs]; 9 as 3.
  private mutating func addFunction(_ words: [String], _ line: Int) throws(PotentialError) {
    guard words.count >= 3 else {
      throw .malformedFile(path: path, line: line, "a symmetry function needs element and type")
    }
    let center = try element(words[1], line)
    let function: SymmetryFunction
    let key: [Double]
    switch words[2] {
    case "2":
      let neighbor = try element(words.count > 3 ? words[3] : "", line)
      let (width, shift, cutoff) = (
        try number(words, 4, line), try number(words, 5, line), try number(words, 6, line)
      )
      function = .radial(.init(neighbor, width: width, center: shift, cutoff: cutoff))
      key = [2, cutoff, width, shift, Double(neighbor.atomicNumber)]
    case "3", "9":
      let (first, second) = (
        try element(words.count > 3 ? words[3] : "", line),
        try element(words.count > 4 ? words[4] : "", line)
      )
      let (width, lambda, zeta, cutoff) = (
        try number(words, 5, line), try number(words, 6, line), try number(words, 7, line),
        try number(words, 8, line)
      )
      guard abs(lambda) == 1, words.count < 10 || Double(words[9]) == 0 else {
        throw .malformedFile(
          path: path, line: line, "allowed are lambda of 1 or -1, and no shift of angular functions"
        )
      }
      function = .angular(
        .init(
          first, second, width: width, isPositive: lambda > 0, exponent: zeta, cutoff: cutoff,
          isWide: words[2] == "9"))
      let numbers = [first, second].map { Double($0.atomicNumber) }.sorted()
      key = [words[2] == "9" ? 9 : 3, cutoff, width, 0, zeta, lambda] + numbers
    default:
      throw .malformedFile(
        path: path, line: line,
        "found symmetry function \(words[2]), allowed: 2, 3 (narrow), 9 (wide)")
    }
    do { try function.validate() } catch {
      throw .malformedFile(path: path, line: line, error.description)
    }
    entries[center, default: []].append(Entry(function: function, key: key))
  }
}
