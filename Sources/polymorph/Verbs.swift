/// Every verb, in the order of the help.
let verbs: [any Verb.Type] = [
  SearchVerb.self, StatusVerb.self, HullVerb.self, ExportVerb.self, RerankVerb.self, TrainVerb.self,
  EvaluateVerb.self, ErrorsVerb.self, CorrelateVerb.self, GradeVerb.self, SelectVerb.self,
  RelaxVerb.self,
  DynamicsVerb.self,
  ConvergeVerb.self, ConvertVerb.self, ConvertPotentialVerb.self, MinimumDistanceVerb.self,
  SymmetryVerb.self, CheckVerb.self, ServeVerb.self,
]
