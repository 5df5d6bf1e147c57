import Crystal
import Dynamics
import Foundation
import NumericalCore

/// How atoms move in a stage: what spectra and displacements are made of, in a file until the stage ends.
final class MotionRecord {
  /// Position and velocity.
  static let bytesPerAtom = 48

  /// The file.
  let file: GrowingFile
  private let path: String

  /// Correlations are followed for so long at most, in fs: frequencies 0.1 THz apart.
  private static let longestCorrelation = 5000.0

  /// Opens a file.
  ///
  /// - Throws: `CampaignError.failed` where it is shorter than the checkpoint says, or cannot be opened.
  init(path: String, keeping length: Int) throws(CampaignError) {
    self.path = path
    file = try GrowingFile(path: path, keeping: length)
  }

  /// Takes in positions and velocities.
  func add(_ state: DynamicalState) {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(state.velocities.count * Self.bytesPerAtom)
    for vectors in [state.structure.positions, state.velocities] {
      for vector in vectors {
        for axis in 0..<3 {
          withUnsafeBytes(of: vector[axis].bitPattern.littleEndian) { bytes += $0 }
        }
      }
    }
    file.append(bytes)
  }

  /// Takes the file away.
  func remove() { unlink(path) }

  /// What was taken in.
  ///
  /// - Parameters:
  ///   - species: The element of every atom.
  ///   - interval: The time between two records in fs.
  /// - Returns: All of it, frame by frame.
  /// - Throws: `CampaignError.failed` where it cannot be read.
  func trajectory(
    species: [ChemicalElement], interval: Double
  ) throws(CampaignError) -> DynamicsTrajectory {
    try file.flush()
    guard let data = FileManager.default.contents(atPath: path), data.count >= file.length else {
      throw .failed("\(path): cannot be read")
    }
    var trajectory = DynamicsTrajectory(species: species, interval: interval)
    let numbers = data.prefix(file.length).withUnsafeBytes { raw in
      (0..<raw.count / 8).map {
        Double(
          bitPattern: UInt64(
            littleEndian: raw.loadUnaligned(fromByteOffset: 8 * $0, as: UInt64.self)))
      }
    }
    let half = 3 * species.count
    func vectors(from start: Int) -> [Vector3] {
      species.indices.map {
        Vector3(numbers[start + 3 * $0], numbers[start + 3 * $0 + 1], numbers[start + 3 * $0 + 2])
      }
    }
    for start in stride(from: 0, to: numbers.count, by: 2 * half) {
      trajectory.append(positions: vectors(from: start), velocities: vectors(from: start + half))
    }
    return trajectory
  }

  /// The vibrational density of states of all atoms and of each element as a table; `nil` with too few records.
  static func spectrumTable(_ trajectory: DynamicsTrajectory) -> String? {
    let longest = min(
      trajectory.count, Int((longestCorrelation / trajectory.interval).rounded()) + 1)
    let elements = Array(Set(trajectory.species)).sorted()
    let parts = ([nil] + elements.map(Optional.some)).map { element in
      trajectory.vibrationalDensityOfStates(of: element, longest: longest)
    }
    guard let all = parts[0] else { return nil }
    var text = "frequency_THz,all," + elements.map(\.symbol).joined(separator: ",") + "\n"
    for index in all.values.indices {
      let values = parts.map { "\($0?.values[index] ?? 0)" }.joined(separator: ",")
      text += "\(Double(index) * all.spacing),\(values)\n"
    }
    return text
  }

  /// Mean-square displacements in Å² of all atoms and of each element as a table, for times up to half of what was
  /// seen: beyond that there are too few to average.
  static func displacementTable(_ trajectory: DynamicsTrajectory) -> String {
    let elements = Array(Set(trajectory.species)).sorted()
    let parts = ([nil] + elements.map(Optional.some)).map {
      trajectory.meanSquareDisplacement(of: $0)
    }
    var text = "picoseconds,all," + elements.map(\.symbol).joined(separator: ",") + "\n"
    for index in 0..<(trajectory.count + 1) / 2 {
      let values = parts.map { "\($0[index])" }.joined(separator: ",")
      text += "\(Double(index) * trajectory.interval / 1000),\(values)\n"
    }
    return text
  }
}
