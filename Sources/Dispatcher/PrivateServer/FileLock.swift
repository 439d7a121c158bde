// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// An exclusive lock on a file, given back when the work ends or the process does, in whatever way.
enum FileLock {
    /// Waits for the lock on `path`, at most `waitMax`, and works while holding it.
    ///
    /// - Parameter work: gets the lock's descriptor. A child process that keeps it keeps the lock too, even when we are
    ///   killed.
    static func holding<R>(_ path: String, waitMax: Duration, _ work: (Int32) throws -> R) throws -> R {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else {
            throw CommandFailure(
                .environment, "cannot write \(path): \(String(cString: strerror(errno)))",
                remedy: "Check the folder's permissions and the free space, or choose another with --data-dir.")
        }
        defer { close(descriptor) }
        let deadline = ContinuousClock.now.advanced(by: waitMax)
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            guard ContinuousClock.now < deadline else {
                throw CommandFailure(
                    .environment, "another dispatcherd has held \(path) for \(waitMax)",
                    remedy: "Wait for it to end, or end it, and try again.")
            }
            // Not a blocking flock: that one has no bound.
            usleep(50_000)
        }
        return try work(descriptor)
    }
}
