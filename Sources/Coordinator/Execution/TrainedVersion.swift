import Crystal
import NumericalCore
import Potential

/// One version of the potential as it travels and is stored: immutable bytes.
public struct TrainedVersion: Sendable {
  /// The potential that relaxes.
  public let potential: MomentTensorPotential
  /// The potential whose grade decides, with the active set that belongs to its coefficients; often the same
  /// potential, or one of fewer parameters.
  public let grader: ExtrapolationGrader
  /// Structures it was trained on; those beyond force cap or energy window are not counted.
  public let trainedOn: Int
  /// The loss it was trained to.
  public let loss: Double
  /// Root-mean-square errors over the structures trained on: eV/atom, eV/Å, GPa.
  public let errors: (energyPerAtom: Double, force: Double, stress: Double)

  /// Creates a version.
  public init(
    potential: MomentTensorPotential, grader: ExtrapolationGrader, trainedOn: Int, loss: Double,
    errors: (energyPerAtom: Double, force: Double, stress: Double)
  ) {
    self.potential = potential
    self.grader = grader
    self.trainedOn = trainedOn
    self.loss = loss
    self.errors = errors
  }
}

extension TrainedVersion: ByteCodable {
  /// Appends the potentials' files, the active set and the training's numbers.
  public func encode(to encoder: inout ByteEncoder) {
    let (text, gradingText) = (potential.mtpText, grader.potential.mtpText)
    encoder.encode(text)
    // Empty where one potential does both.
    encoder.encode(gradingText == text ? "" : gradingText)
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
    let gradingText = try decoder.decode(String.self)
    let modeName = try decoder.decode(String.self)
    guard let mode = ExtrapolationMode(rawValue: modeName) else {
      throw .invalid("extrapolation mode '\(modeName)'")
    }
    let activeSet = try decoder.decode(ActiveSet.self)
    do {
      potential = try MomentTensorPotential(mtpText: text)
      grader = try ExtrapolationGrader(
        potential: gradingText.isEmpty ? potential : MomentTensorPotential(mtpText: gradingText),
        mode: mode, activeSet: activeSet)
    } catch { throw .invalid(String(describing: error)) }
    guard grader.potential.elements == potential.elements else {
      throw .invalid("a potential and one of other elements that grades it")
    }
    trainedOn = try decoder.decode()
    loss = try decoder.decode()
    errors = (try decoder.decode(), try decoder.decode(), try decoder.decode())
  }
}
