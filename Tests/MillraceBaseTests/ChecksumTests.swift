import CMachine
import MillraceBase
import Testing

@Suite struct ChecksumTests {
    /// From RFC 3720, B.4.
    @Test func isThatOfTheStandard() {
        #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(CRC32C.checksum([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
        #expect(CRC32C.checksum(Array(0..<32)) == 0x46DD_794E)
        #expect(CRC32C.checksum(Array("123456789".utf8)) == 0xE306_9283)
    }

    @Test func isTheSameByInstructionAndByTables() {
        let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ $0 >> 3) }
        bytes.withUnsafeBytes { bytes in
            for start in 0..<20 {
                for count in [0, 1, 7, 8, 9, 63, 64, 100, 900] {
                    let base = bytes.baseAddress! + start
                    #expect(
                        cmachine_crc32c(17, base, count)
                            == cmachine_crc32c_by_tables(17, base, count))
                }
            }
        }
    }
}
