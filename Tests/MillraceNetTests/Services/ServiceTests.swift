import MillraceBase
import Testing

@testable import MillraceNet

@Suite("The services of every server") struct ServiceTests {
    @Test("health answers for the process and for named services, and tells watchers of changes")
    func health() async throws {
        try await withLoop { loop in
            let (checks, watched) = try await loop.wait(([String], [Int]).self) { promise in
                let pair = try Pair(loop)
                pair.server.health.set(.notServing, service: "a.B")
                var checks: [String] = []
                var watched: [Int] = []
                let watch = pair.channel.call("/grpc.health.v1.Health/Watch")
                watch.onMessage = { message in
                    watched.append((try? ProtoField.parse(message))?.first?.integer ?? -1)
                    if watched.count == 1 { pair.server.health.set(.serving, service: "a.B") }
                    if watched.count == 2 { pair.server.shutdown(grace: .seconds(5)) }
                }
                watch.onEnd = { status, _ in
                    #expect(status.code == .unavailable)
                    promise.succeed((checks, watched))
                }
                for service in ["", "a.B", "no.Such"] {
                    var request = ProtoWriter()
                    request.string(1, service)
                    pair.channel.unary("/grpc.health.v1.Health/Check", request.bytes, deadline: nil)
                    { result in
                        switch result {
                        case .success(let bytes):
                            checks.append("\((try? ProtoField.parse(bytes))?.first?.integer ?? -1)")
                        case .failure(let status): checks.append("\(status.code)")
                        }
                        if checks.count == 3 {
                            var request = ProtoWriter()
                            request.string(1, "a.B")
                            watch.send(request.bytes)
                            watch.halfClose()
                        }
                    }
                }
            }
            #expect(checks.sorted() == ["1", "2", "NOT_FOUND"])
            #expect(watched == [2, 1, 2])
        }
    }

    @Test("reflection lists services and finds files by name and by symbol, in both versions")
    func reflection() async throws {
        try await withLoop { loop in
            for version in ["v1", "v1alpha"] {
                let answers = try await loop.wait([ProtoField].self) { promise in
                    let pair = try Pair(loop)
                    pair.server.registerDescriptors(package: "millrace.v1")
                    let call = pair.channel.call(
                        "/grpc.reflection.\(version).ServerReflection/ServerReflectionInfo")
                    var answers: [ProtoField] = []
                    call.onMessage = { message in
                        answers += (try? ProtoField.parse(message))?.filter { $0.number > 2 } ?? []
                    }
                    call.onEnd = { status, _ in
                        #expect(status == .ok)
                        promise.succeed(answers)
                        pair.server.close()
                    }
                    for (field, name) in [
                        (7, ""), (3, "millrace/v1/cluster.proto"),
                        (4, "grpc.health.v1.Health.Check"), (4, "no.Such"),
                    ] {
                        var request = ProtoWriter()
                        request.string(field, name)
                        call.send(request.bytes)
                    }
                    call.halfClose()
                }
                #expect(answers.map(\.number) == [6, 4, 4, 7])
                #expect(answers[0].string.contains("grpc.health.v1.Health"))
                #expect(answers[1].string.contains("millrace.v1"))
            }
        }
    }

    @Test("survive requests that are not protobuf")
    func nonsense() async throws {
        try await withLoop { loop in
            for method in [
                "/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch",
                "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
            ] {
                let status = try await loop.wait(RPCStatus.self) { promise in
                    let pair = try Pair(loop)
                    let call = pair.channel.call(method)
                    call.onEnd = { status, _ in
                        promise.succeed(status)
                        pair.server.close()
                    }
                    call.send([0xFF, 0xFF, 0xFF])
                    call.halfClose()
                }
                #expect(status.code == .invalidArgument)
            }
        }
    }
}
