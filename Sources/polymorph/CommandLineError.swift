/// What is wrong with the command line.
struct CommandLineError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

/// What is wrong with an input file; the message names file and line.
struct InputError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

/// Work that failed for a reason that is nobody's input.
struct WorkError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
