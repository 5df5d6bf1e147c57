import NumericalCore

/// `Benchmarks peak`: what the core can do at best.
enum PeakBenchmark: Benchmark {
  static let syntax = Syntax(
    "peak", "operations and bytes per second that the core reaches at best",
    reason:
      "a time says little about a kernel before it is known what the hardware allows: results "
      + "of other benchmarks are fractions of these. Lanes of 8 need AVX-512, lanes of 4 AVX2; "
      + "operands of the first two cases stay in registers.",
    options: [.repetitions])

  static func run(_ arguments: Arguments) throws -> Report {
    let runs = try arguments.repetitions()
    let wide = MachinePeak.wideMultiplyAdds(runs: runs)
    let narrow = MachinePeak.narrowMultiplyAdds(runs: runs)
    let product = matrixProduct(runs: runs)
    let first = MachinePeak.loads(bytes: 24 << 10, runs: runs)
    let second = MachinePeak.loads(bytes: 256 << 10, runs: runs)
    let far = MachinePeak.loads(bytes: 8 << 20, runs: runs)
    return Report(
      [
        .init("gigaflops", "GFLOP/s, multiply-adds of 8 lanes (median)", .number(wide.median)),
        .init("largest_gigaflops", "8 lanes (largest)", .number(wide.largest)),
        .init("gigaflops_4_lanes", "4 lanes (median)", .number(narrow.median)),
        .init("gigaflops_matrix_product", "dgemm 512 (median)", .number(product.median)),
        .init("gigabytes_24_kb", "GB/s loaded from 24 kB (median)", .number(first.median)),
        .init("gigabytes_256_kb", "from 256 kB (median)", .number(second.median)),
        .init("gigabytes_8_mb", "from 8 MB (median)", .number(far.median)),
        .init("runs", "runs", .integer(runs)),
        .init("blas_core", "kernels of BLAS", .text(LinearAlgebra.coreName)),
      ], largerIsBetter: true)
  }

  private static func matrixProduct(runs: Int) -> Sample {
    let order = 512
    let a = Matrix(rows: order, columns: order, repeating: 0.5)
    var c = a
    let times = Stopwatch.sample(runs: runs) { LinearAlgebra.multiply(a, a, into: &c) }
    let operations = 2 * Double(order) * Double(order) * Double(order)
    return times.mapped { 1e-9 * operations / $0 }
  }
}
