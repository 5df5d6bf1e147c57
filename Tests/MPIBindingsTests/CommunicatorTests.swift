import MPIBindings
import TestSupport
import Testing

@Suite("Ranks exchange bytes", .serialized)
struct CommunicatorTests {
  @Test("Without a launcher there is one rank and MPI is not started")
  func serial() throws {
    let world = try Communicator(environment: [:])
    #expect(world.rank == 0)
    #expect(world.size == 1)
    #expect(!world.usesMPI)
    #expect(try world.gather([1, 2]) == [[1, 2]])
    #expect(try world.gatherEverywhere([1, 2]) == [[1, 2]])
    #expect(try world.broadcast([3]) == [3])
    #expect(try world.probe() == nil)
    try world.barrier()
    try world.finalize()
  }

  @Test(
    "Every case holds for any number of ranks", .tags(.mpi),
    arguments: ["round-trips", "any-source", "gather", "timeout"], [1, 2, 3, 4])
  func exchange(name: String, ranks: Int) throws {
    let outcome = try BuiltProgram("MPIProbe").run([name], ranks: ranks)
    #expect(outcome.output == "ok \(name) \(ranks) mpi\n", "\(outcome.errors)")
    #expect(outcome.status == 0)
  }

  @Test("50 MB cross unharmed", .tags(.mpi), arguments: [2, 4])
  func large(ranks: Int) throws {
    let outcome = try BuiltProgram("MPIProbe").run(["large"], ranks: ranks)
    #expect(outcome.output == "ok large \(ranks) mpi\n", "\(outcome.errors)")
  }

  @Test("A waiting rank uses less than a tenth of a core", .tags(.mpi))
  func idle() throws {
    let outcome = try BuiltProgram("MPIProbe").run(["idle"], ranks: 4)
    #expect(outcome.output == "ok idle 4 mpi\n", "\(outcome.errors)")
  }

  @Test("The program runs alone without a launcher")
  func alone() throws {
    let outcome = try BuiltProgram("MPIProbe").run(["gather"])
    #expect(outcome.output == "ok gather 1 serial\n", "\(outcome.errors)")
  }

  @Test("An abort of one rank ends all with its status", .tags(.mpi))
  func abort() throws {
    let outcome = try BuiltProgram("MPIProbe").run(["abort"], ranks: 3, timeoutSeconds: 60)
    #expect(outcome.status == 7)
  }

  @Test("So does one while the others end: they wait for it", .tags(.mpi))
  func lateAbort() throws {
    // Without the wait some of fifty runs crashed or hung.
    for _ in 0..<10 {
      let outcome = try BuiltProgram("MPIProbe").run(["late-abort"], ranks: 2, timeoutSeconds: 20)
      #expect(outcome.status == 7, "\(outcome.errors)")
    }
  }

  @Test("The library names itself")
  func version() {
    #expect(Communicator.libraryVersion.contains("MPI"))
  }
}

@Suite("The environment tells whether a launcher started the process")
struct LaunchEnvironmentTests {
  @Test(
    "Launchers are recognised",
    arguments: [
      (["OMPI_COMM_WORLD_SIZE": "1"], true), (["PMIX_RANK": "0"], true),
      (["PMI_RANK": "3"], true), (["SLURM_STEP_NUM_TASKS": "8"], true),
      (["SLURM_STEP_NUM_TASKS": "1"], false), (["SLURM_PROCID": "0"], false),
      (["PATH": "/bin"], false),
    ])
  func launcher(environment: [String: String], expected: Bool) {
    #expect(LaunchEnvironment.isLaunched(environment) == expected)
  }

  @Test("Children do not inherit the ties to the launcher")
  func children() {
    let environment = [
      "PATH": "/bin", "OMPI_COMM_WORLD_RANK": "1", "PMIX_RANK": "1", "PRTE_X": "1",
      "PMI_FD": "3", "SLURM_JOB_ID": "9", "OMP_NUM_THREADS": "1",
    ]
    #expect(
      LaunchEnvironment.forChildren(environment)
        == ["PATH": "/bin", "SLURM_JOB_ID": "9", "OMP_NUM_THREADS": "1"])
  }
}
