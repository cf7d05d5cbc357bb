import Glibc
import MillraceBase
import MillraceExecutor
import MillraceStore

/// The application's folder for shuffle files on this machine: made when it starts, removed when it
/// stops, or by the next application when this one was killed.
///
/// The driver holds a lock in it as long as it lives. The kernel lets go of it however the process
/// ends, and knows it in every container of the machine; so who gets the lock knows that nobody
/// needs the folder. A folder without a lock's file is left alone.
struct LocalDirectory: Sendable {
    let path: String
    private let lock: any FileLock
    private static let prefix = "millrace-app-"
    private static let lockName = "owner.lock"

    /// Under `millrace.local.dir`, or the system's folder for temporary files. Throws `StoreError`.
    init(_ conf: Conf, applicationID: String) throws {
        let fileSystem = PosixFileSystem()
        let parent = try StorePath.resolve(
            conf.application.localDirectory ?? LaunchEnvironment.temporaryFolder)
        path = StorePath.join(parent, "millrace-\(applicationID)")
        // Nobody finds it under its own name before it's locked.
        let hidden = StorePath.join(parent, ".millrace-\(applicationID)")
        try fileSystem.makeFolders(hidden)
        lock = try fileSystem.lock(StorePath.join(hidden, LocalDirectory.lockName))
        try fileSystem.rename(hidden, to: path, replacing: true)
    }

    /// Deletes what killed applications left beside it, on a thread of its own, for that may be
    /// much. Without a thread the next application does it.
    func removeLeftBeside() {
        let parent = StorePath.folder(of: path)
        try? TaskThread.detached(name: "left-folders") {
            LocalDirectory.removeLeft(in: parent, PosixFileSystem())
        }
    }

    /// Deletes the folder and what is in it. What cannot be deleted is said and left.
    func remove() {
        do { try Self.remove(path, PosixFileSystem()) } catch {
            Log.warn(
                "driver", "cannot remove the application's folder", ["path": path, "reason": error])
        }
        lock.release()
    }

    /// Deletes the folders of applications that were killed.
    static func removeLeft(in parent: String, _ fileSystem: PosixFileSystem) {
        for name in (try? fileSystem.names(in: parent)) ?? [] where name.hasPrefix(prefix) {
            let folder = StorePath.join(parent, name)
            let lockPath = StorePath.join(folder, lockName)
            guard (try? fileSystem.exists(lockPath)) == true,
                let lock = try? fileSystem.lock(lockPath)
            else { continue }
            do {
                try remove(folder, fileSystem)
                Log.info("driver", "removed the folder of a dead application", ["path": folder])
            } catch let error as StoreError where error.kind == .notFound {
                // Somebody else was faster.
            } catch {
                Log.warn(
                    "driver", "cannot remove the folder of a dead application",
                    ["path": folder, "reason": error])
            }
            lock.release()
        }
    }

    /// The lock's file last: what is left by then is found again.
    private static func remove(_ path: String, _ fileSystem: PosixFileSystem) throws {
        for file in try fileSystem.listIfPresent(path) where file.name != lockName {
            let child = StorePath.join(path, file.name)
            if file.isFolder { try remove(child, fileSystem) } else { try fileSystem.delete(child) }
        }
        try fileSystem.delete(StorePath.join(path, lockName))
        try fileSystem.delete(path)
    }
}
