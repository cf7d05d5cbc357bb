/// Closures of every kind of capture.
extension Shapes {
    /// `number` is not known at compile time.
    @inline(never)
    mutating func addCaptures(_ number: Int, _ text: String) {
        let array = [1, 2, number]
        let strings = [text, "y"]
        let empty = [Int](array.dropFirst(9))
        let dictionary = ["five": 5, "six": number]
        let emptyDictionary = dictionary.filter { $0.value > 1000 }
        let set: Set<Int> = [number, 5]
        let point = Point(x: number, name: text)
        let oneArray = OneArray(values: [2.5, Double(number)])
        let choice = Choice.text(text, number)
        let optional: String? = text
        let none: Lookup? = number > 1000 ? Lookup([:]) : nil
        let (flag, double, small) = (number > 3, Double(number), UInt8(truncatingIfNeeded: number))
        let range = 0..<number
        let tuple = (number, text)
        add("no capture") { "\($0)" }
        add("Int") { "\($0 + number)" }
        add("String") { "\($0) \(text)" }
        add("array alone") { "\($0) \(array)" }
        add("string array alone") { "\($0) \(strings)" }
        add("empty array alone") { "\($0) \(empty)" }
        add("dictionary alone") { "\($0) \(dictionary["six"] ?? 0)" }
        add("empty dictionary alone") { "\($0) \(emptyDictionary)" }
        add("set alone") { "\($0) \(set.contains($0)) \(set.count)" }
        add("struct") { "\($0) \(point)" }
        add("struct of one array alone") { "\($0) \(oneArray.values)" }
        add("enum with payload") { "\($0) \(choice)" }
        add("Optional") { "\($0) \(optional ?? "")" }
        add("nil object alone") { "\($0) \(none == nil)" }
        add("mixed sizes") { "\($0) \(flag) \(double) \(small) \(number) \(flag)" }
        add("range") { "\($0) \(range.contains($0))" }
        add("tuple") { "\($0) \(tuple)" }
        add("many") {
            "\($0) \(number) \(text) \(array) \(set.count) \(point) \(choice) \(optional ?? "")"
        }
        add("UInt8 array alone", bytes(number))
        addUndescribed(number, text)
    }

    /// Types that an optimised program has no metadata for, because nothing asks for it.
    private mutating func addUndescribed(_ number: Int, _ text: String) {
        let limits = Limits(
            low: 3, names: [text], bounds: Bounds(high: Double(number), mode: .soft))
        let mode: Mode = number > 3 ? .hard : .soft
        add("struct used by its fields only") { value in
            let limit = limits.bounds.mode == .hard ? limits.low : limits.bounds.high
            return Double(value) < limit ? limits.names[0] : "above"
        }
        add("enum used by its cases only") { value in mode == .hard ? text : "\(value)" }
    }

    private func bytes(_ number: Int) -> @Sendable (Int) -> String {
        let bytes = [UInt8](repeating: UInt8(number), count: 5)
        return { "\($0) \(bytes)" }
    }

    @inline(never)
    mutating func addObjects(_ number: Int, _ text: String) {
        let lookup = Lookup(["k": number])
        let animal: Animal = number > 3 ? Dog(name: text) : Animal(legs: 3)
        let animals = [animal, Animal(legs: number)]
        let tree = Tree.node(.leaf(number), .node(.leaf(2), .leaf(3)))
        let figure: any Figure = Square(side: number)
        let figures: [any Figure] = [figure, Square(side: 2)]
        let anything: any Codable & Sendable = Point(x: 1, name: text)
        let scaler = Scaler(factor: number)
        let type: any (Codable & Sendable).Type = number > 3 ? Int.self : String.self
        let pairs = [("a", number), (text, 2)]
        let nested: [(String, (Int, [Point]?))] = [
            ("n", (number, [Point(x: 1, name: "p")])), ("m", (2, nil)),
        ]
        add("object alone") { "\($0) \(lookup.table)" }
        add("object and Int") { "\($0) \(lookup.table) \(number)" }
        add("subclass as its superclass, alone") { "\($0) \(animal.say())" }
        add("subclass as its superclass, and Int") { "\($0) \(animal.say()) \(number)" }
        add("array of objects, alone") { "\($0) \(animals.map { $0.say() })" }
        add("array of objects, and Int") { "\($0) \(animals.map { $0.say() }) \(number)" }
        add("indirect enum alone") { "\($0) \(tree.sum)" }
        add("indirect enum and Int") { "\($0) \(tree.sum) \(number)" }
        add("existential") { "\($0) \(figure.area())" }
        add("array of existentials") { "\($0) \(figures.map { $0.area() })" }
        add("Codable existential") { "\($0) \(anything)" }
        add("metatype") { "\($0) \(type)" }
        add("method of a struct", scaler.scale) { $0(5) }
        add("array of tuples alone") { "\($0) \(pairs)" }
        add("array of nested tuples") { "\($0) \(nested) \(number)" }
        addOpened(Square(side: number))
    }

