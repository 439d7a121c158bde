// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Synchronization

/// Which lines of progress are printed where none replaces the one before: one in ten seconds, so that a log shows that there is progress
/// and is not filled with it.
struct ProgressPace: Sendable {
    static let interval = Duration.seconds(10)
    private var latest: ContinuousClock.Instant?

    mutating func isDue(at now: ContinuousClock.Instant) -> Bool {
        guard let latest else {
            self.latest = now
            return false
        }
        guard now - latest >= Self.interval else { return false }
        self.latest = now
        return true
    }
}

/// What a command tells its user: results on standard output, progress and errors on standard error.
package enum Terminal {
    package static func out(_ line: String) { write(line + "\n", to: STDOUT_FILENO) }
    package static func note(_ line: String) { write(line + "\n", to: STDERR_FILENO) }

    private static let isQuiet = Atomic(false)
    private static let pace = Mutex(ProgressPace())

    /// From here on no progress is told.
    package static func beQuiet() { isQuiet.store(true, ordering: .relaxed) }

    /// A line of progress that stays.
    package static func step(_ line: String) {
        if !isQuiet.load(ordering: .relaxed) { note(line) }
    }

    /// One line of progress; on a terminal it replaces the one before, elsewhere one in ten seconds is printed, and the last one.
    package static func progress(_ line: String, isDone: Bool = false) {
        guard !isQuiet.load(ordering: .relaxed) else { return }
        if isatty(STDERR_FILENO) == 1 {
            write("\r\u{1B}[K\(line)\(isDone ? "\n" : "")", to: STDERR_FILENO)
        } else if pace.withLock({ $0.isDue(at: .now) }) || isDone {
            note(line)
        }
    }

    /// Takes a line of progress away that another line is to stand in the place of.
    package static func endProgress() {
        if !isQuiet.load(ordering: .relaxed), isatty(STDERR_FILENO) == 1 { write("\r\u{1B}[K", to: STDERR_FILENO) }
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

    /// A number with what it counts: `1 report`, `1,200 reports`.
    package static func counted(_ count: Int, _ one: String, _ several: String? = nil) -> String {
        "\(grouped(count)) \(count == 1 ? one : several ?? one + "s")"
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
