// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// The other ends of a process's connections on this machine, by the numbers that the kernel gives to sockets.
enum SocketPeers {
    /// The sockets of processes that we may look into.
    static func sockets(of process: Int32) -> Set<UInt32> {
        let folder = "/proc/\(process)/fd"
        return Set(((try? Folder.names(in: folder)) ?? []).compactMap { number(target("\(folder)/\($0)")) })
    }

    /// The sockets at the other ends, of connections over TCP and of local ones.
    static func peers(of sockets: Set<UInt32>) -> Set<UInt32> {
        guard !sockets.isEmpty else { return [] }
        return tcpPeers(of: sockets).union(localPeers(of: sockets))
    }

    /// The process on this machine that listens on a port; `nil` where none does, or none that we may look into.
    static func listening(on port: Int) -> Int32? {
        let digits = String(port, radix: 16, uppercase: true)
        let ending = ":" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
        let listeners = Set(tcpRows().filter { $0.local.hasSuffix(ending) && $0.state == "0A" }.map(\.socket))
        return owners(of: listeners).first
    }

    /// The processes that have one of the sockets open.
    static func owners(of sockets: Set<UInt32>) -> [Int32] {
        guard !sockets.isEmpty else { return [] }
        return ProcessMeter.all.filter { !Self.sockets(of: $0).isDisjoint(with: sockets) }
    }

    // MARK: - TCP

    private struct Row {
        let local: Substring
        let remote: Substring
        let state: Substring
        let socket: UInt32
    }

    private static func tcpRows() -> [Row] {
        ["/proc/net/tcp", "/proc/net/tcp6"].compactMap { try? Folder.text($0) }.flatMap { table in
            table.split(separator: "\n").dropFirst().compactMap { line in
                let words = line.split(separator: " ")
                guard words.count > 9, let socket = UInt32(words[9]) else { return nil }
                return Row(local: words[1], remote: words[2], state: words[3], socket: socket)
            }
        }
    }

    private static func tcpPeers(of sockets: Set<UInt32>) -> Set<UInt32> {
        let rows = tcpRows()
        let ends = Set(rows.filter { sockets.contains($0.socket) }.map { "\($0.remote) \($0.local)" })
        return Set(rows.filter { ends.contains("\($0.local) \($0.remote)") }.map(\.socket))
    }

    // MARK: - Local sockets

    // Of linux/netlink.h, linux/sock_diag.h and linux/unix_diag.h, which Glibc does not bring.
    private static let netlinkSocketDiagnosis: Int32 = 4
    private static let byFamily: UInt16 = 20
    private static let requestOfAll: UInt16 = 0x301
    private static let showPeer: UInt32 = 4
    private static let peerAttribute: UInt16 = 2
    private static let done: UInt16 = 3
    private static let failed: UInt16 = 2
    private static let headerBytes = 16

    /// Asks the kernel for all local sockets with their peers; none where it does not tell.
    private static func localPeers(of sockets: Set<UInt32>) -> Set<UInt32> {
        let link = socket(AF_NETLINK, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), netlinkSocketDiagnosis)
        guard link >= 0 else { return [] }
        defer { close(link) }
        // A kernel that has nothing to say is not waited for.
        var patience = timeval(tv_sec: 1, tv_usec: 0)
        setsockopt(link, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var request: [UInt8] = []
        func put(_ value: some FixedWidthInteger) { withUnsafeBytes(of: value) { request += $0 } }
        let body: [UInt32] = [UInt32(AF_UNIX), .max, 0, showPeer, 0, 0]
        put(UInt32(headerBytes + body.count * 4))
        put(byFamily)
        put(requestOfAll)
        for value in [1, 0] + body { put(value) }
        guard send(link, request, request.count, 0) == request.count else { return [] }
        var peers: Set<UInt32> = []
        var answer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = recv(link, &answer, answer.count, 0)
            guard count > 0 else { return peers }
            var rest = answer[..<count]
            while rest.count >= headerBytes {
                let (size, kind) = (Int(word(rest, 0)), half(rest, 4))
                guard size >= headerBytes, size <= rest.count, kind != done, kind != failed else { return peers }
                if let peer = peer(in: rest.prefix(size).dropFirst(headerBytes), of: sockets) { peers.insert(peer) }
                rest = rest.dropFirst(padded(size))
            }
        }
    }

    /// - Parameter message: family, type, state and a byte of nothing, the socket, its cookie of eight bytes, attributes.
    private static func peer(in message: ArraySlice<UInt8>, of sockets: Set<UInt32>) -> UInt32? {
        guard message.count >= 16, sockets.contains(word(message, 4)) else { return nil }
        var attributes = message.dropFirst(16)
        while attributes.count >= 4 {
            let (size, kind) = (Int(half(attributes, 0)), half(attributes, 2))
            guard size >= 4, size <= attributes.count else { return nil }
            if kind == peerAttribute, size >= 8 { return word(attributes, 4) }
            attributes = attributes.dropFirst(padded(size))
        }
        return nil
    }

    private static func padded(_ size: Int) -> Int { (size + 3) & ~3 }

    private static func half(_ bytes: ArraySlice<UInt8>, _ offset: Int) -> UInt16 {
        bytes.dropFirst(offset).withUnsafeBytes { $0.loadUnaligned(as: UInt16.self) }
    }

    private static func word(_ bytes: ArraySlice<UInt8>, _ offset: Int) -> UInt32 {
        bytes.dropFirst(offset).withUnsafeBytes { $0.loadUnaligned(as: UInt32.self) }
    }

    // MARK: - Files of processes

    private static func target(_ path: String) -> String {
        var bytes = [CChar](repeating: 0, count: 128)
        let count = readlink(path, &bytes, bytes.count - 1)
        return count > 0 ? String(decoding: bytes[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self) : ""
    }

    private static func number(_ target: String) -> UInt32? {
        target.hasPrefix("socket:[") ? UInt32(target.dropFirst("socket:[".count).dropLast()) : nil
    }
}
