import CFFTW

/// Discrete Fourier transforms of real series by FFTW, planned by estimate so that results do not
/// depend on timings.
public enum FourierTransform {
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
        let plan = fftw_plan_dft_r2c_1d(
          Int32(series.count), samples.baseAddress, coefficients, 1 << 6)
        precondition(plan != nil, "FFTW refused a series of \(series.count) samples")
        fftw_execute(plan)
        fftw_destroy_plan(plan)
      }
    }
    return (0..<count).map { (index: Int) -> Double in
      let (real, imaginary) = (output[2 * index], output[2 * index + 1])
      return real * real + imaginary * imaginary
    }
  }
}
