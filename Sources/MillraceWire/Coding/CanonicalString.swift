@_spi(_Unicode) import Swift

/// The string whose UTF-8 is the same for all strings that are `==` to it.
///
/// Swift's equality of strings is canonical equivalence ("é" is "e" + U+0301), so hashing must look
/// at the scalars in normalisation form C. ASCII, by far the usual case, is its own form. Unicode
/// guarantees that the form of assigned characters never changes between versions.
func canonicalString(_ string: String) -> String {
    if string.utf8.allSatisfy({ $0 < 0x80 }) { return string }
    var scalars = String.UnicodeScalarView()
    for scalar in string._nfc { scalars.append(scalar) }
    return String(scalars)
}
