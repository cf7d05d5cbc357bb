/// Takes the name of a file apart, from its beginning, without making strings of its parts: folders
/// of thousands of files are listed for every batch.
struct FileNameReader {
    private var rest: Substring.UTF8View

    init(_ name: String) { rest = name.utf8[...] }

    /// A number as it is printed, without a sign and leading zeros; nil when there is none.
    mutating func number() -> Int? {
        var value = 0
        var digits = 0
        while let byte = rest.first, (0x30...0x39).contains(byte) {
            guard digits == 0 || value > 0 else { return nil }
            let (tens, isTooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, isStillTooLarge) = tens.addingReportingOverflow(Int(byte) - 0x30)
            if isTooLarge || isStillTooLarge { return nil }
            value = sum
            digits += 1
            rest.removeFirst()
        }
        return digits > 0 ? value : nil
    }

    /// Whether that comes next; then it's passed.
    mutating func skip(_ separator: Unicode.Scalar) -> Bool {
        guard let byte = rest.first, UInt32(byte) == separator.value else { return false }
        rest.removeFirst()
        return true
    }

    /// Whether this is all that is left.
    func ends(with word: StaticString) -> Bool {
        guard rest.count == word.utf8CodeUnitCount else { return false }
        return word.withUTF8Buffer { rest.elementsEqual($0) }
    }
}
