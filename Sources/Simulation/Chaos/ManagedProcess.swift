// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Synchronization

/// A program that runs beside us until it ends or is ended. Signals go to this process and to no other: its number is not
/// given to anybody else before it has been waited for here.
final class ManagedProcess: Sendable {
    let pid: pid_t
    /// How it ended, as `waitpid` tells; `nil` while it runs.
    private let status = Mutex<Int32?>(nil)

    /// - Parameters:
    ///   - words: the program's absolute path and its arguments.
    ///   - environment: all of it.
    ///   - log: what it prints is appended there.
    init(_ words: [String], environment: [String: String], log: String) throws(SimulationFailure) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        // It must not hold our connections and listeners open.
        for name in try Folder.names(in: "/proc/self/fd") {
            if let descriptor = Int32(name), descriptor > 2 { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        for signal in [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE] { sigaddset(&signals, signal) }
        posix_spawnattr_setsigdefault(&attributes, &signals)
        // A group of its own: a Ctrl-C at us is told to it by us, after its clients are done.
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))
        var arguments = words.map { strdup($0) } + [nil]
        var variables = environment.map { strdup("\($0)=\($1)") } + [nil]
        defer { for text in arguments + variables { free(text) } }
        var child: pid_t = 0
        let code = posix_spawn(&child, words[0], &actions, &attributes, &arguments, &variables)
        guard code == 0 else {
            throw SimulationFailure(
                .environment, "cannot run \(words[0]): \(String(cString: strerror(code)))",
                remedy: "Check that it is installed")
        }
        pid = child
    }

    var isRunning: Bool {
        status.withLock { status in
            guard status == nil else { return false }
            var code: Int32 = 0
            guard waitpid(pid, &code, WNOHANG) != 0 else { return true }
            status = code
            return false
        }
    }

    /// Whether it has ended, and with code 0.
    var isSuccess: Bool { !isRunning && status.withLock { $0 } == 0 }

    /// - Returns: whether there was still somebody to hear it.
    @discardableResult
    func signal(_ number: Int32) -> Bool {
        guard isRunning else { return false }
        return kill(pid, number) == 0
    }

    /// - Returns: whether it ended within the time.
    func ended(within most: Duration) async -> Bool {
        let deadline = ContinuousClock.now + most
        while isRunning {
            guard ContinuousClock.now < deadline else { return false }
            // Cancelled or not, what was started has to be seen to its end.
            try? await Task.sleep(for: .milliseconds(20))
            if Task.isCancelled { usleep(20_000) }
        }
        return true
    }

    /// Asks it to end, and ends it when it does not.
    func end(_ number: Int32, within most: Duration) async {
        signal(number)
        guard await !ended(within: most) else { return }
        signal(SIGKILL)
        _ = await ended(within: .seconds(10))
    }

    /// The processes that it has started itself and that live now.
    var children: [pid_t] {
        let names = (try? Folder.names(in: "/proc")) ?? []
        return names.compactMap { pid_t($0) }.filter { Self.parent(of: $0) == pid }
    }

    /// "12 (a name) S 1 …": the parent stands behind the name, which may hold anything.
    private static func parent(of process: pid_t) -> pid_t? {
        guard let text = try? Folder.text("/proc/\(process)/stat"), let end = text.lastIndex(of: ")") else {
            return nil
        }
        let words = text[text.index(after: end)...].split(separator: " ")
        return words.count > 1 ? pid_t(words[1]) : nil
    }
}
