// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Synchronization

/// Ends what a run has started where the run itself is killed or interrupted: a shell that waits until our end of a pipe is closed, by
/// whatever ends us.
///
/// It knows the run's processes by a word of their environment, and not by numbers, which may be somebody else's by then.
final class ProcessGuard: Sendable {
    /// What is done about what a run leaves.
    enum Ending: Sendable {
        /// Everything is killed, what the marked processes have started included, and the folder that the run is named after removed, with
        /// the disk below it.
        case removal
        /// What is marked is asked to end, and killed after ten seconds; then these words are run, where there are any.
        case stop(then: [String])
    }

    private static let variable = "AGENTSIM_RUN"
    private static let removal = """
        read -r _
        for process in /proc/[0-9]*; do
            grep -qzxF "\(variable)=$0" "$process/environ" 2>/dev/null || continue
            kill -KILL $(cat "$process"/task/*/children 2>/dev/null) "${process#/proc/}" 2>/dev/null
        done
        sleep 1
        umount -l "$0/disk" 2>/dev/null
        rm -rf --one-file-system "$0"
        """
    private static let stop = """
        read -r _
        name=$0
        marked() { grep -lszxF "\(variable)=$name" /proc/[0-9]*/environ | tr -dc '0-9\\n'; }
        kill -TERM $(marked) 2>/dev/null
        for turn in 1 2 3 4 5 6 7 8 9 10; do
            for part in 1 2 3 4 5; do
                [ -n "$(marked)" ] || break 2
                sleep 0.2
            done
        done
        kill -KILL $(marked) 2>/dev/null
        [ $# -eq 0 ] || exec "$@" >/dev/null 2>&1
        """
    /// POSIX_SPAWN_SETSID of glibc, which is behind a feature macro there.
    private static let newSession: Int16 = 0x80

    private let name: String
    private let process: pid_t
    private let descriptor: Int32
    private let isReleased = Mutex(false)

    /// - Parameter name: of the run; no other one that lives has it.
    init(name: String, _ ending: Ending) throws(SimulationFailure) {
        var ends: [Int32] = [-1, -1]
        // Whoever else held our end open would keep the guard waiting: no program that another thread starts now may get it, which pipe()
        // cannot promise.
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw FileOutput.failure("cannot make a pipe") }
        defer { close(ends[0]) }
        let input = ends[0]
        self.name = name
        descriptor = ends[1]
        let words =
            switch ending {
            case .removal: ["-c", Self.removal, name]
            case .stop(let command): ["-c", Self.stop, name] + command
            }
        // A session of its own: a Ctrl-C is for us.
        process = try ChildProcess.start("/bin/sh", words, flags: Self.newSession) { actions in
            posix_spawn_file_actions_adddup2(&actions, input, 0)
        }
        Interruption.watch(pipe: descriptor, process: process)
    }

    /// What the environment of a process needs to be ended by it.
    var mark: [String: String] { [Self.variable: name] }

    /// Nothing is left to be ended.
    func release() {
        let isFirst = isReleased.withLock { released in
            defer { released = true }
            return !released
        }
        guard isFirst else { return }
        Interruption.watch(pipe: -1, process: -1)
        kill(process, SIGKILL)
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
    }

    deinit { close(descriptor) }
}
