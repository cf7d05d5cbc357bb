import MillraceBase
import MillraceNet

/// All blocks that an executor serves on the data plane, each by the kind that its name says.
/// Loop-owned.
final class ServedBlocks: BlockProvider {
    private let mapOutputs: MapOutputProvider
    private let cached: BlockTransfers
    private let broadcasts: BroadcastClient
    private let diagnosis: BlockDiagnosis
    private let folderPath: String

    /// The key under which an executor says where its map outputs are, for others on its host.
    static let folder = "folder"

    init(_ runtime: ExecutorRuntime) {
        mapOutputs = MapOutputProvider(runtime)
        cached = runtime.transfers
        broadcasts = runtime.broadcasts
        diagnosis = runtime.diagnosis
        folderPath = runtime.mapOutputStore.folder
    }

    func content(of request: BlockRequest) -> BlockContent {
        whole(request).part(request)
    }

    private func whole(_ request: BlockRequest) -> BlockContent {
        if request.key.elementsEqual(Self.folder.utf8) { return .bytes(Array(folderPath.utf8)) }
        if request.key.starts(with: BlockDiagnosis.prefix.utf8) {
            return diagnosis.answer(String(decoding: request.key, as: UTF8.self))
        }
        if request.key.starts(with: "rdd_".utf8) {
            let name = String(decoding: request.key, as: UTF8.self)
            guard let block = RDDBlockID(name) else { return .failure(.notFound(name)) }
            return cached.content(of: block)
        }
        if request.key.starts(with: "broadcast_".utf8) {
            return broadcasts.content(String(decoding: request.key, as: UTF8.self))
        }
        return mapOutputs.content(of: request)
    }

    func receive(_ notice: [UInt8]) { mapOutputs.receive(notice) }
}
