// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol
internal import Assignment
internal import PgStore

extension LedgerRecord {
    /// The record of a kept outcome. All that its report said is kept, so that its content is made again and held to its hash: details
    /// that are in no other field of the record, too.
    static func outcome(_ recorded: RecordedOutcome) -> LedgerRecord {
        let row = recorded.row
        guard row.requestHash.count == PendingRequest.contentHashBytes, !recorded.isAsReported else {
            return .outcome(row)
        }
        return .outcome(
            OutcomeRow(
                key: row.key, period: row.period, number: row.number, account: row.account, epoch: row.epoch,
                contract: row.contract, workedAt: row.workedAt, receivedAt: row.receivedAt, channel: row.channel,
                contact: row.contact, result: row.result, amount: row.amount, promisedOn: row.promisedOn,
                requestHash: []))
    }
}

extension RecordedOutcome {
    fileprivate var isAsReported: Bool {
        guard let channel = OutcomeChannel(rawValue: row.channel), let contact = OutcomeContact(rawValue: row.contact),
            let result = OutcomeResult(rawValue: row.result), details?.hasMore != true
        else { return false }
        let report = ReportRequest(
            key: row.key.key, delegation: row.key.delegation, account: row.account, epoch: row.epoch, at: row.workedAt,
            channel: channel, contact: contact, result: result, amount: row.amount, promised: row.promisedOn)
        guard let details else { return Self.hash(report) == row.requestHash }
        let detailed = report.with(
            ReportRequest.Details(
                branch: details.branch, motive: details.motive, position: details.position,
                solution: details.solution, evidence: details.evidence))
        return detailed.map(Self.hash) == row.requestHash
    }

    private static func hash(_ report: ReportRequest) -> [UInt8] {
        Array(LedgerTree.hash(report.canonicalContent, []).prefix(PendingRequest.contentHashBytes))
    }
}
