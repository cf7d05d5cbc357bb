import MillraceBase
import MillraceExecutor
import Testing

@testable import Millrace

private final class Handle: Sendable {
    let number = 7
}
private struct Opaque: Hashable, Sendable {
    var number: Int
}

@Suite struct RefusalTests {
    @Test func aRowTypeWithoutCodecIsNamedBeforeAnythingRuns() async throws {
        let context = serialContext()
        let rows = context.parallelize([1, 2], 2).map { Opaque(number: $0) }
        // Within a stage no row is encoded.
        #expect(try await rows.map { $0.number }.collect() == [1, 2])
        #expect(try await rows.count() == 2)
        let refusals: [() async throws -> Void] = [
            { _ = try await rows.collect() },
            { _ = try await context.parallelize([Opaque(number: 1)], 1).count() },
            { _ = try await rows.repartition(2).count() },
            { _ = try await rows.distinct().count() },
            { _ = try await rows.map { ($0, 1) }.reduceByKey { $0 + $1 }.count() },
            { _ = try await rows.map { (1, $0) }.groupByKey().count() },
        ]
        for (index, refusal) in refusals.enumerated() {
            let error = await #expect(throws: MillraceError.self) { try await refusal() }
            #expect(error?.code == .notSerializable)
            #expect(
                error?.message.contains("Opaque") == true,
                "refusal \(index): \(error?.message ?? "")")
        }
    }

    @Test func aCaptureThatCannotTravelIsNamedBeforeAnythingRuns() async throws {
        let handle = Handle()
        let rows = serialContext().parallelize([1, 2], 2).map { $0 + handle.number }
        let error = await #expect(throws: MillraceError.self) { try await rows.collect() }
        #expect(error?.code == .notSerializable)
        #expect(error?.message.contains("Handle") == true)
    }
}