    private mutating func addOpened(_ figure: some Figure & Codable) {
        add("opaque type") { "\($0) \(figure.area())" }
    }

    @inline(never)
    mutating func addFunctions(_ number: Int, _ text: String) {
        let inner: @Sendable (Int) -> Int = { $0 * number }
        let chain: @Sendable (Int) -> Int = { inner(inner($0)) + text.count }
        let maybe: (@Sendable (Int) -> Int)? = number > 3 ? chain : nil
        let never: (@Sendable (Int) -> Int)? = number > 1000 ? chain : nil
        let steps: [@Sendable (Int) -> Int] = [inner, chain, { $0 + 1 }]
        let throwing: @Sendable (Int) throws -> String = {
            guard $0 < number else { throw Failure.tooLarge($0) }
            return "\($0)"
        }
        let named: (name: String, body: @Sendable (Int) -> Int) = (text, chain)
        add("closure") { "\(inner($0))" }
        add("closure of closures") { "\(chain($0))" }
        add("optional closure") { "\(maybe?($0) ?? 0)" }
        add("nil closure") { "\(never?($0) ?? 0) \(number)" }
        add("array of closures alone") { value in "\(steps.map { $0(value) })" }
        add("tuple with a closure, taken apart") { [name = named.name, body = named.body] in
            "\(name) \(body($0))"
        }
        add("throwing closure", throwing) { "\(try $0(5)) \((try? $0(5000)) ?? "threw")" }
        add("global function", twice) { "\($0(5))" }
        add("operator", { @Sendable (left: Int, right: Int) in left + right }) {
            "\($0(5, number))"
        }
        add("operator by name", (+) as @Sendable (Int, Int) -> Int) { "\($0(5, number))" }
        add("initialiser by name", String.init(describing:) as @Sendable (Int) -> String) { $0(5) }
        add("key path literal", \Point.name as @Sendable (Point) -> String) {
            $0(Point(x: 1, name: text))
        }
        add("computed key path literal", \Point.name.count as @Sendable (Point) -> Int) {
            "\($0(Point(x: 1, name: text)))"
        }
        let path: any KeyPath<Point, Int> & Sendable = \.x
        let deep: any KeyPath<[Point], Int?> & Sendable = \.first?.name.count
        add("key path and Int", { @Sendable (point: Point) in point[keyPath: path] + number }) {
            "\($0(Point(x: 8, name: text)))"
        }
        add(
            "key path through optionals, alone",
            { @Sendable (points: [Point]) in points[keyPath: deep] }
        ) {
            "\($0([Point(x: 8, name: text)]) ?? 0) \($0([]) == nil)"
        }
        add("inout parameter", { @Sendable (value: inout [String]) in value.append(text) }) {
            var list = ["a"]
            $0(&list)
            return "\(list)"
        }
        add(
            "returns a closure",
            { @Sendable (left: Int) in { @Sendable (right: Int) in left + right + number } }
        ) {
            "\($0(1)(2))"
        }
        add("substring and character", substrings(text))
    }

    private func substrings(_ text: String) -> @Sendable (Int) -> String {
        let (part, first) = (text.prefix(3), text.first!)
        return { "\($0) \(part) \(first)" }
    }
}

enum Mode: Codable, Sendable { case soft, hard, none }
struct Bounds: Codable, Sendable {
    var high: Double
    var mode: Mode
}
struct Limits: Codable, Sendable {
    var low: Double
    var names: [String]
    var bounds: Bounds
}

enum Failure: Error { case tooLarge(Int) }

@Sendable func twice(_ value: Int) -> Int { value * 2 }
