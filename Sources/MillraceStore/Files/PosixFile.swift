import Glibc

/// One open descriptor, as both kinds of file.
final class PosixFile: WritableFile, ReadableFile {
    let path: String
    private var descriptor: Int32

    init(_ path: String, _ descriptor: Int32) {
        self.path = path
        self.descriptor = descriptor
    }

    deinit {
        if descriptor >= 0 { Glibc.close(descriptor) }
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(StoreError) {
        var written = 0
        while written < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[written...])
            let count = retrying { Glibc.write(descriptor, rest.baseAddress, rest.count) }
            guard count >= 0 else { throw posixError("write", path) }
            written += count
        }
    }

    func sync() throws(StoreError) {
        // Never repeated after a failure: the kernel drops the dirty pages it could not write, and
        // a second fsync would then lie.
        guard fsync(descriptor) == 0 else { throw posixError("sync", path) }
    }

    func close() throws(StoreError) {
        guard descriptor >= 0 else { return }
        let result = Glibc.close(descriptor)
        descriptor = -1  // closed on Linux even when EINTR is reported
        guard result == 0 || errno == EINTR else { throw posixError("close", path) }
    }

    func size() throws(StoreError) -> Int {
        var info = stat()
        guard fstat(descriptor, &info) == 0 else { throw posixError("inspect", path) }
        return Int(info.st_size)
    }

    func read(at offset: Int, count: Int) throws(StoreError) -> [UInt8] {
        var outcome = Result<Int, StoreError>.success(0)
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            do throws(StoreError) {
                filled = try read(at: offset, into: UnsafeMutableRawBufferPointer(buffer))
            } catch { outcome = .failure(error) }
        }
        _ = try outcome.get()
        return bytes
    }

    func read(
        at offset: Int, into buffer: UnsafeMutableRawBufferPointer
    ) throws(StoreError) -> Int {
        precondition(offset >= 0, "a read of \(buffer.count) bytes at \(offset)")
        var filled = 0
        while filled < buffer.count, let base = buffer.baseAddress {
            let got = retrying {
                pread(descriptor, base + filled, buffer.count - filled, off_t(offset + filled))
            }
            guard got >= 0 else { throw posixError("read", path) }
            if got == 0 { break }
            filled += got
        }
        return filled
    }
}
