import Coordinator
import Foundation

/// What a benchmark found.
struct Report {
  /// One number or word with its name.
  struct Quantity {
    /// The key in JSON.
    let key: String
    /// The name for people, with the unit.
    let name: String
    let value: JSONValue
    /// What people see instead of the value.
    let shown: String?

    init(_ key: String, _ name: String, _ value: JSONValue, shown: String? = nil) {
      self.key = key
      self.name = name
      self.value = value
      self.shown = shown
    }
  }

  /// What another program needs for the same.
  struct Peer {
    let name: String
    let value: Double

    /// Names another program.
    init(name: String, value: Double) {
      self.name = name
      self.value = value
    }

    /// Reads `NAME=NUMBER`.
    init?(_ text: String) {
      let parts = text.split(separator: "=")
      guard parts.count == 2, let value = Double(parts[1]), value > 0, value.isFinite else {
        return nil
      }
      name = String(parts[0])
      self.value = value
    }
  }

  /// The first one is what the benchmark is about.
  var quantities: [Quantity]
  /// Another program's number for the first quantity.
  var peer: Peer?
  /// Whether the first quantity is a speed, not a time.
  let largerIsBetter: Bool
  /// Why the program ends with status 1 although all was measured.
  var failure: String?

  init(_ quantities: [Quantity], peer: Peer? = nil, largerIsBetter: Bool = false) {
    self.quantities = quantities
    self.peer = peer
    self.largerIsBetter = largerIsBetter
  }

  /// The first quantity as a number.
  var headline: Double? {
    guard case .number(let value)? = quantities.first?.value else { return nil }
    return value
  }

  /// The best run, where the benchmark tells: the key of the first quantity with `least_` or
  /// `largest_` before it.
  var best: Double? {
    guard let key = quantities.first?.key else { return nil }
    let name = (largerIsBetter ? "largest_" : "least_") + key
    guard case .number(let value)? = quantities.first(where: { $0.key == name })?.value else {
      return nil
    }
    return value
  }

  /// How many times as much the other program needs.
  var ratio: Double? {
    guard let peer, let headline else { return nil }
    return peer.value / headline
  }

  /// The report for programs.
  var json: JSONValue {
    var members = quantities.map { JSONValue.Member($0.key, $0.value) }
    if let peer, let ratio {
      members += [
        .init("peer", .text(peer.name)), .init("peer_value", .number(peer.value)),
        .init("ratio", .number(ratio)),
      ]
    }
    return .object(members)
  }

  /// The report for people.
  var text: String {
    var pairs = quantities.map { ($0.name, $0.valueText) }
    if let peer, let ratio {
      pairs.append(
        (peer.name, "\(significant(peer.value)), \(significant(ratio, 3)) times as much"))
    }
    let column = 2 + pairs.map(\.0.count).reduce(0, max)
    return pairs.map { padded($0.0, column) + $0.1 }.joined(separator: "\n") + "\n"
  }
}

extension Report.Quantity {
  /// The value for people.
  var valueText: String {
    if let shown { return shown }
    return switch value {
    case .number(let number): significant(number)
    case .text(let text): text
    case .flag(let flag): flag ? "yes" : "no"
    default: value.text()
    }
  }
}

extension Arguments {
  /// The other program's number.
  ///
  /// - Throws: `WrongCommandLine` where it is not `NAME=NUMBER`.
  func peer() throws(WrongCommandLine) -> Report.Peer? {
    guard let text = option("peer") else { return nil }
    guard let peer = Report.Peer(text) else {
      throw WrongCommandLine("--peer: found '\(text)', allowed: NAME=NUMBER")
    }
    return peer
  }
}

/// A number with a few significant digits.
func significant(_ value: Double, _ digits: Int = 4) -> String {
  String(format: "%.\(digits)g", value)
}

/// A number with so many decimals.
func fixed(_ value: Double, _ decimals: Int) -> String {
  String(format: "%.\(decimals)f", value)
}

/// A row of a Markdown table.
func tableRow(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |" }
