import MillraceBase

/// One row of a simulated dataset.
struct Row: Hashable {
    var key: Int64
    var value: Int64
}

/// What the tasks of one stage compute: a small machine on stacks of rows, so that a result can be
/// compared with what one thread computes.
///
/// Travels as the bytes of a plan. Rows that come out of a shuffle are summed by key and sorted, so
/// a partition's content doesn't depend on who computed its parts in which order.
struct Program: Equatable {
    enum Instruction: Equatable {
        /// Pushes the partition's rows of a generated source.
        case source(seed: UInt64, rows: Int)
        /// Pushes this partition's rows of the stage's shuffle input of that number.
        case read(input: Int)
        /// The same of an input whose rows were dealt out by chance: not summed, for only all
        /// partitions together are known.
        case gather(input: Int)
        /// Pushes the rows of a stream whose offsets are the task's input.
        case stream(seed: UInt64)
        /// Joins the two topmost row sets.
        case union
        case map(add: Int64)
        /// Drops the rows whose key and value together are a multiple.
        case filter(multiple: Int64)
        case sumByKey
    }

    enum Output: CaseIterable {
        /// Blocks for the stage's reducers, by key.
        case shuffle
        /// Blocks for the stage's reducers, dealt out anew by each attempt: an indeterminate stage.
        case scatter
        /// The rows themselves.
        case collect
        /// Rows merged into this partition's state; the rows that changed go to the sink.
        case state
        /// Rows to a file that may be committed once for each partition; the result is their
        /// number.
        case commit
    }

    /// Keys are numbers below this.
    static let keys = 12

    var instructions: [Instruction]
    var output: Output
    /// Counts the rows and their values.
    var accumulator: AccumulatorID?

    // MARK: Running

    static func source(_ seed: UInt64, rows: Int, partition: Int) -> [Row] {
        var random = SplitMix64(seed: seed, stream: UInt64(partition))
        let count = rows == 0 ? 0 : random.below(rows + 1)
        return (0..<count).map { _ in
            Row(key: Int64(random.below(keys)), value: Int64(random.below(1_000)))
        }
    }

    /// The rows of a stream at these offsets.
    static func stream(_ seed: UInt64, _ offsets: Range<Int>) -> [Row] {
        offsets.map { offset in
            var random = SplitMix64(seed: seed, stream: UInt64(offset))
            return Row(key: Int64(random.below(keys)), value: Int64(random.below(1_000)))
        }
    }

    /// The stage's rows of one partition. `read` gives a shuffle input's rows.
    func rows<Failure: Error>(
        partition: Int, input: [UInt8], read: (Int) throws(Failure) -> [Row]
    ) throws(Failure) -> [Row] {
        var stack: [[Row]] = []
        for instruction in instructions {
            switch instruction {
            case .source(let seed, let rows):
                stack.append(Program.source(seed, rows: rows, partition: partition))
            case .stream(let seed):
                let range = StreamRange(decoding: input)
                stack.append(Program.stream(seed, range.from..<range.to))
            case .read(let input): stack.append(Program.summed(try read(input)))
            case .gather(let input): stack.append(try read(input))
            case .union:
                let top = stack.removeLast()
                stack[stack.count - 1] += top
            default: Program.apply(instruction, to: &stack[stack.count - 1])
            }
        }
        return stack[0]
    }

    /// One step without children.
    static func apply(_ instruction: Instruction, to rows: inout [Row]) {
        switch instruction {
        case .map(let add):
            for index in rows.indices {
                rows[index] = Row(
                    key: (rows[index].key + add) % Int64(keys), value: rows[index].value + add)
            }
        case .filter(let multiple):
            rows.removeAll { ($0.key + $0.value) % multiple == 0 }
        case .sumByKey: rows = summed(rows)
        case .source, .stream, .read, .gather, .union:
            preconditionFailure("not a step on one row set")
        }
    }

