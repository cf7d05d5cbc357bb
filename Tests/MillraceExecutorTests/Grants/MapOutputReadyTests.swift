import MillraceBase
import MillraceCore
import Testing

@testable import MillraceExecutor

@Suite struct MapOutputReadyTests {
    static let ready = MapOutputReady(
        grant: GrantID(3), shuffle: ShuffleID(70_000),
        status: MapStatus(
            executor: ExecutorID(2), mapTask: TaskID(1 << 40), mapIndex: 9,
            sizes: BlockSizes([0, 5, 900])),
        blocks: [.init(reduce: 1, bytes: [1, 2, 3, 4, 5]), .init(reduce: 2, bytes: [])])

    @Test func `it arrives as it was sent`() throws {
        #expect(try MapOutputReady(decoding: Self.ready.encode()) == Self.ready)
    }

    @Test func `a part of it is refused, and a block for nobody`() {
        let bytes = Self.ready.encode()
        for length in 0..<bytes.count {
            #expect(throws: ByteError.self) {
                try MapOutputReady(decoding: Array(bytes[..<length]))
            }
        }
        var stray = Self.ready
        stray.blocks[0].reduce = 3
        #expect(throws: ByteError.self) { try MapOutputReady(decoding: stray.encode()) }
    }
}
