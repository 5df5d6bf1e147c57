/// Every verb, in the order of the help.
let verbs: [any Verb.Type] = [
  CheckVerb.self
]
