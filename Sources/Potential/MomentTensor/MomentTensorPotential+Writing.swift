import Crystal

extension MomentTensorPotential {
  /// The potential in MLIP's `.mtp` format, version 1.1.0.
  ///
  /// Reading it gives the same numbers, bit for bit. Elements and repulsion are written into `potential_tag`,
  /// which other programs ignore: they have to be told to add a repulsion.
  public var mtpText: String {
    let (species, functions, size) = (speciesCount, radialFunctionCount, radialBasis.size)
    var text = "MTP\nversion = 1.1.0\npotential_name = MTP1m\n"
    if radialBasis.scaling != 1 { text += "scaling = \(radialBasis.scaling)\n" }
    text += "species_count = \(species)\npotential_tag = \(tag)\n"
    text += "radial_basis_type = RBChebyshev\n"
    text += "\tmin_dist = \(radialBasis.minimumDistance)\n\tmax_dist = \(radialBasis.cutoff)\n"
    text += "\tradial_basis_size = \(size)\n\tradial_funcs_count = \(functions)\n\tradial_coeffs\n"
    for pair in 0..<species * species {
      text += "\t\t\(pair / species)-\(pair % species)\n"
      for function in 0..<functions {
        let first = (pair * functions + function) * size
        text += "\t\t\t\(Self.list(parameters[first..<first + size]))\n"
      }
    }
    text += "alpha_moments_count = \(basis.momentCount)\n"
    text += "alpha_index_basic_count = \(basis.basicMoments.count)\n"
    let basic = basis.basicMoments.map { Self.list([$0.radial, $0.x, $0.y, $0.z]) }
    text += "alpha_index_basic = \(Self.list(basic))\n"
    text += "alpha_index_times_count = \(basis.products.count)\n"
    let products = basis.products.map {
      Self.list([$0.first, $0.second, $0.multiplicity, $0.target])
    }
    text += "alpha_index_times = \(Self.list(products))\n"
    text += "alpha_scalar_moments = \(scalarCount)\n"
    text += "alpha_moment_mapping = \(Self.list(basis.scalarMoments))\n"
    let linear = parameters[radialParameterCount...]
    text += "species_coeffs = \(Self.list(linear.prefix(species)))\n"
    text += "moment_coeffs = \(Self.list(linear.dropFirst(species)))\n"
    return text
  }

  private static func list(_ items: some Sequence<some CustomStringConvertible>) -> String {
    "{" + items.map(\.description).joined(separator: ", ") + "}"
  }

  private var tag: String {
    guard elements != elements.indices.map(ChemicalElement.unnamed) else { return "" }
    let named = MomentTensorFile.elementsTag + elements.map(\.symbol).joined(separator: ",")
    guard let repulsion else { return named }
    return "\(named) \(MomentTensorFile.repulsionTag)\(repulsion.inner),\(repulsion.outer)"
  }
}
