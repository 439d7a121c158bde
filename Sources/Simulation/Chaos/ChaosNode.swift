// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import Glibc
internal import Synchronization

/// One node of the daemon, which is started again when it ends, as an init system would, unless it is held.
final class ChaosNode: Sendable {
    private struct State {
        var process: ManagedProcess?
        var readyFile = ""
        var starts = 0
        var isHeld = false
        var environment: [String: String] = [:]
    }

    let number: Int
    private let program: String
    private let folder: String
    private let conninfo: String
    private let usual: [String: String]
    private let state = Mutex(State())

    /// - Parameters:
    ///   - folder: for its log and its ready files.
    ///   - mark: what its environment bears.
    init(number: Int, program: String, folder: String, conninfo: String, mark: [String: String]) {
        usual = ["PATH": "/usr/bin:/bin", "TZ": "UTC", "REPARTO_SWEEP_INTERVAL_SECONDS": "1"].merging(mark) { $1 }
        self.number = number
        self.program = program
        self.folder = folder
        self.conninfo = conninfo
    }

    var starts: Int { state.withLock { $0.starts } }

    /// Starts it where it does not run, and tells where it listens.
    ///
    /// - Returns: its port; `nil` while it does not listen.
    func keep() throws(SimulationFailure) -> Int? {
        let (isRunning, isHeld) = state.withLock { ($0.process?.isRunning ?? false, $0.isHeld) }
        if !isRunning, !isHeld { try start() }
        guard isRunning else { return nil }
        let file = state.withLock { $0.readyFile }
        guard let text = try? Folder.text(file) else { return nil }
        return text.split(separator: " ").last.flatMap { Int($0.filter(\.isNumber)) }
    }

    /// Whether its process runs and has said where it listens.
    var isListening: Bool {
        let (isRunning, file) = state.withLock { ($0.process?.isRunning ?? false, $0.readyFile) }
        return isRunning && Folder.exists(file)
    }

    private func start() throws(SimulationFailure) {
        let (number, extra) = state.withLock { state in
            state.starts += 1
            state.readyFile = "\(folder)/node-\(self.number).\(state.starts).ready"
            return (state.starts, state.environment)
        }
        let words = [
            program, "serve", "--port", "0", "--ready-file", "\(folder)/node-\(self.number).\(number).ready",
            "--database", conninfo,
        ]
        let process = try ManagedProcess(
            words, environment: usual.merging(extra) { $1 }, log: "\(folder)/node-\(self.number).log")
        state.withLock { $0.process = process }
    }

    /// The environment of later starts, besides the usual.
    func set(environment: [String: String]) { state.withLock { $0.environment = environment } }

    /// - Returns: whether it ran.
    @discardableResult
    func signal(_ number: Int32) -> Bool { state.withLock { $0.process }?.signal(number) ?? false }

    /// The time of the last line of its log that has one, by its own system's clock.
    var loggedAt: Timestamp? { Self.latestTime((try? Folder.text("\(folder)/node-\(number).log")) ?? "") }

    /// A line of the log begins as `2024-03-04T15:42:10+0000`.
    static func latestTime(_ log: String) -> Timestamp? {
        log.split(separator: "\n").reversed().lazy.compactMap { line in
            line.dropFirst(19).hasPrefix("+0000 ") ? Timestamp(text: "\(line.prefix(19))Z") : nil
        }.first
    }

    var pid: pid_t? { state.withLock { $0.process }.flatMap { $0.isRunning ? $0.pid : nil } }

    func ended(within most: Duration) async -> Bool {
        guard let process = state.withLock({ $0.process }) else { return true }
        return await process.ended(within: most)
    }

    /// Ends it for good.
    func stop() async {
        state.withLock { $0.isHeld = true }
        guard let process = state.withLock({ $0.process }) else { return }
        process.signal(SIGCONT)
        await process.end(SIGTERM, within: .seconds(15))
    }
}
