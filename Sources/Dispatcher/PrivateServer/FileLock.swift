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

    /// Waits for the lock on a folder, at most `waitMax`, and works while holding it; the folder gets no file of ours.
    ///
    /// Where folders cannot be locked, as on some network disks, the work is done without.
    ///
    /// - Parameters:
    ///   - make: makes the folder. Is called again where whoever made it before us has removed it.
    ///   - check: throws where the wait is to end.
    static func holding<R>(
        folder path: String, waitMax: Duration, make: () throws -> Void, check: () throws -> Void,
        _ work: () throws -> R
    ) throws -> R {
        let deadline = ContinuousClock.now.advanced(by: waitMax)
        while true {
            try make()
            let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            if descriptor < 0, errno == ENOENT, ContinuousClock.now < deadline { continue }
            guard descriptor >= 0 else { return try work() }
            defer { close(descriptor) }
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 {
                guard isAt(path, descriptor) else { continue }
                return try work()
            }
            guard errno == EWOULDBLOCK || errno == EINTR else { return try work() }
            guard ContinuousClock.now < deadline else {
                throw CommandFailure(
                    .environment, "another command has been writing its files into \(path) for \(waitMax)",
                    remedy: "Wait for it to end, or give each its own folder.")
            }
            try check()
            usleep(50_000)
        }
    }

    /// Whether what we hold is what others will find there.
    private static func isAt(_ path: String, _ descriptor: Int32) -> Bool {
        var (held, found) = (Glibc.stat(), Glibc.stat())
        return fstat(descriptor, &held) == 0 && stat(path, &found) == 0 && held.st_ino == found.st_ino
            && held.st_dev == found.st_dev
    }
}
