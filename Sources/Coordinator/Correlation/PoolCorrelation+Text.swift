import Dataset

extension PoolCorrelation {
  /// The tables for people, a line break after each line; energies per atom in meV.
  public var text: String {
    let names = comparison.statistics.groups.map(\.name)
    var lines = [
      "pool            \(poolCount) structures of \(names.joined(separator: ", "))", "",
      "geometry of the pool",
    ]
    lines += Self.lines(comparison)
    if let relaxed { lines += [""] + Self.lines(relaxed) }
    if let grades { lines += [""] + Self.lines(grades) }
    if let environments { lines += [""] + Self.lines(environments) }
    if !learningCurve.isEmpty { lines += [""] + curveLines }
    return lines.map { $0 + "\n" }.joined()
  }

  private static func number(_ value: Double?, _ digits: Int = 3) -> String {
    value.map { TextColumn.fixed($0, digits) } ?? "undefined"
  }

  private static func milli(_ value: Double?) -> String {
    guard let value else { return "-" }
    let text = TextColumn.fixed(1000 * value, 2)
    return text == "-0.00" ? "0.00" : text
  }

  private static func percent(_ part: Int, of whole: Int) -> String {
    "\(part) of \(whole)"
      + (whole > 0 ? " (\(TextColumn.fixed(100 * Double(part) / Double(whole), 1)) %)" : "")
  }

  // A reference value that is a whole number of meV but for rounding.
  private static func bound(_ value: Double) -> String {
    let milli = 1000 * value
    return abs(milli - milli.rounded()) < 1e-6
      ? TextColumn.fixed(milli, 0) : TextColumn.fixed(milli, 2)
  }

  // MARK: Comparison

  private static func lines(_ comparison: PoolComparison) -> [String] {
    let s = comparison.statistics
    let r = s.ranking
    var lines = [
      "Pearson \(number(r.pearson)), Spearman \(number(r.spearman)), Kendall \(number(r.kendall)); "
        + "pairs in opposite order: \(r.discordantPairs) of \(r.pairs)"
    ]
    func row(_ name: String, _ count: String, _ columns: [String]) -> String {
      TextColumn.left(name, 20) + TextColumn.right(count, 10)
        + columns.map { TextColumn.right($0, 14) }.joined()
    }
    func row(_ name: String, _ errors: PoolStatistics.Errors) -> String {
      row(
        name, "\(errors.count)",
        [milli(errors.fromGroundState), milli(errors.fromMean), milli(errors.absolute)])
    }
    lines.append(
      row("dE of reference", "structures", ["RMSE of dE", "from mean", "of energies"])
        + "  in meV/atom")
    lines.append(row("below \(bound(s.window))", s.low))
    for window in s.windows {
      lines.append(row("\(bound(window.lowerBound)) to \(bound(window.upperBound))", window.errors))
    }
    lines.append(row("all", s.all))
    if s.groups.count > 1 {
      lines.append("")
      lines.append(
        row("composition", "structures", ["Pearson", "Spearman", "RMSE of dE", "from mean"]))
      for group in s.groups {
        lines.append(
          row(
            group.name, "\(group.members.count)",
            [
              number(group.pearson), number(group.spearman), milli(group.errors.fromGroundState),
              milli(group.errors.fromMean),
            ]))
      }
    }
    for group in s.groups where group.members.count > 1 {
      lines += lowest(group.lowestByReference, "reference", group, comparison)
      lines += lowest(group.lowestByModel, "potential", group, comparison)
    }
    lines += failures(comparison.failures)
    return lines
  }

  private static func lowest(
    _ members: [Int], _ method: String, _ group: PoolStatistics.Group, _ comparison: PoolComparison
  ) -> [String] {
    let s = comparison.statistics
    func row(_ columns: [String]) -> String {
      columns.map { TextColumn.right($0, 14) }.joined()
    }
    return [
      "", "lowest \(members.count) of \(group.name) by the \(method)",
      row(["structure", "reference", "potential", "dE reference", "dE potential"]),
    ]
      + members.map { member in
        row([
          "\(comparison.entries[member].number)", "\(s.ranking.referencePlaces[member])",
          "\(s.ranking.modelPlaces[member])", milli(s.referenceDifferences[member]),
          milli(s.modelDifferences[member]),
        ])
      }
  }

