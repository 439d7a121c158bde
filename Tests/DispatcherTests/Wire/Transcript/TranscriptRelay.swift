// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Glibc
import Synchronization

/// A wire between a client and a node that keeps what is said on it, and that can be cut, held still and made to lose replies. Knows
/// nothing of the code under test.
final class TranscriptRelay: Sendable {
    struct Failure: Error { let call: String }
    private struct State {
        /// `> …` and `< …`, without terminators.
        var lines: [String] = []
        var unfinished: [Character: [UInt8]] = [:]
        var sockets: [Int32] = []
        var isDeaf = false
        var isClosed = false
    }

    let port: Int
    private let target: Int
    private let listener: Int32
    private let state = Mutex(State())
    /// Entered while nothing of the node's is read.
    private let still = DispatchGroup()
    private let queue = DispatchQueue(label: "relay", attributes: .concurrent)

    init(to target: Int) throws {
        self.target = target
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard listener >= 0 else { throw Failure(call: "socket") }
        var address = Self.loopback(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 16) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        guard bound else { throw Failure(call: "bind") }
        self.listener = listener
        port = Int(UInt16(bigEndian: address.sin_port))
        queue.async { self.accept() }
    }

    var lines: [String] { state.withLock(\.lines) }
    /// Whether what the node says is thrown away.
    func setDeaf(_ isDeaf: Bool) { state.withLock { $0.isDeaf = isDeaf } }
    func hold() { still.enter() }
    func goOn() { still.leave() }

    func cut() {
        let sockets = state.withLock { state in
            defer { state.sockets = [] }
            return state.sockets
        }
        for socket in sockets { shutdown(socket, Int32(SHUT_RDWR)) }
    }

    /// Nobody gets through any more.
    func close() {
        let wasOpen = state.withLock { state in
            defer { state.isClosed = true }
            return !state.isClosed
        }
        if wasOpen { shutdown(listener, Int32(SHUT_RDWR)) }
        cut()
    }

    private func accept() {
        while true {
            let client = Glibc.accept(listener, nil, nil)
            guard client >= 0 else { break }
            let node = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            // Small, so that a node soon notices that nobody reads.
            var small: Int32 = 4_096
            setsockopt(node, SOL_SOCKET, SO_RCVBUF, &small, socklen_t(MemoryLayout<Int32>.size))
            var address = Self.loopback(target)
            let connected = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(node, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            let isClosed = state.withLock { state in
                state.sockets += [client, node]
                state.unfinished = [:]
                return state.isClosed
            }
            guard connected == 0, !isClosed else {
                _ = Glibc.close(client)
                _ = Glibc.close(node)
                continue
            }
            let both = DispatchGroup()
            queue.async(group: both) { self.carry(client, node, ">") }
            queue.async(group: both) { self.carry(node, client, "<") }
            both.notify(queue: queue) {
                self.state.withLock { $0.sockets.removeAll { $0 == client || $0 == node } }
                _ = Glibc.close(client)
                _ = Glibc.close(node)
            }
        }
        _ = Glibc.close(listener)
    }

    private func carry(_ source: Int32, _ target: Int32, _ direction: Character) {
        var piece = [UInt8](repeating: 0, count: 4_096)
        while true {
            if direction == "<" { still.wait() }
            let count = recv(source, &piece, piece.count, 0)
            guard count > 0 else { break }
            let isLost = state.withLock { state in
                Self.note(piece[..<count], direction, &state)
                return direction == "<" && state.isDeaf
            }
            guard isLost || Self.sendAll(piece[..<count], target) else { break }
        }
        shutdown(source, Int32(SHUT_RDWR))
        shutdown(target, Int32(SHUT_RDWR))
    }

    private static func note(_ bytes: ArraySlice<UInt8>, _ direction: Character, _ state: inout State) {
        var rest = (state.unfinished[direction] ?? []) + bytes
        while let end = rest.firstIndex(of: 0x0A) {
            state.lines.append("\(direction) \(String(decoding: rest[..<end], as: UTF8.self))")
            rest.removeFirst(end + 1)
        }
        state.unfinished[direction] = rest
    }

    private static func sendAll(_ bytes: ArraySlice<UInt8>, _ target: Int32) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(target, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    private static func loopback(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        return address
    }
}
