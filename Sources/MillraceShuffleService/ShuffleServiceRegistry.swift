import Glibc
import MillraceBase
import MillraceStore

/// Which applications use the service. Every change is on the disk before it is answered, so that a
/// service that is killed and started again serves the same files.
///
/// A folder is taken only where it can be an executor's: inside one of `roots`, without symbolic
/// links, below a folder named after the application. Belongs to the service's loop.
final class ShuffleServiceRegistry {
    /// Why a request is not granted.
    enum Refusal: Error, CustomStringConvertible {
        /// Something in it cannot be.
        case invalid(String)
        /// It is not this application that asks.
        case foreign(String)
        /// The disk refuses.
        case failed(StoreError)

        var description: String {
            switch self {
            case .invalid(let why), .foreign(let why): why
            case .failed(let error): "the registration cannot be kept: \(error)"
            }
        }
    }

    private struct Entry {
        var application: RegisteredApplication
        var lastSeen: Instant
    }

    let roots: [String]
    private let fileSystem: any FileSystem
    private let folder: String
    private let timeout: Duration
    private var entries: [String: Entry] = [:]
    /// Of an earlier run.
    private var resumed: Set<String> = []

    /// Reads what an earlier run left in `folder`. A damaged registration is set aside with a
    /// warning. Throws `StoreError` when the folder cannot be used.
    init(
        _ fileSystem: any FileSystem, folder: String, roots: [String], timeout: Duration,
        now: Instant
    ) throws(StoreError) {
        self.fileSystem = fileSystem
        self.folder = folder
        self.roots = roots
        self.timeout = timeout
        try fileSystem.makeFolders(folder)
        for name in try fileSystem.namesIfPresent(in: folder)
        where name.hasSuffix(Self.suffix) && !name.hasPrefix(".") {
            let path = StorePath.join(folder, name)
            do throws(StoreError) {
                let application = try RegisteredApplication(
                    decoding: try fileSystem.read(path), path: path)
                entries[application.id] = Entry(application: application, lastSeen: now)
                resumed.insert(application.id)
            } catch {
                Log.error("shuffle-service", "a registration is set aside", ["reason": error])
                try fileSystem.rename(path, to: path + ".damaged", replacing: true)
            }
        }
    }

    private static let suffix = ".application"

    var applicationCount: Int { entries.count }
    var executorCount: Int { entries.values.reduce(0) { $0 + $1.application.folders.count } }

    func register(
        _ executor: ExecutorID, folder path: String, application id: String, secret: String,
        now: Instant
    ) throws(Refusal) {
        guard RegisteredApplication.isPossible(id) else {
            throw .invalid("'\(id.prefix(130))' cannot be an application's id")
        }
        guard !secret.isEmpty else { throw .invalid("an application registers with a secret") }
        try check(path, of: id)
        var application =
            entries[id]?.application ?? RegisteredApplication(id: id, secret: secret)
        guard application.accepts(secret) else {
            throw .foreign("this is not the secret of \(id)")
        }
        guard application.register(executor, folder: path) else {
            throw .invalid("\(executor) of \(id) is registered with another folder")
        }
        do {
            try fileSystem.writeDurably(application.encode(), to: file(of: id))
        } catch { throw .failed(error) }
        entries[id] = Entry(application: application, lastSeen: now)
    }

    /// The application, if that is its secret; notes that it is alive.
    func authenticate(
        _ id: String, secret: String, now: Instant
    ) throws(Refusal) -> RegisteredApplication {
        guard let entry = entries[id] else {
            throw .foreign("'\(id.prefix(130))' is not registered here")
        }
        guard entry.application.accepts(secret) else {
            throw .foreign("this is not the secret of \(id)")
        }
        entries[id]?.lastSeen = now
        return entry.application
    }

    /// Whether an earlier run knew it, and may have left files of its own.
    func isResumed(_ id: String) -> Bool { resumed.contains(id) }

    subscript(id: String) -> RegisteredApplication? { entries[id]?.application }

    /// Forgets the application; what is to be deleted is in the result.
    func finish(_ id: String) throws(StoreError) -> RegisteredApplication? {
        guard let entry = entries.removeValue(forKey: id) else { return nil }
        try fileSystem.delete(file(of: id))
        resumed.remove(id)
        return entry.application
    }

    /// Applications that have been silent for too long.
    func expired(now: Instant) -> [String] {
        entries.filter { now - $0.value.lastSeen > timeout }.keys.sorted()
    }

    private func file(of id: String) -> String { StorePath.join(folder, id + Self.suffix) }

    // MARK: Folders

    private func check(_ path: String, of id: String) throws(Refusal) {
        guard path.hasPrefix("/"), path.utf8.count < Int(PATH_MAX) else {
            throw .invalid("the folder '\(path.prefix(100))' is not an absolute path")
        }
        guard let real = Glibc.realpath(path, nil) else {
            throw .invalid("the folder \(path): \(String(cString: strerror(errno)))")
        }
        defer { free(real) }
        guard String(cString: real) == path else {
            throw .invalid("the folder \(path) has symbolic links or '..' in it")
        }
        let isInside = roots.contains { path.hasPrefix($0 == "/" ? "/" : $0 + "/") }
        guard isInside else {
            throw .invalid("the folder \(path) is in none of \(roots.joined(separator: ", "))")
        }
        guard path.split(separator: "/").contains("millrace-\(id)") else {
            throw .foreign("the folder \(path) is not in a folder millrace-\(id)")
        }
    }
}
