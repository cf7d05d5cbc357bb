import MillraceBase
import Testing

@Suite struct InlineStringTests {
    @Test func theStandardLibraryKeepsShortStringsAsWeThink() { #expect(InlineString.isKnown) }

    @Test func stringsComeBackAsTheyWere() {
        let text = "abcdefghijklmnopqrst"
        for count in 0...20 {
            let string = String(text.prefix(count))
            let inline = InlineString(string)
            #expect(inline?.string ?? "none" == (count <= 15 ? string : "none"))
            #expect(inline.map(\.count) ?? count == count)
        }
        #expect(InlineString("naïve") == nil)
    }
}
