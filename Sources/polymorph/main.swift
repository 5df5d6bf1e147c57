import Foundation
import NumericalCore

let environment = ProcessInfo.processInfo.environment
ProcessorChoice.restartIfSlow(environment)
LinearAlgebra.useOneThread()
let status = Program(environment: environment).run(Array(CommandLine.arguments.dropFirst()))
exit(status.rawValue)
