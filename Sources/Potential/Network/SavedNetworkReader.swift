import Crystal

/// Reads SIMPLE-NN's `potential_saved`, line after line.
struct SavedNetworkReader {
  private let path: String
  private var lines: ArraySlice<(line: Int, words: [String])>
  private var elements: [ChemicalElement] = []
  /// The line that was read last.
  private var place = 1

  /// Opens a file.
  ///
  /// - Throws: `PotentialError.malformedFile` where it cannot be read.
  init(path: String) throws(PotentialError) {
    self.path = path
    lines = try NetworkLines.read(path)[...]
  }

  /// Reads the potential.
  ///
  /// - Throws: `PotentialError.malformedFile` with file and line, what was found and what is allowed.
  mutating func read() throws(PotentialError) -> NeuralNetworkPotential {
    for word in try next("ELEM_LIST").dropFirst() {
      let element = try element(word)
      guard !elements.contains(element) else {
        throw wrong("\(element) twice", "every element once")
      }
      elements.append(element)
    }
    var networks: [ChemicalElement: NeuralNetworkPotential.AtomicNetwork] = [:]
    while !lines.isEmpty {
      let words = try next("POT")
      let element = try neighbor(words, 1)
      guard networks[element] == nil else {
        throw wrong("a second network of \(element)", "one for each element")
      }
      networks[element] = try network(reach: try number(words, 2))
    }
    for element in elements where networks[element] == nil {
      throw wrong("the end without POT \(element)", "a network of each element of ELEM_LIST")
    }
    do { return try NeuralNetworkPotential(networks) } catch {
      throw .malformedFile(path: path, line: 1, "found \(error), allowed: elements after ELEM_LIST")
    }
  }

  // What follows a POT line.
  private mutating func network(
    reach: Double
  ) throws(PotentialError) -> NeuralNetworkPotential.AtomicNetwork {
    let head = try next("SYM")
    let count = try counts(head, 1...1)[0]
    var functions: [SymmetryFunction] = []
    for number in 1...count {
      let words = try next()
      functions.append(try function(words, "\(number) of \(count)", reach: reach))
    }
    let first = try next("scale1")
    let centers = try numbers(first, count)
    let second = try next("scale2")
    let widths = try numbers(second, count)
    if let constant = widths.firstIndex(where: { $0 <= 0 || !(1 / $0).isFinite }) {
      throw wrong("scale2 \(widths[constant]) of function \(constant + 1)", "widths above 0")
    }
    let network = try layers(inputs: count)
    do {
      return try NeuralNetworkPotential.AtomicNetwork(
        functions: functions, centers: centers, scales: widths.map { 1 / $0 },
        network: NeuralNetwork(network))
    } catch {
      throw wrong("\(error)", "parts that fit together")
    }
  }

  // type rc p1 p2 p3 El_j [El_k]; 2: eta Rs 0; 4 and 5: eta zeta lambda.
  private func function(
    _ words: [String], _ which: String, reach: Double
  ) throws(PotentialError) -> SymmetryFunction {
    guard ["2", "4", "5"].contains(words[0]) else {
      throw wrong(
        "'\(words[0])' as type of function \(which)",
        "2 (radial), 4 (narrow angular), 5 (wide angular)")
    }
    let isRadial = words[0] == "2"
    guard words.count == (isRadial ? 6 : 7) else {
      throw wrong(
        "'\(words.joined(separator: " "))'",
        isRadial
          ? "2 rc eta Rs 0 ELEMENT"
          : "\(words[0]) rc eta zeta lambda "
            + "ELEMENT ELEMENT")
    }
    let (cutoff, width) = (try number(words, 1), try number(words, 2))
    guard cutoff <= reach else {
      throw wrong("a cutoff of \(cutoff) Å", "up to \(reach) Å, the second number of POT")
    }
    let function: SymmetryFunction
    if isRadial {
      function = .radial(
        .init(try neighbor(words, 5), width: width, center: try number(words, 3), cutoff: cutoff))
    } else {
      let lambda = try number(words, 4)
      guard abs(lambda) == 1 else { throw wrong("lambda \(words[4])", "1 or -1") }
      function = .angular(
        .init(
          try neighbor(words, 5), try neighbor(words, 6), width: width, isPositive: lambda > 0,
          exponent: try number(words, 3), cutoff: cutoff, isWide: words[0] == "5"))
    }
    do { try function.validate() } catch {
      throw wrong("\(error)", "numbers of a symmetry function")
    }
    return function
  }

