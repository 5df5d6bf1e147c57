import Foundation
import NumericalCore

LinearAlgebra.useOneThread()
exit(BenchmarkProgram().run(Array(CommandLine.arguments.dropFirst())))
