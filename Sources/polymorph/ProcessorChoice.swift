import Foundation
import NumericalCore

/// Starts the program again with the fastest kernels of OpenBLAS.
enum ProcessorChoice {
  /// Starts the program again where OpenBLAS has chosen slow kernels.
  ///
  /// OpenBLAS before 0.3.22 takes its Haswell kernels on many processors that have AVX-512, and runs
  /// at half speed there. It reads the choice before `main`, so the variable has to be there when the
  /// program starts: the program replaces itself once, before MPI is started.
  static func restartIfSlow(_ environment: [String: String]) {
    guard environment["OPENBLAS_CORETYPE"] == nil,
      ["Haswell", "Zen"].contains(LinearAlgebra.coreName), hasSkylakeInstructions()
    else { return }
    setenv("OPENBLAS_CORETYPE", "SKYLAKEX", 1)
    setenv("OPENBLAS_NUM_THREADS", "1", 0)
    var words: [UnsafeMutablePointer<CChar>?] = CommandLine.arguments.map { strdup($0) }
    words.append(nil)
    // Returns only where it fails; then the slower kernels do the work.
    execv("/proc/self/exe", words)
    words.forEach { free($0) }
    unsetenv("OPENBLAS_CORETYPE")
  }

  private static func hasSkylakeInstructions() -> Bool {
    // A missing file means another operating system: nothing to choose.
    guard let text = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8),
      let line = text.split(separator: "\n").first(where: { $0.hasPrefix("flags") })
    else { return false }
    let flags = Set(line.split(separator: " "))
    return ["avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"].allSatisfy {
      flags.contains(Substring($0))
    }
  }
}
