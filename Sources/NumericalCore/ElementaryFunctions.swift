// glibc's functions under names that do not clash with a type's own methods; every module that
// needs them takes them from here, so that one place decides which library computes them.
import Foundation

/// The natural logarithm.
@inlinable
public func logarithm(_ x: Double) -> Double { Foundation.log(x) }

/// The exponential function.
@inlinable
public func exponential(_ x: Double) -> Double { Foundation.exp(x) }

/// The complementary error function.
@inlinable
public func complementaryErrorFunction(_ x: Double) -> Double { Foundation.erfc(x) }

/// The error function.
@inlinable
public func errorFunction(_ x: Double) -> Double { Foundation.erf(x) }

/// exp x − 1, exact for small x.
@inlinable
public func exponentialMinusOne(_ x: Double) -> Double { Foundation.expm1(x) }

/// The cosine of an angle in radians.
@inlinable
public func cosine(_ x: Double) -> Double { Foundation.cos(x) }

/// The cube root.
@inlinable
public func cubeRoot(_ x: Double) -> Double { Foundation.cbrt(x) }
