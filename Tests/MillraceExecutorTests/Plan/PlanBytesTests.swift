import MillraceBase
import Testing

@testable import MillraceExecutor

@Suite struct PlanBytesTests {
    private let tree = PlanTree(
        nodes: [
            .init(type: [1], body: [], children: [], shuffleInput: 0),
            .init(type: [2, 3], body: [4], children: []),
            .init(type: [5], body: [6, 7], children: [0, 1]),
        ], sinkType: [8], sinkBody: [9])

    @Test func aPlanSurvivesItsBytes() throws {
        let copy = try PlanTree(decoding: tree.encode())
        #expect(copy.encode() == tree.encode())
        #expect(copy.nodes[2].children == [0, 1] && copy.nodes[0].shuffleInput == 0)
    }

    @Test func damagedPlansAreRefusedNotTrusted() {
        let bytes = tree.encode()
        for count in 0..<bytes.count {
            #expect(throws: ByteError.self) { try PlanTree(decoding: Array(bytes[..<count])) }
        }
        var random = SplitMix64(seed: 5)
        for _ in 0..<2000 {
            var copy = bytes
            copy[Int(random.next() % UInt64(copy.count))] = UInt8(truncatingIfNeeded: random.next())
            _ = try? PlanTree(decoding: copy)
            _ = try? ExecutablePlan(decoding: copy)
        }
    }

    @Test func taskInputSurvivesItsBytes() throws {
        let input = TaskInput([
            .init(node: 0, partition: 3, bytes: [1, 2]), .init(node: 4, partition: 0, bytes: []),
        ])
        let copy = try TaskInput(decoding: input.encode()[...])
        #expect(try copy.bytes(node: 0, partition: 3) == [1, 2])
        #expect(try copy.bytes(node: 4, partition: 0) == [])
        #expect(throws: PlanError.self) { try copy.bytes(node: 0, partition: 0) }
        #expect(TaskInput().encode() == [])
        #expect(try TaskInput(decoding: []).items.isEmpty)
    }
}
