// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol
internal import Assignment
internal import PgStore

/// What came too late is listed; reports that no rule settles are accepted or rejected by a person. What is accepted is an outcome from
/// then on, marked as late, and so goes to the delegation's review like any other that is marked. Late returns and objections change
/// nothing and wait for nobody: they are there to be read.
package enum Adjudication {
    /// Pieces of evidence of one listing.
    static let max: Int32 = 10_000

    package enum Decision: String, Sendable { case accepted, rejected }

    /// The evidence, one line each, or a JSON array.
    package static func list(waiting: Bool, agency: String?, asJSON: Bool, _ link: DatabaseLink) throws -> String {
        let owner = try agency.map(Words.agency)
        let rows = try link.readEvidence(waiting: waiting, agency: owner, limit: max).map(ListedEvidence.init)
        if asJSON { return try JSONText.of(rows) }
        guard !rows.isEmpty else { return waiting ? "no evidence waits for a decision" : "there is no evidence" }
        var table = TextTable(columns: [
            .right, .left, .left, .right, .right, .right, .left, .left, .left, .left, .left,
        ])
        table.row([
            "evidence", "agency", "verb", "delegation", "account", "epoch", "code", "worked", "received", "said",
            "counts",
        ])
        for row in rows {
            table.row([
                "\(row.evidence)", row.agency, row.verb, "\(row.delegation)", "\(row.account)", "\(row.epoch)",
                row.code,
                row.worked ?? "", row.received, row.result ?? row.given ?? "", row.counts,
            ])
        }
        let end = rows.count == Int(max) ? ["these are the first \(max); decide some of them to see more"] : []
        return (table.lines + end).joined(separator: "\n")
    }

    /// Decides about pieces of evidence, each in a transaction of its own.
    ///
    /// - Throws: ``CommandFailure`` at the first one that cannot be decided; those before it stay decided.
    package static func decide(
        _ numbers: [Int64], _ decision: Decision, reason: String, by: String, _ link: DatabaseLink
    ) throws -> String {
        let reason = try Words.token(reason, "reason")
        let by = try Words.person(by)
        var lines: [String] = []
        for number in numbers {
            let kept = try link.transaction {
                guard let kept = try link.lockWaitingEvidence(number) else {
                    throw CommandFailure(
                        .findings, "no evidence \(number) waits for a decision" + done(lines),
                        remedy: "`dispatcherd evidence list --waiting` shows what does.")
                }
                var records: [LedgerRecord] = []
                if decision == .accepted { records.append(try accept(kept, link)) }
                try link.decideEvidence(kept, decision: decision.rawValue, reason: reason, by: by)
                let now = try link.readNow()
                records.append(
                    .adjudication(
                        number, lease: kept.lease, agency: kept.key.agency, decision: decision.rawValue, reason: reason,
                        by: by, period: Period.ofWork(at: now), at: now))
                try link.insertBlocks(LedgerBlock.seal(records))
                return kept
            }
            lines.append("\(kept.key.agency) account \(kept.lease.account): evidence \(number) \(decision.rawValue)")
        }
        return lines.joined(separator: "\n")
    }

    private static func done(_ lines: [String]) -> String {
        lines.isEmpty ? "" : "; \(lines.count) before it are decided"
    }

    /// Writes the outcome that the evidence would have been.
    private static func accept(_ kept: KeptEvidence, _ link: DatabaseLink) throws -> LedgerRecord {
        func refusal(_ why: String, _ remedy: String) -> CommandFailure {
            CommandFailure(.findings, "evidence \(kept.number) cannot be accepted: \(why)", remedy: remedy)
        }
        guard let request = ReportRequest(kept: kept.content, key: kept.key.key) else {
            throw refusal("its content is of another version", "Reject it, and ask the agency to report again.")
        }
        let (now, leases) = try link.readLeaseRows([kept.lease])
        guard let lease = leases[kept.lease], let contract = lease.contract,
            lease.facts.holder == kept.key.agency
        else { throw refusal("the agency never held that account under that epoch", "Reject it.") }
        // A version that did not look kept such reports.
        guard !lease.makesVoid(request) else {
            throw refusal("a broken restructure can only be paid off, and the agreement is void", "Reject it.")
        }
        let period = Period.ofWork(at: request.at)
        guard try link.lockOpen(period) else {
            throw refusal("\(period) is closed", "Reject it; a correction of a closed month is an adjustment.")
        }
        // A report of the next holder that is under way is waited for.
        try link.lockLaterGrants(kept.lease)
        guard try !link.hasLaterOutcome(kept.lease, from: period) else {
            throw refusal("the next holder has reported on the account", "Reject it.")
        }
        let row = OutcomeRow(
            key: kept.key, period: period, number: try link.reserveOutcomeNumber(), account: request.account,
            epoch: request.epoch, contract: contract, workedAt: request.at, receivedAt: now,
            channel: request.channel.rawValue, contact: request.contact.rawValue, result: request.result.rawValue,
            amount: request.amount, promisedOn: request.promised, requestHash: kept.requestHash)
        // The same that a report in time would have had, so that nobody gains by sending it late.
        let broken = lease.marks(
            of: request, isVisitBanned: try link.wasVisitBanned(kept.lease, at: kept.receivedAt))
        var writes = GroupWrites(now: now, outage: .zero)
        writes.outcomes = [
            OutcomeInsert(
                row: row, hand: lease.hand, position: lease.position, marks: ["late"] + broken.map(\.rawValue),
                extra: OutcomeExtra.json(request))
        ]
        try link.write(writes)
        return .outcome(row)
    }
}

/// Evidence as JSON.
private struct ListedEvidence: Encodable {
    let evidence: Int64
    let agency: String
    let delegation: Int16
    let account, epoch: Int64
    let verb, code, received, counts: String
    /// `given`: the reason of a return or an objection. `reason`: that of the decision about a report.
    let worked, channel, contact, result, given, decidedBy, decidedAt, reason: String?

    init(_ kept: KeptEvidence) {
        let request = ReportRequest(kept: kept.content, key: kept.key.key)
        evidence = kept.number
        agency = kept.key.agency.description
        delegation = kept.lease.delegation.value
        account = kept.lease.account.value
        epoch = kept.lease.epoch.value
        code = kept.code
        received = kept.receivedAt.description
        counts = kept.decision?.word ?? EvidenceCount(kept.counts).rawValue
        verb = kept.verb.rawValue
        given = kept.given
        worked = request?.at.description
        channel = request?.channel.rawValue
        contact = request?.contact.rawValue
        result = request?.result.rawValue
        decidedBy = kept.decision?.by
        decidedAt = kept.decision?.at.description
        reason = kept.decision?.reason
    }
}
