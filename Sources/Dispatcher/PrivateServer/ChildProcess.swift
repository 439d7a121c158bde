// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import Glibc

/// One program run to its end, without a shell, with an environment of its own, a null standard input and its output
/// gathered up.
struct ChildProcess {
    /// What the program ended with and the last 64 KiB of what it printed on both outputs.
    struct Ending {
        let status: Int32
        let output: String

        var isSuccess: Bool { status == 0 }
    }

    /// Runs `words[0]` (an absolute path) with the rest as its arguments, and waits for it.
    ///
    /// - Parameters:
    ///   - folder: where it works; `nil`: where we do.
    ///   - kept: a descriptor that it and its children get as number 3.
    static func run(
        _ words: [String], folder: String? = nil, environment: [String: String] = [:], keeping kept: Int32? = nil
    ) throws(CommandFailure) -> Ending {
        // posix_spawn's own change of folder is not in POSIX, and Swift does not see it.
        let words = (folder.map { ["/usr/bin/env", "-C", $0, "--"] } ?? []) + words
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw failure(words, errno) }
        // A server that stays up must not hold what we happen to have open: a lock, a pipe of whoever started us.
        for descriptor in openDescriptors() where descriptor > STDERR_FILENO {
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        }
        defer { close(ends[0]) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO)
        if let kept { posix_spawn_file_actions_adddup2(&actions, kept, 3) }
        let spawned = start(words, environment: environment, actions: &actions)
        close(ends[1])
        let child = try spawned.get()
        return Ending(status: 0, output: readAll(ends[0])).ended(by: child)
    }

    private static func start(
        _ words: [String], environment: [String: String], actions: inout posix_spawn_file_actions_t
    ) -> Result<pid_t, CommandFailure> {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // A daemon ignores or blocks signals for itself; what it starts must not inherit that.
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        for signal in [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE] { sigaddset(&signals, signal) }
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        let lines = ["PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C", "TZ=UTC"] + environment.map { "\($0)=\($1)" }
        var arguments = words.map { strdup($0) } + [nil]
        var variables = lines.map { strdup($0) } + [nil]
        defer { for text in arguments + variables { free(text) } }
        var child: pid_t = 0
        let code = posix_spawn(&child, words[0], &actions, &attributes, &arguments, &variables)
        return code == 0 ? .success(child) : .failure(failure(words, code))
    }

    private static func openDescriptors() -> [Int32] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []).compactMap { Int32($0) }
    }

    private static func readAll(_ descriptor: Int32) -> String {
        var text: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return String(decoding: text.suffix(65_536), as: UTF8.self) }
            text = text.suffix(65_536) + chunk[..<count]
        }
    }

    private static func failure(_ words: [String], _ code: Int32) -> CommandFailure {
        CommandFailure(
            .environment, "cannot run \(words[0]): \(String(cString: strerror(code)))",
            remedy: "Check that it is installed and that there are processes and memory left.")
    }
}

extension ChildProcess.Ending {
    /// The same output with the exit status of `child`; a signal counts as 128 and its number, as in a shell.
    fileprivate func ended(by child: pid_t) -> Self {
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0 && errno == EINTR {}
        let code = status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
        return Self(status: code, output: output)
    }
}