  private static func failures(_ failures: [PoolComparison.Failure]) -> [String] {
    guard !failures.isEmpty else { return [] }
    return ["", "not compared: \(failures.count)"]
      + failures.map { "structure \($0.number): \($0.reason)" }
  }

  private static func list(_ numbers: [Int]) -> String {
    numbers.isEmpty ? "" : ": " + numbers.map { "\($0)" }.joined(separator: ", ")
  }

  private static func lines(_ relaxed: RelaxedPool) -> [String] {
    let title = "relaxed by the potential"
    guard let comparison = relaxed.comparison else {
      return [title + ": no structure"] + failures(relaxed.failures)
    }
    var lines = [title] + self.lines(comparison)
    let count = comparison.entries.count
    lines.append("")
    lines.append(
      "became another structure: \(percent(relaxed.moved.count, of: count))\(list(relaxed.moved))")
    if !relaxed.unconverged.isEmpty {
      lines.append(
        "ended at the limit of steps: \(relaxed.unconverged.count)\(list(relaxed.unconverged))")
    }
    if !relaxed.unmatched.isEmpty {
      lines.append(
        "no crystals, not matched: \(relaxed.unmatched.count)\(list(relaxed.unmatched))")
    }
    if let kept = relaxed.kept, !relaxed.moved.isEmpty {
      let s = kept.statistics
      lines.append(
        "the \(kept.entries.count) others alone: Pearson \(number(s.ranking.pearson)), Spearman "
          + "\(number(s.ranking.spearman)), RMSE of dE below \(bound(s.window)): "
          + "\(milli(s.low.fromGroundState)), from mean \(milli(s.low.fromMean)) meV/atom")
    }
    return lines
  }

  // MARK: Training set

  private static func lines(_ grades: GradedPool) -> [String] {
    let largest = grades.grades.max() ?? 0
    return [
      "extrapolation grades: largest \(TextColumn.fixed(largest, 2)), above \(grades.threshold): "
        + percent(grades.extrapolated, of: grades.grades.count),
      "grade with absolute error of dE: Pearson \(number(grades.pearson)), Spearman "
        + number(grades.spearman),
    ]
  }

  private static func lines(_ environments: PoolEnvironments) -> [String] {
    func row(_ columns: [String]) -> String {
      TextColumn.left(columns[0], 14)
        + columns.dropFirst().map { TextColumn.right($0, 20) }.joined()
    }
    var lines = [
      "environments of the pool among those of the training set",
      row(["element", "training set", "pool", "outside of map", "outside of ranges"]),
    ]
    for map in environments.maps {
      lines.append(
        row([
          map.element.symbol, "\(map.training.count)", "\(map.pool.count)",
          fraction(map.outsideMap, map), fraction(map.outsideFeatures, map),
        ]))
    }
    for map in environments.maps {
      let parts = map.components.fractions.map { TextColumn.fixed(100 * $0, 1) + " %" }
      lines.append("variance along the map of \(map.element): \(parts.joined(separator: ", "))")
    }
    for (element, count) in environments.unknown {
      lines.append("\(element): \(count) environments in the pool, none in the training set")
    }
    return lines
  }

  private static func fraction(_ part: Int, _ map: EnvironmentMap) -> String {
    let whole = Double(max(1, map.pool.count))
    return "\(part) (\(TextColumn.fixed(100 * Double(part) / whole, 1)) %)"
  }

  private var curveLines: [String] {
    let bound = Self.bound(comparison.statistics.window)
    func row(_ columns: [String]) -> String {
      TextColumn.right(columns[0], 10)
        + columns.dropFirst().map { TextColumn.right($0, 14) }.joined()
    }
    return [
      "learning curve, geometry of the pool, RMSE of dE below \(bound) meV/atom",
      row(["structures", "Pearson", "Spearman", "RMSE of dE", "from mean", "not compared"]),
    ]
      + learningCurve.map { point in
        let s = point.comparison.statistics
        return row([
          "\(point.structureCount)", Self.number(s.ranking.pearson),
          Self.number(s.ranking.spearman), Self.milli(s.low.fromGroundState),
          Self.milli(s.low.fromMean), "\(point.comparison.failures.count)",
        ])
      }
  }
}
