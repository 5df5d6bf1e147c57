import Crystal
import Foundation
import NumericalCore

/// The vertices of a template in a primitive cell, and how the symmetry of the net moves them.
package struct TopologyNet: Sendable {
  /// Steps from one primitive cell to another.
  package typealias Cell = SIMD3<Int32>

  /// Where an operation takes a vertex: to another vertex, some cells away.
  package struct Image: Sendable {
    package let vertex: Int
    package let cell: Cell
  }

  /// The primitive vectors as rows; their scale has no meaning.
  package let vectors: Matrix3
  /// Fractional positions in the primitive cell.
  package let vertices: [Vector3]
  /// For every operation the images of a, b and c in the primitive basis: cell n goes to n R.
  package let rotations: [GridOperation]
  /// For every operation the images of the vertices of cell 0.
  package let images: [[Image]]

  /// Fractional positions closer than this, in units of the mean distance of vertices, are one.
  private static let tolerance = 0.02
  /// Edges are up to this factor longer than the shortest.
  private static let edgeSpread = 1.05

  /// Derives the vertices of a template.
  package init(_ template: TopologyTemplate) {
    let group = Self.spaceGroup(template.setting)
    let derivation = WyckoffDerivation(group)
    let basis = derivation.primitiveBasis()
    guard let inverse = basis.inverse else {
      preconditionFailure("the primitive vectors are independent")
    }
    vectors = basis * Self.conventionalVectors(template, group)
    let scale = 1 / Double(derivation.steps)
    let operations = derivation.operations.map { operation in
      (
        rotation: basis * operation.transposedRotation * inverse,
        translation: operation.translation.scaled(by: scale) * inverse
      )
    }
    let spacing = cbrt(abs(vectors.determinant) / Double(template.vertexCount))
    let metric = vectors
    func isSame(_ a: Vector3, _ b: Vector3, _ limit: Double) -> Bool {
      (Self.nearest(b - a) * metric).length < limit * spacing
    }
    var vertices: [Vector3] = []
    for point in template.points {
      let start = Vector3(point.x, point.y, point.z) * inverse
      let orbit = operations.map { start * $0.rotation + $0.translation }
      // Rounded coordinates are put exactly on the special position that they mean.
      let near = orbit.filter { isSame(start, $0, Self.tolerance) }
      let shift = near.reduce(Vector3.zero) { $0 + Self.nearest($1 - start) } / Double(near.count)
      for operation in operations {
        let image = (start + shift) * operation.rotation + operation.translation
        if !vertices.contains(where: { isSame($0, image, 1e-4) }) { vertices.append(image) }
      }
    }
    if template.hasEdges {
      vertices += Self.edgeMidpoints(vertices, vectors) { isSame($0, $1, 1e-4) }
    }
    let wrapped = vertices.map { $0.map { $0 - ($0 + 1e-9).rounded(.down) } }
    self.vertices = wrapped
    rotations = operations.map { Self.whole($0.rotation) }
    images = operations.map { operation in
      wrapped.map { vertex in
        let image = vertex * operation.rotation + operation.translation
        guard let index = wrapped.firstIndex(where: { isSame($0, image, 1e-3) }) else {
          preconditionFailure("the symmetry of \(template.name) keeps its vertices")
        }
        let cell = (image - wrapped[index]).map { $0.rounded() }
        return Image(vertex: index, cell: Cell(Int32(cell.x), Int32(cell.y), Int32(cell.z)))
      }
    }
  }

  /// The net as a crystal of one element with a volume per vertex in Å³; `nil` only if that were flat.
  package func structure(of element: ChemicalElement, volumePerAtom: Double) -> Structure? {
    let count = vertices.count
    guard
      let lattice = try? Lattice(vectors).scaled(toVolume: volumePerAtom * Double(count))
    else { return nil }
    return try? Structure(
      lattice: lattice, species: Array(repeating: element, count: count),
      fractionalPositions: vertices)
  }

  private static func spaceGroup(_ setting: TopologyTemplate.Setting) -> SpaceGroup {
    let group =
      switch setting {
      case .group(let number): SpaceGroup(number: number)
      case .hall(let number): SpaceGroup(hallNumber: number)
      }
    guard let group else { preconditionFailure("templates name settings that exist") }
    return group
  }

  private static func conventionalVectors(
    _ template: TopologyTemplate, _ group: SpaceGroup
  ) -> Matrix3 {
    let l = template.lengths
    let isHexagonal = group.crystalSystem == .trigonal || group.crystalSystem == .hexagonal
    let angles = Vector3(90, template.beta, isHexagonal ? 120 : 90).map { $0 * .pi / 180 }
    guard let lattice = try? Lattice(lengths: Vector3(l.x, l.y, l.z), angles: angles) else {
      preconditionFailure("the cell of \(template.name) has a volume")
    }
    return lattice.vectors
  }

  private static func edgeMidpoints(
    _ vertices: [Vector3], _ vectors: Matrix3, _ isSame: (Vector3, Vector3) -> Bool
  ) -> [Vector3] {
    var pairs: [(length: Double, middle: Vector3)] = []
    for (index, a) in vertices.enumerated() {
      for b in vertices[index...] {
        for i in -2...2 {
          for j in -2...2 {
            for k in -2...2 {
              let step = nearest(b - a) + Vector3(Double(i), Double(j), Double(k))
              let length = (step * vectors).length
              if length > 1e-6 { pairs.append((length, a + 0.5 * step)) }
            }
          }
        }
      }
    }
    let shortest = pairs.map(\.length).min() ?? 0
    var middles: [Vector3] = []
    for pair in pairs where pair.length < edgeSpread * shortest {
      if !middles.contains(where: { isSame($0, pair.middle) }) { middles.append(pair.middle) }
    }
    return middles
  }

  private static func nearest(_ v: Vector3) -> Vector3 { v.map { $0 - $0.rounded() } }

  // The columns of the operation are the rows here: both say where the basis vectors go.
  private static func whole(_ m: Matrix3) -> GridOperation {
    func row(_ v: Vector3) -> Cell {
      Cell(Int32(v.x.rounded()), Int32(v.y.rounded()), Int32(v.z.rounded()))
    }
    return GridOperation(a: row(m.a), b: row(m.b), c: row(m.c), translation: .zero)
  }
}
