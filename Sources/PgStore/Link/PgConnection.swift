// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Synchronization

/// A link of its own on a thread of its own, for the daemon: whoever awaits gives the thread pool back while the server works.
///
/// One body runs at a time, in the order in which they were asked for. A lost link is opened anew by the next body.
package actor PgConnection {
    /// What is seen of the database on the way.
    package enum Sight: Sendable {
        /// It did what was asked of it, which was begun then.
        case answered(begun: ContinuousClock.Instant)
        /// It is away (``PgError/isAway``); `opened`: when the link was opened that broke now, where there was one.
        case lost(PgError, opened: ContinuousClock.Instant?)
    }

    private let thread: PgThread
    private let conninfo: String
    private let application: String
    private let prepares: Bool
    private var link: PgLink?
    private var openedAt: ContinuousClock.Instant?
    private let onSight: @Sendable (Sight) -> Void
    private let onConnect: @Sendable (PgLink) throws -> Void

    package nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    /// - Parameters:
    ///   - onConnect: runs on every new link before anything else: the checks that a server must pass.
    ///   - onSight: called for every body, from the link's thread.
    package init(
        _ conninfo: String, application: String, prepares: Bool = true,
        onConnect: @escaping @Sendable (PgLink) throws -> Void = { _ in },
        onSight: @escaping @Sendable (Sight) -> Void = { _ in }
    ) {
        self.thread = PgThread()
        self.conninfo = conninfo
        self.application = application
        self.prepares = prepares
        self.onSight = onSight
        self.onConnect = onConnect
    }

    /// Runs `body` with the link, opening one where there is none.
    ///
    /// - Throws: what `body` throws. After a lost connection, or a commit of unknown result, the link is dropped.
    package func run<Value: Sendable>(_ body: @Sendable (PgLink) throws -> Value) throws -> Value {
        let begun = ContinuousClock.now
        let link = try opened()
        do {
            let value = try body(link)
            onSight(.answered(begun: begun))
            return value
        } catch var error as PgError {
            if error.isConnectionLost || !link.isAlive {
                error.isAway = isAway(error, link)
                if error.isAway { onSight(.lost(error, opened: openedAt)) }
                self.link = nil
            } else if link.isInTransaction {
                try? link.script("ROLLBACK")
            }
            throw error
        } catch {
            if link.isInTransaction { try? link.script("ROLLBACK") }
            throw error
        }
    }

    /// The same for a `body` whose first statement only asks: where the link was lost before that was answered, nothing was done,
    /// and the body is run once again on a fresh one. So whoever asks first after the server was started again is answered. What the
    /// server did not answer in time is not asked again: it would take as long.
    package func ask<Value: Sendable>(_ body: @Sendable (PgLink) throws -> Value) throws -> Value {
        guard let old = link, old.isAlive else { return try run(body) }
        let before = old.answers
        do {
            return try run(body)
        } catch let error as PgError where !error.isUnanswered && link == nil && old.answers == before {
            return try run(body)
        }
    }

    package func close() { link = nil }

    private func opened() throws -> PgLink {
        if let link, link.isAlive { return link }
        let fresh: PgLink
        do throws(PgError) {
            fresh = try PgLink(conninfo, application: application, prepares: prepares)
        } catch {
            throw lost(error)
        }
        do {
            try onConnect(fresh)
        } catch let error as PgError {
            // Whatever it was, nothing was begun of what the link was wanted for.
            let failure = PgError(
                code: PgError.connectionLost, statement: PgError.connecting, message: "\(error)",
                isUnanswered: error.isUnanswered)
            throw isAway(error, fresh) ? lost(failure) : failure
        }
        link = fresh
        openedAt = .now
        return fresh
    }

    /// Whether it is the server that is gone: not where it takes too long, or warns of a COMMIT.
    private func isAway(_ error: PgError, _ link: PgLink) -> Bool {
        !error.isUnanswered && (error.isFarewell || !link.isAlive)
    }

    /// Tells that no link can be opened.
    private func lost(_ error: PgError) -> PgError {
        var error = error
        error.isAway = true
        onSight(.lost(error, opened: nil))
        return error
    }
}

/// A serial executor that is one thread: libpq blocks, and the shared thread pool must not.
///
/// Owns its thread until it is released; jobs that were enqueued by then still run.
final class PgThread: SerialExecutor {
    private final class Queue: Sendable {
        struct State {
            var jobs: [(job: UnownedJob, executor: UnownedSerialExecutor)] = []
            var isClosing = false
        }
        let state = Mutex(State())
        let wakeup = Wakeup()
    }
    private let queue = Queue()

    init() {
        let context = Unmanaged.passRetained(queue)
        var thread = pthread_t()
        let failure = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                PgThread.serve(Unmanaged<Queue>.fromOpaque(context).takeRetainedValue())
                return nil
            }, context.toOpaque())
        precondition(failure == 0, "no thread for a database link: error \(failure)")
        pthread_detach(thread)
    }

    deinit {
        queue.state.withLock { $0.isClosing = true }
        queue.wakeup.signal()
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let executor = asUnownedSerialExecutor()
        queue.state.withLock { $0.jobs.append((job, executor)) }
        queue.wakeup.signal()
    }

    private static func serve(_ queue: Queue) {
        while true {
            let (jobs, isClosing) = queue.state.withLock { state in
                defer { state.jobs.removeAll(keepingCapacity: true) }
                return (state.jobs, state.isClosing)
            }
            // A job keeps its actor alive, and the actor its executor: the unowned reference holds while the job runs.
            for entry in jobs { entry.job.runSynchronously(on: entry.executor) }
            if jobs.isEmpty {
                if isClosing { return }
                queue.wakeup.wait()
            }
        }
    }
}

/// A counting semaphore. POSIX makes post and wait safe from any thread; the memory lives as long as the object.
private final class Wakeup: @unchecked Sendable {
    private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() { sem_init(semaphore, 0, 0) }
    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    func signal() { sem_post(semaphore) }
    func wait() { while sem_wait(semaphore) != 0 {} }
}
