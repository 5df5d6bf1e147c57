import Synchronization

/// Workspaces that are not in use.
///
/// A potential is a value that several threads may evaluate; each takes a workspace and brings it
/// back.
final class WorkspacePool<Workspace: Sendable & Emptyable>: Sendable {
  private let idle = Mutex<[Workspace]>([])

  func take() -> Workspace { idle.withLock { $0.popLast() } ?? Workspace() }

  func give(_ workspace: Workspace) { idle.withLock { $0.append(workspace) } }
}

/// Can be created empty.
protocol Emptyable {
  init()
}
