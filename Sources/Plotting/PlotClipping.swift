/// Cuts what leaves the unit square, where 0 and 1 are the ends of the axes.
enum PlotClipping {
  /// The part of a segment inside.
  ///
  /// Liang and Barsky, ACM Trans. Graph. 3, 1 (1984), doi:10.1145/357332.357333.
  ///
  /// - Returns: `nil` where no part is.
  static func segment(_ a: PlotPoint, _ b: PlotPoint) -> (PlotPoint, PlotPoint)? {
    let (dx, dy) = (b.x - a.x, b.y - a.y)
    var (first, last) = (0.0, 1.0)
    for (slope, distance) in [(-dx, a.x), (dx, 1 - a.x), (-dy, a.y), (dy, 1 - a.y)] {
      if slope == 0 {
        if distance < 0 { return nil }
      } else if slope < 0 {
        first = max(first, distance / slope)
      } else {
        last = min(last, distance / slope)
      }
    }
    guard first <= last else { return nil }
    let start = first == 0 ? a : PlotPoint(a.x + first * dx, a.y + first * dy)
    let end = last == 1 ? b : PlotPoint(a.x + last * dx, a.y + last * dy)
    return (start, end)
  }

  /// The parts of a line inside, each a line by itself; it is broken where a point is not finite.
  static func line(_ points: [PlotPoint]) -> [[PlotPoint]] {
    var parts: [[PlotPoint]] = []
    for (a, b) in zip(points, points.dropFirst()) where a.isFinite && b.isFinite {
      guard let (start, end) = segment(a, b) else { continue }
      if let last = parts.last?.last, last == start {
        parts[parts.count - 1].append(end)
      } else {
        parts.append([start, end])
      }
    }
    return parts
  }

  /// The part of a polygon inside.
  ///
  /// Sutherland and Hodgman, Commun. ACM 17, 32 (1974), doi:10.1145/360767.360802.
  static func polygon(_ points: [PlotPoint]) -> [PlotPoint] {
    var polygon = points.filter(\.isFinite)
    let sides: [(WritableKeyPath<PlotPoint, Double>, Double)] = [
      (\.x, 0), (\.x, 1), (\.y, 0), (\.y, 1),
    ]
    for (axis, limit) in sides {
      var kept: [PlotPoint] = []
      func isInside(_ p: PlotPoint) -> Bool {
        limit == 0 ? p[keyPath: axis] >= limit : p[keyPath: axis] <= limit
      }
      for (index, point) in polygon.enumerated() {
        let before = polygon[index == 0 ? polygon.count - 1 : index - 1]
        if isInside(before) != isInside(point) {
          let t = (limit - before[keyPath: axis]) / (point[keyPath: axis] - before[keyPath: axis])
          var crossing = PlotPoint(
            before.x + t * (point.x - before.x), before.y + t * (point.y - before.y))
          crossing[keyPath: axis] = limit
          kept.append(crossing)
        }
        if isInside(point) { kept.append(point) }
      }
      polygon = kept
    }
    return polygon
  }

  /// Whether a point is inside.
  static func contains(_ point: PlotPoint) -> Bool {
    (0...1).contains(point.x) && (0...1).contains(point.y)
  }
}
