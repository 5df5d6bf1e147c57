import Crystal
import Foundation
import NumericalCore
import Potential
import TestSupport
import Testing

@Suite("Files of moment tensor potentials")
struct MomentTensorFileTests {
  @Test("Reading what was written gives the same bits", arguments: MomentTensorFixtures.names)
  func roundTrip(name: String) throws {
    let potential = try MomentTensorFixtures.potential(name)
    let text = potential.mtpText
    let again = try MomentTensorPotential(mtpText: text)
    #expect(again == potential)
    #expect(again.mtpText == text)
  }

  @Test("Potentials of all levels survive a file", arguments: [2, 6, 12, 16])
  func roundTripOfLevels(level: Int) throws {
    let elements = ["Ti", "O"].compactMap(ChemicalElement.init(symbol:))
    let potential = try MomentTensorFixtures.random(level: level, elements: elements, seed: 3)
    #expect(try MomentTensorPotential(mtpText: potential.mtpText) == potential)
  }

  @Test("Elements travel in the tag and can be given by the reader")
  func elements() throws {
    let named = try ["Ni", "Al"].map { try #require(ChemicalElement(symbol: $0)) }
    let path = try MomentTensorFixtures.path("NiAl_12_random.mtp")
    let anonymous = try MomentTensorPotential(path: path)
    #expect(anonymous.elements == [.unnamed(0), .unnamed(1)])
    let potential = try MomentTensorPotential(path: path, elements: named)
    #expect(potential.elements == named)
    #expect(potential.parameters == anonymous.parameters)
    #expect(potential.mtpText.contains("potential_tag = elements:Ni,Al\n"))
    #expect(try MomentTensorPotential(mtpText: potential.mtpText).elements == named)
    #expect(throws: PotentialError.self) {
      try MomentTensorPotential(path: path, elements: [named[0]])
    }
    #expect(throws: PotentialError.self) {
      try MomentTensorPotential(path: path, elements: [named[0], named[0]])
    }
  }

  @Test("An untrained file gives the default start")
  func untrained() throws {
    let golden = try MomentTensorFixtures.text("Mo_08.mtp")
    let lines = golden.split(separator: "\n", omittingEmptySubsequences: false).filter {
      !$0.hasPrefix("species_coeffs") && !$0.hasPrefix("moment_coeffs")
        && !$0.contains("radial_coeffs") && !$0.contains("0-0") && !$0.hasPrefix("\t\t\t{")
    }
    let potential = try MomentTensorPotential(mtpText: lines.joined(separator: "\n"))
    let start = try MomentTensorPotential(
      basis: potential.basis, radialBasis: potential.radialBasis, elements: [.unnamed(0)])
    #expect(potential.parameters == start.parameters)
    #expect(potential.basis.scalarCount == 9)
  }

  /// A change of a good file, the line where it must be noticed, and a part of the message.
  struct Damage: Sendable, CustomTestStringConvertible {
    let from: String
    let to: String
    let line: Int
    let message: String
    var testDescription: String { "\(from) → \(to)" }
  }

  static let damages = [
    Damage(from: "MTP\n", to: "MTX\n", line: 1, message: "“MTP” expected"),
    Damage(from: "version = 1.1.0", to: "version = 2.0.0", line: 2, message: "1.1.0"),
    Damage(from: "species_count = 1", to: "species_count = 0", line: 5, message: "1 to 100"),
    Damage(from: "species_count = 1", to: "species_count = one", line: 5, message: "whole number"),
    Damage(
      from: "species_count = 1", to: "species_count = 2", line: 16, message: "pair of species"),
    Damage(from: "potential_tag = ", to: "potential_tag = elements:Zz", line: 6, message: "“Zz”"),
    Damage(
      from: "potential_tag = ", to: "potential_tag = elements:Ti,O", line: 6, message: "2 elements"),
    Damage(from: "RBChebyshev", to: "RBShapeev", line: 7, message: "RBShapeev"),
    Damage(
      from: "max_dist = 5.200000000000000e+00", to: "max_dist = nan", line: 9, message: "not finite"
    ),
    Damage(from: "max_dist = 5.2", to: "max_dist = 0.2", line: 10, message: "minimum < cutoff"),
    Damage(
      from: "radial_basis_size = 8", to: "radial_basis_size = 9", line: 14, message: "after 8 of 9"),
    Damage(
      from: "radial_basis_size = 8", to: "radial_basis_size = 7", line: 14, message: "“}” expected"),
    Damage(
      from: "radial_funcs_count = 2", to: "radial_funcs_count = 1", line: 16, message: "expected"),
    Damage(from: "-2.275306336623967e-01", to: "inf", line: 14, message: "not finite"),
    Damage(from: "-2.275306336623967e-01", to: "nan", line: 14, message: "not finite"),
    Damage(from: "-2.275306336623967e-01", to: "x", line: 14, message: "no number"),
    Damage(
      from: "alpha_moments_count = 18", to: "alpha_moments_count = 17", line: 22,
      message: "11 to 16 are allowed"),
    Damage(
      from: "alpha_index_basic_count = 11", to: "alpha_index_basic_count = 12", line: 18,
      message: "after 11 of 12"),
    Damage(from: "{1, 0, 0, 0}}", to: "{2, 0, 0, 0}}", line: 22, message: "radial function 2"),
    Damage(
      from: "{0, 15, 1, 17}", to: "{0, 17, 1, 17}", line: 22, message: "before it is complete"),
    Damage(from: "{0, 15, 1, 17}", to: "{0, 15, 1, 99}", line: 22, message: "adds to moment 99"),
    Damage(from: "{0, 15, 1, 17}", to: "{0, 15, 1}", line: 20, message: "after 3 of 4"),
    Damage(from: "16, 17}\n", to: "16, 18}\n", line: 22, message: "moment 18"),
    Damage(
      from: "alpha_scalar_moments = 9", to: "alpha_scalar_moments = 99", line: 21,
      message: "1 to 18"),
    Damage(from: "{-5.509924340936333e+00}", to: "{-5.5, 1}", line: 23, message: "“}” expected"),
    Damage(from: ", -1.766114351907689e+01}", to: "}", line: 24, message: "after 8 of 9"),
    Damage(from: "-1.766114351907689e+01}", to: "-1.76", line: 24, message: "the end of the file"),
    Damage(from: "-1.766114351907689e+01}", to: "-1.76} more", line: 24, message: "“more”"),
  ]

  @Test("Malformed files are refused with their line", arguments: damages)
  func malformed(damage: Damage) throws {
    let good = try MomentTensorFixtures.text("Mo_08.mtp").trimmingCharacters(in: .newlines) + "\n"
    let bad = good.replacingOccurrences(of: damage.from, with: damage.to)
    try #require((bad == good) == false, "the file has no “\(damage.from)”")
    let error = #expect(throws: PotentialError.self) {
      try MomentTensorPotential(mtpText: bad, path: "bad.mtp")
    }
    guard case .malformedFile(let path, let line, let message) = error else {
      Issue.record("\(String(describing: error)) instead of a malformed file")
      return
    }
    #expect(path == "bad.mtp")
    #expect(message.contains(damage.message), "\(message)")
    // The line is where reading stopped; lists may span lines.
    #expect(abs(line - damage.line) <= 1, "line \(line): \(message)")
  }

  @Test("A file cut anywhere is refused or was already complete")
  func truncated() throws {
    let text = try MomentTensorFixtures.text("Mo_08.mtp")
    let complete = try MomentTensorPotential(mtpText: text)
    for length in stride(from: 0, to: text.utf8.count - 2, by: 7) {
      let part = String(decoding: text.utf8.prefix(length), as: UTF8.self)
      if let potential = try? MomentTensorPotential(mtpText: part) {
        // The trained coefficients are optional, so the file may end before them.
        #expect(potential.basis == complete.basis)
        #expect(part.hasSuffix("17}") || part.contains("moment_mapping"))
      }
    }
  }

  @Test("A missing file is an error with its path")
  func missing() {
    let error = #expect(throws: PotentialError.self) {
      try MomentTensorPotential(path: "/nowhere/x.mtp")
    }
    #expect(error?.description.hasPrefix("/nowhere/x.mtp") == true)
  }
}
