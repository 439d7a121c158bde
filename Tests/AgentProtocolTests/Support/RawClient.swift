// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Glibc

/// A client of plain sockets, which knows nothing of the code under test.
enum RawClient {
    struct Failure: Error { let call: String }

    /// Connects, sends everything, closes its sending side and returns all lines that came until the end.
    ///
    /// - Parameter pieceBytes: how many bytes leave at a time.
    /// - Parameter endsInput: whether the sending side is closed.
    static func talk(
        port: Int, _ bytes: [UInt8], pieceBytes: Int = .max, endsInput: Bool = true
    ) async throws -> [String] {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(with: Result { try exchange(port, bytes, pieceBytes, endsInput) })
            }
        }
    }

    private static func exchange(
        _ port: Int, _ bytes: [UInt8], _ pieceBytes: Int, _ endsInput: Bool
    ) throws -> [String] {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw Failure(call: "socket") }
        defer { close(descriptor) }
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
        var noDelay: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &noDelay, socklen_t(MemoryLayout<Int32>.size))
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].prefix(pieceBytes).withUnsafeBytes {
                send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            // The server may have hung up on us, which is what some tests are about.
            if count <= 0 { break }
            sent += count
        }
        if endsInput { shutdown(descriptor, Int32(SHUT_WR)) }
        var received: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = recv(descriptor, &piece, piece.count, 0)
            guard count > 0 else { break }
            received += piece.prefix(count)
        }
        return String(decoding: received, as: UTF8.self).split(separator: "\n").map(String.init)
    }
}
