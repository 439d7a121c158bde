// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Synchronization

/// What Ctrl-C and SIGTERM do to a command of the simulator: files under passing names go, what a ``ProcessGuard`` watches is ended and
/// waited for, one line says what is left and how to go on, and the exit code is 3. A command that would rather end by itself awaits them.
package enum Interruption {
    /// A C string that is never freed: a handler may be writing it.
    private static let words = Atomic<UInt>(0)
    /// The same, for standard output.
    private static let result = Atomic<UInt>(0)
    /// Of the guard: the end of its pipe, and its process number; below zero without one.
    private static let guardPipe = Atomic<Int32>(-1)
    private static let guardProcess = Atomic<Int32>(-1)
    /// How long the guard is waited for, in tenths of a second: longer than a daemon and a PostgreSQL take to end. It goes on behind us.
    private static let guardTenthsMax = 900
    private static let isAwaited = Atomic(false)
    private static let wasAsked = Atomic(false)
    private static let isLeaving = Atomic(false)

    /// Takes both signals over.
    static func install() {
        signal(SIGINT, heard)
        signal(SIGTERM, heard)
    }

    /// From here on this is said as the program leaves, behind "error: ".
    package static func say(_ text: String) {
        install()
        words.store(UInt(bitPattern: strdup("\nerror: \(text)\n")), ordering: .sequentiallyConsistent)
    }

    /// From here on this is told on standard output as the program leaves: whoever asked for JSON gets JSON.
    ///
    /// - Parameter line: `nil`: nothing any more.
    package static func answer(with line: String?) {
        install()
        result.store(line.map { UInt(bitPattern: strdup($0 + "\n")) } ?? 0, ordering: .sequentiallyConsistent)
    }

    /// From here on the first signal only asks; a second one ends the program as ever.
    package static func await() {
        install()
        isAwaited.store(true, ordering: .sequentiallyConsistent)
    }

    /// From here on the first signal that comes ends the program again.
    package static func awaitNoMore() { isAwaited.store(false, ordering: .sequentiallyConsistent) }

    /// Whether a signal came while it was awaited.
    package static var isAsked: Bool { wasAsked.load(ordering: .sequentiallyConsistent) }

    /// A guard that is waited for where the program leaves; -1: there is none any more.
    static func watch(pipe: Int32, process: pid_t) {
        install()
        // In between there is none.
        guardProcess.store(-1, ordering: .sequentiallyConsistent)
        guardPipe.store(pipe, ordering: .sequentiallyConsistent)
        guardProcess.store(process, ordering: .sequentiallyConsistent)
    }

    /// Whether a signal ends the program: nothing is told behind what was said of that.
    static var isUnderWay: Bool { isLeaving.load(ordering: .sequentiallyConsistent) }

    /// While a signal ends the program, what fails because of it is not told: the work that failed waits here for the end.
    static func yieldToLeaving() {
        while isUnderWay { pause() }
    }

    /// Does only what a signal handler may.
    fileprivate static func answer() {
        if isAwaited.load(ordering: .sequentiallyConsistent),
            !wasAsked.exchange(true, ordering: .sequentiallyConsistent)
        {
            return
        }
        // Another thread may hear the second signal while the first one is being answered.
        guard !isLeaving.exchange(true, ordering: .sequentiallyConsistent) else { return }
        UnfinishedFiles.removeAll()
        if let told = UnsafePointer<CChar>(bitPattern: result.load(ordering: .sequentiallyConsistent)) {
            write(STDOUT_FILENO, told, strlen(told))
        }
        let said = UnsafePointer<CChar>(bitPattern: words.load(ordering: .sequentiallyConsistent))
        if let said {
            write(STDERR_FILENO, said, strlen(said))
        } else {
            let usual: StaticString =
                "\nerror: interrupted; no file is left half written. Run the same command again.\n"
            write(STDERR_FILENO, usual.utf8Start, usual.utf8CodeUnitCount)
        }
        let (pipe, process) = (
            guardPipe.load(ordering: .sequentiallyConsistent), guardProcess.load(ordering: .sequentiallyConsistent)
        )
        if process > 0 {
            close(pipe)
            for _ in 0..<guardTenthsMax {
                var status: Int32 = 0
                let ended = waitpid(process, &status, WNOHANG)
                guard ended == 0 || ended < 0 && errno == EINTR else { break }
                poll(nil, 0, 100)
            }
        }
        _exit(SimulationFailure.Exit.environment.rawValue)
    }
}

private func heard(_ signal: Int32) { Interruption.answer() }
