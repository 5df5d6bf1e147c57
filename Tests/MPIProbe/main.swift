// Started by the tests under mpirun: `MPIProbe CASE`. Rank 0 prints `ok CASE` where all went well.
import Foundation
import MPIBindings

func require(_ claim: Bool, _ what: String) {
  guard !claim else { return }
  FileHandle.standardError.write(Data("failed: \(what)\n".utf8))
  exit(1)
}

/// Bytes that differ with the sender and the place.
func pattern(_ count: Int, _ key: Int) -> [UInt8] {
  (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8 &+ key &* 7) }
}

func cpuSeconds() -> Double {
  var usage = rusage()
  getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
  func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) * 1e-6 }
  return seconds(usage.ru_utime) + seconds(usage.ru_stime)
}

/// A ring of messages: each rank hears from the one before it, with its tag and bytes.
func roundTrips(_ world: Communicator) throws {
  guard world.size > 1 else { return }
  let next = (world.rank + 1) % world.size
  let previous = (world.rank + world.size - 1) % world.size
  for (tag, count) in [0, 1, 100, 4096, 70_000, 1_000_000].enumerated() {
    let pending = try world.startSending(pattern(count, world.rank), to: next, tag: tag)
    let message = try world.receive(from: previous, tag: tag, timeoutSeconds: 60)
    require(message.bytes == pattern(count, previous), "bytes of \(count)")
    require(message.source == previous && message.tag == tag, "envelope")
    try pending.wait()
    require(try pending.isComplete(), "a completed send stays complete")
  }
  require(try world.probe() == nil, "no message is left")
}

/// Any-source receives on rank 0 answer every rank; messages of one sender keep their order.
func anySource(_ world: Communicator) throws {
  let count = 20
  guard world.rank == 0 else {
    for index in 0..<count { try world.send([UInt8(index)], to: 0, tag: index % 3) }
    let answer = try world.receive(from: 0, timeoutSeconds: 60)
    require(answer.bytes == [UInt8(world.rank)], "the answer is for this rank")
    return
  }
  var heard = [Int](repeating: 0, count: world.size)
  for _ in 0..<count * (world.size - 1) {
    let message = try world.receive(timeoutSeconds: 60)
    require(Int(message.bytes[0]) == heard[message.source], "order of one sender")
    require(message.tag == heard[message.source] % 3, "tag")
    heard[message.source] += 1
  }
  for other in 1..<world.size { try world.send([UInt8(other)], to: other, tag: 9) }
}

/// 50 MB cross between ranks, by message, broadcast and gather.
func largeMessages(_ world: Communicator) throws {
  let count = 50_000_000
  let bytes = [UInt8](repeating: UInt8(world.rank + 1), count: count)
  if world.size > 1, world.rank == 1 { try world.send(bytes, to: 0, tag: 5) }
  if world.size > 1, world.rank == 0 {
    let message = try world.receive(from: 1, tag: 5, timeoutSeconds: 60)
    require(message.bytes == [UInt8](repeating: 2, count: count), "large message")
  }
  let root = world.size - 1
  let shared = try world.broadcast(world.rank == root ? bytes : [], from: root)
  require(shared == [UInt8](repeating: UInt8(root + 1), count: count), "large broadcast")
  let parts = try world.gather(Array(bytes.prefix(count / (world.rank + 1))))
  require((parts == nil) == (world.rank != 0), "only the root gathers")
  for (rank, part) in (parts ?? []).enumerated() {
    require(part == [UInt8](repeating: UInt8(rank + 1), count: count / (rank + 1)), "large gather")
  }
}

/// Gathers arrive by rank whatever the order in time, also of empty parts, with messages around.
func gatherOrder(_ world: Communicator) throws {
  for round in 0..<5 {
    usleep(UInt32(1000 * ((world.size - world.rank) + round)))
    let mine = pattern(world.rank == 1 ? 0 : 10 * world.rank + round, world.rank)
    let pending = try world.rank > 0 ? world.startSending([1], to: 0, tag: 1) : nil
    let expected = (0..<world.size).map { pattern($0 == 1 ? 0 : 10 * $0 + round, $0) }
    let parts = try world.gather(mine, at: round % world.size)
    require((parts != nil) == (world.rank == round % world.size), "the root gathers")
    require(parts ?? expected == expected, "gather order")
    require(try world.gatherEverywhere(mine) == expected, "gather everywhere")
    require(try world.broadcast([], from: 0) == [], "empty broadcast")
    if world.rank == 0 {
      for other in 1..<max(1, world.size) {
        _ = try world.receive(from: other, tag: 1, timeoutSeconds: 60)
      }
    }
    try pending?.wait()
  }
}

/// Ranks that wait in a barrier, broadcast and receive leave the core alone.
func idleRanks(_ world: Communicator) throws {
  let wait = 1.0
  for kind in 0..<3 {
    try world.barrier()
    let cpu = cpuSeconds()
    let start = ProcessInfo.processInfo.systemUptime
    if world.rank == 0 {
      usleep(UInt32(wait * 1e6))
      if kind == 1 { for other in 1..<world.size { try world.send([1], to: other, tag: 0) } }
    }
    switch kind {
    case 0: try world.barrier()
    case 1: if world.rank > 0 { _ = try world.receive(timeoutSeconds: 60) }
    default: _ = try world.broadcast([1])
    }
    let elapsed = ProcessInfo.processInfo.systemUptime - start
    let share = (cpuSeconds() - cpu) / elapsed
    require(elapsed > 0.9 * wait, "waited \(elapsed) s in case \(kind)")
    require(share < 0.1, "waiting in case \(kind) took \(share) of a core")
  }
}

func timeout(_ world: Communicator) throws {
  guard world.size > 1 else { return }
  var heard: String?
  do {
    _ = try world.receive(from: (world.rank + 1) % world.size, timeoutSeconds: 0.05)
  } catch {
    heard = "\(error)"
  }
  require(heard?.contains("within 0.05 s") == true, "nothing was sent, so the wait must end")
  try world.barrier()
}

let world = try Communicator(environment: ProcessInfo.processInfo.environment)
let cases: [String: (Communicator) throws -> Void] = [
  "round-trips": roundTrips, "any-source": anySource, "large": largeMessages,
  "gather": gatherOrder, "idle": idleRanks, "timeout": timeout,
  "abort": { if $0.rank == $0.size - 1 { $0.abort(status: 7) } else { try $0.barrier() } },
  "late-abort": { if $0.rank == 0 { usleep(500); $0.abort(status: 7) } else { try $0.finalize() } },
]
let name = CommandLine.arguments.last ?? ""
guard let run = cases[name] else { world.abort(status: 2) }
try run(world)
try world.barrier()
if world.rank == 0 { print("ok \(name) \(world.size) \(world.usesMPI ? "mpi" : "serial")") }
try world.finalize()
try world.finalize()
