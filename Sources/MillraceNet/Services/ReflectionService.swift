import MillraceBase

/// Server reflection, v1 and v1alpha (one wire format under two names): what grpcurl asks before it
/// can call anything. Loop-owned.
final class ReflectionService {
    private static let versions = ["grpc.reflection.v1", "grpc.reflection.v1alpha"]

    private unowned let server: RPCServer
    var index = DescriptorIndex()

    init(_ server: RPCServer) {
        self.server = server
        for package in Self.versions + ["grpc.health.v1"] {
            guard let set = DescriptorIndex.embedded(package) else { continue }
            do { try index.add(set) } catch {
                preconditionFailure("an embedded descriptor set: \(error)")
            }
        }
    }

    func register() {
        for package in Self.versions {
            server.register(method: "/\(package).ServerReflection/ServerReflectionInfo") {
                [unowned self] call in
                call.onMessage = { [unowned self, unowned call] request in
                    guard let response = self.answer(request) else {
                        return call.finish(
                            RPCStatus(.invalidArgument, "not a ServerReflectionRequest"))
                    }
                    call.send(response)
                }
                call.onHalfClose = { [unowned call] in call.finish() }
            }
        }
    }

    private func answer(_ request: [UInt8]) -> [UInt8]? {
        guard let fields = try? ProtoField.parse(request) else { return nil }
        var response = ProtoWriter()
        response.string(1, fields.first { $0.number == 1 }?.string ?? "")
        response.bytes(2, request)
        guard let question = fields.last(where: { (3...7).contains($0.number) }) else {
            response.bytes(7, failure(.invalidArgument, "nothing was asked"))
            return response.bytes
        }
        let (number, answer) = answer(question)
        response.bytes(number, answer)
        return response.bytes
    }

    /// The field of the response that answers, and its content.
    private func answer(_ question: ProtoField) -> (Int, [UInt8]) {
        switch question.number {
        case 3: return files(question.string, asked: question.string)
        case 4: return files(index.file(ofSymbol: question.string), asked: question.string)
        case 5:
            let fields = (try? ProtoField.parse(question.bytes)) ?? []
            let type = fields.first { $0.number == 1 }?.string ?? ""
            let number = fields.first { $0.number == 2 }?.integer ?? 0
            return files(index.file(ofExtension: number, of: type), asked: "\(type) [\(number)]")
        case 6:
            guard let numbers = index.extensionNumbers(of: question.string) else {
                return (7, failure(.notFound, "\(question.string) is not known"))
            }
            var response = ProtoWriter()
            response.string(1, question.string)
            for number in numbers { response.integer(2, number) }
            return (5, response.bytes)
        default:
            var list = ProtoWriter()
            for service in server.services.sorted() {
                var entry = ProtoWriter()
                entry.string(1, service)
                list.bytes(1, entry.bytes)
            }
            return (6, list.bytes)
        }
    }

    private func files(_ name: String?, asked: String) -> (Int, [UInt8]) {
        guard let name, let files = index.files(from: name) else {
            return (7, failure(.notFound, "\(asked) is not known"))
        }
        var response = ProtoWriter()
        for file in files { response.bytes(1, file) }
        return (4, response.bytes)
    }

    private func failure(_ code: RPCStatus.Code, _ message: String) -> [UInt8] {
        var error = ProtoWriter()
        error.integer(1, code.rawValue)
        error.string(2, message)
        return error.bytes
    }
}
