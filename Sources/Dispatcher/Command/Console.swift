// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Synchronization

/// What a command tells its user: results on standard output, progress and errors on standard error.
package enum Console {
    /// What the command has put in the database for good; see ``committed(_:)``.
    private static let kept = Mutex<String?>(nil)

    /// Notes what is in the database for good from here on, in words that follow "but": should the report of it not reach
    /// anybody, that is said.
    ///
    /// From here on a reader that goes away does not end the command without a word.
    package static func committed(_ what: String) {
        kept.withLock { $0 = what }
        signal(SIGPIPE, SIG_IGN)
    }

    package static func out(_ line: String) { write(line + "\n", to: STDOUT_FILENO) }

    /// Tells the result of a command that changes something, once that is done: see ``committed(_:)``.
    package static func done(_ line: String) { out(line, after: true) }

    /// - Parameter isDone: whether what is told of was also done; a preview changes nothing.
    package static func out(_ line: String, after isDone: Bool) {
        if isDone, kept.withLock({ $0 == nil }) { committed("what the command was asked for is done and kept") }
        out(line)
    }

    package static func note(_ line: String) { write(line + "\n", to: STDERR_FILENO) }

    /// One line of progress; on a terminal it replaces the one before until `isDone`.
    package static func progress(_ label: String, done: Int, of total: Int?, isDone: Bool = false) {
        let figure = total.map { "\(grouped(done)) of \(grouped($0))" } ?? grouped(done)
        let isTerminal = isatty(STDERR_FILENO) == 1
        if isTerminal {
            write("\r\u{1B}[K\(label): \(figure)\(isDone ? "\n" : "")", to: STDERR_FILENO)
        } else if isDone {
            write("\(label): \(figure)\n", to: STDERR_FILENO)
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

    /// Results that did not reach whoever asked for them must not look like a success. A reader that has seen enough and
    /// closed the pipe is no mistake where nothing but reading was asked for.
    private static func lost() {
        let code = errno
        let kept = Self.kept.withLock { $0 }
        guard code != EPIPE || kept != nil else { return }
        let told = kept.map { "; but \($0), and only this report of it is lost" } ?? ""
        let remedy =
            code == EPIPE
            ? "Let its reader read to the end, or write to a file." : "Check that the disk it goes to is not full."
        write(
            "error: cannot write to standard output: \(String(cString: strerror(code)))\(told). \(remedy)\n",
            to: STDERR_FILENO)
        // Work that is done did not fail; whoever runs the command again on 3 would do it twice.
        exit(kept == nil ? CommandFailure.Exit.environment.rawValue : CommandFailure.Exit.findings.rawValue)
    }

    /// Nobody who reads progress and errors is no reason to stop in the middle of the work: what goes to standard error and finds
    /// no reader is lost, and no more than that.
    private static func write(_ text: String, to descriptor: Int32) {
        let former = descriptor == STDERR_FILENO ? signal(SIGPIPE, SIG_IGN) : nil
        defer { if descriptor == STDERR_FILENO { signal(SIGPIPE, former) } }
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
}
