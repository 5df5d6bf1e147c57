import Crystal
import Foundation

/// A neural network potential in one file (`.nnp`): words and numbers line by line, `#` begins a comment.
///
/// ```
/// NNP 1
/// repulsion 0.4 0.7
/// element O
/// shift -3.25
/// radial O width 0.003214 center 0 cutoff 6 mean 8.4 scale 0.24
/// angular O Si width 0.000357 lambda -1 zeta 2 cutoff 4.5 narrow mean 1.5 scale 2.5
/// layer tanh 30
/// weights …     # those of all inputs of a node, node after node
/// biases …
/// ```
///
/// The repulsion of nuclei is optional: fractions of the sum of covalent radii, see `ShortRangeRepulsion`. Widths η are in
/// Å⁻², centers R_s and cutoffs in Å, the shift in eV. An input of the network is (G − mean) · scale. Numbers are written
/// with as many digits as it takes to read the same bits.
enum NetworkFile {
  static let head = "NNP"
  static let version = "1"

  /// A file's text.
  static func text(_ potential: NeuralNetworkPotential) -> String {
    var text = "\(head) \(version)\n"
    if let repulsion = potential.repulsion {
      text += "repulsion \(repulsion.inner) \(repulsion.outer)\n"
    }
    for (element, atomic) in zip(potential.elements, potential.networks) {
      text += "element \(element.symbol)\nshift \(atomic.shift)\n"
      for (place, function) in atomic.functions.enumerated() {
        text += line(function) + " mean \(atomic.centers[place]) scale \(atomic.scales[place])\n"
      }
      for layer in atomic.network.layers {
        text += "layer \(layer.activation.rawValue) \(layer.nodeCount)\n"
        text += "weights \(list(layer.weights))\nbiases \(list(layer.biases))\n"
      }
    }
    return text
  }

  private static func list(_ numbers: [Double]) -> String {
    numbers.map(\.description).joined(separator: " ")
  }

  private static func line(_ function: SymmetryFunction) -> String {
    switch function {
    case .radial(let radial):
      "radial \(radial.neighbor.symbol) width \(radial.width) center \(radial.center) "
        + "cutoff \(radial.cutoff)"
    case .angular(let angular):
      "angular \(angular.first.symbol) \(angular.second.symbol) width \(angular.width) "
        + "lambda \(angular.isPositive ? 1 : -1) zeta \(angular.exponent) cutoff \(angular.cutoff) "
        + (angular.isWide ? "wide" : "narrow")
    }
  }
}

/// Reads a `.nnp` file.
struct NetworkFileReader {
  /// What is known of an element so far.
  private struct Part {
    let element: ChemicalElement
    let line: Int
    var shift = 0.0
    var functions: [SymmetryFunction] = []
    var centers: [Double] = []
    var scales: [Double] = []
    var layers: [NeuralNetwork.Layer] = []
    /// A layer whose weights or biases are to come.
    var open: (activation: NeuralNetwork.Activation, nodes: Int, weights: [Double]?)?
  }

  private let path: String
  private var parts: [Part] = []
  private var repulsion: ShortRangeRepulsion?

  /// Reads a potential.
  ///
  /// - Throws: `PotentialError.malformedFile` with file and line, what was found and what is allowed.
  static func read(_ path: String) throws(PotentialError) -> NeuralNetworkPotential {
    try read(NetworkLines.read(path), path)
  }

  /// Reads a potential from a file's lines.
  static func read(
    _ lines: [(line: Int, words: [String])], _ path: String
  ) throws(PotentialError) -> NeuralNetworkPotential {
    var reader = NetworkFileReader(path: path)
    return try reader.read(lines[...])
  }

  private init(path: String) { self.path = path }

  private mutating func read(
    _ all: ArraySlice<(line: Int, words: [String])>
  ) throws(PotentialError) -> NeuralNetworkPotential {
    var lines = all
    let first = lines.popFirst()
    let head = [NetworkFile.head, NetworkFile.version]
    guard first?.words == head else {
      throw wrong(
        first?.line ?? 1, first.map { "'\($0.words.joined(separator: " "))'" } ?? "an empty file",
        "'\(head.joined(separator: " "))' as first line")
    }
    for (line, words) in lines { try take(words, line) }
    var networks: [ChemicalElement: NeuralNetworkPotential.AtomicNetwork] = [:]
    for part in parts {
      guard part.open == nil else {
        throw wrong(part.line, "a layer of \(part.element) without weights or biases", "both")
      }
      do {
        networks[part.element] = try NeuralNetworkPotential.AtomicNetwork(
          functions: part.functions, centers: part.centers, scales: part.scales,
          network: NeuralNetwork(part.layers), shift: part.shift)
      } catch {
        throw wrong(part.line, "in element \(part.element): \(error)", "parts that fit together")
      }
    }
    do { return try NeuralNetworkPotential(networks, repulsion: repulsion) } catch {
      throw wrong(1, "\(error)", "networks of all elements that functions see")
    }
  }

  private func wrong(_ line: Int, _ found: String, _ allowed: String) -> PotentialError {
    .malformedFile(path: path, line: line, "found \(found), allowed: \(allowed)")
  }

