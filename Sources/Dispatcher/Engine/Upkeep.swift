// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import Logging
internal import PgStore
internal import Synchronization

/// What a node does all the time besides answering: it reads the clock and the open hands, beats, folds, sweeps, chains,
/// ends what was recalled and spreads the news.
///
/// Every step is harmless when several nodes do it; one that fails is done again by the next round. Whoever steps the virtual clock
/// and asks for it is told when all of it was done at that time, so that a simulated month does not depend on how fast it runs.
package struct Upkeep: Sendable {
    package struct Pace: Sendable {
        /// Between two looks at the clock.
        package var clock: Duration = .milliseconds(250)
        /// The same where the clock is virtual: its steps wait for the nodes.
        package var virtualClock: Duration = .milliseconds(50)
        /// Between two readings of the open hands, two folds and two rounds of the sequencer.
        package var round: Duration = .seconds(1)
        package var beat: Duration = .seconds(5)
        package var sweep: Duration = .seconds(5)
        /// Between two readings of what is pushed.
        package var pushes: Duration = .milliseconds(500)
        /// Between two looks for what is to be dealt again.
        package var redeal: Duration = .seconds(5)
        /// How long after a deal what came back meanwhile is dealt again, in the domain's time; zero: never by itself.
        package var dealAgain: Duration = .zero
        /// Between two looks at the files of the listener's certificate.
        package var certificate: Duration = .seconds(10)
        /// Between two looks whether the ledger is to be verified, or a month projected.
        package var watch: Duration = .seconds(60)
        /// Between two verifications of a sample, and between two projections, in the domain's time; zero: never by itself.
        package var ledgerWatch: Duration = .zero
        package var projection: Duration = .zero
        /// How long a block of the ledger may wait for its place in the chain before that is told.
        package var lagBound = SequencerLag.usualBound
        /// How long before a term its holder is told.
        package var expiringLead: Duration = .seconds(3 * 86_400)

        package init() {}
    }

    private enum Chore: String, CaseIterable {
        case round, news, beat, lag, sweep, redeal, watch
    }

    private let engine: LeaseEngine
    private let connection: PgConnection
    private let beatConnection: PgConnection
    /// For what takes long, so that the clock does not wait for it.
    private let redealConnection: PgConnection
    private let watchConnection: PgConnection
    private let witness: HomeWitness
    private let tactics: TacticBook
    private let pace: Pace
    private let logger: Logger
    private let lag: LagWatch

    private final class LagWatch: Sendable {
        let lag: Mutex<SequencerLag>
        init(bound: Duration) { lag = Mutex(SequencerLag(bound: bound)) }
    }

    init(
        engine: LeaseEngine, connection: PgConnection, beatConnection: PgConnection, redealConnection: PgConnection,
        watchConnection: PgConnection, witness: HomeWitness, tactics: TacticBook, pace: Pace, logger: Logger
    ) {
        self.engine = engine
        self.connection = connection
        self.beatConnection = beatConnection
        self.redealConnection = redealConnection
        self.watchConnection = watchConnection
        self.witness = witness
        self.tactics = tactics
        self.pace = pace
        self.logger = logger
        self.lag = LagWatch(bound: pace.lagBound)
    }

    /// Runs until the task is cancelled.
    package func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await followClock() }
            for chore in Chore.allCases {
                group.addTask {
                    var failures = 0
                    while !Task.isCancelled {
                        failures = await perform(chore, failures: failures) ? 0 : failures + 1
                        // Cancelled in its sleep, the loop ends.
                        try? await Task.sleep(for: pause(after: chore, failures: failures))
                    }
                }
            }
        }
    }

    /// Longer after failures in a row, up to the pace of the beat, so that a database that comes back is noticed.
    private func pause(after chore: Chore, failures: Int) -> Duration {
        let usual =
            switch chore {
            case .round, .news: pace.round
            case .beat, .lag: pace.beat
            case .sweep: pace.sweep
            case .redeal: pace.redeal
            case .watch: pace.watch
            }
        return failures == 0 ? usual : max(usual, min(pace.beat, .seconds(failures)))
    }

    private func followClock() async {
        var failures = 0
        while !Task.isCancelled {
            var pause = pace.clock
            do {
                let step = try await connection.run { try $0.readClockStep() }
                engine.refresh(now: step.now)
                if step.isVirtual { pause = min(pause, pace.virtualClock) }
                if step.isAwaited, !step.isKept, await keepHouse() {
                    try await connection.run { try $0.nameKept(step.now) }
                }
                failures = 0
            } catch {
                failures += 1
                tell(error, of: "clock", failures: failures)
                pause = max(pause, min(pace.beat, .seconds(failures)))
            }
            // Cancelled in its sleep, the loop ends.
            try? await Task.sleep(for: pause)
        }
    }

    /// Everything once, in one order: what is over ends, what came back is dealt again, and the hands are read last.
    private func keepHouse() async -> Bool {
        for chore in [Chore.sweep, .news, .round, .redeal, .round] {
            guard await perform(chore, failures: 0) else { return false }
        }
        return true
    }

    private func tell(_ error: any Error, of chore: String, failures: Int) {
        guard failures.nonzeroBitCount == 1 else { return }
        logger.failed("Upkeep failed", error, ["chore": "\(chore)", "failures": "\(failures)"])
    }

    /// A finding is an error for whoever reads the log; it is kept besides (``LedgerWatch``).
    private func watch() async throws {
        let (projection, look) = (pace.projection, pace.ledgerWatch)
        if projection > .zero {
            let periods = try await watchConnection.run { try MonthProjection.keep($0, every: projection) }
            for period in periods { logger.info("Month projected", metadata: ["period": "\(period)"]) }
        }
        guard look > .zero else { return }
        guard let seen = try await watchConnection.run({ try LedgerWatch.run($0, every: look) }) else { return }
        for finding in seen.findings { logger.error("The ledger was changed", metadata: ["found": "\(finding)"]) }
        logger.info(
            "Ledger verified",
            metadata: [
                "delegations": "\(seen.delegations)", "records": "\(seen.records)",
                "findings": "\(seen.findings.count)",
            ])
    }

    /// Looks whether what was sealed is chained, apart from the rounds that chain it.
    private func watchSequencer() async throws {
        let (waiting, holder) = try await connection.run { link -> (ClosedRange<BlockPlace>?, String?) in
            let waiting = try link.awaitsRecovery() ? nil : link.readUnchained()
            return (waiting, waiting == nil ? nil : try link.readOldestTransaction())
        }
        switch lag.lag.withLock({ $0.note(waiting, at: .now) }) {
        case nil: break
        case .late(let waited):
            logger.error(
                "The ledger's chain is behind: receipts cannot be proven yet",
                metadata: ["lag": "\(waited)", "oldest.transaction": "\(holder ?? "none")"])
        case .level(let waited):
            logger.info("The ledger's chain is level again", metadata: ["lag": "\(waited)"])
        }
    }

    /// - Parameter failures: how often in a row it has failed before; the log gets the first, second, fourth, eighth …
    /// - Returns: whether it worked.
    private func perform(_ chore: Chore, failures: Int) async -> Bool {
        do {
            // What a restored database believes may be over: nothing is ended, dealt or told by it before somebody recovers it.
            if [Chore.news, .sweep, .redeal, .watch].contains(chore),
                try await connection.run({ try $0.awaitsRecovery() })
            {
                return true
            }
            switch chore {
            case .round:
                let begun = engine.beginReading()
                let (routing, names) = try await connection.run { link in
                    if try !link.awaitsRecovery() {
                        while try link.foldReleases(limit: 10_000) == 10_000 {}
                        try Sequencer.run(link)
                    }
                    return (try link.readRouting(), try tactics.names(link))
                }
                engine.refresh(routing, begun: begun, tactics: names)
            case .news:
                try await connection.run { link in
                    while try link.announceImport() {}
                    try Recalls.finish(link)
                    try ContactFollower.run(link)
                    try Pauses.liftEnded(link)
                }
            case .beat:
                try await beatConnection.run { link in try link.answeredInTime { try witness.beat(link) } }
            case .lag: try await watchSequencer()
            case .sweep:
                let lead = pace.expiringLead
                let (closed, idle, lag) = try await connection.run { link in
                    // What time it is, this server does not know; whatever it ended would be ended by a guess.
                    let lag = try link.readClockLag()
                    guard lag == .zero else { return (0, 0, lag) }
                    _ = try link.announceTerms(lead: lead)
                    try link.transaction { try link.dropOldPushes(limit: 10_000) }
                    return (try Sweep.run(link), try IdleLeases.takeBack(link), lag)
                }
                if lag > .zero {
                    logger.warning(
                        "Nothing is swept: the database's clock is behind its latest beat", metadata: ["lag": "\(lag)"])
                }
                if closed > 0 { logger.info("Grants swept", metadata: ["grants": "\(closed)"]) }
                if idle > 0 { logger.info("Idle leases taken back", metadata: ["leases": "\(idle)"]) }
            case .redeal:
                let again = pace.dealAgain
                let accounts = try await redealConnection.run { try RedealKeeping.run($0, dealAgain: again) }
                if accounts > 0 { logger.info("Dealt again", metadata: ["accounts": "\(accounts)"]) }
            case .watch: try await watch()
            }
            return true
        } catch {
            tell(error, of: chore.rawValue, failures: failures + 1)
            return false
        }
    }
}