    static func summed(_ rows: [Row]) -> [Row] {
        var sums: [Row] = []
        for row in rows.sorted(by: { ($0.key, $0.value) < ($1.key, $1.value) }) {
            if let last = sums.last, last.key == row.key {
                sums[sums.count - 1].value += row.value
            } else {
                sums.append(row)
            }
        }
        return sums
    }

    /// The rows cut for the reducers of a shuffle.
    static func blocks(_ rows: [Row], reducers: Int) -> [[Row]] {
        var blocks = [[Row]](repeating: [], count: reducers)
        for row in rows { blocks[Int(row.key) * reducers / keys].append(row) }
        return blocks
    }

    /// The rows dealt out to the reducers, by every attempt in its own way.
    static func scattered(_ rows: [Row], reducers: Int, by task: TaskID) -> [[Row]] {
        var random = SplitMix64(seed: UInt64(task.rawValue))
        var blocks = [[Row]](repeating: [], count: reducers)
        for row in rows { blocks[random.below(reducers)].append(row) }
        return blocks
    }

    // MARK: Bytes

    static func decode(_ bytes: [UInt8]) -> [Row] {
        var reader = ByteReader(bytes)
        var rows: [Row] = []
        while let key = try? reader.readSigned(), let value = try? reader.readSigned() {
            rows.append(Row(key: key, value: value))
        }
        return rows
    }

    static func encode(_ rows: [Row]) -> [UInt8] {
        var writer = ByteWriter(capacity: rows.count * 6)
        for row in rows {
            writer.writeSigned(row.key)
            writer.writeSigned(row.value)
        }
        return writer.bytes
    }

    func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: 32)
        writer.writeByte(UInt8(Output.allCases.firstIndex(of: output)!))
        writer.writeCount(accumulator.map { $0.rawValue + 1 } ?? 0)
        for instruction in instructions {
            switch instruction {
            case .source(let seed, let rows):
                writer.writeByte(0)
                writer.writeFixed(seed)
                writer.writeCount(rows)
            case .read(let input):
                writer.writeByte(1)
                writer.writeCount(input)
            case .union: writer.writeByte(2)
            case .map(let add):
                writer.writeByte(3)
                writer.writeSigned(add)
            case .filter(let multiple):
                writer.writeByte(4)
                writer.writeSigned(multiple)
            case .sumByKey: writer.writeByte(5)
            case .stream(let seed):
                writer.writeByte(6)
                writer.writeFixed(seed)
            case .gather(let input):
                writer.writeByte(7)
                writer.writeCount(input)
            }
        }
        return writer.bytes
    }

    init(instructions: [Instruction], output: Output, accumulator: AccumulatorID? = nil) {
        self.instructions = instructions
        self.output = output
        self.accumulator = accumulator
    }

    init(decoding bytes: [UInt8]) throws(ByteError) {
        var reader = ByteReader(bytes)
        let code = Int(try reader.readByte())
        guard code < Output.allCases.count else { throw reader.failure("no output of a program") }
        output = Output.allCases[code]
        let number = try reader.readCount(minimumSize: 0)
        accumulator = number == 0 ? nil : AccumulatorID(number - 1)
        instructions = []
        while !reader.isAtEnd {
            switch try reader.readByte() {
            case 0:
                instructions.append(
                    .source(
                        seed: try reader.readFixed(), rows: try reader.readCount(minimumSize: 0)))
            case 1: instructions.append(.read(input: try reader.readCount(minimumSize: 0)))
            case 2: instructions.append(.union)
            case 3: instructions.append(.map(add: try reader.readSigned()))
            case 4: instructions.append(.filter(multiple: try reader.readSigned()))
            case 5: instructions.append(.sumByKey)
            case 6: instructions.append(.stream(seed: try reader.readFixed()))
            default:
                instructions.append(.gather(input: try reader.readCount(minimumSize: 0)))
            }
        }
    }
}