  // NET and the layers, that of principal components multiplied into the one after it.
  private mutating func layers(inputs: Int) throws(PotentialError) -> [NeuralNetwork.Layer] {
    let words = try next("NET")
    let head = try counts(words, 2...20, from: 0)
    let nodes = Array(head.dropFirst())
    guard head[0] == nodes.count - 1, nodes.last == 1, !nodes.contains(0) else {
      throw wrong(
        "NET \(head.map(String.init).joined(separator: " "))",
        "NET, the number of hidden layers, nodes of each layer, 1 for the last")
    }
    var layers: [NeuralNetwork.Layer] = []
    var components: NeuralNetwork.Layer?
    var before = inputs
    for (layer, count) in nodes.enumerated() {
      let words = try next("LAYER")
      let isComponents = words.count == 4 && words[3] == "PCA"
      guard words.count == 3 || isComponents,
        let activation = SavedNetwork.activations.first(where: { $0.word == words[2] })?.activation
      else {
        let names = SavedNetwork.activations.map(\.word).joined(separator: ", ")
        throw wrong(
          "'\(words.joined(separator: " "))'",
          "LAYER NUMBER and one of \(names); then PCA or nothing")
      }
      guard !isComponents || (layer == 0 && nodes.count > 1 && activation == .linear) else {
        throw wrong(
          "'\(words.joined(separator: " "))'",
          "PCA only of the first layer, linear, with more after it")
      }
      let read = try self.layer(activation, inputs: before, nodes: count)
      if isComponents {
        components = read
      } else if let first = components {
        layers.append(Self.product(read, of: first))
        components = nil
      } else {
        layers.append(read)
      }
      before = count
    }
    return layers
  }

  private mutating func layer(
    _ activation: NeuralNetwork.Activation, inputs: Int, nodes: Int
  ) throws(PotentialError) -> NeuralNetwork.Layer {
    var (weights, biases): ([Double], [Double]) = ([], [])
    for node in 0..<nodes {
      let own = try next()
      guard own[0].hasPrefix("w") else {
        throw wrong("'\(own[0])'", "w\(node), the weights of a node")
      }
      weights += try numbers(own, inputs)
      let bias = try next()
      guard bias[0].hasPrefix("b") else {
        throw wrong("'\(bias[0])'", "b\(node), the bias of a node")
      }
      biases += try numbers(bias, 1)
    }
    return NeuralNetwork.Layer(activation, inputCount: inputs, weights: weights, biases: biases)
  }

  /// One layer instead of two: `layer` after the linear `first`.
  private static func product(
    _ layer: NeuralNetwork.Layer, of first: NeuralNetwork.Layer
  ) -> NeuralNetwork.Layer {
    var weights = [Double](repeating: 0, count: layer.nodeCount * first.inputCount)
    var biases = layer.biases
    for node in 0..<layer.nodeCount {
      for component in 0..<first.nodeCount {
        let weight = layer.weights[node * layer.inputCount + component]
        biases[node] += weight * first.biases[component]
        for input in 0..<first.inputCount {
          weights[node * first.inputCount + input] +=
            weight * first.weights[component * first.inputCount + input]
        }
      }
    }
    return NeuralNetwork.Layer(
      layer.activation, inputCount: first.inputCount, weights: weights, biases: biases)
  }

  /// The words of the next line.
  private mutating func next(_ keyword: String? = nil) throws(PotentialError) -> [String] {
    guard let (line, words) = lines.popFirst() else {
      throw wrong("the end of the file", keyword ?? "another line: the file is cut off")
    }
    place = line
    if let keyword, words[0] != keyword { throw wrong("'\(words[0])'", keyword) }
    return words
  }

  private func wrong(_ found: String, _ allowed: String) -> PotentialError {
    .malformedFile(path: path, line: place, "found \(found), allowed: \(allowed)")
  }

  private func element(_ word: String) throws(PotentialError) -> ChemicalElement {
    guard let element = ChemicalElement(symbol: word) else {
      throw wrong("'\(word)'", "an element")
    }
    return element
  }

  // An element of ELEM_LIST.
  private func neighbor(_ words: [String], _ place: Int) throws(PotentialError) -> ChemicalElement {
    let element = try element(place < words.count ? words[place] : "")
    guard elements.contains(element) else {
      throw wrong(
        "\(element)", "an element of ELEM_LIST: \(elements.map(\.symbol).joined(separator: ", "))")
    }
    return element
  }

  private func number(_ words: [String], _ place: Int) throws(PotentialError) -> Double {
    guard place < words.count, let number = Double(words[place]), number.isFinite else {
      throw wrong("'\(words.joined(separator: " "))'", "a number as word \(place + 1)")
    }
    return number
  }

  // The numbers after a line's first word.
  private func numbers(_ words: [String], _ count: Int) throws(PotentialError) -> [Double] {
    guard words.count == count + 1 else {
      throw wrong("\(words.count - 1) numbers after \(words[0])", "\(count)")
    }
    var numbers: [Double] = []
    for place in words.indices.dropFirst() {
      guard let number = Double(words[place]), number.isFinite else {
        throw wrong("'\(words[place])' as number \(place) after \(words[0])", "a number")
      }
      numbers.append(number)
    }
    return numbers
  }

  // Whole numbers after a line's first word, so many of them.
  private func counts(
    _ words: [String], _ range: ClosedRange<Int>, from least: Int = 1
  ) throws(PotentialError) -> [Int] {
    let counts = words.dropFirst().compactMap { Int($0) }.filter { (least...10_000).contains($0) }
    guard counts.count == words.count - 1, range.contains(counts.count) else {
      throw wrong(
        "'\(words.joined(separator: " "))'", "\(words[0]) with whole numbers from \(least) to 10000"
      )
    }
    return counts
  }
}
