import MillraceNet

/// The messages of grpc.testing that the service and the cases use
/// (`proto/grpc/testing/testing.proto`).
enum TestMessages {
    /// Both request kinds, as far as a server looks at them.
    struct Request {
        var responseSize = 0
        var payloadSize = 0
        var status: RPCStatus?
        /// Of each response that is asked for: its size, and microseconds to wait before it.
        var responses: [(size: Int, interval: Int)] = []

        /// nil when it is not protobuf.
        init?(_ message: [UInt8]) {
            guard let fields = try? ProtoField.parse(message) else { return nil }
            for field in fields {
                switch (field.number, field.value) {
                case (2, .varint): responseSize = field.integer
                case (2, .bytes):
                    let inner = (try? ProtoField.parse(field.bytes)) ?? []
                    let size = inner.last { $0.number == 1 }?.integer ?? 0
                    responses.append((size, inner.last { $0.number == 2 }?.integer ?? 0))
                case (3, .bytes): payloadSize = TestMessages.payloadSize(field.bytes)
                case (7, .bytes):
                    let inner = (try? ProtoField.parse(field.bytes)) ?? []
                    let code = inner.last { $0.number == 1 }?.integer ?? 0
                    status = RPCStatus(
                        .init(rawValue: code), inner.last { $0.number == 2 }?.string ?? "")
                default: break
                }
            }
        }
    }

    /// A SimpleRequest.
    static func simple(responseSize: Int = 0, payload: Int = 0, status: RPCStatus? = nil) -> [UInt8]
    {
        var writer = ProtoWriter()
        if responseSize > 0 { writer.integer(2, responseSize) }
        if payload > 0 { writer.bytes(3, self.payload(payload)) }
        if let status { writer.bytes(7, self.status(status)) }
        return writer.bytes
    }

    /// A StreamingOutputCallRequest.
    static func streaming(responses: [Int], payload: Int = 0, status: RPCStatus? = nil) -> [UInt8] {
        var writer = ProtoWriter()
        for size in responses {
            var parameters = ProtoWriter()
            parameters.integer(1, size)
            writer.bytes(2, parameters.bytes)
        }
        if payload > 0 { writer.bytes(3, self.payload(payload)) }
        if let status { writer.bytes(7, self.status(status)) }
        return writer.bytes
    }

    /// A message whose field 1 is a payload: SimpleResponse, StreamingOutputCallResponse,
    /// StreamingInputCallRequest.
    static func withPayload(_ size: Int) -> [UInt8] {
        var writer = ProtoWriter()
        writer.bytes(1, payload(size))
        return writer.bytes
    }

    /// The size of the payload in field 1; nil when it is not protobuf.
    static func payloadSize(of message: [UInt8]) -> Int? {
        guard let fields = try? ProtoField.parse(message) else { return nil }
        return fields.last { $0.number == 1 }.map { payloadSize($0.bytes) } ?? 0
    }

    private static func payloadSize(_ payload: [UInt8]) -> Int {
        (try? ProtoField.parse(payload))?.last { $0.number == 2 }?.bytes.count ?? 0
    }

    private static func payload(_ size: Int) -> [UInt8] {
        var writer = ProtoWriter()
        writer.bytes(2, [UInt8](repeating: 0, count: size))
        return writer.bytes
    }

    private static func status(_ status: RPCStatus) -> [UInt8] {
        var writer = ProtoWriter()
        writer.integer(1, status.code.rawValue)
        writer.string(2, status.message)
        return writer.bytes
    }
}
