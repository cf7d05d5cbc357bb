import Glibc
import MillraceBase
import MillraceWire

/// Two processes of this program exchange closures: `send` writes them to standard output, one
/// "name<tab>hex" a line; `receive` rebuilds those of standard input, runs them beside its own and
/// prints a line for each. The tests run it as it is built for them; for an optimised build:
///
///     swift build -c release --product ClosureProbe
///     .build/release/ClosureProbe send | .build/release/ClosureProbe receive
///
/// `refuse` asserts that what cannot travel is refused by name, `speed` measures the row codec.
@main struct ClosureProbe {
    static func main() throws {
        let mode = CommandLine.arguments.dropFirst().first ?? ""
        let number = 42 + (CommandLine.arguments.count > 9 ? 1 : 0)
        let text = "a string long enough to live on the heap" + (number > 100 ? "!" : "")
        var shapes = Shapes()
        shapes.addCaptures(number, text)
        shapes.addObjects(number, text)
        shapes.addFunctions(number, text)
        shapes.addGeneric("Int", number)
        shapes.addGeneric("String", text)
        shapes.addGeneric("[Int]", [number])
        shapes.addGeneric("generic struct", Pair(first: number, second: text))
        shapes.addPrivate(number)
        shapes.addKernels(number, text)
        switch mode {
        case "send": send(shapes)
        case "receive": receive(shapes)
        case "refuse": refuse(number, text)
        case "speed": try RowSpeed.run()
        default:
            print("ClosureProbe send | receive | refuse | speed")
            exit(2)
        }
    }

    static func send(_ shapes: Shapes) {
        for shape in shapes.list {
            do {
                let digits = try shape.encode().map { byte in
                    (byte < 16 ? "0" : "") + String(byte, radix: 16)
                }
                print("\(shape.name)\t\(digits.joined())")
            } catch {
                print("\(shape.name)\trefused: \(error)")
            }
        }
    }

    static func receive(_ shapes: Shapes) {
        var failures = 0
        for shape in shapes.list {
            let line = readLine() ?? ""
            let verdict = judge(shape, line)
            if verdict != "ok" { failures += 1 }
            print("\(verdict)\t\(shape.name)")
        }
        print("\(shapes.list.count - failures) of \(shapes.list.count)")
        exit(failures == 0 ? 0 : 1)
    }

    static func judge(_ shape: Shape, _ line: String) -> String {
        let digits = Array(line.utf8.drop { $0 != 9 }.dropFirst())
        let bytes = stride(from: 0, to: digits.count - 1, by: 2).compactMap {
            UInt8(String(decoding: digits[$0...$0 + 1], as: UTF8.self), radix: 16)
        }
        guard line.hasPrefix(shape.name + "\t"), bytes.count * 2 == digits.count else {
            return "NOT SENT (\(line))"
        }
        do {
            let expected = try shape.expected()
            for _ in 0..<20 {
                let found = try shape.run(bytes)
                guard found == expected else { return "WRONG: \(found), not \(expected)" }
            }
            return try shape.encode() == bytes ? "ok" : "OTHER BYTES than the sender's"
        } catch {
            return "FAILED: \(error)"
        }
    }

    static func refuse(_ number: Int, _ text: String) {
        var failures = 0
        for refusal in refusals(number, text) {
            do {
                _ = try refusal.shape.encode()
                print("NOT REFUSED\t\(refusal.shape.name)")
                failures += 1
            } catch {
                let message = "\(error)"
                let isNamed = refusal.words.allSatisfy { message.contains($0) }
                if !isNamed { failures += 1 }
                print("\(isNamed ? "ok" : "UNNAMED")\t\(refusal.shape.name): \(message)")
            }
        }
        exit(failures == 0 ? 0 : 1)
    }
}
