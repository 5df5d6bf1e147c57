import Foundation

/// The time in milliseconds that the processor spent on some work, whatever else the machine does.
func processorMilliseconds(_ work: () throws -> Void) rethrows -> Double {
  func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return 1e3 * Double(time.tv_sec) + 1e-6 * Double(time.tv_nsec)
  }
  let start = now()
  try work()
  return now() - start
}
