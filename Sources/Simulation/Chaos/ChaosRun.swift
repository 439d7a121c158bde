// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import Glibc
internal import NIOPosix
internal import PgStore

/// Works a small installation and breaks what it stands on, by a schedule that the seed decides; then everything is made whole
/// again and the history is judged.
package struct ChaosRun: Sendable {
    /// How long a request may take to be answered, once everything is whole.
    private static let patience: Duration = .seconds(60)
    private static let tick: Duration = .milliseconds(500)
    let settings: ChaosSettings

    package init(_ settings: ChaosSettings) { self.settings = settings }

    /// - Parameter progress: a line for people, after each step and each fault.
    /// - Throws: ``SimulationFailure`` where it could not be set up, or could not be made whole again.
    package func run(progress: @escaping @Sendable (String) -> Void) async throws -> ChaosReport {
        guard !Folder.exists(settings.folder + "/clients") else {
            throw SimulationFailure(
                .usage, "\(settings.folder) has a run already", remedy: "Remove it, or name another folder with --out")
        }
        for path in settings.inputs where !Folder.exists(path) {
            throw SimulationFailure(
                .usage, "there is no file \(path)",
                remedy:
                    "Name the folder of zones.csv, schedules.csv and infonavit-2023.yaml with --policies, or run the command in the "
                    + "folder of the clone")
        }
        Interruption.say(
            "interrupted; the nodes and the PostgreSQL of this run are ended. Before the same command: rm -r \(settings.folder)"
        )
        // The nodes that it ends fail before it does.
        defer { Interruption.yieldToLeaving() }
        let site = try await ChaosSite.make(settings, progress: progress)
        do {
            let report = try await drive(site, progress)
            await site.stop()
            await site.server.stop()
            site.server.remove()
            return report
        } catch {
            await site.stop()
            await site.server.stop()
            site.server.remove()
            throw error
        }
    }

    private func drive(
        _ site: ChaosSite, _ progress: @escaping @Sendable (String) -> Void
    ) async throws -> ChaosReport {
        let keeper = Task {
            while !Task.isCancelled {
                try site.keepNodes()
                // Nodes that ended are started again about as soon as a supervisor would.
                try await Task.sleep(for: .milliseconds(100))
            }
        }
        let clock = Task {
            while !Task.isCancelled {
                // The pace of the virtual clock.
                try await Task.sleep(for: Self.tick)
                // On a thread of its own: a server that is stopped answers nobody, and whoever waits for it holds a thread, of which the
                // tasks that end the fault, and the ways to the nodes, have one per processor.
                if !site.time.isOver {
                    _ = try await NIOThreadPool.singleton.runIfActive { site.advance(.seconds(600)) }
                }
            }
        }
        let stops = Task { await ChaosStops(site: site, settings: settings).run() }
        defer {
            keeper.cancel()
            clock.cancel()
            stops.cancel()
        }
        progress("working: \(site.agencies.count) agencies, \(site.nodes.count) nodes")
        return try await withThrowingTaskGroup(of: Void.self) { group in
            for agency in site.agencies { group.addTask { try await agency.work() } }
            var driver = FaultDriver(site: site, seed: settings.seed)
            guard await driver.works(within: .seconds(60)) else {
                site.time.finish(within: .zero)
                throw SimulationFailure(
                    .environment, "nothing was answered within a minute, before any fault",
                    remedy: "See node-1.log in \(settings.folder)")
            }
            var done = try await faults(&driver, progress)
            let begun = ContinuousClock.now
            try await driver.heal()
            let silent = await driver.silentNodes(all: true).map { $0 + 1 }
            site.time.finish(within: Self.patience)
            try await group.waitForAll()
            let answered = ContinuousClock.now - begun
            progress("everything is whole again; the last request was answered \(ChaosReport.seconds(answered)) later")
            clock.cancel()
            stops.cancel()
            let stopped = await stops.value
            try await settle(site)
            progress("judging")
            var counts = ChaosCounts()
            for agency in site.agencies { counts.add(await agency.counts) }
            keeper.cancel()
            for node in site.nodes { await node.stop() }
            guard let period = Period(text: ChaosSite.period) else {
                throw SimulationFailure(.usage, "\(ChaosSite.period) is not a month", remedy: "")
            }
            let verdict = try Verification(database: site.server.conninfo, logFolder: site.logs, period: period)
                .run { _, _ in }
            done.sort { $0.at < $1.at }
            return ChaosReport(
                settings, entries: done, counts: counts, stopped: stopped, starts: site.nodes.map(\.starts),
                silentNodes: silent, verdict: verdict)
        }
    }

    private func faults(
        _ driver: inout FaultDriver, _ progress: @Sendable (String) -> Void
    ) async throws -> [ChaosReport.Entry] {
        let order = ChaosFault.schedule(settings.faults, seed: settings.seed)
        guard !order.isEmpty else { return [] }
        let begun = ContinuousClock.now
        var entries: [ChaosReport.Entry] = []
        // At least once each, however slow the machine; then what had no effect once more; then again while there is time.
        var queue = order
        var round = 0
        while true {
            if queue.isEmpty {
                round += 1
                let ran = Set(entries.filter(\.hasRun).map(\.fault))
                queue = round == 1 ? order.filter { !ran.contains($0) } : order
                if queue.isEmpty { continue }
            }
            let elapsed = ContinuousClock.now - begun
            guard elapsed < settings.duration || round < 2 && elapsed < settings.duration * 3 else { break }
            let fault = queue.removeFirst()
            // The quiet between two faults, drawn by the seed.
            try await Task.sleep(for: driver.pause())
            let at = ContinuousClock.now - begun
            _ = driver.site.time.takeSilence()
            let effect = try await driver.perform(fault)
            var entry = ChaosReport.Entry(fault: fault, at: at, effect: effect)
            if case .ran = effect {
                // What was under way when it struck may still be answered.
                try await Task.sleep(for: .milliseconds(200))
                entry.isRecovered = await driver.works(within: FaultDriver.patience)
                entry.silence = driver.site.time.takeSilence()
                entry.silentNodes = await driver.silentNodes().map { $0 + 1 }
            }
            entries.append(entry)
            progress(entry.line)
        }
        return entries
    }

    /// All terms end, grants are swept, the ledger is chained: what nodes do by themselves is done before the history is judged.
    private func settle(_ site: ChaosSite) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while !site.advance(.seconds(120 * 86_400)) {
            guard ContinuousClock.now < deadline else { break }
            // The database may still recover, and the clock is in it.
            try await Task.sleep(for: .milliseconds(200))
        }
        let link = try site.server.link("agentsim chaos")
        while ContinuousClock.now < deadline {
            let left = try link.run(
                """
                SELECT (SELECT count(*) FROM lease_grant WHERE state = 'open' AND accounts > 0
                           AND term + grace_us * interval '1 microsecond' <= now_instant())
                     + (SELECT count(*) FROM block b WHERE NOT EXISTS (
                            SELECT FROM chain c WHERE c.delegation_id = b.delegation_id AND c.period = b.period
                               AND c.block_id = b.block_id))
                """)[0].int64(0)
            if left == 0 { return }
            // The nodes sweep by themselves, and tell only the database.
            try await Task.sleep(for: .milliseconds(250))
        }
        throw SimulationFailure(
            .findings, "a minute after everything was whole, grants were not swept or blocks not chained",
            remedy: "See the nodes' logs in \(settings.folder)")
    }
}
