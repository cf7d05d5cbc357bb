import MillraceBase
import MillraceStore

/// The driver's half of a source: what there is to read, and which bytes tell each task what to
/// read. The executors' half is the plan's leaf (`MillraceExecutor/Streaming/StreamLeaves.swift`).
///
/// Offsets are one line of JSON that only the source understands. Used on the query's thread; calls
/// may block.
public protocol MicroBatchSource: AnyObject {
    /// As progress reports name it.
    var description: String { get }
    /// Where a query without a checkpoint starts: the same each time it is asked, also after a
    /// restart.
    func initialOffset() throws -> String
    /// Where the next batch ends; nil when there is nothing new.
    func latestOffset(from start: String) throws -> String?
    /// The input of each task that reads from `start` up to `end`: at least one. The same rows each
    /// time.
    func plan(from start: String, to end: String) throws -> [[UInt8]]
    /// Only what is there now is to be read.
    func prepareAvailableNow(from start: String) throws
    /// No batch before this one will be repeated.
    func commit(_ end: String)
    /// What was there when `latestOffset` was asked last, for progress reports.
    var newestOffset: String? { get }
    /// More for progress reports: Kafka's lag.
    func metrics(at end: String) -> [String: String]
    /// Rows that are there and not before `end`, as far as the source knows; nil when it doesn't.
    /// `rows` were in the last batch, for a source that counts something else.
    func backlog(after end: String, rows: Int64) -> Int64?
    func stop()
}

extension MicroBatchSource {
    public func commit(_ end: String) {}
    public var newestOffset: String? { nil }
    public func metrics(at end: String) -> [String: String] { [:] }
    public func backlog(after end: String, rows: Int64) -> Int64? { nil }
    public func stop() {}
}

/// Makes a source when a query starts.
public protocol StreamSourceProvider: Sendable {
    /// Throws `MillraceError` or `StoreError` when it cannot be read.
    func open(_ place: SourcePlace) throws -> any MicroBatchSource
}

/// What a source gets from its query.
public struct SourcePlace: Sendable {
    public let fileSystem: any FileSystem
    /// `sources/<i>` of the checkpoint.
    public let folder: String
    public let queryID: String
    public let conf: Conf
    /// Tasks that can run at once.
    public let parallelism: Int
    /// To be called, from any thread, when there is something new.
    public let wake: @Sendable () -> Void

    /// A small text that is kept over restarts, as Spark's sources keep it: `sources/<i>/0`, "v1",
    /// then the text. Written the first time with what `make` gives.
    public func kept(_ make: () throws -> String) throws -> String {
        let path = StorePath.join(folder, "0")
        if try fileSystem.exists(path) {
            let text = String(decoding: try fileSystem.read(path), as: UTF8.self)
            guard let end = text.firstIndex(of: "\n"), text[..<end].hasSuffix("v1") else {
                throw StoreError.corrupt(path, at: 0, "\"v1\" and a line are expected")
            }
            return String(text[text.index(after: end)...])
        }
        let text = try make()
        try fileSystem.makeFolders(folder)
        try fileSystem.writeDurably(Array("v1\n\(text)".utf8), to: path, replacing: false)
        return text
    }
}

/// Offsets that are one integer.
enum IntegerOffset {
    static func value(_ json: String, of source: String) throws -> Int64 {
        guard let value = Int64(json) else {
            throw MillraceError(
                .incompatibleState, "\"\(json)\" is no offset of \(source): an integer is expected")
        }
        return value
    }
}
