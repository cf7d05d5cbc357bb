/// What an accumulator gathers: values added one by one in tasks, gathered task by task, merged at
/// the driver. Spark's AccumulatorV2.
///
///     struct Extremes: AccumulatorV2 {
///         var low: Int?, high: Int?
///         var isZero: Bool { low == nil }
///         mutating func reset() { (low, high) = (nil, nil) }
///         mutating func add(_ number: Int) {
///             low = min(low ?? number, number)
///             high = max(high ?? number, number)
///         }
///         mutating func merge(_ other: Extremes) {
///             for number in [other.low, other.high] { number.map { add($0) } }
///         }
///         var value: (low: Int, high: Int)? { low.map { ($0, high!) } }
///     }
///     let extremes = context.register(Extremes(), name: "extremes")
///
/// `merge` of the parts of a dataset must give what adding all its values gives; the parts come in
/// the order of the partitions. It travels as its Codable form.
public protocol AccumulatorV2: Codable, Sendable {
    associatedtype Input
    associatedtype Value

    /// Whether it's as it was after `reset`.
    var isZero: Bool { get }
    /// One that doesn't change with this one. A struct needs none of its own.
    func copy() -> Self
    /// Back to nothing added; `isZero` is true then.
    mutating func reset()
    /// Called for each row: on one thread, without waiting.
    mutating func add(_ input: Input)
    mutating func merge(_ other: Self)
    var value: Value { get }
}

extension AccumulatorV2 {
    /// What a value type means by it. A class has to write its own: `register` refuses one that
    /// gives itself.
    public func copy() -> Self { self }
}

/// The sum and the number of integers. Overflow wraps around, as Spark's.
public struct LongSum: AccumulatorV2, Hashable {
    public var sum: Int64 = 0
    public var count: Int64 = 0

    @inlinable public init() {}
    public var isZero: Bool { count == 0 && sum == 0 }
    public mutating func reset() { self = LongSum() }
    @inlinable public mutating func add(_ number: Int64) {
        sum &+= number
        count &+= 1
    }
    public mutating func merge(_ other: LongSum) {
        sum &+= other.sum
        count &+= other.count
    }
    public var value: Int64 { sum }
}

/// The sum and the number of floating-point numbers. The parts are summed up in the order of the
/// partitions, so that the same job gives the same last digit.
public struct DoubleSum: AccumulatorV2, Hashable {
    public var sum = 0.0
    public var count: Int64 = 0

    @inlinable public init() {}
    public var isZero: Bool { count == 0 && sum == 0 }
    public mutating func reset() { self = DoubleSum() }
    @inlinable public mutating func add(_ number: Double) {
        sum += number
        count &+= 1
    }
    public mutating func merge(_ other: DoubleSum) {
        sum += other.sum
        count &+= other.count
    }
    public var value: Double { sum }
}

/// All values that were added, in the order of the partitions. They all come to the driver.
public struct CollectedValues<Element: Codable & Sendable>: AccumulatorV2 {
    public var values: [Element] = []

    @inlinable public init() {}
    public var isZero: Bool { values.isEmpty }
    public mutating func reset() { values = [] }
    @inlinable public mutating func add(_ value: Element) { values.append(value) }
    public mutating func merge(_ other: CollectedValues) { values += other.values }
    public var value: [Element] { values }
}
