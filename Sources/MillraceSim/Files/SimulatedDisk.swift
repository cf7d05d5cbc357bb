import MillraceBase
import MillraceStore

/// A disk as a power failure leaves it: knows of each file and folder what was written and what of
/// that is durable.
///
/// Content is durable after `sync` on the file, a name after `syncFolder` on its folder; nothing
/// else is promised, and a loss of power takes the rest at random, torn files included. Everything
/// is in the order in which it was made, never in the order of names: temporary files have random
/// ones.
struct SimulatedDisk {
    struct Inode {
        var content: [UInt8] = []
        var durable: [UInt8] = []
        var modifiedMs: Int64 = 0
        /// Position in `folders`; nil for a file.
        var folder: Int?
    }

    struct Folder {
        var names: [String: Int] = [:]
        var durableNames: [String: Int] = [:]
    }

    private(set) var inodes: [Inode] = []
    private var folders: [Folder] = []
    /// Root folders by path; folders are never deleted with something in them.
    private var folderAt: [String: Int] = [:]
    var locks: [String: Int] = [:]

    init() { folderAt["/"] = addFolder() }

    private mutating func addFolder() -> Int {
        folders.append(Folder())
        return folders.count - 1
    }

    // MARK: Looking

    func folder(_ path: String) -> Int? { folderAt[path] }

    func inode(_ path: String) -> Int? {
        guard let folder = folderAt[StorePath.folder(of: path)] else { return nil }
        return folders[folder].names[StorePath.name(of: path)]
    }

    func names(in folder: Int) -> [String] { folders[folder].names.keys.sorted() }

    func inode(in folder: Int, _ name: String) -> Int? { folders[folder].names[name] }

    // MARK: Changing

    mutating func make(_ path: String, nowMs: Int64) -> Int? {
        guard let folder = folderAt[StorePath.folder(of: path)] else { return nil }
        inodes.append(Inode(modifiedMs: nowMs))
        folders[folder].names[StorePath.name(of: path)] = inodes.count - 1
        return inodes.count - 1
    }

    mutating func makeFolder(_ path: String, nowMs: Int64) {
        guard folderAt[path] == nil else { return }
        let parent = StorePath.folder(of: path)
        makeFolder(parent, nowMs: nowMs)
        let number = addFolder()
        inodes.append(Inode(modifiedMs: nowMs, folder: number))
        folderAt[path] = number
        let name = StorePath.name(of: path)
        let parentNumber = folderAt[parent]!
        folders[parentNumber].names[name] = inodes.count - 1
        folders[parentNumber].durableNames[name] = inodes.count - 1
    }

    mutating func append(_ bytes: some Sequence<UInt8>, to inode: Int, nowMs: Int64) {
        inodes[inode].content += bytes
        inodes[inode].modifiedMs = nowMs
    }

    mutating func empty(_ inode: Int) { inodes[inode].content = [] }

    mutating func sync(_ inode: Int) { inodes[inode].durable = inodes[inode].content }

    mutating func sync(folder: Int) { folders[folder].durableNames = folders[folder].names }

    mutating func rename(_ source: String, to target: String) {
        guard let inode = inode(source), let from = folderAt[StorePath.folder(of: source)],
            let to = folderAt[StorePath.folder(of: target)]
        else { return }
        folders[from].names[StorePath.name(of: source)] = nil
        folders[to].names[StorePath.name(of: target)] = inode
    }

    mutating func delete(_ path: String) {
        guard let folder = folderAt[StorePath.folder(of: path)] else { return }
        folders[folder].names[StorePath.name(of: path)] = nil
    }

    // MARK: Losing power

    /// What was not durable is there or not, by chance; of a file perhaps a part, perhaps with
    /// zeros where its end should be.
    mutating func losePower(_ random: inout SplitMix64) {
        for folder in folders.indices { settleNames(folder, &random) }
        for inode in inodes.indices where inodes[inode].content != inodes[inode].durable {
            settleContent(inode, &random)
        }
        locks = [:]
    }

    private mutating func settleNames(_ folder: Int, _ random: inout SplitMix64) {
        let (now, then) = (folders[folder].names, folders[folder].durableNames)
        guard now != then else { return }
        // By inode, old and new: the order of names is another in each process.
        var changes: [(old: Int, new: Int, name: String)] = []
        for (name, inode) in now where then[name] != inode {
            changes.append((then[name] ?? -1, inode, name))
        }
        for (name, inode) in then where now[name] == nil { changes.append((inode, -1, name)) }
        changes.sort { ($0.old, $0.new) < ($1.old, $1.new) }
        var names = then
        for change in changes where random.chance(500) {
            names[change.name] = change.new < 0 ? nil : change.new
        }
        folders[folder].names = names
        folders[folder].durableNames = names
    }

    private mutating func settleContent(_ inode: Int, _ random: inout SplitMix64) {
        let (content, durable) = (inodes[inode].content, inodes[inode].durable)
        switch random.below(4) {
        case 0: inodes[inode].content = durable
        case 1: break
        default:
            let kept = random.below(content.count + 1)
            var torn = Array(content.prefix(kept))
            if random.chance(500) { torn += [UInt8](repeating: 0, count: content.count - kept) }
            inodes[inode].content = torn
        }
        inodes[inode].durable = inodes[inode].content
    }
}
