/// What the environment variables of a process say about its launcher.
public enum LaunchEnvironment {
  /// Variables set by launchers for every rank: Open MPI, PMIx, PMI (MPICH, Slurm).
  private static let markers = ["OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "PMI_SIZE"]
  /// Variables that promise a number of ranks, most trustworthy first.
  private static let sizes = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"]
  /// Beginnings of the variables that tie a process to its launcher.
  private static let prefixes = ["OMPI_", "PMIX_", "PRTE_", "PMI_", "ORTE_", "OPAL_", "HYDRA_"]

  /// Whether a launcher started this process as one of its ranks.
  ///
  /// A lone `MPI_Init` costs 0.3 s and starts a daemon, so MPI is left alone without a launcher. A
  /// Slurm batch script alone is no launcher; a step of several tasks is.
  public static func isLaunched(_ environment: [String: String]) -> Bool {
    markers.contains { environment[$0] != nil }
      || (environment["SLURM_STEP_NUM_TASKS"].flatMap { Int($0) } ?? 1) > 1
  }

  /// The number of ranks the launcher promises, with the variable that says so.
  static func promisedSize(_ environment: [String: String]) -> (count: Int, variable: String)? {
    for variable in sizes {
      if let count = environment[variable].flatMap({ Int($0) }) { return (count, variable) }
    }
    return nil
  }

  /// The environment for an external program, which may itself be an MPI program: without the
  /// variables that would tie it to this program's launcher.
  public static func forChildren(_ environment: [String: String]) -> [String: String] {
    environment.filter { variable in !prefixes.contains { variable.key.hasPrefix($0) } }
  }
}
