import MillraceExecutor

extension MillraceContext {
    /// A sum of integers that tasks add to: `add`, `value`, `count`, `avg`. Spark's
    /// `longAccumulator`.
    ///
    ///     let bad = context.longAccumulator("bad rows")
    ///     let rows = lines.flatMap { line in
    ///         guard let row = Row(line) else {
    ///             bad.add(1)
    ///             return []
    ///         }
    ///         return [row]
    ///     }
    ///     try await rows.saveAsTextFile("out")
    ///     print(bad.value)
    ///
    /// One with a name is listed in `accumulators`. With `countFailedValues`, what failed and
    /// killed attempts have added counts too, each attempt for itself.
    public func longAccumulator(
        _ name: String? = nil, countFailedValues: Bool = false
    ) -> LongAccumulator {
        register(LongSum(), name: name, countFailedValues: countFailedValues)
    }

    /// A sum of floating-point numbers. Spark's `doubleAccumulator`.
    public func doubleAccumulator(
        _ name: String? = nil, countFailedValues: Bool = false
    ) -> DoubleAccumulator {
        register(DoubleSum(), name: name, countFailedValues: countFailedValues)
    }

    /// A list of values, which all come to the driver. Spark's `collectionAccumulator`.
    public func collectionAccumulator<Element: Codable & Sendable>(
        _ name: String? = nil, of: Element.Type = Element.self, countFailedValues: Bool = false
    ) -> CollectionAccumulator<Element> {
        register(CollectedValues(), name: name, countFailedValues: countFailedValues)
    }

    /// An accumulator of the program's own, which begins with `body`. Spark's `register`.
    public func register<Body: AccumulatorV2>(
        _ body: Body, name: String? = nil, countFailedValues: Bool = false
    ) -> Accumulator<Body> {
        runner.accumulators.register(body, name: name, countsFailedValues: countFailedValues)
    }

    /// The named accumulators with their values and what each stage has added, in the order in
    /// which they were made.
    public var accumulators: [AccumulatorInfo] { runner.accumulators.infos }
}
