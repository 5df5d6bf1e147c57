import Crystal
import NumericalCore
import Potential
import StructureFormats

/// Labelled structures in the order they were labelled.
///
/// A set only grows: the index of an entry is its identifier for ever, decides its shard in every fit
/// and names it in active sets.
public struct TrainingSet: Sendable, Hashable {
  /// A labelled structure and what is known of it beside the label.
  public struct Entry: Sendable, Hashable {
    /// The structure and its label.
    public let labelled: LabelledStructure
    /// Where it comes from, such as `initial` or `slot 41`; no line breaks.
    public let source: String
    /// Its weight in the loss, relative to the others; not negative.
    public let weight: Double

    /// Creates an entry.
    public init(_ labelled: LabelledStructure, source: String, weight: Double = 1) {
      precondition(weight >= 0 && weight.isFinite, "a weight is a number that is not negative")
      precondition(!source.contains(where: \.isNewline), "a source is one line")
      self.labelled = labelled
      self.source = source
      self.weight = weight
    }
  }

  /// The entries; the index is the identifier.
  public private(set) var entries: [Entry] = []

  /// Creates an empty set.
  public init() {}

  /// Creates a set of labelled structures of one source.
  public init(_ labelled: [LabelledStructure], source: String = "initial") {
    entries = labelled.map { Entry($0, source: source) }
  }

  /// The number of entries.
  public var count: Int { entries.count }

  /// The structures with their labels, by identifier.
  ///
  /// - Complexity: O(K)
  public func labelledStructures() -> [LabelledStructure] { entries.map(\.labelled) }

  /// The elements that occur, by atomic number.
  ///
  /// - Complexity: O(atoms)
  public func distinctElements() -> [ChemicalElement] {
    Set(entries.flatMap(\.labelled.structure.species)).sorted()
  }

  /// Adds an entry at the end.
  ///
  /// - Returns: Its identifier.
  @discardableResult
  public mutating func append(_ entry: Entry) -> Int {
    entries.append(entry)
    return entries.count - 1
  }

  /// The fit of a potential to this set.
  ///
  /// - Parameters:
  ///   - potential: The potential to fit; only its species count.
  ///   - settings: Weights, cap, window and start.
  /// - Returns: The data with their weights, for `MomentTensorTrainer`.
  /// - Throws: `PotentialError` where a species is unknown or nothing is left to train on.
  public func problem(
    for potential: MomentTensorPotential, settings: TrainingSettings
  ) throws(PotentialError) -> TrainingProblem {
    try TrainingProblem(
      labelledStructures(), multipliers: entries.map(\.weight), for: potential,
      settings: settings)
  }
}

extension TrainingSet {
  private static let sourceKey = "source"
  private static let weightKey = "weight"

  /// Reads a set from a structure file.
  ///
  /// - Parameters:
  ///   - path: The file; `.cfg` and extended XYZ hold labels.
  ///   - elements: Names for species that the file only numbers.
  /// - Throws: `FormatError` where the file is malformed, an entry has no label or its weight is not a
  ///   number.
  public init(
    reading path: String, elements: [ChemicalElement]? = nil
  ) throws(FormatError) {
    for (index, record) in try StructureFile.read(path, elements: elements).enumerated() {
      guard let labelled = record.labelled else {
        throw FormatError(
          path: path, "entry \(index + 1) has no complete label",
          allowed: "energy, forces and, for a crystal, stress")
      }
      var weight = 1.0
      if let text = record.feature(Self.weightKey) {
        guard let number = Double(text), number >= 0, number.isFinite else {
          throw FormatError(
            path: path, "entry \(index + 1): weight '\(text)'",
            allowed: "a number that is not negative")
        }
        weight = number
      }
      append(Entry(labelled, source: record.feature(Self.sourceKey) ?? path, weight: weight))
    }
  }

  /// Writes the set; `init(reading:elements:)` brings back the same labels, sources and weights.
  ///
  /// - Parameters:
  ///   - path: The file, replaced where it exists.
  ///   - elements: The order of species in the file.
  /// - Throws: `FormatError` where it cannot be written.
  public func write(to path: String, elements: [ChemicalElement]? = nil) throws(FormatError) {
    let records = entries.map { entry in
      var features = [(key: Self.sourceKey, value: entry.source)]
      if entry.weight != 1 { features.append((key: Self.weightKey, value: "\(entry.weight)")) }
      return StructureRecord(entry.labelled, features: features)
    }
    try StructureFile.write(records, to: path, elements: elements)
  }
}

extension TrainingSet.Entry: ByteCodable {
  /// Appends label, source and weight.
  public func encode(to encoder: inout ByteEncoder) {
    encoder.encode(labelled)
    encoder.encode(source)
    encoder.encode(weight)
  }

  /// Reads label, source and weight.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    let labelled = try decoder.decode(LabelledStructure.self)
    let source = try decoder.decode(String.self)
    let weight = try decoder.decode(Double.self)
    guard weight >= 0, weight.isFinite, !source.contains(where: \.isNewline) else {
      throw .invalid("entry of a training set: weight \(weight), source \(source)")
    }
    self.init(labelled, source: source, weight: weight)
  }
}

extension TrainingSet: ByteCodable {
  /// Appends the entries.
  public func encode(to encoder: inout ByteEncoder) { encoder.encode(entries) }

  /// Reads the entries.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    entries = try decoder.decode([Entry].self)
  }
}
