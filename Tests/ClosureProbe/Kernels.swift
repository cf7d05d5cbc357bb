import ClosureShapes

/// Kernels that another module's generic methods make around closures.
extension Shapes {
    @inline(never)
    mutating func addKernels(_ number: Int, _ text: String) {
        let numbers = Dataset(Int.self)
        let lines = Dataset(String.self)
        let pairs = Dataset((String, Int).self)
        let points = Dataset(Point.self)
        let (ints, words, rows) = ([1, 2, 3], ["a b", text], [("a", 1), ("b", 2), ("a", number)])
        add("kernel map", numbers.map { $0 * number }, ints)
        add("kernel map without capture", numbers.map { $0 * 2 }, ints)
        add("kernel map to String", numbers.map { "\($0) \(text)" }, ints)
        add("kernel map to tuple", lines.map { ($0, number) }, words)
        add("kernel map of a named function", numbers.map(twice), ints)
        add("kernel map of an array capture", numbers.map { [ints] in ints[$0 - 1] }, ints)
        add("kernel map to struct", numbers.map { Point(x: $0, name: text) }, ints)
        add("kernel filter", numbers.filter { $0 > 1 && $0 < number }, ints)
        add("kernel flatMap", lines.flatMap { $0.split(separator: " ").map(String.init) }, words)
        add("kernel flatMap lazy", lines.flatMap { $0.utf8 }, words)
        add("kernel reduceByKey", pairs.reduceByKey { $0 + $1 + number }, rows)
        add("kernel reduceByKey operator", pairs.reduceByKey(+), rows)
        add("kernel keyed by key path", points.keyed(by: \.name), [Point(x: number, name: text)])
        add(
            "kernel keyed by tuple", points.keyed { ($0.name, $0.x + number) },
            [Point(x: number, name: text)])
        add("kernel fold", numbers.fold(from: number) { $0 + $1 }, ints)
        add("kernel fold array", numbers.fold(from: [number]) { $0 + [$1] }, ints)
        add(
            "kernel fold dictionary", numbers.fold(from: [text: number]) { [text: $0[text]! + $1] },
            ints)
        addOpaqueKernels(number, text)
        addGenericKernels("Int", [1, 2], number)
        addGenericKernels("tuple", [("a", [1]), (text, [number])], text)
        addGenericKernels("Point", [Point(x: 1, name: text)], [number])
        let join = Source(["a", text]).joined([number, 1]) { $0.count == $1 }
        add("generic class method", join) { "\($0("a"))" }
    }

    private mutating func addOpaqueKernels(_ number: Int, _ text: String) {
        let numbers = Dataset(Int.self)
        let lines = Dataset(String.self)
        let pairs = Dataset((String, Int).self)
        add("generic kernel map", numbers.opaqueMap { $0 * number }, [1, 2])
        add("generic kernel map to tuple", lines.opaqueMap { ($0, (number, [text])) }, ["a", "b"])
        add(
            "generic kernel map over closures", numbers.opaqueMap { [f = twice] in f($0) + number },
            [1, 2])
        add(
            "generic kernel flatMap", lines.opaqueFlatMap { $0.split(separator: " ") },
            ["a b", text])
        add(
            "generic kernel reduceByKey", pairs.opaqueReduceByKey { $0 + $1 + number },
            [("a", 1), ("a", 2)])
        add(
            "generic kernel reduceByKey operator", pairs.opaqueReduceByKey(+),
            [("a", 1), ("a", number)])
        let arrays = Dataset(([Int], [String: Int]?).self)
        add(
            "generic kernel over collections", arrays.opaqueMap { ($0.0.count + number, $0.1) },
            [([1], ["a": 1]), ([], nil)])
    }

    /// Kernels of a caller that is generic itself.
    @inline(never)
    private mutating func addGenericKernels<Row: Sendable, Extra: Codable & Sendable>(
        _ name: String, _ rows: [Row], _ extra: Extra
    ) {
        let dataset = Dataset(Row.self)
        let show: @Sendable (Row) -> String = { "\($0) \(extra)" }
        add("kernel in a generic function: \(name)", dataset.map(show), rows)
        add("kernel to tuple in a generic function: \(name)", dataset.map { (show($0), $0) }, rows)
        add(
            "generic kernel in a generic function: \(name)", dataset.opaqueMap { ($0, extra) }, rows
        )
        add("kernel keyed in a generic function: \(name)", dataset.keyed { _ in extra }, rows)
        add(
            "kernel fold in a generic function: \(name)",
            dataset.fold(from: extra) { old, _ in old }, rows)
    }
}
