import COpenSSL

extension NetError {
    /// What OpenSSL's error queue of this thread says, emptied.
    static func openSSL(_ operation: String) -> NetError {
        var reasons: [String] = []
        while true {
            let code = ERR_get_error()
            if code == 0 { break }
            if let text = ERR_reason_error_string(code) { reasons.append(String(cString: text)) }
        }
        return .tls(
            reasons.isEmpty ? operation : "\(operation): \(reasons.joined(separator: ", "))")
    }
}
