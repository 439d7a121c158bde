// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Numbered parts of one piece of work, done by several threads and taken by the caller in the order of their numbers.
///
/// Parts that are done wait to be taken, and no thread starts one that is more than `ahead` parts further, so memory is
/// bounded. Threads of its own, because the work blocks in the database.
package enum OrderedWork {
    /// One per processor, up to a few: the database needs processors too.
    static var threads: Int { min(max(sysconf(Int32(_SC_NPROCESSORS_ONLN)), 1), 4) }

    /// - Parameters:
    ///   - worker: called once on each thread; what it gives does the parts there, and never leaves the thread.
    ///   - take: gets a function that gives part after part, and `nil` behind the last; throws what a part threw.
    package static func run<Part: Sendable, Value>(
        parts: Int, threads: Int, worker: @escaping @Sendable () throws -> (Int) throws -> Part,
        take: (_ next: () throws -> Part?) throws -> Value
    ) throws -> Value {
        let board = Board<Part>(parts: parts, ahead: threads + 2)
        let workers = (0..<max(1, min(threads, parts))).map { _ in
            start { board.work(worker) }
        }
        defer {
            board.stop()
            for worker in workers { pthread_join(worker, nil) }
        }
        return try take { try board.next() }
    }

    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    private static func start(_ body: @escaping @Sendable () -> Void) -> pthread_t {
        var thread = pthread_t()
        let failure = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run()
                return nil
            }, Unmanaged.passRetained(Body(body)).toOpaque())
        precondition(failure == 0, "no thread: error \(failure)")
        return thread
    }

    /// What the threads and the caller tell each other. Everything is read and written under its lock.
    private final class Board<Part: Sendable>: @unchecked Sendable {
        private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
        private let change = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
        private let parts: Int
        private let ahead: Int
        private var started = 0
        private var taken = 0
        private var isStopped = false
        private var done: [Int: Result<Part, any Error>] = [:]

        init(parts: Int, ahead: Int) {
            self.parts = parts
            self.ahead = ahead
            pthread_mutex_init(lock, nil)
            pthread_cond_init(change, nil)
        }

        deinit {
            pthread_cond_destroy(change)
            pthread_mutex_destroy(lock)
            change.deallocate()
            lock.deallocate()
        }

        func work(_ worker: () throws -> (Int) throws -> Part) {
            let work = Result { try worker() }
            while let number = claim() {
                let result = Result { try work.get()(number) }
                locked { done[number] = result }
            }
        }

        func next() throws -> Part? {
            pthread_mutex_lock(lock)
            defer { pthread_mutex_unlock(lock) }
            guard taken < parts else { return nil }
            while done[taken] == nil { pthread_cond_wait(change, lock) }
            let result = done.removeValue(forKey: taken)
            taken += 1
            pthread_cond_broadcast(change)
            return try result?.get()
        }

        func stop() { locked { isStopped = true } }

        private func claim() -> Int? {
            pthread_mutex_lock(lock)
            defer { pthread_mutex_unlock(lock) }
            while !isStopped, started < parts, started >= taken + ahead { pthread_cond_wait(change, lock) }
            guard !isStopped, started < parts else { return nil }
            started += 1
            return started - 1
        }

        private func locked(_ body: () -> Void) {
            pthread_mutex_lock(lock)
            body()
            pthread_cond_broadcast(change)
            pthread_mutex_unlock(lock)
        }
    }
}
