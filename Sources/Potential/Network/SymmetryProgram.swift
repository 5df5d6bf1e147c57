import Crystal
import NumericalCore

/// The symmetry functions of one central element as flat lists, for kernels.
struct SymmetryProgram: Sendable {
  /// A radial function.
  struct Radial: Sendable {
    /// −η in Å⁻².
    let factor: Double
    /// R_s in Å.
    let center: Double
    /// Which function it is.
    let output: Int
  }

  /// Radial functions of one neighbor species and cutoff.
  struct RadialGroup: Sendable {
    let species: Int
    let fade: CutoffFade
    /// Whether all have R_s = 0: then no distance is needed.
    let isCentered: Bool
    let functions: Range<Int>
  }

  /// An angular function.
  struct Angular: Sendable {
    /// Where its power of 1 + λ cos θ is: twice the number of ζ in the group, and 1 for λ = −1.
    let power: Int
    /// Which function it is.
    let output: Int
  }

  /// Angular functions of one η.
  struct Shell: Sendable {
    /// −η in Å⁻².
    let factor: Double
    /// Which of the neighbors' exponentials belongs to it.
    let decay: Int
    let functions: Range<Int>
  }

  /// Sums Σ A cosⁿ θ of a shell lose digits in functions of a higher degree than this.
  static let largestDegree = 8

  /// Angular functions of one pair of species and one cutoff.
  struct AngularGroup: Sendable {
    let first: Int
    let second: Int
    /// Which of the fades.
    let fade: Int
    /// Whether r_jk does not matter (G⁵).
    let isWide: Bool
    let shells: Range<Int>
    /// ζ − 1 of each of its exponents.
    let exponents: Range<Int>
    /// The largest ζ where all are small integers: then its functions are polynomials of cos θ of this degree; 0 elsewhere.
    let degree: Int

    /// The group with one of its shells alone.
    func alone(_ shell: Int) -> AngularGroup {
      AngularGroup(
        first: first, second: second, fade: fade, isWide: isWide, shells: shell..<shell + 1,
        exponents: exponents, degree: degree)
    }
  }

  let count: Int
  private(set) var radialGroups: [RadialGroup] = []
  private(set) var radial: [Radial] = []
  private(set) var angularGroups: [AngularGroup] = []
  private(set) var shells: [Shell] = []
  private(set) var angular: [Angular] = []
  /// Of each angular function in a group of polynomials the coefficients of cosⁿ θ for n from 0 to the group's degree,
  /// with 2^{1−ζ}; function after function.
  private(set) var coefficients: [Double] = []
  /// Where the coefficients of each angular function begin.
  private(set) var firstCoefficients: [Int] = []
  /// ζ − 1, group by group.
  private(set) var exponents: [Double] = []
  /// Distinct cutoffs of angular functions.
  private(set) var fades: [CutoffFade] = []
  /// Distinct −η of angular functions.
  private(set) var decays: [Double] = []
  /// 2^{1−ζ} of each function; 1 of a radial one.
  private(set) var norms: [Double] = []
  /// ζ λ of each function; 0 of a radial one.
  private(set) var angularSlopes: [Double] = []
  /// The largest cutoff of angular functions in Å; 0 where there are none.
  private(set) var angularCutoff = 0.0

  /// The most exponents of a group.
  static let mostExponents = 8

  init(_ functions: [SymmetryFunction], elements: [ChemicalElement]) {
    count = functions.count
    norms = functions.map { function in
      guard case .angular(let angular) = function else { return 1 }
      return Self.norm(angular.exponent)
    }
    angularSlopes = functions.map { function in
      guard case .angular(let angular) = function else { return 0 }
      return angular.isPositive ? angular.exponent : -angular.exponent
    }
    addRadial(functions, elements)
    addAngular(functions, elements)
  }

  /// 2^{1−ζ}, exact where ζ is an integer.
  private static func norm(_ exponent: Double) -> Double {
    guard exponent.rounded() == exponent else {
      return exponential((1 - exponent) * logarithm(2))
    }
    return Double(sign: .plus, exponent: 1 - Int(exponent), significand: 1)
  }

  private mutating func addRadial(
    _ functions: [SymmetryFunction], _ elements: [ChemicalElement]
  ) {
    struct Key: Hashable {
      let species: Int
      let cutoff: Double
    }
    var keys: [Key] = []
    var members: [Key: [Radial]] = [:]
    for (output, function) in functions.enumerated() {
      guard case .radial(let radial) = function,
        let species = elements.firstIndex(of: radial.neighbor)
      else { continue }
      let key = Key(species: species, cutoff: radial.cutoff)
      if members[key] == nil { keys.append(key) }
      members[key, default: []].append(
        Radial(factor: -radial.width, center: radial.center, output: output))
    }
    for key in keys {
      let list = members[key] ?? []
      let first = radial.count
      radial += list
      radialGroups.append(
        RadialGroup(
          species: key.species, fade: CutoffFade(cutoff: key.cutoff),
          isCentered: list.allSatisfy { $0.center == 0 }, functions: first..<radial.count))
    }
  }

