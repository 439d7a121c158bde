// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// A file of a user that is read as a whole, and has a largest size: its end is never waited for.
enum SmallFile {
    /// What the system says against reading.
    struct Unreadable: Error {
        let code: Int32

        var words: String { String(cString: strerror(code)) }
    }

    /// - Returns: the file's first bytes, at most `count` of them; more than a caller takes tells that it is too large.
    static func read(_ path: String, upTo count: Int) throws(Unreadable) -> [UInt8] {
        // A pipe that nobody writes to must not hold the command up.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw Unreadable(code: errno) }
        defer { close(descriptor) }
        _ = fcntl(descriptor, F_SETFL, 0)
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while bytes.count < count {
            let length = piece.withUnsafeMutableBytes {
                Glibc.read(descriptor, $0.baseAddress, min($0.count, count - bytes.count))
            }
            if length < 0, errno == EINTR { continue }
            guard length >= 0 else { throw Unreadable(code: errno) }
            guard length > 0 else { break }
            bytes += piece[..<length]
        }
        return bytes
    }
}
