// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Synchronization

/// What a command tells its user: results on standard output, progress and errors on standard error.
package enum Terminal {
    package static func out(_ line: String) { write(line + "\n", to: STDOUT_FILENO) }
    package static func note(_ line: String) { write(line + "\n", to: STDERR_FILENO) }

    /// One line of progress; on a terminal it replaces the one before, elsewhere only the last one is printed.
    package static func progress(_ line: String, isDone: Bool = false) {
        if isatty(STDERR_FILENO) == 1 {
            write("\r\u{1B}[K\(line)\(isDone ? "\n" : "")", to: STDERR_FILENO)
        } else if isDone {
            note(line)
        }
    }

    /// Thousands separated by commas, for people.
    package static func grouped(_ value: Int) -> String {
        var digits = String(value.magnitude)
        var groups: [String] = []
        while digits.count > 3 {
            groups.append(String(digits.suffix(3)))
            digits.removeLast(3)
        }
        groups.append(digits)
        return (value < 0 ? "-" : "") + groups.reversed().joined(separator: ",")
    }

    private static func write(_ text: String, to descriptor: Int32) {
        guard !Interruption.isUnderWay else { return }
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written > 0 {
                bytes = bytes.dropFirst(written)
            } else if errno != EINTR {
                return descriptor == STDOUT_FILENO ? lost() : ()
            }
        }
    }

    private static let lostReason = Mutex<String?>(nil)

    /// A reader that has seen enough and closed the pipe is no mistake.
    private static func lost() {
        guard errno != EPIPE else { return }
        let reason = String(cString: strerror(errno))
        lostReason.withLock { $0 = $0 ?? reason }
    }

    /// At the end of a command: results that did not reach whoever asked for them must not look like a success. Not before, because
    /// a command may have processes to stop.
    package static func finish() {
        guard let reason = lostReason.withLock({ $0 }) else { return }
        let failure = SimulationFailure(
            .environment,
            "cannot write to standard output: \(reason); the command went to its end, and its report is lost",
            remedy: "Check that the disk it goes to is not full")
        note("error: \(failure)")
        exit(failure.exit.rawValue)
    }
}
