import MillraceBase
import Testing

@Suite struct IdentifierMapTests {
    struct Number: SlabElement { var value: Int }

    @Test func `it agrees with a dictionary over a long random life`() {
        var random = PRNG(seed: 7)
        var map = IdentifierMap<TaskID, Number>()
        var model: [TaskID: Int] = [:]
        var living: [TaskID] = []
        var next = 0
        for step in 0..<20_000 {
            if living.isEmpty || random.below(100) < (step / 1_000 % 2 == 0 ? 60 : 40) {
                let id = TaskID(next)
                next += 1 + random.below(3)
                map.insert(Number(value: step), for: id)
                model[id] = step
                living.append(id)
            } else {
                let id = living.remove(at: random.below(living.count))
                map.remove(id)
                model[id] = nil
            }
            let probe = TaskID(random.below(next + 10))
            #expect(map[probe]?.value == model[probe])
            #expect(map.count == model.count)
        }
        #expect(living.allSatisfy { map[$0]?.value == model[$0] })
    }

    @Test func `any integer may be asked for`() {
        var map = IdentifierMap<TaskID, Number>()
        map.insert(Number(value: 1), for: TaskID(.max))
        for id in [-1, 0, .min, .max - 1] { #expect(map[TaskID(id)]?.value == nil) }
        #expect(map[TaskID(.max)]?.value == 1)
        map.remove(TaskID(-1))
        map.remove(TaskID(3))
        #expect(map.count == 1)
    }

    @Test func `a ring gives back what it was given, in order`() {
        var ring = RingBuffer<Int>()
        var expected = 0
        for value in 0..<1_000 {
            ring.append(value)
            if value % 3 == 0 {
                #expect(ring.popFirst() == expected)
                expected += 1
            }
        }
        #expect(ring.first == expected)
        #expect((0..<ring.count).allSatisfy { ring[$0] == expected + $0 })
    }
}
