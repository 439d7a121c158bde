// SPDX-License-Identifier: Apache-2.0

import NIOPosix
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A folder with one file of lines, locked for one process at a time. Lines are added at once and in order; they are on disk when a later
/// ``sync()`` returns, which takes along whatever others added meanwhile.
final class StateFolder: Sendable {
    private struct Waiting {
        /// The whole file anew, before `lines`.
        var whole: [UInt8]?
        var lines: [UInt8] = []
    }
    private struct File {
        var descriptor: Int32
        var failure: AgentClientError?
    }

    private let path: String
    private let lock: Int32
    private let waiting = Mutex(Waiting())
    private let file: Mutex<File>

    private init(path: String, lock: Int32, file: Int32) {
        self.path = path
        self.lock = lock
        self.file = Mutex(File(descriptor: file))
    }

    deinit {
        file.withLock { _ = systemClose($0.descriptor) }
        _ = systemClose(lock)
    }

    /// Opens the folder, or makes it, and reads its file.
    ///
    /// - Returns: nothing as `lines` where the folder is new.
    /// - Throws: ``AgentClientError/state(_:)``.
    static func open(_ path: String) async throws -> (folder: StateFolder, lines: [UInt8]) {
        try await NIOThreadPool.singleton.runIfActive { try opened(path) }
    }

    private static func opened(_ path: String) throws(AgentClientError) -> (folder: StateFolder, lines: [UInt8]) {
        if mkdir(path, 0o700) != 0, errno != EEXIST { throw failure("\(path) cannot be made") }
        let lock = systemOpen("\(path)/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0 else { throw failure("\(path)/lock cannot be opened") }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            defer { _ = systemClose(lock) }
            throw errno == EWOULDBLOCK
                ? .state(
                    "\(path) is in use by another process; a second one needs a folder, and so an instance, of its own")
                : failure("\(path)/lock cannot be locked")
        }
        let file = systemOpen("\(path)/installation", O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard file >= 0 else {
            defer { _ = systemClose(lock) }
            throw failure("\(path)/installation cannot be opened")
        }
        let folder = StateFolder(path: path, lock: lock, file: file)
        let lines = try readAll(file)
        // Nothing was promised yet; from here on the folder must not be lost with its name in the one above it. Where that one may not
        // be read, somebody else made the folder, before.
        if lines.isEmpty, access("\(path)/..", R_OK) == 0 { try syncFolder("\(path)/..") }
        return (folder, lines)
    }

    /// Lines that the next ``sync()`` writes.
    func add(_ lines: [UInt8]) { waiting.withLock { $0.lines += lines } }

    /// What the file is to consist of from the next ``sync()`` on; what was added before is part of it.
    func replace(by whole: [UInt8]) { waiting.withLock { $0 = Waiting(whole: whole) } }

    /// Waits until what was added is on disk.
    ///
    /// - Throws: ``AgentClientError/state(_:)``; from then on always.
    func sync() async throws {
        try await NIOThreadPool.singleton.runIfActive { try self.write() }
    }

    private func write() throws(AgentClientError) {
        try file.withLock { (file) throws(AgentClientError) in
            if let failure = file.failure { throw failure }
            let waiting = self.waiting.withLock { waiting in
                defer { waiting = Waiting() }
                return waiting
            }
            do throws(AgentClientError) {
                if let whole = waiting.whole { try replace(&file, by: whole) }
                guard !waiting.lines.isEmpty else { return }
                try Self.write(waiting.lines, to: file.descriptor)
            } catch {
                file.failure = error
                throw error
            }
        }
    }

    /// Either the old file or the whole new one is there, whenever the machine stops.
    private func replace(_ file: inout File, by whole: [UInt8]) throws(AgentClientError) {
        let new = systemOpen("\(path)/installation.new", O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0o600)
        guard new >= 0 else { throw Self.failure("\(path)/installation.new cannot be opened") }
        do throws(AgentClientError) {
            try Self.write(whole, to: new)
            guard rename("\(path)/installation.new", "\(path)/installation") == 0 else {
                throw Self.failure("\(path)/installation cannot be replaced")
            }
        } catch {
            _ = systemClose(new)
            throw error
        }
        _ = systemClose(file.descriptor)
        file.descriptor = new
        try Self.syncFolder(path)
    }

    /// What is in a folder is only as durable as its name there.
    private static func syncFolder(_ path: String) throws(AgentClientError) {
        let folder = systemOpen(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw failure("\(path) cannot be opened") }
        defer { _ = systemClose(folder) }
        guard fsync(folder) == 0 else { throw failure("\(path) cannot be written") }
    }

    private static func write(_ bytes: [UInt8], to file: Int32) throws(AgentClientError) {
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { systemWrite(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure("it cannot be written") }
            written += count
        }
        guard fsync(file) == 0 else { throw failure("it cannot be written") }
    }

    private static func readAll(_ file: Int32) throws(AgentClientError) -> [UInt8] {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(file, &piece, piece.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure("it cannot be read") }
            if count == 0 { return bytes }
            bytes += piece[..<count]
        }
    }

    private static func failure(_ what: String) -> AgentClientError {
        .state("\(what): \(String(cString: strerror(errno)))")
    }
}

// The class has methods of the same names.

private func systemOpen(_ path: String, _ flags: Int32, _ mode: mode_t = 0) -> Int32 { open(path, flags, mode) }
private func systemClose(_ descriptor: Int32) -> Int32 { close(descriptor) }
private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    write(descriptor, bytes, count)
}
