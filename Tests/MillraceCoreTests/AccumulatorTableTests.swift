import MillraceBase
import MillraceCore
import Testing

/// What becomes of contributions to accumulators, by hand.
@Suite struct AccumulatorTableTests {
    static let id = AccumulatorID(3)
    var table = AccumulatorTable()

    init() { table.register(Self.id) }

    private mutating func add(
        _ origin: Int, _ unit: Int, _ value: AccumulatorValue, stage: Int = 0
    ) {
        table.apply(
            .contributed(
                AccumulatorOrigin(origin), unit: unit, StageID(stage),
                [AccumulatorUpdate(id: Self.id, value: value)]))
    }

    @Test("a floating-point sum is the same in whichever order tasks end")
    mutating func order() {
        let numbers = [1e16, 1, -1e16, 1, 0.1, 0.2, 1e-9, 3]
        var sums: Set<UInt64> = []
        for seed in 0..<20 {
            var random = PRNG(seed: UInt64(seed))
            var units = Array(numbers.indices)
            for place in units.indices { units.swapAt(place, random.below(units.count)) }
            var table = AccumulatorTable()
            table.register(Self.id)
            for unit in units {
                let update = AccumulatorUpdate(
                    id: Self.id, value: .double(sum: numbers[unit], count: 1))
                table.apply(
                    .contributed(
                        AccumulatorOrigin(unit / 4), unit: unit % 4, StageID(0), [update]))
            }
            guard case .double(let sum, let count) = table.total(Self.id) else {
                Issue.record("no sum")
                return
            }
            #expect(count == 8)
            sums.insert(sum.bitPattern)
        }
        #expect(sums.count == 1)
    }

    @Test("settled bytes wait for who can merge them, by stage and in the order of partitions")
    mutating func bytes() {
        add(1, 1, .bytes([11]), stage: 4)
        add(1, 0, .bytes([10]), stage: 4)
        add(2, 0, .bytes([20]), stage: 5)
        #expect(table.takeSettledBytes(Self.id).isEmpty)
        table.apply(.settled(AccumulatorOrigin(1)))
        let share = StageShare(
            stage: StageID(4), id: Self.id, values: [.bytes([10]), .bytes([11])])
        #expect(table.takeSettledBytes(Self.id) == [share])
        #expect(table.takeSettledBytes(Self.id).isEmpty)
        #expect(table.live(Self.id).map(\.values) == [[.bytes([20])]])
    }

    @Test("what was counted before a reset never counts again, whoever computes it again")
    mutating func reset() {
        add(1, 0, .long(sum: 5, count: 1))
        add(1, 1, .long(sum: 6, count: 1))
        table.reset(Self.id)
        #expect(table.total(Self.id) == nil)
        add(1, 0, .long(sum: 5, count: 1))
        add(1, 2, .long(sum: 7, count: 1))
        #expect(table.total(Self.id) == .long(sum: 7, count: 1))
        table.apply(.settled(AccumulatorOrigin(1)))
        #expect(table.total(Self.id) == .long(sum: 7, count: 1))
        #expect(table.liveOrigins == 0)
    }

    @Test("an accumulator that nobody has any more keeps nothing and takes nothing")
    mutating func forgotten() {
        add(1, 0, .long(sum: 5, count: 1))
        table.apply(.settled(AccumulatorOrigin(1)))
        add(2, 0, .long(sum: 5, count: 1))
        table.forget(Self.id)
        add(2, 1, .long(sum: 5, count: 1))
        #expect(table.total(Self.id) == nil)
        table.apply(.settled(AccumulatorOrigin(2)))
        #expect(table.settledShares(Self.id).isEmpty)
        #expect(table.liveOrigins == 0)
    }

    @Test("of two attempts that run, the later one's partial values count")
    mutating func twoAttempts() {
        let origin = AccumulatorOrigin(0)
        for (task, sum) in [(4, 50), (9, 30)] {
            let update = AccumulatorUpdate(id: Self.id, value: .long(sum: Int64(sum), count: 1))
            table.apply(.partial(origin, unit: 0, TaskID(task), [update]))
        }
        #expect(table.total(Self.id, withPartials: true) == .long(sum: 30, count: 1))
        #expect(table.total(Self.id) == nil)
        table.apply(.partialEnded(origin, unit: 0, TaskID(9)))
        #expect(table.total(Self.id, withPartials: true) == .long(sum: 50, count: 1))
        add(0, 0, .long(sum: 70, count: 1))
        #expect(table.total(Self.id, withPartials: true) == .long(sum: 70, count: 1))
        table.apply(.partialEnded(origin, unit: 0, TaskID(4)))
        table.apply(.settled(origin))
        #expect(table.total(Self.id) == .long(sum: 70, count: 1))
    }

    @Test("memory is bounded by what can still change")
    mutating func bounded() {
        for origin in 0..<5_000 {
            for unit in 0..<3 { add(origin, unit, .long(sum: 1, count: 1), stage: origin) }
            table.apply(.settled(AccumulatorOrigin(origin)))
        }
        #expect(table.liveOrigins == 0)
        #expect(table.total(Self.id) == .long(sum: 15_000, count: 15_000))
        let shares = table.settledShares(Self.id)
        #expect(shares.count == AccumulatorTable.shareLimit)
        #expect(shares.last?.stage == StageID(4_999))
        #expect(shares.last?.values == [.long(sum: 3, count: 3)])
    }
}
