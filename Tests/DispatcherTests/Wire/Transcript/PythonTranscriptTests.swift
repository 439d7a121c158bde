// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Dispatcher
import Glibc
import Synchronization
import TestSupport
import Testing

/// docs/protocol.md, played by the Python client against a node over a database: the same sessions as ``TranscriptTests``.
struct PythonTranscriptTests {
    @Test(.timeLimit(.minutes(15)))
    func `the Python client plays every transcript of the document against a node`() async throws {
        try await TestDatabase.with { month in
            try TranscriptMonth.make(try month.link())
            for (number, transcript) in ProtocolDocument().transcripts.enumerated() {
                try await month.copied { database in
                    let said = try await PythonTranscriptTests.play(number, transcript, database)
                    guard said != "same" else { return }
                    Issue.record("\(said)")
                }
            }
        }
    }

    private static func play(_ number: Int, _ transcript: [String], _ database: TestDatabase) async throws -> String {
        let stage = try await TranscriptStage(database, for: transcript)
        do {
            let player = try PythonPlayer(port: stage.node.port, transcript: number)
            var said: [String] = []
            while let line = await player.hear() {
                if line.hasPrefix("! ") {
                    try await stage.happens(String(line.dropFirst(2)))
                    player.goOn()
                } else {
                    said.append(line)
                }
            }
            await stage.end()
            return said.joined(separator: "\n")
        } catch {
            await stage.end()
            throw error
        }
    }
}

/// `clients/python/tests/play.py` as a child, spoken to over one socket that is its standard input, output and errors.
private final class PythonPlayer: Sendable {
    struct Failure: Error { let call: String }

    private let process: pid_t
    private let descriptor: Int32
    private let unread = Mutex<[UInt8]>([])
    private let queue = DispatchQueue(label: "python")

    init(port: Int, transcript: Int) throws {
        let folder = Checkout.root + "/clients/python"
        var ends: [Int32] = [0, 0]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0 else { throw Failure(call: "socketpair") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { close(ends[1]) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for target in 0...2 as ClosedRange<Int32> { posix_spawn_file_actions_adddup2(&actions, ends[1], target) }
        // scripts/test.sh names one that has 'cryptography'.
        let python = getenv("REPARTO_PYTHON").map { String(cString: $0) } ?? "python3"
        let arguments: [String] = [
            "/usr/bin/env", "PYTHONPATH=\(folder)/src", "PYTHONDONTWRITEBYTECODE=1",
            python, "\(folder)/tests/play.py", "\(port)", "\(transcript)",
        ]
        var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
        words.append(nil)
        defer { for word in words { free(word) } }
        var process: pid_t = 0
        guard posix_spawn(&process, "/usr/bin/env", &actions, nil, words, environ) == 0 else {
            close(ends[0])
            throw Failure(call: "posix_spawn")
        }
        self.process = process
        descriptor = ends[0]
    }

    deinit {
        close(descriptor)
        kill(process, SIGKILL)
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
    }

    func goOn() { _ = send(descriptor, "\n", 1, Int32(MSG_NOSIGNAL)) }

    /// The next line; `nil` at the end. Waits on a thread of its own: the node needs the ones that tests run on.
    func hear() async -> String? {
        await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: self.next()) }
        }
    }

    private func next() -> String? {
        unread.withLock { unread in
            var piece = [UInt8](repeating: 0, count: 4_096)
            while true {
                if let end = unread.firstIndex(of: 0x0A) {
                    defer { unread.removeFirst(end + 1) }
                    return String(decoding: unread[..<end], as: UTF8.self)
                }
                let count = recv(descriptor, &piece, piece.count, 0)
                guard count > 0 else { return nil }
                unread += piece.prefix(count)
            }
        }
    }
}
