// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Synchronization

/// Ends what a chaos run has started where the run itself is killed: a shell that waits until our end of a pipe is closed, by whatever
/// ends us.
///
/// It knows the run's processes by a word of their environment, and not by numbers, which may be somebody else's by then.
final class ChaosGuard: Sendable {
    private static let variable = "AGENTSIM_CHAOS"
    private static let script = """
        read -r _
        for process in /proc/[0-9]*; do
            grep -qzxF "\(variable)=$0" "$process/environ" 2>/dev/null || continue
            kill -KILL $(cat "$process"/task/*/children 2>/dev/null) "${process#/proc/}" 2>/dev/null
        done
        sleep 1
        umount -l "$0/disk" 2>/dev/null
        rm -rf --one-file-system "$0"
        """
    /// POSIX_SPAWN_SETSID of glibc, which is behind a feature macro there.
    private static let newSession: Int16 = 0x80

    private let folder: String
    private let process: pid_t
    private let descriptor: Int32
    private let isReleased = Mutex(false)

    /// - Parameter folder: of the run below `/tmp`, which goes with its processes.
    init(folder: String) throws(SimulationFailure) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw FileOutput.failure("cannot make a pipe") }
        defer { close(ends[0]) }
        // Whoever else held our end open would keep the guard waiting.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let input = ends[0]
        self.folder = folder
        descriptor = ends[1]
        // A session of its own: a Ctrl-C is for us.
        process = try ChildProcess.start("/bin/sh", ["-c", Self.script, folder], flags: Self.newSession) { actions in
            posix_spawn_file_actions_adddup2(&actions, input, 0)
        }
    }

    /// What the environment of a process needs to be ended by it.
    var mark: [String: String] { [Self.variable: folder] }

    /// Nothing is left to be ended.
    func release() {
        let isFirst = isReleased.withLock { released in
            defer { released = true }
            return !released
        }
        guard isFirst else { return }
        kill(process, SIGKILL)
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
    }

    deinit { close(descriptor) }
}
