import MillraceBase
import Testing

@Suite struct BytesTests {
    private func samples() -> [[UInt8]] {
        var samples: [[UInt8]] = [[], [0], [0, 0], [1], [255]]
        for count in [7, 8, 9, 14, 15, 16, 17, 90] {
            for last in [0, 1, 254, 255] as [UInt8] {
                samples.append([UInt8](repeating: 3, count: count - 1) + [last])
                samples.append([UInt8](repeating: 0, count: count - 1) + [last])
            }
        }
        return samples
    }

    /// Every way to make the same bytes.
    private func forms(_ bytes: [UInt8]) -> [Bytes] {
        let around = [9, 9, 9] + bytes + [9]
        return [
            Bytes(bytes), bytes.withUnsafeBytes { Bytes($0) },
            Bytes(sharing: around, from: 3, count: bytes.count),
            Bytes(count: bytes.count) { $0.copyBytes(from: bytes) },
            Bytes(sharing: around, from: 3, count: bytes.count).copied(),
        ]
    }

    @Test func areTheSameHoweverTheyAreKept() {
        for bytes in samples() {
            for form in forms(bytes) {
                #expect(form.array == bytes && form.count == bytes.count)
                #expect(bytes.indices.allSatisfy { form[$0] == bytes[$0] })
                for other in forms(bytes) {
                    #expect(form == other && !(form < other))
                    #expect(form.hashValue == other.hashValue)
                }
            }
        }
    }

    @Test func areOrderedByteByByte() {
        for left in samples() {
            for right in samples() {
                let isBefore = left.lexicographicallyPrecedes(right)
                for (one, other) in zip(forms(left), forms(right).reversed()) {
                    #expect((one < other) == isBefore, "\(left) and \(right)")
                    #expect(one.prefix <= other.prefix || !isBefore)
                }
            }
        }
    }
}
