import Glibc
import MillraceBase
import MillraceStore

/// The application's folder for shuffle files on this machine: made when it starts, removed when it
/// stops.
struct LocalDirectory: Sendable {
    let path: String

    /// Under `millrace.local.dir`, or the system's folder for temporary files. Throws `StoreError`.
    init(_ conf: Conf, applicationID: String) throws {
        let parent =
            conf.application.localDirectory ?? LaunchEnvironment.variable("TMPDIR") ?? "/tmp"
        path = StorePath.join(try StorePath.resolve(parent), "millrace-\(applicationID)")
        try PosixFileSystem().makeFolders(path)
    }

    /// Deletes the folder and what is in it. What cannot be deleted is said and left.
    func remove() {
        do { try Self.remove(path, PosixFileSystem()) } catch {
            Log.warn(
                "driver", "cannot remove the application's folder", ["path": path, "reason": error])
        }
    }

    private static func remove(_ path: String, _ fileSystem: PosixFileSystem) throws {
        for file in try fileSystem.listIfPresent(path) {
            let child = StorePath.join(path, file.name)
            if file.isFolder { try remove(child, fileSystem) } else { try fileSystem.delete(child) }
        }
        try fileSystem.delete(path)
    }
}
