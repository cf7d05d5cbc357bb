import ClosureShapes

struct Handle: Sendable { let descriptor: Int32 }
final class Engine: Sendable { let size = 3 }
struct Holder: @unchecked Sendable {
    var engine: Engine
    weak var watched: Engine?
}

/// Closures that cannot travel, with the words their refusal must contain.
struct Refusal {
    let shape: Shape
    let words: [String]
}

@inline(never)
func refusals(_ number: Int, _ text: String) -> [Refusal] {
    var shapes = Shapes()
    var words: [[String]] = []
    func refuse(
        _ name: String, _ expected: [String], _ function: @escaping @Sendable (Int) -> String
    ) {
        shapes.add(name, function)
        words.append(expected)
    }
    let engine = Engine()
    let handle = Handle(descriptor: Int32(number))
    let holder = Holder(engine: engine)
    let circle: any Figure = Circle(radius: number)
    let figures: [any Figure] = [Square(side: 1), circle]
    let inner: @Sendable (Int) -> Int = { $0 + engine.size + number }
    let handles = [handle]
    let anything: any Sendable = handle
    nonisolated(unsafe) let pointer = UnsafeMutablePointer<Int>.allocate(capacity: 1)
    pointer.pointee = number
    nonisolated(unsafe) var variable = number
    let change: () -> Int = {
        variable += 1
        return variable + number
    }
    nonisolated(unsafe) let changing = change
    let asynchronous: @Sendable (Int) async -> Int = { $0 + number }
    refuse("class, alone", ["Engine", "only capture"]) { "\($0 + engine.size)" }
    refuse("class and Int", ["Engine", "capture"]) { "\($0 + engine.size + number)" }
    refuse("struct", ["Handle", "capture"]) { "\($0) \(handle) \(text)" }
    refuse("struct with a class", ["capture"]) {
        "\($0 + holder.engine.size) \(holder.watched == nil)"
    }
    refuse("existential", ["Circle", "capture"]) { "\($0 + circle.area()) \(number)" }
    refuse("element of an array", ["Circle", "element 1"]) { "\($0) \(figures.map { $0.area() })" }
    refuse("closure over a class", ["Engine", "capture 1 of 2"]) { "\(inner($0)) \(text)" }
    refuse("array of structs", ["Handle", "element 0"]) { "\($0) \(handles)" }
    refuse("any Sendable", ["Handle"]) { "\($0) \(anything) \(number)" }
    refuse("unsafe pointer", ["UnsafeMutablePointer<Int>"]) { "\($0 + pointer.pointee + number)" }
    refuse("weak reference", ["weak"]) { [weak engine] in "\($0 + (engine?.size ?? 0) + number)" }
    refuse("unowned reference", ["capture"]) { [unowned engine] in "\($0 + engine.size + number)" }
    refuse("captured var", ["var"]) { "\($0 + changing())" }
    refuse("self of a class", ["Source<Int>"]) { [call = Source([number]).countingAll()] in
        "\(call($0))"
    }
    let named: (name: String, body: @Sendable (Int) -> Int) = (text, { $0 + number })
    let element: any KeyPath<[Point], Int> & Sendable = \.[number].x
    refuse("tuple with a closure", ["capture 1 of 2", "cannot be told"]) {
        "\(named.name) \(named.body($0)) \(number)"
    }
    refuse("key path with an argument", ["key path", "capture"]) {
        "\([Point(x: $0, name: "")][keyPath: element])"
    }
    shapes.add("async closure", asynchronous) { _ in "" }
    words.append(["async"])
    refuse("captured async closure", ["async"]) { "\($0 + number) \(type(of: asynchronous))" }
    return zip(shapes.list, words).map { Refusal(shape: $0, words: $1) }
}
