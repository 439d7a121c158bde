// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// A holder is refused by the name of what has happened to the lease, and only after it has: work that is refused under a wrong one
/// would be lost. `EXPIRED` is judged with the terms.
struct RefusalChecks {
    let history: History
    let leases: [Lease]

    /// What a refusal's word says of a lease that its agency had.
    private static let words: Set = ["RECALLED", "REASSIGNED", "CLOSED", "UNKNOWN"]

    func run(_ verdict: inout Verdict) {
        let byHeld = Dictionary(leases.map { ($0.held, $0) }) { first, _ in first }
        let endings = Dictionary(history.endings.map { ($0.held, $0) }) { first, _ in first }
        let byAccount = Dictionary(grouping: leases, by: \.held.account)
        for refusal in history.refused {
            guard let lease = byHeld[refusal.held] else { continue }
            verdict.count(.fencing)
            let told =
                "evidence \(refusal.number) of agency \(refusal.agency) on \(refusal.held) was refused as "
                + "\(refusal.code) at \(refusal.receivedAt)"
            check(
                lease, endings[refusal.held], byAccount[refusal.held.account] ?? [], agency: refusal.agency,
                refusal.code, at: refusal.receivedAt, told, &verdict)
        }
        // What was refused and not kept, or is only in the client's log: the word must fit what has happened by now.
        for operation in history.operations {
            if case .compared(let held, let isHeld) = operation.reply {
                compared(operation, held, isHeld: isHeld, byHeld[held], &verdict)
            }
            guard case .refused(let refusal) = operation.reply, refusal.evidence == nil, let held = refusal.held,
                let lease = byHeld[held], Self.words.contains(refusal.code)
            else { continue }
            verdict.count(.fencing)
            let told = operation.line
            check(
                lease, endings[held], byAccount[held.account] ?? [], agency: operation.agency.value, refusal.code,
                at: nil, told, &verdict)
        }
    }

    /// Who compares is told what the books say: a lease that lives then is not lost, and one that has ended is not held.
    private func compared(
        _ operation: ClientOperation, _ held: Held, isHeld: Bool, _ lease: Lease?, _ verdict: inout Verdict
    ) {
        verdict.count(.fencing)
        let told = operation.line
        guard let lease, lease.grant.agency == operation.agency.value else {
            if isHeld {
                add(
                    "an account was told as held that its agency never had",
                    [lease?.line ?? "\(held) was never leased", told], &verdict)
            }
            return
        }
        guard let at = operation.answeredAt else { return }
        let enforced = lease.enforcedTerm
        let isOver = at >= min(lease.until ?? enforced, lease.termAndGrace)
        if !isHeld, lease.from <= at, !isOver {
            add("a lease was told as lost that was live", [lease.line, told], &verdict)
        } else if isHeld, at > min(lease.until ?? enforced, enforced) {
            add("a lease was told as held that had ended", [lease.line, told], &verdict)
        }
    }

    /// - Parameter instant: when it was refused; `nil` where that is not known.
    private func check(
        _ lease: Lease, _ ending: History.Ending?, _ all: [Lease], agency: Int32, _ code: String,
        at instant: Timestamp?, _ told: String, _ verdict: inout Verdict
    ) {
        func isBy(_ at: Timestamp) -> Bool { instant.map { at <= $0 } ?? true }
        let wrong: String?
        guard lease.grant.agency == agency else {
            // Of another's lease nothing may show, whatever has become of it.
            if code != "UNKNOWN", Self.words.contains(code) || code == "EXPIRED" {
                add("somebody who never had the account was told what became of it", [lease.line, told], &verdict)
            }
            return
        }
        switch code {
        case "UNKNOWN":
            wrong =
                instant.map { lease.from < $0 } ?? true ? "the agency had leased it by then" : nil
        case "REASSIGNED":
            let isLater = all.contains { $0.held.epoch > lease.held.epoch && isBy($0.from) }
            wrong = isLater ? nil : "nobody had leased it again by then"
        case "RECALLED":
            wrong =
                fits(ending, lease, ["recall", "exclusion", "withdrawal"], isBy)
                ? nil : "it had not been taken back by then"
        case "CLOSED":
            wrong =
                fits(ending, lease, ["return", "payoff", "agreement"], isBy)
                ? nil : "it had not been given back or paid off by then"
        default: wrong = nil
        }
        guard let wrong else { return }
        add("a holder was refused by a word that is not true", [lease.line, told, wrong], &verdict)
    }

    /// Whether the lease ended so by then, and not by its term before.
    private func fits(
        _ ending: History.Ending?, _ lease: Lease, _ kinds: Set<String>, _ isBy: (Timestamp) -> Bool
    ) -> Bool {
        guard let ending, lease.grant.closedAt.map({ ending.endedAt < $0 }) ?? true else { return false }
        return kinds.contains(ending.kind) && isBy(ending.endedAt)
    }

    private func add(_ found: String, _ events: [String], _ verdict: inout Verdict) {
        verdict.add(Finding(.fencing, history.delegation, found, events: events))
    }
}
