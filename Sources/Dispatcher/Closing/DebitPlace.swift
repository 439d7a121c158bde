// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// What debits may charge of penalties of a closed month of a contract whose terms limit these (AMB-15).
///
/// The limit is of the month, whenever it is charged: what a later statement charges of it counts as well. What waits for its decision counts as if
/// it were approved; a credit makes room once it is.
struct DebitPlace {
    private let link: PgLink
    private let store: StageStore
    private let about: Period
    private let contract: Int32

    /// - Parameter about: the closed month.
    init(_ link: PgLink, _ about: Period, contract: Int32) {
        self.link = link
        store = StageStore(link)
        self.about = about
        self.contract = contract
    }

    private struct Limit {
        /// The most that the month's penalties may be.
        let most: Cents
        /// What its statement charges of them.
        let charged: Cents
    }

    /// Holds a debit about a penalty to what the month's limit leaves.
    ///
    /// - Parameter number: the debit's own, where it stands already.
    /// - Throws: ``CommandFailure`` with the amounts. Debits about fees, and of months without a limit, are held to nothing.
    func requireRoom(for debit: Adjustment, number: Int64? = nil) throws {
        guard debit.kind == .debit, let amount = debit.amount, Self.isPenalty(debit), let limit = try limit() else {
            return
        }
        let rows = StageStore.standing(try store.adjustments(nil)).filter {
            $0.adjustment.about == about && $0.contract == contract && $0.adjustment.number != number
                && Self.isPenalty($0.adjustment)
        }
        let debits = rows.filter { $0.adjustment.kind == .debit }
        let debited = Self.sum(debits)
        let credited = Self.sum(rows.filter { $0.adjustment.kind == .credit && $0.isApproved })
        let left = max(limit.most - limit.charged - debited + credited, .zero)
        guard amount > left else { return }
        let waiting = debits.filter { $0.decision == nil }.map { "adjustment \($0.adjustment.number)" }
        throw CommandFailure(
            .usage,
            "a debit of \(grouped(amount)) about \(debit.rule) of \(about) is more than the month's limit of penalties "
                + "(\(PenaltyTerms.capRule)) leaves: it is \(grouped(limit.most)), of which \(grouped(limit.charged)) were charged and "
                + "\(grouped(debited)) debited since, \(grouped(credited)) were credited, and \(grouped(left)) are left",
            remedy: (left > .zero ? "Debit \(grouped(left)) at most. " : "")
                + (waiting.isEmpty
                    ? "`dispatcherd adjustment list` shows what was debited."
                    : "Of it waits for a decision: \(waiting.joined(separator: ", "))."))
    }

    private static func isPenalty(_ adjustment: Adjustment) -> Bool {
        PenaltyRule(rawValue: PenaltySubject(adjustment.rule).rule) != nil
    }

    private static func sum(_ rows: [StageStore.AdjustmentRow]) -> Cents {
        rows.reduce(Cents.zero) { $0 + ($1.adjustment.amount ?? .zero) }
    }

    /// By the statement's own line where the limit took something, else by the version that the statement names; `nil` where there is none.
    private func limit() throws -> Limit? {
        guard let body = try store.statement(about, contract: contract) else { return nil }
        let statement = try StatementDocument(body)
        let lines = statement.sections.flatMap(\.lines)
        func sum(_ kind: StatementLine.Kind) -> Cents {
            lines.filter { $0.kind == kind.rawValue }.reduce(Cents.zero) { $0 + (Cents(pesos: $1.amount) ?? .zero) }
        }
        let charged = sum(.penalty) - sum(.waiver) - sum(.penaltyCap)
        if lines.contains(where: { $0.kind == StatementLine.Kind.penaltyCap.rawValue }) {
            return Limit(most: charged, charged: charged)
        }
        let schedule = try link.readSchedules("penalty").values.flatMap(\.self)
            .first { $0.version.description == statement.penaltySchedule }
        let terms = try schedule.map { schedule in
            try readable { () throws(ScheduleError) in try PenaltyTerms(schedule) }
        }
        return terms?.cap.map { Limit(most: sum(.fee).charge($0), charged: charged) }
    }
}
