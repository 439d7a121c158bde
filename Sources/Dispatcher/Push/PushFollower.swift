// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol
internal import Assignment
internal import Logging
internal import PgStore

/// Reads what is pushed and says it to the agencies that are connected to this node, twice a second; and ends the sessions whose
/// keys are in force no more.
///
/// The table is the truth: whichever node an agency is connected to reads the same rows. A push that nobody was there for is not
/// kept: who signs in is told which pauses are in force and which terms are near, and `RESUME` tells of recalls and payments.
struct PushFollower: Sendable {
    let connection: PgConnection
    let server: AgentServer
    let engine: LeaseEngine
    let pause: Duration
    /// How long before a term its holder is told.
    let lead: Duration
    let logger: Logger

    /// Agencies whose new connections are told at once how things stand.
    private static let newMax = 25

    /// How often in a row one of its two readings has failed, and when it is tried again.
    private struct Failures {
        private var count = 0
        private var until = ContinuousClock.now
        var isDue: Bool { .now >= until }

        /// - Returns: how often by now, where that is to be told: the first, second, fourth, eighth … time.
        mutating func add() -> Int? {
            count += 1
            until = .now + .seconds(min(count, 5))
            return count.nonzeroBitCount == 1 ? count : nil
        }

        mutating func clear() { self = Failures() }
    }

    /// Runs until the task is cancelled.
    func run() async {
        var cursor: PushCursor?
        var (news, standing) = (Failures(), Failures())
        while !Task.isCancelled {
            var isBehind = false
            if news.isDue {
                do {
                    cursor = try await step(cursor)
                    isBehind = cursor?.isBehind == true
                    news.clear()
                } catch {
                    tell(error, of: "news", news.add())
                }
            }
            // By itself and behind the news, so that these and the ended keys wait for none of it, whatever becomes of it; and for as
            // long as news may wait anyhow, because each look at the news compares the keys of all sessions: where thousands sign
            // in at once, that would be done for each handful of them.
            if standing.isDue {
                do {
                    let end = ContinuousClock.now + pause
                    var isMore = try await tellStanding()
                    while isMore, .now < end, !Task.isCancelled { isMore = try await tellStanding() }
                    isBehind = isBehind || isMore
                    standing.clear()
                } catch {
                    tell(error, of: "standing", standing.add())
                }
            }
            if isBehind { continue }
            // Cancelled in its sleep, the loop ends.
            try? await Task.sleep(for: pause)
        }
    }

    private func tell(_ error: any Error, of reading: String, _ failures: Int?) {
        guard let failures else { return }
        logger.failed("Pushes not read", error, ["what": "\(reading)", "failures": "\(failures)"])
    }

    /// Tells new connections how things stand. Those that it fails for stay new.
    ///
    /// - Returns: whether there may be more of them.
    private func tellStanding() async throws -> Bool {
        let connections = server.newConnections(max: Self.newMax)
        let agencies = connections.agencies
        guard !agencies.isEmpty else { return false }
        let standing = try await connection.run { try $0.readPushStanding(of: agencies, lead: lead) }
        for (agency, rows) in Dictionary(grouping: standing, by: \.agency) {
            connections.push(rows.compactMap(Push.init), to: agency)
        }
        server.settle(connections)
        return agencies.count == Self.newMax
    }

    /// A node that was cut off reads on from where it was; one that starts begins with what comes.
    private func step(_ before: PushCursor?) async throws -> PushCursor {
        guard let before else { return try await connection.run { try $0.readPushCursor() } }
        var agencies = server.agencies
        // Taken before the database is asked, so that no key that is added meanwhile can be missed in the answer.
        let signed = server.signedKeys.map { (agency: $0.agency, key: $0.key) }
        var (cursor, rows) = (before, [PushRow]())
        while true {
            (cursor, rows) = try await connection.run { [agencies] link in
                var cursor = before
                let rows = try link.readPushes(after: &cursor, for: agencies)
                return (cursor, rows)
            }
            // Who signed in meanwhile, be it while the link was opened anew, may have compared before something was pushed that this
            // reading passed by: it is made again from the same place, for them too.
            let present = server.agencies
            if present.isSubset(of: agencies) { break }
            agencies.formUnion(present)
        }
        let ended = try await connection.run { signed.isEmpty ? [] : try $0.readEndedKeys(signed) }
        server.end(Set(ended.map { SignedKey(agency: $0.agency, key: $0.key) }))
        // Before the agency is told, so that no pull behind the push is served as if there were no pause.
        for row in rows where row.kind == Push.Name.paused.rawValue {
            guard let strategy = row.strategy else { continue }
            engine.note(
                AgencyPlace(delegation: row.delegation, agency: row.agency, strategy: strategy), isPaused: true)
        }
        // A hold says so by pauses too, and its pulls have another answer.
        if rows.contains(where: { $0.kind == Push.Name.paused.rawValue || $0.kind == Push.Name.resumed.rawValue }) {
            let begun = engine.beginReading()
            engine.refresh(try await connection.run { try $0.readRouting() }, begun: begun)
        }
        for (agency, rows) in Dictionary(grouping: rows, by: \.agency) {
            server.push(news: rows.compactMap(Push.init), to: agency)
        }
        return cursor
    }
}

extension Push {
    /// `nil` for a kind that a newer program wrote.
    init?(_ row: PushRow) {
        guard let name = Name(rawValue: row.kind) else { return nil }
        var fields = [ReplyField("delegation", row.delegation)]
        if let account = row.account { fields.append(ReplyField("account", account)) }
        if let epoch = row.epoch { fields.append(ReplyField("epoch", epoch)) }
        if let grant = row.grant { fields.append(ReplyField("grant", grant)) }
        if let strategy = row.strategy { fields.append(ReplyField("strategy", strategy)) }
        switch name {
        case .recall:
            if let word = row.word { fields.append(ReplyField("reason", word)) }
            if let at = row.at { fields.append(ReplyField("from", at)) }
            fields.append(ReplyField("final", row.isFinal ?? false))
            if let decision = row.side { fields.append(ReplyField("decision", decision)) }
        case .update:
            if let word = row.word { fields.append(ReplyField("change", word)) }
            if let amount = row.amount { fields.append(ReplyField("amount", amount)) }
            if let day = row.day { fields.append(ReplyField("on", day)) }
            // How it stands with all of them, so that it does no harm to hear it twice.
            let isOfMoney = row.word == "payment" || row.word == "payment-reversed"
            if isOfMoney, (row.paid?.amount ?? .zero) <= .zero { fields.append(ReplyField("paid", Cents.zero)) }
            if let paid = row.paid { fields += paid.fields }
        case .expiring:
            // The word says which of its instants is near, where it is not the term.
            if let at = row.at {
                fields.append(row.word == "work-by" ? ReplyField("work-by", at) : ReplyField("term", at))
            }
        case .paused, .resumed:
            if let side = row.side { fields.append(ReplyField("by", side)) }
            if let word = row.word { fields.append(ReplyField("reason", word)) }
            if let at = row.at { fields.append(ReplyField("until", at)) }
        case .draining, .missed:
            return nil
        }
        self.init(name, fields)
    }
}
