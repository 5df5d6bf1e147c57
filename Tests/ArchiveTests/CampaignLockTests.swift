import Archive
import Foundation
import TestSupport
import Testing

@Suite("The campaign lock")
struct CampaignLockTests {
  @Test("Only one holder at a time, and the message names it")
  func exclusion() throws {
    let scratch = try ScratchFolder()
    do {
      let lock = try CampaignLock(directory: scratch.path)
      do {
        _ = try CampaignLock(directory: scratch.path)
        Issue.record("two holders")
      } catch {
        #expect(error.description.contains("process \(ProcessInfo.processInfo.processIdentifier)"))
      }
      #expect(lock.path.hasSuffix("/lock"))
    }
    _ = try CampaignLock(directory: scratch.path)
  }

  /// Takes the lock as another program would, says so, and waits.
  private func holder(_ directory: String, seconds: Double) throws -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
    process.arguments = [
      "-c",
      """
      import fcntl, sys, time
      f = open(sys.argv[1] + '/lock', 'w'); fcntl.flock(f, fcntl.LOCK_EX)
      print('held', flush=True); time.sleep(float(sys.argv[2]))
      """, directory, "\(seconds)",
    ]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    #expect(output.fileHandleForReading.availableData.count > 0)
    return process
  }

  @Test("A killed holder loses the lock at once")
  func kill() throws {
    let scratch = try ScratchFolder()
    let process = try holder(scratch.path, seconds: 60)
    #expect(throws: ArchiveError.self) { try CampaignLock(directory: scratch.path) }
    #expect(throws: ArchiveError.self) {
      try CampaignLock(directory: scratch.path, waitSeconds: 0.2)
    }
    Glibc.kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    _ = try CampaignLock(directory: scratch.path)
  }

  @Test("A holder that is about to end is waited for")
  func waiting() throws {
    let scratch = try ScratchFolder()
    let process = try holder(scratch.path, seconds: 0.4)
    _ = try CampaignLock(directory: scratch.path, waitSeconds: 10)
    process.waitUntilExit()
  }

  @Test("A missing folder is said")
  func missing() throws {
    do {
      _ = try CampaignLock(directory: "/nonexistent/folder")
      Issue.record("no error")
    } catch { #expect(error.description.contains("No such file")) }
  }
}
