// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// What a closed month must have billed per service, from the recorded outcomes and reviews, against its statements.
///
/// It shares no code with the close: that counts by sets in the database, this account by account.
struct FeeBaseCheck {
    private struct Service: Hashable {
        let account: AccountID
        let name: String
    }

    private struct Line: Hashable {
        let contract: Int32
        let service: String
    }

    private let expected: [Line: [Int64]]

    /// - Parameter reviews: the decisions of the ledger, by outcome.
    init(_ outcomes: [RecordedOutcome], reviews: [Int64: String]) {
        let needing = Set(ReviewClass.allResults.map(\.rawValue))
        var first: [Service: RecordedOutcome] = [:]
        for outcome in outcomes.sorted(by: { $0.row.number < $1.row.number }) {
            let row = outcome.row
            let isValid =
                reviews[row.number].map { $0 == ReviewDecision.approved.rawValue }
                ?? (!needing.contains(row.result) && !outcome.isMarked)
            guard isValid, let strategy = outcome.strategy, let kind = Self.kind(row) else { continue }
            let service = Service(account: row.account, name: FeeService(strategy, kind).description)
            if first[service] == nil { first[service] = outcome }
        }
        var expected: [Line: [Int64]] = [:]
        for (service, outcome) in first {
            expected[Line(contract: outcome.row.contract.value, service: service.name), default: []].append(
                outcome.row.number)
        }
        self.expected = expected.mapValues { $0.sorted() }
    }

    private static func kind(_ row: OutcomeRow) -> FeeService.Kind? {
        guard let channel = OutcomeChannel(rawValue: row.channel), let result = OutcomeResult(rawValue: row.result)
        else { return nil }
        return FeeService.Kind(channel, result)
    }

    func run(
        _ delegation: Delegation, _ period: Period, _ link: PgLink, _ place: String,
        _ report: inout LedgerVerification.Report
    ) throws {
        var stated: [Line: [Int64]] = [:]
        for statement in try PeriodStore(link, period: period).statements() {
            guard let document = try? StatementDocument(statement.body) else { continue }
            for section in document.sections where section.delegation == Int(delegation.value) {
                for line in section.lines where line.rule == FeeTariff.rule {
                    stated[Line(contract: statement.contract, service: line.subject)] = line.records
                }
            }
        }
        for line in Set(stated.keys).union(expected.keys).sorted(by: {
            ($0.contract, $0.service) < ($1.contract, $1.service)
        })
        where stated[line, default: []] != expected[line, default: []] {
            report.add(
                place,
                "contract \(line.contract) billed \(grouped(Int64(stated[line, default: []].count))) accounts for \(line.service), and the recorded "
                    + "outcomes give \(grouped(Int64(expected[line, default: []].count))), or others")
        }
    }
}
