// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Glibc
import Synchronization

/// A client of plain sockets, which knows nothing of the code under test.
enum RawClient {
    struct Failure: Error { let call: String }

    /// Connects, sends everything, closes its sending side and returns all lines that came until the end.
    ///
    /// - Parameter pieceBytes: how many bytes leave at a time.
    /// - Parameter endsInput: whether the sending side is closed.
    /// - Parameter signIn: what to send before, from the greeting; all else waits until two lines have answered it.
    /// - Parameter beforeReading: what is waited for before anything is read, with the small buffers of a slow reader.
    static func talk(
        port: Int, _ bytes: [UInt8], pieceBytes: Int = .max, endsInput: Bool = true,
        signIn: (@Sendable (_ greeting: String) -> [UInt8])? = nil, beforeReading: (@Sendable () -> Void)? = nil
    ) async throws -> [String] {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(
                    with: Result { try exchange(port, bytes, pieceBytes, endsInput, signIn, beforeReading) })
            }
        }
    }

    /// Held by whoever changes how many files the process may have, or needs a great many: one after the other.
    private static let fileLimit = Mutex(())

    /// Does the work while nobody else changes the limit of files.
    ///
    /// - Parameter wanted: how many files it needs.
    /// - Returns: what `work` does with as many as there are for it: fewer where the hard limit is lower.
    static func withFiles<Value: Sendable>(_ wanted: Int, _ work: (_ files: Int) throws -> Value) throws -> Value {
        // For everything else that this process has open.
        let reserve = 256
        return try fileLimit.withLock { _ in
            let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
            var limit = rlimit()
            guard getrlimit(files, &limit) == 0 else { throw Failure(call: "getrlimit") }
            let raised = min(rlim_t(wanted + reserve), limit.rlim_max)
            if limit.rlim_cur < raised {
                limit.rlim_cur = raised
                guard setrlimit(files, &limit) == 0 else { throw Failure(call: "setrlimit") }
            }
            return try work(min(wanted, Int(clamping: limit.rlim_cur) - reserve))
        }
    }

    /// Connects so often, and reads each greeting; the caller closes the descriptors, also where this throws.
    static func connect(_ count: Int, port: Int, _ descriptors: inout [Int32]) throws {
        for _ in 0..<count {
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            guard descriptor >= 0 else { throw Failure(call: "socket") }
            descriptors.append(descriptor)
            try connect(descriptor, to: port)
            _ = try lines(1, from: descriptor)
        }
    }

    private static func lines(_ count: Int, from descriptor: Int32) throws -> [UInt8] {
        var received: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4_096)
        while received.count(where: { $0 == 0x0A }) < count {
            let read = recv(descriptor, &piece, piece.count, 0)
            guard read > 0 else { throw Failure(call: "recv") }
            received += piece.prefix(read)
        }
        return received
    }

    /// Connects while the process can open no file more, until `isTold`; then gives the files back.
    ///
    /// - Returns: what the server says first; nothing where it says nothing within ten seconds.
    static func greetingWithoutFiles(port: Int, _ isTold: @escaping @Sendable () -> Bool) async throws -> String {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(with: Result { try fileLimit.withLock { _ in try waitForFiles(port, isTold) } })
            }
        }
    }

    private static func waitForFiles(_ port: Int, _ isTold: () -> Bool) throws -> String {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw Failure(call: "socket") }
        defer { close(descriptor) }
        let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        guard getrlimit(files, &limit) == 0 else { throw Failure(call: "getrlimit") }
        var none = rlimit(rlim_cur: 0, rlim_max: limit.rlim_max)
        guard setrlimit(files, &none) == 0 else { throw Failure(call: "setrlimit") }
        defer { setrlimit(files, &limit) }
        try connect(descriptor, to: port)
        for _ in 0..<1_000 where !isTold() { usleep(5_000) }
        // Long enough to see whether it is told again and again.
        usleep(100_000)
        setrlimit(files, &limit)
        var patience = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var piece = [UInt8](repeating: 0, count: 4_096)
        let count = recv(descriptor, &piece, piece.count, 0)
        return String(decoding: piece.prefix(max(0, count)), as: UTF8.self)
    }

    /// The system takes a connection in before the server accepts it.
    private static func connect(_ descriptor: Int32, to port: Int) throws {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { throw Failure(call: "connect") }
    }

    private static func exchange(
        _ port: Int, _ bytes: [UInt8], _ pieceBytes: Int, _ endsInput: Bool, _ signIn: ((String) -> [UInt8])?,
        _ beforeReading: (() -> Void)?
    ) throws -> [String] {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw Failure(call: "socket") }
        defer { close(descriptor) }
        if beforeReading != nil {
            var small: Int32 = 4_096
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &small, socklen_t(MemoryLayout<Int32>.size))
        }
        try connect(descriptor, to: port)
        var noDelay: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &noDelay, socklen_t(MemoryLayout<Int32>.size))
        if let signIn {
            let greeting = String(decoding: try lines(1, from: descriptor), as: UTF8.self)
            let hello = signIn(greeting)
            guard send(descriptor, hello, hello.count, Int32(MSG_NOSIGNAL)) == hello.count else {
                throw Failure(call: "send")
            }
            _ = try lines(2, from: descriptor)
        }
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
        beforeReading?()
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
