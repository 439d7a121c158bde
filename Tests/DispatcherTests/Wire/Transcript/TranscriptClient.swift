// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Glibc
import Synchronization

/// A plain socket that says and hears lines, and knows nothing of the code under test. It reads only when it is asked to, into a
/// small buffer, so that a client that does not read can be played.
final class TranscriptClient: Sendable {
    struct Failure: Error { let call: String }
    enum Heard: Equatable, Sendable {
        case line(String)
        case end
        /// Nothing came for as long as a test waits.
        case silence
    }

    private let descriptor: Int32
    private let unread = Mutex<[UInt8]>([])
    private let queue = DispatchQueue(label: "transcript")

    init(port: Int) throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw Failure(call: "socket") }
        self.descriptor = descriptor
        var small: Int32 = 4_096
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &small, socklen_t(MemoryLayout<Int32>.size))
        var patience = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { throw Failure(call: "connect") }
    }

    deinit { close(descriptor) }

    func say(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw Failure(call: "send") }
            sent += count
        }
    }

    func endInput() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// The next line of the server. Waits on a thread of its own: the node needs the ones that tests run on.
    func hear() async -> Heard {
        await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: self.next()) }
        }
    }

    private func next() -> Heard {
        unread.withLock { unread in
            var piece = [UInt8](repeating: 0, count: 65_536)
            while true {
                if let end = unread.firstIndex(of: 0x0A) {
                    defer { unread.removeFirst(end + 1) }
                    return .line(String(decoding: unread[..<end], as: UTF8.self))
                }
                let count = recv(descriptor, &piece, piece.count, 0)
                if count == 0 { return .end }
                if count < 0 { return errno == EAGAIN ? .silence : .end }
                unread += piece.prefix(count)
            }
        }
    }
}
