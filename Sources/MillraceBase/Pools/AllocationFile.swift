/// Reads the pools of a `fairscheduler.xml`, the format of Spark's allocation files:
///
///     <allocations>
///       <pool name="queries">
///         <schedulingMode>FAIR</schedulingMode> <weight>2</weight> <minShare>4</minShare>
///       </pool>
///     </allocations>
///
/// What a pool doesn't say has its default. Where Spark warns and goes on with a default (a mode
/// or a number that is none) this is an error, said with its line.
public enum AllocationFile {
    /// `path` is for messages.
    public static func parse(
        _ bytes: [UInt8], path: String
    ) throws(MillraceError) -> [PoolSettings] {
        var parser = Parser(bytes)
        do throws(ElementReader.Problem) {
            return try parser.pools()
        } catch {
            throw MillraceError(.invalidArgument, "\(path):\(error.line): \(error.reason)")
        }
    }
}

private struct Parser {
    private var reader: ElementReader
    private var result: [PoolSettings] = []

    init(_ bytes: [UInt8]) { reader = ElementReader(bytes) }

    mutating func pools() throws(ElementReader.Problem) -> [PoolSettings] {
        guard case .open("allocations", _, let isEmpty) = try reader.next() else {
            throw problem("must begin with <allocations>")
        }
        if !isEmpty {
            while try !isClosed("allocations") {}
        }
        if try reader.next() != nil { throw problem("</allocations> must be the end") }
        return result
    }

    /// One child of `allocations`, or its end.
    private mutating func isClosed(_ name: String) throws(ElementReader.Problem) -> Bool {
        switch try reader.next() {
        case .close(name): return true
        case .open("pool", let attributes, let isEmpty):
            guard let given = attributes.first(where: { $0.name == "name" })?.value, !given.isEmpty
            else { throw problem("a pool needs a name: <pool name=\"…\">") }
            var pool = PoolSettings(name: given)
            if !isEmpty { while try readProperty(of: &pool) {} }
            guard !result.contains(where: { $0.name == given }) else {
                throw problem("the pool \(given) stands twice")
            }
            result.append(pool)
            return false
        case .open(let other, _, _): throw problem("<\(other)> is not known; write <pool>")
        case .close(let other): throw problem("</\(other)> closes nothing")
        case .text(let text): throw problem("“\(text)” stands outside an element")
        case nil: throw problem("</\(name)> is missing")
        }
    }

    /// `false` at the pool's end.
    private mutating func readProperty(
        of pool: inout PoolSettings
    ) throws(ElementReader.Problem) -> Bool {
        let token = try reader.next()
        if case .close("pool") = token { return false }
        guard case .open(let name, _, let isEmpty) = token else {
            throw problem("the pool \(pool.name) has no end; write </pool>")
        }
        guard ["schedulingMode", "weight", "minShare"].contains(name) else {
            throw problem("<\(name)> is not known; write schedulingMode, weight or minShare")
        }
        guard !isEmpty, case .text(let value) = try reader.next() else {
            throw problem("<\(name)> of pool \(pool.name) has no value")
        }
        switch name {
        case "schedulingMode":
            guard let mode = SchedulingMode(conf: value) else {
                throw wrong(name, of: pool, value, "is not \(SchedulingMode.confKind)")
            }
            pool.schedulingMode = mode
        case "weight": pool.weight = try number(value, name, of: pool, atLeast: 1)
        default: pool.minShare = try number(value, name, of: pool, atLeast: 0)
        }
        guard case .close(name) = try reader.next() else { throw problem("</\(name)> is missing") }
        return true
    }

    private func number(
        _ text: String, _ name: String, of pool: PoolSettings, atLeast low: Int
    ) throws(ElementReader.Problem) -> Int {
        guard let value = Int(conf: text), value >= low, value <= Int(Int32.max) else {
            throw wrong(name, of: pool, text, "is not an integer of at least \(low)")
        }
        return value
    }

    private func wrong(
        _ name: String, of pool: PoolSettings, _ value: String, _ reason: String
    ) -> ElementReader.Problem {
        problem("<\(name)> of pool \(pool.name) is \(value), which \(reason)")
    }

    private func problem(_ reason: String) -> ElementReader.Problem {
        ElementReader.Problem(line: reader.line, reason: reason)
    }
}
