import CLinux
import MillraceBase
import MillraceCore
import MillraceWire

/// A variable that tasks add to and the program reads: `context.longAccumulator("bad rows")`.
///
/// Captured by a closure it travels as its id and its zero value. In a task `add` goes to the
/// task's own part, without a lock; the part comes to the driver with the task's end. Each
/// partition of each stage counts once, whatever is retried, in map stages too (note 0012). On the
/// driver `add` counts at once, and `value` is the whole.
public final class Accumulator<Body: AccumulatorV2>: Codable, Sendable {
    public let id: AccumulatorID
    /// Whether what failed and killed attempts have added counts too.
    public let countsFailedValues: Bool
    @usableFromInline let key: Int64
    /// What a task begins with.
    let zero: Body
    /// On the driver only.
    let whole: DriverAccumulator<Body>?

    init(_ whole: DriverAccumulator<Body>, zero: Body, countsFailedValues: Bool) {
        id = whole.id
        key = Int64(id.rawValue)
        self.zero = zero
        self.countsFailedValues = countsFailedValues
        self.whole = whole
    }

    /// As a task finds it.
    public init(from decoder: any Decoder) throws {
        var container = try decoder.unkeyedContainer()
        id = try container.decode(AccumulatorID.self)
        countsFailedValues = try container.decode(Bool.self)
        zero = try container.decode(Body.self)
        key = Int64(id.rawValue)
        whole = nil
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.unkeyedContainer()
        try container.encode(id)
        try container.encode(countsFailedValues)
        try container.encode(zero)
    }

    /// Adds a value: in a task to its part, elsewhere in the driver's process to the whole. In a
    /// task, only on the thread that the task runs on.
    @inlinable @inline(__always) public func add(_ input: Body.Input) {
        let task = clinux_this_task()
        var place = key & task.pointee.mask
        while task.pointee.accumulators[Int(place)].id != key {
            if task.pointee.accumulators[Int(place)].id < 0 { return addFirst(input) }
            place = (place + 1) & task.pointee.mask
        }
        task.pointee.accumulators[Int(place)].body!.assumingMemoryBound(to: Body.self)
            .pointee.add(input)
    }

    @usableFromInline @inline(never) func addFirst(_ input: Body.Input) {
        if let task = TaskContext.current {
            let body = task.accumulators.begin(self)
            body.assumingMemoryBound(to: Body.self).pointee.add(input)
        } else if let whole {
            whole.add(input)
        } else {
            Log.error(
                "executor", "added to an accumulator on a thread of the program's own; not counted",
                ["accumulator": id.rawValue])
        }
    }

    /// What was added so far: by accepted tasks, and on the driver. On the driver only.
    public var value: Body.Value { body().value }

    /// `value`, and what running tasks have added so far, as they tell with each heartbeat
    /// (`millrace.executor.heartbeatInterval`).
    public var partialValue: Body.Value { body(withPartials: true).value }

    /// Whether nothing was added.
    public var isZero: Bool { body().isZero }

    /// Begins again from nothing. What was counted before doesn't count again when it's computed
    /// again.
    public func reset() { onDriver.reset() }

    /// As the UI shows it.
    public var name: String? { whole?.name }

    func body(withPartials: Bool = false) -> Body { onDriver.body(withPartials: withPartials) }

    private var onDriver: DriverAccumulator<Body> {
        guard let whole else {
            preconditionFailure("an accumulator can be read on the driver only, not in a task")
        }
        return whole
    }
}

extension Accumulator: CustomStringConvertible {
    public var description: String {
        let name = name.map { " (\($0))" } ?? ""
        return whole == nil ? "\(id)" : "\(id)\(name): \(value)"
    }
}

/// Sums integers: `add`, `sum`, `count`, `avg`. Spark's LongAccumulator.
public typealias LongAccumulator = Accumulator<LongSum>
/// Sums floating-point numbers. Spark's DoubleAccumulator.
public typealias DoubleAccumulator = Accumulator<DoubleSum>
/// Gathers values. Spark's CollectionAccumulator.
public typealias CollectionAccumulator<Element: Codable & Sendable> =
    Accumulator<CollectedValues<Element>>

extension Accumulator where Body == LongSum {
    @inlinable @inline(__always) public func add(_ number: Int) { add(Int64(number)) }
    public var sum: Int64 { body().sum }
    /// Numbers added.
    public var count: Int64 { body().count }
    /// NaN when none was added.
    public var avg: Double {
        let body = body()
        return Double(body.sum) / Double(body.count)
    }
}

extension Accumulator where Body == DoubleSum {
    public var sum: Double { body().sum }
    /// Numbers added.
    public var count: Int64 { body().count }
    /// NaN when none was added.
    public var avg: Double {
        let body = body()
        return body.sum / Double(body.count)
    }
}

// MARK: Without its type

/// What a task does with an accumulator whose type it doesn't know.
protocol AnyAccumulator: AnyObject, Sendable {
    var id: AccumulatorID { get }
    var countsFailedValues: Bool { get }
    func makeBody() -> UnsafeMutableRawPointer
    func destroy(_ body: UnsafeMutableRawPointer)
    func isZero(_ body: UnsafeRawPointer) -> Bool
    /// Throws what encoding throws.
    func update(_ body: UnsafeRawPointer) throws -> AccumulatorUpdate
}

extension Accumulator: AnyAccumulator {
    func makeBody() -> UnsafeMutableRawPointer {
        let body = UnsafeMutablePointer<Body>.allocate(capacity: 1)
        body.initialize(to: zero.copy())
        return UnsafeMutableRawPointer(body)
    }

    func destroy(_ body: UnsafeMutableRawPointer) {
        let body = body.assumingMemoryBound(to: Body.self)
        body.deinitialize(count: 1)
        body.deallocate()
    }

    func isZero(_ body: UnsafeRawPointer) -> Bool {
        body.assumingMemoryBound(to: Body.self).pointee.isZero
    }

    func update(_ body: UnsafeRawPointer) throws -> AccumulatorUpdate {
        AccumulatorUpdate(
            id: id,
            value: try AccumulatorValue(encoding: body.assumingMemoryBound(to: Body.self).pointee))
    }
}

extension AccumulatorValue {
    init<Body: AccumulatorV2>(encoding body: Body) throws {
        switch body {
        case let body as LongSum: self = .long(sum: body.sum, count: body.count)
        case let body as DoubleSum: self = .double(sum: body.sum, count: body.count)
        default: self = .bytes(try BinaryEncoder().encode(body))
        }
    }

    /// Throws what decoding throws; for a number of another kind too.
    func decode<Body: AccumulatorV2>(_: Body.Type) throws -> Body {
        switch self {
        case .bytes(let bytes): return try BinaryDecoder().decode(Body.self, from: bytes)
        case .long(let sum, let count):
            var body = LongSum()
            (body.sum, body.count) = (sum, count)
            if let body = body as? Body { return body }
        case .double(let sum, let count):
            var body = DoubleSum()
            (body.sum, body.count) = (sum, count)
            if let body = body as? Body { return body }
        }
        throw PlanError("a number was added to an accumulator of \(Body.self)")
    }
}
