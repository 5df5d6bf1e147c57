/// Finds the name that somebody probably meant.
public enum NameSuggestion {
  /// The known name closest to a mistyped one.
  ///
  /// - Parameters:
  ///   - name: What was written.
  ///   - known: What could have been meant; the first of equally close names wins.
  /// - Returns: `nil` where no name is close: more than a third of the letters differ.
  public static func closest(to name: String, among known: [String]) -> String? {
    let wanted = simplified(name)
    var best: (distance: Int, name: String)?
    for candidate in known {
      let distance = editDistance(wanted, simplified(candidate))
      let limit = max(1, max(wanted.count, candidate.count) / 3)
      guard distance <= limit, distance < best?.distance ?? .max else { continue }
      best = (distance, candidate)
    }
    return best?.name
  }

  /// The number of letters to insert, delete, replace or swap with their neighbor that turns one
  /// text into the other (optimal string alignment distance).
  ///
  /// - Complexity: O(n m)
  static func editDistance(_ a: [Character], _ b: [Character]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...b.count)
    for i in 0..<a.count {
      var row = [i + 1]
      for j in 0..<b.count {
        var cost = min(row[j] + 1, last[j + 1] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
          cost = min(cost, beforeLast[j - 1] + 1)
        }
        row.append(cost)
      }
      beforeLast = last
      last = row
    }
    return last[b.count]
  }

  // Case and the choice of `-` or `_` never make a name a different one.
  private static func simplified(_ name: String) -> [Character] {
    name.lowercased().map { $0 == "-" || $0 == " " ? "_" : $0 }
  }
}
