import StructureFormats

/// `polymorph convert INPUT OUTPUT`: one structure format into another.
enum ConvertVerb: Verb {
  static let name = "convert"
  static let summary = "structures from one file format into another"
  static let syntax = CommandSyntax(
    arguments: [
      .init("INPUT", "the file to read"), .init("OUTPUT", "the file to write"),
    ],
    options: StructureInput.options + StructureInput.outputOptions + [
      .init("index", "N", "only the Nth structure, counted from 1; negative from the end")
    ])

  static func run(_ arguments: ParsedArguments, _ session: Session) throws -> ExitStatus {
    let input = try StructureInput(arguments)
    let output = arguments.argument("OUTPUT")
    try input.checkOutput(output)
    let path = arguments.argument("INPUT")
    var records = try input.records(path)
    if let index = try arguments.integer("index", in: -records.count...records.count) {
      guard index != 0 else {
        throw CommandLineError("convert: --index: found '0', allowed: 1 to \(records.count)")
      }
      records = [records[index > 0 ? index - 1 : records.count + index]]
    }
    if session.isRoot { try input.write(records, to: output) }
    return .done
  }
}
