import MillraceBase
import MillraceCore

extension AccumulatorTable {
    init(registered: Range<Int>) {
        self.init()
        for id in registered { register(AccumulatorID(id)) }
    }

    /// What each accumulator of a script is, with what runs in brackets.
    var lines: [String] {
        (0..<4).compactMap { number in
            let id = AccumulatorID(number)
            let running = total(id, withPartials: true)
            guard let running else { return nil }
            let value = total(id)?.text ?? "0"
            let more = running.text == value ? "" : " (\(running.text) with what runs)"
            return "accumulator \(number) is \(value)\(more)"
        } + (liveOrigins == 0 ? [] : ["\(liveOrigins) origins can change"])
    }
}

extension Arguments {
    /// `acc=0:5,1:2`
    func updates() throws -> [AccumulatorUpdate] {
        try (self["acc"] ?? "").split(separator: ",").map { pair in
            let parts = try pair.split(separator: ":").map { try integer(of: String($0)) }
            return AccumulatorUpdate(
                id: AccumulatorID(parts[0]), value: .long(sum: Int64(parts[1]), count: 1))
        }
    }
}

extension [AccumulatorUpdate] {
    var text: String {
        isEmpty ? "nothing" : map { "\($0.id.rawValue)+=\($0.value.text)" }.joined(separator: " ")
    }
}

extension AccumulatorValue {
    var text: String {
        switch self {
        case .long(let sum, _): "\(sum)"
        case .double(let sum, _): "\(sum)"
        case .bytes(let bytes): "\(bytes)"
        }
    }
}