  private mutating func addAngular(
    _ functions: [SymmetryFunction], _ elements: [ChemicalElement]
  ) {
    struct Key: Hashable {
      let first: Int
      let second: Int
      let cutoff: Double
      let isWide: Bool
    }
    var keys: [Key] = []
    var members: [Key: [(output: Int, function: SymmetryFunction.Angular)]] = [:]
    for (output, function) in functions.enumerated() {
      guard case .angular(let angular) = function,
        let a = elements.firstIndex(of: angular.first),
        let b = elements.firstIndex(of: angular.second)
      else { continue }
      let key = Key(
        first: min(a, b), second: max(a, b), cutoff: angular.cutoff, isWide: angular.isWide)
      if members[key] == nil { keys.append(key) }
      members[key, default: []].append((output, angular))
    }
    for key in keys {
      let list = members[key] ?? []
      // So many exponents at once; a group with more is split.
      let zetas = Array(Set(list.map(\.function.exponent))).sorted()
      for start in stride(from: 0, to: zetas.count, by: Self.mostExponents) {
        let own = Array(zetas[start..<min(start + Self.mostExponents, zetas.count)])
        addGroup(
          list.filter { own.contains($0.function.exponent) }, own, first: key.first,
          second: key.second, cutoff: key.cutoff, isWide: key.isWide)
      }
    }
  }

  private mutating func addGroup(
    _ list: [(output: Int, function: SymmetryFunction.Angular)], _ zetas: [Double], first: Int,
    second: Int, cutoff: Double, isWide: Bool
  ) {
    let firstShell = shells.count
    for width in Array(Set(list.map(\.function.width))).sorted() {
      let start = angular.count
      for (output, function) in list where function.width == width {
        let place = zetas.firstIndex(of: function.exponent) ?? 0
        angular.append(Angular(power: 2 * place + (function.isPositive ? 0 : 1), output: output))
      }
      shells.append(
        Shell(
          factor: -width, decay: Self.place(of: -width, in: &decays),
          functions: start..<angular.count))
    }
    let firstExponent = exponents.count
    exponents += zetas.map { $0 - 1 }
    let fade = CutoffFade(cutoff: cutoff)
    angularGroups.append(
      AngularGroup(
        first: first, second: second, fade: Self.place(of: fade, in: &fades), isWide: isWide,
        shells: firstShell..<shells.count, exponents: firstExponent..<exponents.count,
        degree: addCoefficients(zetas, of: shells[firstShell..<shells.count])))
    angularCutoff = max(angularCutoff, cutoff)
  }

  /// Expands powers into polynomials.
  ///
  /// - Returns: The degree; 0 where they are none, or of too high a degree.
  private mutating func addCoefficients(_ zetas: [Double], of shells: ArraySlice<Shell>) -> Int {
    let largest = zetas.last ?? 0
    let isPolynomial =
      largest <= Double(Self.largestDegree) && zetas.allSatisfy { $0.rounded() == $0 }
    let degree = isPolynomial ? Int(largest) : 0
    for function in shells.flatMap(\.functions) {
      firstCoefficients.append(coefficients.count)
      guard degree > 0 else { continue }
      let zeta = Int(zetas[angular[function].power / 2])
      let sign = angular[function].power % 2 == 0 ? 1.0 : -1.0
      var binomial = norms[angular[function].output]
      for n in 0...degree {
        coefficients.append(n <= zeta ? binomial : 0)
        binomial *= sign * Double(zeta - n) / Double(n + 1)
      }
    }
    return degree
  }

  private static func place<Value: Equatable>(of value: Value, in list: inout [Value]) -> Int {
    if let known = list.firstIndex(of: value) { return known }
    list.append(value)
    return list.count - 1
  }

  /// Numbers that a pair of neighbors has at most: two and one for each shell, or three for each shell that is treated alone.
  var pairStride: Int {
    var strides: [Int: Int] = [:]
    for group in angularGroups {
      strides[group.first << 32 + group.second, default: 0] += 3 * group.shells.count
    }
    return strides.values.max() ?? 0
  }

  /// Numbers that a slot of the angular neighbors has beside its geometry: f_c and its slope for every fade, and
  /// exp(−η r²) for every η.
  var slotStride: Int { 2 * fades.count + decays.count }
}
