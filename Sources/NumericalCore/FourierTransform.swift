import CFFTW
import Synchronization

/// Discrete Fourier transforms of real series by FFTW, planned by estimate so that results do not
/// depend on timings.
public enum FourierTransform {
  /// FFTW runs plans in any number of threads, but makes and destroys them in one at a time.
  private static let planner = Mutex(())

  /// Makes a plan, runs it and destroys it.
  private static func run(samples: Int, _ make: () -> fftw_plan?) {
    let plan = planner.withLock { _ in Plan(pointer: make()) }
    precondition(plan.pointer != nil, "FFTW refused a series of \(samples) samples")
    fftw_execute(plan.pointer)
    planner.withLock { _ in fftw_destroy_plan(plan.pointer) }
  }

  /// A plan on its way out of the lock; it belongs to one thread.
  private struct Plan: @unchecked Sendable {
    let pointer: fftw_plan?
  }

  /// The squared moduli of the first count/2 + 1 coefficients of Σⱼ xⱼ exp(−2πi jk/n).
  ///
  /// - Parameter series: Equally spaced samples; at least one.
  /// - Returns: The power spectrum, not normalised.
  public static func powerSpectrum(of series: [Double]) -> [Double] {
    precondition(!series.isEmpty, "an empty series has no spectrum")
    var input = series
    let count = series.count / 2 + 1
    var output = [Double](repeating: 0, count: 2 * count)
    output.withUnsafeMutableBytes { raw in
      input.withUnsafeMutableBufferPointer { samples in
        let coefficients = raw.baseAddress?.assumingMemoryBound(to: fftw_complex.self)
        // FFTW_ESTIMATE (1 << 6) leaves the input untouched while planning.
        run(samples: series.count) {
          fftw_plan_dft_r2c_1d(Int32(series.count), samples.baseAddress, coefficients, 1 << 6)
        }
      }
    }
    return (0..<count).map { (index: Int) -> Double in
      let (real, imaginary) = (output[2 * index], output[2 * index + 1])
      return real * real + imaginary * imaginary
    }
  }

  /// The cosine series x₀ + (−1)ᵏ xₙ₋₁ + 2 Σⱼ xⱼ cos(π jk/(n − 1)) for k = 0 … n − 1 (FFTW's REDFT00).
  ///
  /// - Parameter series: Samples of an even function from 0 on; at least two.
  /// - Returns: As many coefficients.
  public static func cosineTransform(of series: [Double]) -> [Double] {
    precondition(series.count > 1, "a cosine transform takes at least two samples")
    var values = series
    values.withUnsafeMutableBufferPointer { samples in
      run(samples: samples.count) {
        fftw_plan_r2r_1d(
          Int32(samples.count), samples.baseAddress, samples.baseAddress, FFTW_REDFT00, 1 << 6)
      }
    }
    return values
  }

  /// The sums Σⱼ xⱼ xⱼ₊ₖ over the samples that exist, added up over several series (Wiener–Khinchin, padded
  /// with zeros).
  ///
  /// - Parameters:
  ///   - length: Samples of each series; positive.
  ///   - series: How many series.
  ///   - sample: The sample of a series at a time.
  /// - Returns: For every distance k = 0 … length − 1 the sum; nothing is divided by the number of terms.
  /// - Complexity: O(series · length · log length)
  public static func autocorrelation(
    length: Int, series: Int, sample: (_ series: Int, _ time: Int) -> Double
  ) -> [Double] {
    precondition(length > 0 && series >= 0, "a series has samples")
    var size = 2
    while size < 2 * length { size *= 2 }
    var total = [Double](repeating: 0, count: size / 2 + 1)
    var padded = [Double](repeating: 0, count: size)
    for index in 0..<series {
      for time in 0..<length { padded[time] = sample(index, time) }
      let power = powerSpectrum(of: padded)
      for k in total.indices { total[k] += power[k] }
    }
    // The spectrum is real and even: its transform is a cosine series.
    let sums = cosineTransform(of: total)
    return (0..<length).map { sums[$0] / Double(size) }
  }
}
