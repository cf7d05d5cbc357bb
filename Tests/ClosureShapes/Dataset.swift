import MillraceWire

/// A stand-in for the public API, in a module of its own: generic `@inlinable` methods that make
/// kernels around a user's closures, so that tests see what the compiler makes of them across
/// modules, specialised and not.
public struct Dataset<Element>: Sendable {
    public typealias Kernel<Output> = @Sendable (inout [Element], inout [Output]) throws -> Void

    @inlinable public init(_: Element.Type) {}

    @inlinable public func map<Output>(
        _ transform: @escaping @Sendable (Element) throws -> Output
    ) -> Shipped<Kernel<Output>> {
        Shipped { input, output in
            for element in input { output.append(try transform(element)) }
        }
    }

    /// Cannot be specialised: what the same method is when the caller is a debug build or a generic
    /// function.
    @inline(never) @_optimize(none)
    public func opaqueMap<Output>(
        _ transform: @escaping @Sendable (Element) throws -> Output
    ) -> Shipped<Kernel<Output>> {
        Shipped { input, output in
            for element in input { output.append(try transform(element)) }
        }
    }

    @inlinable public func filter(
        _ isIncluded: @escaping @Sendable (Element) throws -> Bool
    ) -> Shipped<Kernel<Element>> {
        Shipped { input, output in
            for element in input where try isIncluded(element) { output.append(element) }
        }
    }

    @inlinable public func flatMap<Part: Sequence & SendableMetatype>(
        _ transform: @escaping @Sendable (Element) throws -> Part
    ) -> Shipped<Kernel<Part.Element>> {
        Shipped { input, output in
            for element in input { output.append(contentsOf: try transform(element)) }
        }
    }

    @inline(never) @_optimize(none)
    public func opaqueFlatMap<Part: Sequence & SendableMetatype>(
        _ transform: @escaping @Sendable (Element) throws -> Part
    ) -> Shipped<Kernel<Part.Element>> {
        Shipped { input, output in
            for element in input { output.append(contentsOf: try transform(element)) }
        }
    }

    @inlinable public func reduceByKey<Key: Hashable & SendableMetatype, Value>(
        _ combine: @escaping @Sendable (Value, Value) throws -> Value
    ) -> Shipped<Kernel<Element>> where Element == (Key, Value) {
        Shipped { input, output in
            var totals: [Key: Value] = [:]
            for (key, value) in input {
                if let old = totals[key] {
                    totals[key] = try combine(old, value)
                } else {
                    totals[key] = value
                }
            }
            for (key, value) in totals { output.append((key, value)) }
        }
    }

    @inline(never) @_optimize(none)
    public func opaqueReduceByKey<Key: Hashable & SendableMetatype, Value>(
        _ combine: @escaping @Sendable (Value, Value) throws -> Value
    ) -> Shipped<Kernel<Element>> where Element == (Key, Value) {
        Shipped { input, output in
            var totals: [Key: Value] = [:]
            for (key, value) in input {
                if let old = totals[key] {
                    totals[key] = try combine(old, value)
                } else {
                    totals[key] = value
                }
            }
            for (key, value) in totals { output.append((key, value)) }
        }
    }

    @inlinable public func keyed<Key>(
        by key: @escaping @Sendable (Element) throws -> Key
    ) -> Shipped<Kernel<(Key, Element)>> {
        Shipped { input, output in
            for element in input { output.append((try key(element), element)) }
        }
    }

    /// Captures values of the generic types, next to the closure.
    @inlinable public func fold<Total: Codable & Sendable>(
        from start: Total, _ combine: @escaping @Sendable (Total, Element) throws -> Total
    ) -> Shipped<Kernel<Total>> {
        Shipped { input, output in
            var total = start
            for element in input { total = try combine(total, element) }
            output.append(total)
        }
    }
}

/// A kernel made by the methods of a generic class.
public final class Source<Element: Sendable>: Sendable {
    public let elements: [Element]
    @inlinable public init(_ elements: [Element]) { self.elements = elements }

    @inlinable public func joined<Other: Hashable & Sendable>(
        _ others: [Other], _ matches: @escaping @Sendable (Element, Other) -> Bool
    ) -> @Sendable (Element) -> [Other] {
        { element in others.filter { matches(element, $0) } }
    }

    /// Captures the object itself, which is not Codable.
    @inlinable public func countingAll() -> @Sendable (Int) -> Int {
        { $0 + self.elements.count }
    }
}
