import MillraceBase
import MillraceStore

/// One application that uses the service: how its processes prove themselves, and where its
/// executors' shuffle files lie.
///
/// Kept in a file of its own, rewritten whole with every registration: `v1 <CRC-32C>` and a JSON
/// object. The secret is never stored, only its SHA-256.
struct RegisteredApplication {
    let id: String
    let secretHash: [UInt8]
    /// By executor; an executor keeps its folder for its life.
    private(set) var folders: [ExecutorID: String] = [:]

    init(id: String, secret: String) {
        self.id = id
        secretHash = SHA256.hash(Array(secret.utf8))
    }

    /// `false` when the executor is known with another folder.
    mutating func register(_ executor: ExecutorID, folder: String) -> Bool {
        if let known = folders[executor] { return known == folder }
        folders[executor] = folder
        return true
    }

    func accepts(_ secret: String) -> Bool {
        let given = SHA256.hash(Array(secret.utf8))
        // Both are hashes, so the time of the comparison tells nothing of the secret.
        return given == secretHash
    }

    // MARK: Names

    /// An application's id becomes a file name and a part of paths: letters, digits, `-`, `_`, `.`.
    static func isPossible(_ id: String) -> Bool {
        guard (1...128).contains(id.utf8.count), id.utf8.first != UInt8(ascii: ".") else {
            return false
        }
        return id.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
                UInt8(ascii: "."):
                true
            default: false
            }
        }
    }

    // MARK: Bytes

    func encode() -> [UInt8] {
        let members = folders.sorted { $0.key < $1.key }.map { executor, folder in
            JSONValue.object([
                "executor": .integer(Int64(executor.rawValue)), "folder": .string(folder),
            ])
        }
        let object: JSONValue = .object([
            "application": .string(id), "secretSHA256": .string(Self.hex(secretHash)),
            "executors": .array(members),
        ])
        var body: [UInt8] = []
        object.write(into: &body)
        let sum = String(CRC32C.checksum(body), radix: 16)
        return Array("v1 \(sum)\n".utf8) + body + [UInt8(ascii: "\n")]
    }

    /// Throws `StoreError.corrupt` for anything that `encode` didn't write.
    init(decoding bytes: [UInt8], path: String) throws(StoreError) {
        guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")), bytes.last == UInt8(ascii: "\n"),
            end + 1 < bytes.count
        else { throw StoreError.corrupt(path, at: 0, "not a registration") }
        let body = Array(bytes[(end + 1)..<(bytes.count - 1)])
        let head = String(decoding: bytes[..<end], as: UTF8.self)
        guard head == "v1 \(String(CRC32C.checksum(body), radix: 16))" else {
            throw StoreError.corrupt(path, at: 0, "the checksum does not fit the registration")
        }
        guard let object = try? JSONValue(parsing: String(decoding: body, as: UTF8.self)),
            let id = object["application"]?.stringValue, Self.isPossible(id),
            let hash = object["secretSHA256"]?.stringValue.flatMap(Self.bytes(ofHex:)),
            let members = object["executors"]?.arrayValue
        else { throw StoreError.corrupt(path, at: end + 1, "not a registration") }
        self.id = id
        secretHash = hash
        for member in members {
            guard let executor = member["executor"]?.integerValue, executor >= 0,
                let folder = member["folder"]?.stringValue
            else { throw StoreError.corrupt(path, at: end + 1, "not a registered executor") }
            folders[ExecutorID(Int(executor))] = folder
        }
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    private static func bytes(ofHex text: String) -> [UInt8]? {
        let digits = text.compactMap(\.hexDigitValue)
        guard digits.count == text.count, digits.count == 64 else { return nil }
        return stride(from: 0, to: 64, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
}
