import Coordinator
import Foundation

/// `polymorph rerank`: the best candidates relaxed with the reference method.
enum RerankVerb: Verb {
  static let name = "rerank"
  static let summary =
    "relaxes the best distinct candidates with the reference method, and compares"
  static let syntax = CommandSyntax(
    arguments: [.init("DIR", "the campaign's folder")],
    options: [
      .init("top", "N", "how many candidates; default what the campaign says"),
      .init(
        "collect", "FINISHED",
        "computes nothing: reads the calculations of a folder that export wrote and somebody ran"),
      .init(
        "retrain", "M",
        "trains the newest potential further on M of the candidates, and compares again on the others"
      ),
      .init("json", nil, "prints JSON"),
    ],
    notes: [
      "The campaign's log stays as it is; the ranking, and the comparison of the potential with the "
        + "reference method, are written to DIR/rerank.json. Candidates that the search has re-ranked "
        + "already are not computed again.",
      "--collect reads VASP's static/vasprun.xml or OUTCAR (else the last step of relax/), "
        + "static.out with relax.out of Quantum ESPRESSO, and of CP2K the same with relax-1.restart and "
        + "the files of forces and stress, compressed or not. Calculations that are "
        + "missing, cut off, not converged, not at rest or of another campaign are listed with the "
        + "reason and left out; --top then limits the ranking to be shown.",
      "--retrain takes M candidates, evenly spread over the ranking. The steps of their relaxations with "
        + "the reference method and strained copies of their minima (hydrostatic, uniaxial and shear, up "
        + "to 4 %) join the campaign's training set; the potential goes to DIR/retrained.mtp, what it was "
        + "trained on to DIR/retrained.cfg, and the comparisons before and after, over the other "
        + "candidates alone, to DIR/rerank.json. Half of the candidates is a good choice. The ranking is "
        + "written before the training, and stays where that fails; it is printed then, too, but with "
        + "--json all together at the end.",
    ])

  static func run(_ arguments: ParsedArguments, _ session: Session) throws -> ExitStatus {
    let folder = CampaignFolder(path: arguments.argument("DIR"))
    let top = try arguments.integer("top", in: 1...10_000)
    let trainingCount = try arguments.integer("retrain", in: 1...10_000)
    if let finished = arguments.option("collect") {
      guard trainingCount == nil else {
        throw CommandLineError(
          "rerank: --retrain and --collect exclude each other: --retrain has to label structures")
      }
      guard session.isRoot else { return .done }
      let result = try FinishedFolders(finished, of: folder).collect(top: top)
      if arguments.has("json") {
        session.say(result.json)
      } else {
        print(result.text, terminator: "")
      }
      return .done
    }
    try rerank(
      Reranking(folder, top: top, training: trainingCount), isJSON: arguments.has("json"), session)
    return .done
  }

  /// Shows the ranking before the training, which may fail; JSON is one value, printed when all is known.
  private static func rerank(
    _ reranking: Reranking, isJSON: Bool, _ session: Session
  ) throws {
    var known: RerankResult?
    defer {
      // Also what is known where the training failed.
      if isJSON, let known {
        session.say(known.json)
        fflush(nil)
      }
    }
    let result = try reranking.run(session.communicator) { ranking in
      known = ranking
      guard !isJSON else { return }
      print(ranking.text, terminator: "")
      print("re-rank evaluations of the reference: \(reranking.evaluations)")
      // Nothing is printed any more where ranks are ended.
      fflush(nil)
    }
    guard let result else { return }
    known = result
    if !isJSON, let retraining = result.retraining {
      print("\nretraining\n" + retraining.text, terminator: "")
    }
  }
}
