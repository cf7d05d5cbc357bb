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
        precondition(offset >= 0 && count >= 0, "a read of \(count) bytes at \(offset)")
        var failure: StoreError?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let start = buffer.baseAddress! + filled  // count > 0, so there is a base
                let got = retrying {
                    pread(descriptor, start, count - filled, off_t(offset + filled))
                }
                if got < 0 { failure = posixError("read", path) }
                if got <= 0 { return }
                filled += got
            }
        }
        if let failure { throw failure }
        return bytes
    }
}
