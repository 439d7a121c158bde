// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Synchronization

/// Ctrl-C during an import, a close or the writing of its files: one line, and nothing half done, as the transaction dies with the connection.
///
/// While rows are read, or a month is computed, the flag is looked at between steps. While the server works on one long statement nobody looks,
/// so the handler itself leaves; it does only what a signal handler may.
package enum Interruption {
    package enum Phase: Int, Sendable { case idle, reading, statement, computing, committing, writing }

    private static let phase = Atomic<Int>(0)
    private static let isAsked = Atomic<Bool>(false)
    /// The address of a C string: the file to remove; 0 for none.
    private static let file = Atomic<UInt>(0)

    /// Takes SIGINT and SIGTERM over until ``disarm()``.
    package static func arm() {
        isAsked.store(false, ordering: .sequentiallyConsistent)
        enter(.reading)
        signal(SIGINT, handleInterruption)
        signal(SIGTERM, handleInterruption)
    }

    package static func disarm() {
        signal(SIGINT, SIG_DFL)
        signal(SIGTERM, SIG_DFL)
        enter(.idle)
    }

    package static func enter(_ new: Phase) { phase.store(new.rawValue, ordering: .sequentiallyConsistent) }

    /// - Throws: when the user has asked to stop.
    static func check(_ left: String = "nothing was imported") throws(CommandFailure) {
        guard isAsked.load(ordering: .sequentiallyConsistent) else { return }
        throw CommandFailure(.environment, "interrupted; \(left)", remedy: "Run the same command again.")
    }

    static func removeOnExit(_ path: String) {
        forgetFile()
        file.store(UInt(bitPattern: strdup(path)), ordering: .sequentiallyConsistent)
    }

    static func forgetFile() {
        let old = file.exchange(0, ordering: .sequentiallyConsistent)
        free(UnsafeMutableRawPointer(bitPattern: old))
    }

    fileprivate static func handle() {
        let again = isAsked.exchange(true, ordering: .sequentiallyConsistent)
        switch Phase(rawValue: phase.load(ordering: .sequentiallyConsistent)) {
        case .reading where !again, .computing where !again, .writing where !again: return
        case .writing: leave("\nerror: interrupted; files may be missing. Run the same command again.\n")
        case .computing:
            leave(
                "\nerror: interrupted; the month may be left 'closing'. Run close again, or close --give-back.\n")
        case .committing:
            leave(
                "\nerror: interrupted while committing. Run the same command again: it says what is done.\n"
            )
        case .idle, .reading, .statement, nil:
            leave("\nerror: interrupted; nothing was imported. Run the same command again.\n")
        }
    }

    private static func leave(_ message: StaticString) -> Never {
        if let path = UnsafePointer<CChar>(bitPattern: file.load(ordering: .sequentiallyConsistent)) { unlink(path) }
        write(STDERR_FILENO, message.utf8Start, message.utf8CodeUnitCount)
        _exit(CommandFailure.Exit.environment.rawValue)
    }
}

private func handleInterruption(_ signal: Int32) { Interruption.handle() }
