import CYAML

/// One event of libyaml's parser, copied into Swift values.
struct YAMLEvent {
  enum Kind {
    case scalar(String, isPlain: Bool)
    case listStart
    case mappingStart
    case end
    case alias
    case streamEnd
    /// Start of the stream, start and end of a document.
    case other
  }

  let kind: Kind
  let anchor: String?
  /// Counted from 1.
  let line: Int
}

/// Owns libyaml's parser and its input for the time of one reading.
struct YAMLEventSource {
  struct Problem {
    let message: String
    let line: Int
    let offset: Int?
  }

  let isReady: Bool
  private let parser: UnsafeMutablePointer<yaml_parser_t>
  private let input: UnsafeMutableBufferPointer<UInt8>

  init(_ text: [UInt8]) {
    input = .allocate(capacity: max(1, text.count))
    _ = input.initialize(from: text)
    parser = .allocate(capacity: 1)
    parser.initialize(to: yaml_parser_t())
    isReady = yaml_parser_initialize(parser) == 1
    if isReady { yaml_parser_set_input_string(parser, input.baseAddress, text.count) }
  }

  mutating func close() {
    yaml_parser_delete(parser)
    parser.deallocate()
    input.deallocate()
  }

  /// The next event, `nil` where the text is no YAML; `problem()` tells why.
  mutating func next() -> YAMLEvent? {
    var event = yaml_event_t()
    guard yaml_parser_parse(parser, &event) == 1 else { return nil }
    defer { yaml_event_delete(&event) }
    let line = Int(event.start_mark.line) + 1
    switch event.type {
    case YAML_SCALAR_EVENT:
      let scalar = event.data.scalar
      let text = String(
        decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
      return YAMLEvent(
        kind: .scalar(text, isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE),
        anchor: Self.name(scalar.anchor), line: line)
    case YAML_SEQUENCE_START_EVENT:
      return YAMLEvent(
        kind: .listStart, anchor: Self.name(event.data.sequence_start.anchor), line: line)
    case YAML_MAPPING_START_EVENT:
      return YAMLEvent(
        kind: .mappingStart, anchor: Self.name(event.data.mapping_start.anchor), line: line)
    case YAML_ALIAS_EVENT:
      return YAMLEvent(kind: .alias, anchor: Self.name(event.data.alias.anchor), line: line)
    case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT:
      return YAMLEvent(kind: .end, anchor: nil, line: line)
    case YAML_STREAM_END_EVENT:
      return YAMLEvent(kind: .streamEnd, anchor: nil, line: line)
    default:
      return YAMLEvent(kind: .other, anchor: nil, line: line)
    }
  }

  /// Why there is no next event.
  func problem() -> Problem {
    let state = parser.pointee
    let message = state.problem.map { String(cString: $0) } ?? "unreadable"
    return Problem(
      message: message, line: Int(state.problem_mark.line) + 1,
      offset: state.error == YAML_READER_ERROR ? Int(state.problem_offset) : nil)
  }

  private static func name(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> String? {
    pointer.map { String(cString: $0) }
  }
}
