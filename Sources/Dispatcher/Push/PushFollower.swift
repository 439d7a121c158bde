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
    private static let newMax = 100

    /// What new connections are being told, page by page: they are told before the next ones are.
    private struct Telling {
        let connections: NewConnections
        var place: PushStandingPlace?
    }

    private struct Reading {
        var cursor: PushCursor
        var telling: Telling?
        var isBehind: Bool { cursor.isBehind || telling != nil }
    }

    /// Runs until the task is cancelled.
    func run() async {
        var cursor: Reading?
        var failures = 0
        while !Task.isCancelled {
            do {
                cursor = try await step(cursor)
                failures = 0
            } catch {
                failures += 1
                if failures.nonzeroBitCount == 1 {
                    logger.warning("Pushes not read", metadata: ["failures": "\(failures)", "error": "\(error)"])
                }
            }
            if failures == 0, cursor?.isBehind == true { continue }
            // Cancelled in its sleep, the loop ends.
            try? await Task.sleep(for: failures == 0 ? pause : .seconds(min(failures, 5)))
        }
    }

    /// A node that was cut off reads on from where it was; one that starts begins with what comes.
    private func step(_ reading: Reading?) async throws -> Reading {
        guard let reading else {
            return Reading(cursor: try await connection.run { try $0.readPushCursor() }, telling: nil)
        }
        let agencies = server.agencies
        // Before the news are read: who comes later is new at the next step.
        let telling = reading.telling ?? Telling(connections: server.newConnections(max: Self.newMax))
        // Taken before the database is asked, so that no key that is added meanwhile can be missed in the answer.
        let signed = server.signedKeys.map { (agency: $0.agency, key: $0.key) }
        let (cursor, rows, ended, standing, place) = try await connection.run { link in
            var cursor = reading.cursor
            let rows = try link.readPushes(after: &cursor, for: agencies)
            // Behind the news, so that nothing of them is true no more that is told as standing.
            var place = telling.place
            let told = telling.connections.agencies
            let standing = told.isEmpty ? [] : try link.readPushStanding(of: told, lead: lead, after: &place)
            return (cursor, rows, signed.isEmpty ? [] : try link.readEndedKeys(signed), standing, place)
        }
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
        for (agency, rows) in Dictionary(grouping: standing, by: \.agency) {
            telling.connections.push(rows.compactMap(Push.init), to: agency)
        }
        server.settle(telling.connections)
        return Reading(
            cursor: cursor, telling: place.map { Telling(connections: telling.connections, place: $0) })
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
            if let at = row.at { fields.append(ReplyField("term", at)) }
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
