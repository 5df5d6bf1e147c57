import Crystal
import NumericalCore
import Synchronization

/// A reference method behind the i-PI protocol: a program that stays alive between structures and
/// starts from the wave functions it has.
///
/// One client keeps its atoms for life, so there is one for each composition and cell size. Atoms are
/// sent by atomic number, equal ones in the structure's order.
public final class IPIEngine: ReferenceEngine {
  /// The settings it was made from.
  public let settings: IPISettings
  private let pool: Mutex<IPIClientPool>

  /// Creates an engine; its first client starts with the first structure.
  ///
  /// - Parameters:
  ///   - settings: How it gets its clients.
  ///   - folder: Where started clients get a folder each.
  ///   - shouldStop: Asked ten times a second while a client is awaited or computes; where it says yes, the
  ///     label is broken off and its client ended.
  /// - Throws: `IPIError` where clients are started by hand and the socket's address is in use.
  public init(
    _ settings: IPISettings, folder: String,
    shouldStop: @escaping @Sendable () -> Bool = { false }
  ) throws(IPIError) {
    self.settings = settings
    var pool = IPIClientPool(settings, root: folder, shouldStop: shouldStop)
    if settings.command.isEmpty { try pool.listen() }
    self.pool = Mutex(pool)
  }

  /// The method and how clients come, on one line.
  public var summary: String {
    let source =
      settings.command.first.map { "started as \($0)" }
      ?? "started by hand at \(address.map { "\($0)" } ?? "a socket")"
    return "i-pi: \(settings.method), clients \(source)"
  }

  /// Where clients started by hand are awaited; `nil` where the engine starts them.
  public var address: IPIAddress? { pool.withLock { $0.listeningAddress } }

  /// The canonical bytes of the settings.
  public var settingsBytes: [UInt8] { settings.canonicalBytes }

  /// The version of the engine; it says that labels depend on what was computed before.
  public var version: String { "i-pi 1, history" }

  /// Always: a client starts from the wave functions, and keeps the basis, of earlier structures.
  public var dependsOnHistory: Bool { true }

  /// Labels a structure.
  ///
  /// A client that ends or answers what is no number is replaced once.
  ///
  /// - Returns: `.failed` after the second time, after the time limit, or where no client comes; reasons
  ///   begin with `time-out:` and `interrupted:` where something outside the calculation ended it.
  public func label(_ structure: Structure) -> LabelOutcome {
    guard structure.periodicity == .full else {
      return .failed(reason: "clients of the i-PI protocol repeat in all three directions")
    }
    let order = (0..<structure.atomCount).sorted {
      (structure.species[$0], $0) < (structure.species[$1], $1)
    }
    return pool.withLock { pool in
      var outcome = Self.attempt(structure.reordered(order), &pool)
      if case .again = outcome { outcome = Self.attempt(structure.reordered(order), &pool) }
      switch outcome {
      case .evaluated(var evaluation):
        var forces = evaluation.forces
        for (place, atom) in order.enumerated() { forces[atom] = evaluation.forces[place] }
        evaluation.forces = forces
        return floored(evaluation)
      case .again(let reason), .failed(let reason): return .failed(reason: reason)
      }
    }
  }

  private func floored(_ evaluation: Evaluation) -> LabelOutcome {
    let energy = evaluation.energy / Double(evaluation.forces.count)
    guard let floor = settings.energyFloor, energy < floor else { return .labelled(evaluation) }
    return .failed(reason: "invalid: energy below floor, \(energy) eV/atom, floor \(floor)")
  }

  private enum Attempt {
    case evaluated(Evaluation)
    /// Another client may succeed.
    case again(reason: String)
    case failed(reason: String)
  }

  private static func attempt(_ structure: Structure, _ pool: inout IPIClientPool) -> Attempt {
    let client: LiveClient
    do { client = try pool.client(for: structure) } catch let error as IPIError {
      return failure(error, nil)
    } catch { return .failed(reason: "\(error)") }
    do throws(IPIError) {
      let evaluation = try client.connection.evaluation(
        of: structure, within: pool.settings.timeLimitSeconds, shouldStop: pool.shouldStop)
      let output = try pool.settings.refusedOutput.isEmpty ? "" : client.newOutput()
      guard let text = pool.settings.refusedOutput.first(where: output.contains) else {
        return .evaluated(evaluation)
      }
      pool.discard(client)
      return .again(reason: "the client printed '\(text)'; see \(client.folder ?? "its output")")
    } catch {
      var ending: String?
      if case .closed = error { ending = client.ending() }
      pool.discard(client)
      return failure(error, ending)
    }
  }

  /// What follows from an error.
  ///
  /// - Parameters:
  ///   - error: What went wrong.
  ///   - ending: How the client ended, in words; `nil` where it ran on.
  /// - Returns: `.again` where another client may do better.
  private static func failure(_ error: IPIError, _ ending: String?) -> Attempt {
    let text = "\(error)" + (ending.map { ": \($0)" } ?? "")
    switch error {
    case .timedOut: return .failed(reason: "time-out: \(text)")
    case .interrupted: return .failed(reason: "interrupted: \(text)")
    case .address: return .failed(reason: text)
    default: return .again(reason: text)
    }
  }
}
