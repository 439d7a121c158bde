// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Another program of ours that runs beside us until it is told to stop, its output in a file.
final class BackgroundProcess {
    private let process: pid_t
    private var isRunning = true
    /// POSIX_SPAWN_SETSID of glibc, which is behind a feature macro there.
    private static let newSession: Int16 = 0x80

    /// - Parameter output: a file for what it prints, written anew.
    init(_ program: String, _ arguments: [String], output: String) throws(SimulationFailure) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        // A session of its own: Ctrl-C is ours, and we stop it in our turn.
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK) | Self.newSession)
        var words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) }
        words.append(nil)
        defer { for word in words { free(word) } }
        var started: pid_t = 0
        let result = posix_spawn(&started, program, &actions, &attributes, words, environ)
        guard result == 0 else {
            throw SimulationFailure(
                .environment, "cannot run \(program): \(String(cString: strerror(result)))",
                remedy: "Name it with --dispatcherd")
        }
        process = started
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
