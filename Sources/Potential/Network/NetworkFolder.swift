import Crystal
import Foundation

/// Networks in the files of n2p2 and LAMMPS' `pair_style hdnnp`: `input.nn`, `scaling.data` and `weights.ZZZ.data` in a
/// folder.
///
/// Energies in eV and lengths in Å are assumed: the files do not tell.
public enum NetworkFolder {
  /// Reads a potential.
  ///
  /// - Parameter folder: The folder of the files.
  /// - Returns: The potential.
  /// - Throws: `PotentialError.malformedFile` with file and line where something is missing, wrong or not supported.
  public static func read(_ folder: String) throws(PotentialError) -> NeuralNetworkPotential {
    let input = try NetworkInput(path: folder + "/input.nn")
    let scaling = try NetworkScaling(path: folder + "/scaling.data")
    var networks: [ChemicalElement: NeuralNetworkPotential.AtomicNetwork] = [:]
    for (place, element) in input.elements.enumerated() {
      let functions = input.functions(of: element)
      let name = String(repeating: "0", count: max(0, 3 - "\(element.atomicNumber)".count))
      let weights = try weights(folder + "/weights.\(name)\(element.atomicNumber).data")
      let network = try network(input, inputs: functions.count, weights)
      let rows = try scaling.rows(of: place + 1, count: functions.count)
      var centers: [Double] = []
      var scales: [Double] = []
      for row in rows {
        let (center, scale) = try input.scaling.transform(row, path: scaling.path)
        centers.append(center)
        scales.append(scale)
      }
      networks[element] = try NeuralNetworkPotential.AtomicNetwork(
        functions: functions, centers: centers, scales: scales, network: network,
        shift: input.shifts[element] ?? 0)
    }
    return try NeuralNetworkPotential(networks)
  }

  // Only the first column counts: for every layer the weights, those of an input together, then the biases.
  private static func weights(_ path: String) throws(PotentialError) -> [Double] {
    var numbers: [Double] = []
    for (line, words) in try NetworkLines.read(path) {
      guard let number = Double(words[0]), number.isFinite else {
        throw .malformedFile(path: path, line: line, "found '\(words[0])', allowed: a number")
      }
      numbers.append(number)
    }
    return numbers
  }

  private static func network(
    _ input: NetworkInput, inputs: Int, _ numbers: [Double]
  ) throws(PotentialError) -> NeuralNetwork {
    var layers: [NeuralNetwork.Layer] = []
    var (first, before) = (0, inputs)
    for (nodes, activation) in zip(input.nodes + [1], input.activations) {
      let end = first + before * nodes + nodes
      guard end <= numbers.count else {
        throw .malformedFile(
          path: input.path, line: 0,
          "found \(numbers.count) weights for an element, fewer than its layers have")
      }
      let weights = numbers[first..<first + before * nodes]
      var own = [Double](repeating: 0, count: before * nodes)
      for (place, weight) in weights.enumerated() {
        own[place % nodes * before + place / nodes] = weight
      }
      layers.append(
        NeuralNetwork.Layer(
          activation, inputCount: before, weights: own,
          biases: Array(numbers[first + before * nodes..<end])))
      (first, before) = (end, nodes)
    }
    guard first == numbers.count else {
      throw .malformedFile(
        path: input.path, line: 0,
        "found \(numbers.count) weights for an element, allowed: \(first)")
    }
    return try NeuralNetwork(layers)
  }
}

/// Lines of a file, divided into words, without comments.
enum NetworkLines {
  /// Reads a file.
  ///
  /// - Returns: The numbers of the lines, from 1, and their words; lines without words are left out.
  /// - Throws: `PotentialError.malformedFile` where it cannot be read.
  static func read(_ path: String) throws(PotentialError) -> [(line: Int, words: [String])] {
    let text: String
    do { text = try String(contentsOfFile: path, encoding: .utf8) } catch {
      throw .malformedFile(path: path, line: 0, "cannot be opened: \(error.localizedDescription)")
    }
    return lines(of: text)
  }

  /// The lines of a text.
  static func lines(of text: String) -> [(line: Int, words: [String])] {
    var lines: [(line: Int, words: [String])] = []
    for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      .enumerated()
    {
      let words = line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace).map(String.init)
      if !words.isEmpty { lines.append((index + 1, words)) }
    }
    return lines
  }
}

/// `scaling.data`: what the symmetry functions of a training set are like.
struct NetworkScaling {
  /// A symmetry function.
  struct Row {
    let line: Int
    let least: Double
    let largest: Double
    let mean: Double
    let deviation: Double
  }

  let path: String
  // By element number, then by function, both from 1.
  private var rows: [Int: [Int: Row]] = [:]

  init(path: String) throws(PotentialError) {
    self.path = path
    for (line, words) in try NetworkLines.read(path) {
      let numbers = words.map { Double($0) ?? .nan }
      // The last line holds statistics of energies and forces in some versions.
      guard words.count >= 6 else { continue }
      guard let element = Int(words[0]), let function = Int(words[1]),
        numbers[2...5].allSatisfy(\.isFinite)
      else {
        throw .malformedFile(
          path: path, line: line,
          "found '\(words.joined(separator: " "))', allowed: element, function, min, max, mean, sigma"
        )
      }
      guard rows[element]?[function] == nil else {
        throw .malformedFile(
          path: path, line: line, "function \(function) of element \(element) is there twice")
      }
      rows[element, default: [:]][function] = Row(
        line: line, least: numbers[2], largest: numbers[3], mean: numbers[4], deviation: numbers[5])
    }
  }

  /// The rows of an element, from 1, in order.
  func rows(of element: Int, count: Int) throws(PotentialError) -> [Row] {
    let own = rows[element] ?? [:]
    var list: [Row] = []
    for function in 1...max(1, count) {
      guard let row = own[function] else {
        throw .malformedFile(
          path: path, line: 0,
          "no row of element \(element) and function \(function); input.nn has \(count) functions of it"
        )
      }
      list.append(row)
    }
    guard own.count == count else {
      throw .malformedFile(
        path: path, line: 0,
        "\(own.count) rows of element \(element); input.nn has \(count) functions of it")
    }
    return list
  }
}