  private mutating func take(_ words: [String], _ line: Int) throws(PotentialError) {
    if words[0] == "element" {
      let element = try element(words.count == 2 ? words[1] : "", line)
      guard !parts.contains(where: { $0.element == element }) else {
        throw wrong(line, "\(element) twice", "every element once")
      }
      parts.append(Part(element: element, line: line))
      return
    }
    if words[0] == "repulsion", parts.isEmpty, words.count == 3 {
      let (inner, outer) = (try number(words, 1, line), try number(words, 2, line))
      do { repulsion = try ShortRangeRepulsion(inner: inner, outer: outer) } catch {
        throw wrong(line, "\(error)", "repulsion INNER OUTER")
      }
      return
    }
    guard var part = parts.last else {
      throw wrong(line, "'\(words[0])' before any element", "element SYMBOL")
    }
    switch words[0] {
    case "shift": part.shift = try number(words, 1, line)
    case "radial", "angular":
      let isRadial = words[0] == "radial"
      part.functions.append(isRadial ? try radial(words, line) : try angular(words, line))
      let end = words.count - 4
      guard words[end] == "mean", words[end + 2] == "scale" else {
        throw wrong(line, "a function without mean and scale", "… mean NUMBER scale NUMBER")
      }
      part.centers.append(try number(words, end + 1, line))
      part.scales.append(try number(words, end + 3, line))
    case "layer":
      guard part.open == nil, words.count == 3, let nodes = Int(words[2]),
        (1...10_000).contains(nodes),
        let activation = NeuralNetwork.Activation(rawValue: words[1])
      else {
        let names = NeuralNetwork.Activation.allCases.map(\.rawValue).joined(separator: ", ")
        throw wrong(line, words.joined(separator: " "), "layer (\(names)) and 1 to 10000 nodes")
      }
      part.open = (activation, nodes, nil)
    case "weights":
      let inputs = part.layers.last?.nodeCount ?? part.functions.count
      let numbers = try numbers(words, line)
      guard let open = part.open, open.weights == nil, numbers.count == inputs * open.nodes else {
        throw wrong(
          line, "\(numbers.count) weights",
          "\(inputs * (part.open?.nodes ?? 0)), once after each layer")
      }
      part.open?.weights = numbers
    case "biases":
      let inputs = part.layers.last?.nodeCount ?? part.functions.count
      let numbers = try numbers(words, line)
      guard let open = part.open, let weights = open.weights, numbers.count == open.nodes else {
        throw wrong(line, "\(numbers.count) biases", "one for each node, after the weights")
      }
      part.layers.append(
        NeuralNetwork.Layer(
          open.activation, inputCount: inputs, weights: weights, biases: numbers))
      part.open = nil
    default:
      throw wrong(
        line, "'\(words[0])'", "element, shift, radial, angular, layer, weights or biases")
    }
    parts[parts.count - 1] = part
  }

  private func element(_ word: String, _ line: Int) throws(PotentialError) -> ChemicalElement {
    guard let element = ChemicalElement(symbol: word) else {
      throw wrong(line, "'\(word)'", "an element")
    }
    return element
  }

  private func number(
    _ words: [String], _ place: Int, _ line: Int
  ) throws(PotentialError) -> Double {
    guard place < words.count, let number = Double(words[place]), number.isFinite else {
      throw wrong(line, "'\(place < words.count ? words[place] : "nothing")'", "a number")
    }
    return number
  }

  private func numbers(_ words: [String], _ line: Int) throws(PotentialError) -> [Double] {
    var numbers: [Double] = []
    for place in words.indices.dropFirst() { numbers.append(try number(words, place, line)) }
    return numbers
  }

  private func radial(_ words: [String], _ line: Int) throws(PotentialError) -> SymmetryFunction {
    let names = [2: "width", 4: "center", 6: "cutoff"]
    guard words.count == 12, names.allSatisfy({ words[$0.key] == $0.value }) else {
      throw wrong(
        line, "'\(words.prefix(8).joined(separator: " "))'",
        "radial ELEMENT width η center R_s cutoff r_c mean M scale S")
    }
    let function = SymmetryFunction.radial(
      .init(
        try element(words[1], line), width: try number(words, 3, line),
        center: try number(words, 5, line), cutoff: try number(words, 7, line)))
    return try checked(function, line)
  }

  private func angular(_ words: [String], _ line: Int) throws(PotentialError) -> SymmetryFunction {
    let names = [3: "width", 5: "lambda", 7: "zeta", 9: "cutoff"]
    guard words.count == 16, names.allSatisfy({ words[$0.key] == $0.value }),
      ["1", "-1"].contains(words[6]), ["wide", "narrow"].contains(words[11])
    else {
      throw wrong(
        line, "'\(words.prefix(12).joined(separator: " "))'",
        "angular ELEMENT ELEMENT width η lambda 1 or -1 zeta ζ cutoff r_c wide or narrow mean M scale S"
      )
    }
    let function = SymmetryFunction.angular(
      .init(
        try element(words[1], line), try element(words[2], line), width: try number(words, 4, line),
        isPositive: words[6] == "1", exponent: try number(words, 8, line),
        cutoff: try number(words, 10, line), isWide: words[11] == "wide"))
    return try checked(function, line)
  }

  private func checked(
    _ function: SymmetryFunction, _ line: Int
  ) throws(PotentialError) -> SymmetryFunction {
    do { try function.validate() } catch {
      throw wrong(line, "\(error)", "numbers of a symmetry function")
    }
    return function
  }
}

extension NeuralNetworkPotential {
  /// Reads a `.nnp` file.
  ///
  /// - Throws: `PotentialError.malformedFile` with file and line, what was found and what is allowed.
  public init(path: String) throws(PotentialError) { self = try NetworkFileReader.read(path) }

  /// Reads the text of a `.nnp` file.
  ///
  /// - Parameters:
  ///   - nnpText: The text.
  ///   - path: What errors call the file.
  /// - Throws: As above.
  public init(nnpText: String, path: String) throws(PotentialError) {
    self = try NetworkFileReader.read(NetworkLines.lines(of: nnpText), path)
  }

  /// The potential as a `.nnp` file; reading it gives the same numbers, bit for bit.
  public var nnpText: String { NetworkFile.text(self) }
}
