// SPDX-License-Identifier: Apache-2.0

internal import Crypto
internal import Glibc

/// A file that is read from front to back, twice: once for its digest, once for its rows.
final class InputFile {
    let path: String
    /// The last part of the path, for messages.
    var name: String { path.split(separator: "/").last.map(String.init) ?? path }
    let sizeBytes: Int64
    private let descriptor: Int32
    private var hasher = SHA256()

    init(_ path: String) throws(CommandFailure) {
        // Without O_NONBLOCK, opening a pipe waits for its writer; on regular files the flag means nothing.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            switch errno {
            case ENOENT: throw CommandFailure(.usage, "there is no file \(path)", remedy: "Check the path.")
            case EACCES:
                throw CommandFailure(.usage, "\(path) may not be read", remedy: "Give this user the right to read it.")
            default: throw CommandFailure(.environment, "\(path) cannot be opened: \(reason())", remedy: "")
            }
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            let isFolder = status.st_mode & S_IFMT == S_IFDIR
            close(descriptor)
            throw CommandFailure(
                .usage, "\(path) is \(isFolder ? "a folder" : "no regular file")", remedy: "Name a CSV file.")
        }
        self.path = path
        self.descriptor = descriptor
        self.sizeBytes = Int64(status.st_size)
        posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL)
    }

    /// Whether `other` leads to the same file, by whatever name or link.
    func isAlso(_ other: String) -> Bool {
        var mine = stat()
        var its = stat()
        return fstat(descriptor, &mine) == 0 && stat(other, &its) == 0 && mine.st_dev == its.st_dev
            && mine.st_ino == its.st_ino
    }

    deinit { close(descriptor) }

    /// Reads what fits into `room`, and takes it into the digest.
    ///
    /// - Returns: how many bytes were read; 0 at the end.
    func read(into room: UnsafeMutableRawBufferPointer) throws(CommandFailure) -> Int {
        while true {
            let count = Glibc.read(descriptor, room.baseAddress, room.count)
            if count >= 0 {
                hasher.update(bufferPointer: UnsafeRawBufferPointer(rebasing: room[..<count]))
                return count
            }
            guard errno == EINTR else {
                throw CommandFailure(
                    .environment, "\(path) cannot be read: \(reason())",
                    remedy: "Check the disk it lies on, and run again.")
            }
            try Interruption.check()
        }
    }

    /// The SHA-256 of everything read since the start, or since the last ``rewind()``.
    var digest: [UInt8] { Array(hasher.finalize()) }

    func rewind() {
        lseek(descriptor, 0, SEEK_SET)
        hasher = SHA256()
    }

    /// Reads the file once.
    ///
    /// - Returns: its digest, and how many line feeds it has.
    func survey() throws(CommandFailure) -> (digest: [UInt8], lines: Int) {
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        var lines = 0
        while true {
            try Interruption.check()
            let result: Result<Int, CommandFailure> = buffer.withUnsafeMutableBytes { room in
                do throws(CommandFailure) { return .success(try read(into: room)) } catch { return .failure(error) }
            }
            let count = try result.get()
            if count == 0 { return (digest, lines) }
            let bytes = buffer.span
            for index in 0..<count { lines += bytes[index] == 0x0A ? 1 : 0 }
        }
    }
}

private func reason() -> String { String(cString: strerror(errno)) }
