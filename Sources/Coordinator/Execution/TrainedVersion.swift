import Crystal
import NumericalCore
import Potential

/// One version of the potential as it travels and is stored: immutable bytes.
public struct TrainedVersion: Sendable {
  /// The potential with the active set that belongs to its coefficients.
  public let grader: ExtrapolationGrader
  /// Structures it was trained on; those beyond force cap or energy window are not counted.
  public let trainedOn: Int
  /// The loss it was trained to.
  public let loss: Double
  /// Root-mean-square errors over the structures trained on: eV/atom, eV/Å, GPa.
  public let errors: (energyPerAtom: Double, force: Double, stress: Double)

  /// The potential.
  public var potential: MomentTensorPotential { grader.potential }

  /// Creates a version.
  public init(
    grader: ExtrapolationGrader, trainedOn: Int, loss: Double,
    errors: (energyPerAtom: Double, force: Double, stress: Double)
  ) {
    self.grader = grader
    self.trainedOn = trainedOn
    self.loss = loss
    self.errors = errors
  }
}

extension TrainedVersion: ByteCodable {
  /// Appends the potential's file, the active set and the training's numbers.
  public func encode(to encoder: inout ByteEncoder) {
    encoder.encode(potential.mtpText)
    encoder.encode(grader.mode.rawValue)
    encoder.encode(grader.activeSet)
    encoder.encode(trainedOn)
    encoder.encode(loss)
    encoder.encode(errors.energyPerAtom)
    encoder.encode(errors.force)
    encoder.encode(errors.stress)
  }

  /// Reads a version.
  public init(from decoder: inout ByteDecoder) throws(ByteCodingError) {
    let text = try decoder.decode(String.self)
    let modeName = try decoder.decode(String.self)
    guard let mode = ExtrapolationMode(rawValue: modeName) else {
      throw .invalid("extrapolation mode '\(modeName)'")
    }
    let activeSet = try decoder.decode(ActiveSet.self)
    do {
      grader = try ExtrapolationGrader(
        potential: MomentTensorPotential(mtpText: text), mode: mode, activeSet: activeSet)
    } catch { throw .invalid(String(describing: error)) }
    trainedOn = try decoder.decode()
    loss = try decoder.decode()
    errors = (try decoder.decode(), try decoder.decode(), try decoder.decode())
  }
}
