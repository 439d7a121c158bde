// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// What becomes of an account in the cuts after the one that was drawn, from a random stream of its own.
///
/// - Low arrears (1 to 3) are contained, that is not worse in the next cut, 47.7 of a hundred times (ORA-16).
/// - Of dual accounts overdue in the books, 27 % are in force in the next cut; of preventive ones, 90 % are still so four cuts on
///   (ORA-15). Over what time the first is counted is not printed; one month is assumed, as IND-09 counts.
/// - 10,824 a month are segregated of 5,513,092 in balance (ORA-35), and 419 of 551,125 came back in four months (ORA-36).
struct AccountCourse: Sendable {
    static let monthsMax = 4
    let seed: UInt64
    let asOf: LocalDate

    /// - Parameter months: 1...4.
    func after(_ months: Int, _ now: AccountDraft) -> AccountDraft {
        var random = SplitMix64(seed: seed ^ 0xC0_025E, stream: UInt64(now.account))
        var draft = now
        let isContained = random.chance(4_770)
        // 3.6 % of the preventive ones have three arrears and are not contained; with 6.7 % of the others that makes a tenth.
        let falls = random.chance(669) ? random.between(2...Self.monthsMax) : nil
        let turnsCurrent = random.chance(2_700)
        let isSegregated = random.chance(148)
        let isReturned = random.below(1_000_000) < 190
        if now.isExcluded || now.kind == .current {
            shift(&draft, months)
        } else if now.isPreventive {
            let isFallen = now.arrears == 3 && !isContained || falls.map { $0 <= months } ?? false
            set(
                &draft,
                arrears: isFallen
                    ? max(4, now.arrears + months) : now.arrears + (isContained ? 0 : min(months, 3 - now.arrears)))
            if !isFallen, isContained, random.chance(4_500) { set(&draft, arrears: 0) }
        } else if now.isDual, turnsCurrent {
            set(&draft, arrears: 0)
        } else {
            set(&draft, arrears: now.arrears + months)
        }
        if !now.isInBalance {
            if isReturned { draft.book = .infonavit }
        } else if now.isOverdue, isSegregated, draft.isOverdue {
            draft.book = .segregated
        }
        return draft
    }

    /// One that nothing happens to: what runs out runs out by itself, as its dates say.
    private func shift(_ draft: inout AccountDraft, _ months: Int) {
        if draft.arrears > 0 { set(&draft, arrears: draft.arrears + months) }
    }

    private func set(_ draft: inout AccountDraft, arrears: Int) {
        guard arrears != draft.arrears else { return }
        draft.arrears = min(arrears, 999)
        draft.kind = arrears == 0 ? .current : arrears > 3 ? .overdue(draft.arrears) : .late(arrears)
        draft.overdue = min(draft.balance, draft.due * draft.arrears)
        draft.daysLate = draft.arrears * 30
        draft.maxArrears4M = max(draft.maxArrears4M, draft.arrears)
        draft.incompletePayments = 0
        if arrears == 0 { draft.jobLostOn = nil }
    }
}
