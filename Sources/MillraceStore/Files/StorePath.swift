import Glibc

/// Paths as text: joining, taking apart, and `file://` URIs.
public enum StorePath {
    /// The absolute POSIX path that a user's location means: a path as it is (a relative one from
    /// the working folder of now), `file:/x`, `file:///x` or `file://localhost/x` without the
    /// scheme and with `%20` decoded. Any other scheme throws `.unsupported`.
    public static func resolve(_ location: String) throws(StoreError) -> String {
        guard let scheme = scheme(of: location) else {
            guard !location.isEmpty else {
                throw StoreError(.unsupported, "use", "\"\"", "an empty path names nothing")
            }
            guard !location.utf8.contains(0) else {
                throw StoreError(.unsupported, "use", "a path", "it holds a zero byte")
            }
            return normalized(
                location.hasPrefix("/") ? location : join(workingFolder(), location))
        }
        guard scheme == "file" else {
            throw StoreError(
                .unsupported, "use", location,
                "the scheme \"\(scheme)\" is not supported; give a path or a file:// URI")
        }
        var path = location.dropFirst("file:".count)
        if path.hasPrefix("//") {
            path = path.dropFirst(2)
            let host = path.prefix { $0 != "/" }
            guard host.isEmpty || host == "localhost" else {
                throw StoreError(
                    .unsupported, "use", location,
                    "\"\(host)\" is read as a host; an absolute path is written file:///path")
            }
            path = path.dropFirst(host.count)
        }
        guard path.hasPrefix("/"), let decoded = percentDecoded(path) else {
            throw StoreError(
                .unsupported, "use", location, "a file URI holds an absolute path: file:///path")
        }
        return normalized(decoded)
    }

    /// `folder/name`.
    public static func join(_ folder: String, _ name: String) -> String {
        folder.isEmpty ? name : folder.hasSuffix("/") ? folder + name : folder + "/" + name
    }

    /// The path without its last part: "." for a bare name, "/" for what lies in the root.
    public static func folder(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// The last part of the path.
    public static func name(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return path }
        return String(path[path.utf8.index(after: slash)...])
    }

    /// `file:///path`, for manifests; characters a URI cannot hold are percent-encoded.
    public static func fileURI(_ absolutePath: String) -> String {
        var uri = "file://"
        for byte in absolutePath.utf8 {
            let isPlain =
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte)
                || (0x61...0x7A).contains(byte) || "-._~/=+,:@!$&'()*;".utf8.contains(byte)
            if isPlain {
                uri.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                uri += digits.utf8.count == 1 ? "%0" + digits : "%" + digits
            }
        }
        return uri
    }

    /// A letter, then letters, digits, "+", "-", "."; then ":" (RFC 3986); at least two characters.
    private static func scheme(of location: String) -> String? {
        guard let colon = location.firstIndex(of: ":") else { return nil }
        let scheme = location[..<colon]
        guard scheme.utf8.count >= 2, let first = scheme.first, first.isASCII, first.isLetter,
            scheme.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "+-.".contains($0)) })
        else { return nil }
        return scheme.lowercased()
    }

    private static func workingFolder() -> String {
        guard let text = getcwd(nil, 0) else { return "." }  // deleted meanwhile
        defer { free(text) }
        return String(cString: text)
    }

    private static func percentDecoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst(), let low = rest.popFirst(),
                let digits = String(validating: [high, low], as: UTF8.self),
                let value = UInt8(digits, radix: 16), value != 0
            else { return nil }
            bytes.append(value)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// Without double or trailing slashes and "./"; ".." stays, for it may lead over a link.
    private static func normalized(_ path: String) -> String {
        var clean = ""
        clean.reserveCapacity(path.utf8.count)
        for part in path.utf8.split(separator: UInt8(ascii: "/"))
        where !part.elementsEqual(".".utf8) {
            clean += "/"
            clean += Substring(part)
        }
        return clean.isEmpty ? "/" : clean
    }
}
