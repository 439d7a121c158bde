// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Another program of ours that runs beside us until it is told to stop, its output in a file.
final class BackgroundProcess {
    private let process: pid_t
    private var isRunning = true
    /// POSIX_SPAWN_SETSID of glibc, which is behind a feature macro there.
    private static let newSession: Int16 = 0x80

    /// - Parameters:
    ///   - output: a file for what it prints, written anew.
    ///   - environment: besides our own.
    init(
        _ program: String, _ arguments: [String], output: String, environment: [String: String] = [:],
        hasSettings: Bool = true
    ) throws(SimulationFailure) {
        // A session of its own: Ctrl-C is ours, and we stop it in our turn.
        process = try ChildProcess.start(
            program, arguments, flags: Self.newSession, environment: environment, hasSettings: hasSettings
        ) { actions in
            posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
            posix_spawn_file_actions_adddup2(&actions, 1, 2)
        }
    }

    /// Whether it is still there.
    func isAlive() -> Bool {
        guard isRunning else { return false }
        var status: Int32 = 0
        if waitpid(process, &status, WNOHANG) == process { isRunning = false }
        return isRunning
    }

    /// Asks it to end and waits for it; after `patience` it is killed.
    func stop(patience: Duration = .seconds(20)) {
        guard isAlive() else { return }
        kill(process, SIGTERM)
        let deadline = ContinuousClock.now.advanced(by: patience)
        while isAlive() {
            if ContinuousClock.now > deadline { kill(process, SIGKILL) }
            usleep(20_000)
        }
    }

    deinit { stop() }
}
