import Foundation
import ReferenceEngines

/// Programs that tests start as clients of a socket.
enum SocketClients {
  /// A client in plain Python: the energy in Hartree is Σ (i + 1) r²/2 over atoms i = 0, 1, … with r in Bohr,
  /// and the virial is the cell as it came, so that it shows what crossed.
  ///
  /// Arguments: the address as `unix PATH` or `tcp HOST PORT`, then how it misbehaves and from which
  /// structure on.
  static let toy = """
    import os, socket, struct, sys, time
    kind, *rest = sys.argv[1:]
    if kind == 'unix':
        s = socket.socket(socket.AF_UNIX); s.connect(rest.pop(0))
    else:
        s = socket.socket(); s.connect((rest.pop(0), int(rest.pop(0))))
    fault = rest[0] if rest else 'none'
    first = int(rest[1]) if len(rest) > 1 else 1
    marker = rest[2] if len(rest) > 2 else None
    def read(n):
        b = b''
        while len(b) < n:
            c = s.recv(n - len(b))
            if not c: sys.exit(3)
            b += c
        return b
    def write(b):
        if fault == 'slow':
            for i in range(0, len(b), 5):
                s.sendall(b[i:i + 5]); time.sleep(0.0005)
        else:
            s.sendall(b)
    word = lambda w: write(w.ljust(12).encode())
    busy, data, ready, number = 0, None, False, 0
    while True:
        w = read(12).decode().strip()
        on = fault if number >= first else 'none'
        if w == 'EXIT':
            print('told to end', flush=True); sys.exit(0)
        elif w == 'STATUS':
            if on == 'garbage':
                s.sendall(b'\\x00\\xff garbage!!')
            elif data and busy > 0:
                busy -= 1; word('READY')
            else:
                word('HAVEDATA' if data else 'READY' if ready else 'NEEDINIT')
        elif w == 'INIT':
            read(4); n, = struct.unpack('i', read(4)); read(n); ready = True
        elif w == 'POSDATA':
            number += 1
            cell = read(72); read(72); n, = struct.unpack('i', read(4))
            x = struct.unpack('%dd' % (3 * n), read(24 * n))
            on = fault if number >= first else 'none'
            if on == 'die': print('dying', flush=True); sys.exit(7)
            if on == 'dieonce' and not os.path.exists(marker):
                open(marker, 'w').close(); sys.exit(7)
            if on == 'silent': time.sleep(60)
            if on == 'busy': busy = 20
            if on == 'print': print(' WARNING: SCF run NOT converged', flush=True)
            e = sum((i // 3 + 1) * v * v / 2 for i, v in enumerate(x))
            f = [-(i // 3 + 1) * v for i, v in enumerate(x)]
            if on == 'nan': f[-1] = float('nan')
            if on == 'count': f = f + [0.0] * 3
            data = (struct.pack('di', e, len(f) // 3) + struct.pack('%dd' % len(f), *f) + cell
                + struct.pack('i', -5 if on == 'extra' else 3) + b'abc')
        elif w == 'GETFORCE':
            if on == 'half': s.sendall(b'FORCEREADY  ' + data[:30]); sys.exit(7)
            word('FORCEREADY'); write(data); data, ready = None, False
    """

  /// A program that Foundation started.
  final class Client {
    private let process: Process

    init(_ process: Process) { self.process = process }

    func ending() -> String? {
      process.isRunning ? nil : "ended with status \(process.terminationStatus)"
    }

    func stop(after seconds: Double) {
      let end = Date(timeIntervalSinceNow: seconds)
      while process.isRunning, Date() < end { Thread.sleep(forTimeInterval: 0.005) }
      guard process.isRunning else { return }
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
    }
  }

  /// Starts the toy client of a server.
  static func startToy(_ address: IPIAddress, _ fault: [String] = []) throws -> Client {
    let place: [String] =
      switch address {
      case .unix: ["unix", address.path ?? ""]
      case .tcp(let host, let port): ["tcp", host, "\(port)"]
      }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
    process.arguments = ["-c", toy] + place + fault
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    return Client(process)
  }

  /// A socket name that no other test has.
  static func uniqueName() -> String { "polymorph-test-\(UUID().uuidString.prefix(13))" }

  /// Runs a test in a folder of its own.
  static func inFolder<T>(_ body: (URL) throws -> T) throws -> T {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "polymorph-ipi-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder)
  }
}
