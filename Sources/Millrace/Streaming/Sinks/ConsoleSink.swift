import Glibc
import MillraceBase

/// Batches as tables on the standard output. Spark's console sink, look and all.
struct ConsoleTable {
    /// Rows shown at most.
    var rows = 20
    /// Characters of a cell shown at most; 0 shows all, and cells stand left then.
    var width = 20

    func text(batch: BatchID, _ rows: [Any], empty columns: [String]) -> String {
        let rule = String(repeating: "-", count: 43)
        return "\(rule)\nBatch: \(batch.rawValue)\n\(rule)\n\(table(rows, empty: columns))\n"
    }

    private func table(_ all: [Any], empty columns: [String]) -> String {
        let shown = all.prefix(rows).map { RowFields.columns($0) }
        let header = shown.first.map { $0.map(\.name) } ?? columns
        var cells = [header]
        for row in shown { cells.append(row.map { cut(RowFields.text($0.value)) }) }
        var widths = header.map { _ in 3 }
        for row in cells {
            for (column, cell) in row.enumerated() where column < widths.count {
                widths[column] = max(widths[column], cell.count)
            }
        }
        let rule = "+" + widths.map { String(repeating: "-", count: $0) + "+" }.joined() + "\n"
        var text = rule
        for (index, row) in cells.enumerated() {
            text += "|"
            for (column, cell) in row.enumerated() where column < widths.count {
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                text += (width > 0 ? padding + cell : cell + padding) + "|"
            }
            text += "\n"
            if index == 0 { text += rule }
        }
        text += rule
        if all.count > rows { text += "only showing top \(rows) row\(rows == 1 ? "" : "s")\n" }
        return text
    }

    private func cut(_ cell: String) -> String {
        let line = cell.replacing("\n", with: "\\n").replacing("\t", with: "\\t")
        guard width > 0, line.count > width else { return line }
        return width < 4 ? String(line.prefix(width)) : line.prefix(width - 3) + "..."
    }
}

extension StreamSink {
    /// `truncate` is `true` (20 characters), `false`, or a number of characters.
    static func console<Element>(
        _: Element.Type, rows: Int, truncate: String
    ) throws -> StreamSink {
        let width: Int
        switch truncate.lowercased() {
        case "true": width = 20
        case "false": width = 0
        default:
            guard let number = Int(truncate), number >= 0 else {
                throw MillraceError(
                    .invalidArgument,
                    "the option truncate is \"\(truncate)\"; expected is true, false or a number")
            }
            width = number
        }
        let table = ConsoleTable(rows: rows, width: width)
        return collecting("ConsoleTable") { _ in
            { (batch: BatchID, rows: [Element]) in
                StandardOutput.write(table.text(batch: batch, rows, empty: ["value"]))
            }
        }
    }
}

/// The process's standard output, past Swift's buffer.
enum StandardOutput {
    static func write(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = Glibc.write(
                    1, UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: rest)).baseAddress,
                    rest.count)
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { return }
                rest = rest.dropFirst(count)
            }
        }
    }
}
