// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// One account under one policy, rule by rule, for people and programs.
package struct ExplainReport: Encodable, Sendable {
    package struct Invitation: Encodable, Sendable {
        /// From 1 on, among the candidates of the delegation.
        package let rank: Int64
        package let candidates: Int64
        /// Sessions of the delegation.
        package let capacity: Int64
        package let isInvited: Bool
    }
    /// How it came into collection within the period.
    package struct Start: Encodable, Sendable {
        package let reason: String
        package let onDate: String
        /// The day as of which it was placed: `cut` in the rules means this day.
        package let placedOn: String
    }
    package struct Decision: Encodable, Sendable, Hashable {
        /// As in the table of placements: `dual.rest`, `exclusion.lawsuit`; `none` where nothing is asked.
        package let rule: String
        package let strategy: String?
        package let tactic: String?
        package let portfolio: String?
        package let priority: Int16?
        package let exclusion: String?
        /// The day that ends an exclusion, where the policy names one.
        package let until: String?
        package let termDays: Int32?

        init(
            rule: String, strategy: String? = nil, tactic: String? = nil, portfolio: String? = nil,
            priority: Int16? = nil,
            exclusion: String? = nil, until: String? = nil, termDays: Int32? = nil
        ) {
            self.rule = rule
            self.strategy = strategy
            self.tactic = tactic
            self.portfolio = portfolio
            self.priority = priority
            self.exclusion = exclusion
            self.until = until
            self.termDays = termDays
        }
    }

    package let account: Int64
    package let delegation: Int16
    package let delegationName: String
    package let period: String
    /// The day that the rules mean by `cut`.
    package let cut: String
    /// Absent where the account was there when the period was segmented.
    package let start: Start?
    package let policy: String
    package let version: String
    package let digest: String
    /// Whether it is the one that placed the period.
    package let isApplied: Bool
    package let relief: [RuleTrace]
    package let exclusions: [RuleTrace]
    package let strategies: [StrategyTrace]
    package let mediation: StrategyTrace?
    package let invitation: Invitation?
    package let decision: Decision
    /// What of the account is overdue, as the rules see it.
    package let overdue: Pesos
    /// What is on record for the account; absent where the period was not segmented. An account of which nothing is asked
    /// has no row, and that is its record.
    package let recorded: Decision?
    package let notes: [String]

    init(
        _ account: AccountID, _ delegation: Delegation, period: Period, choice: PolicyChoice, segmenter: Segmenter,
        row: AccountRow, trace: PolicyTracer, start: RecordedStart?, round: Invitation?, recorded: RecordedVerdict?,
        isSegmented: Bool
    ) {
        self.account = account.value
        self.delegation = delegation.value
        self.delegationName = delegation.name
        self.period = period.description
        self.cut = (start?.placedOn ?? SegmentationRun.cutDay(period)).description
        self.start = start.map {
            Start(reason: $0.reason, onDate: $0.onDate.description, placedOn: $0.placedOn.description)
        }
        self.policy = choice.policy.name
        self.version = choice.policy.version
        self.digest = LedgerTree.hex(choice.file.digest)
        self.isApplied = choice.isApplied
        self.relief = trace.relief
        self.exclusions = trace.exclusions
        self.strategies = trace.strategies
        self.mediation = trace.mediation
        self.invitation = round
        let keepsSession = start?.wasInvited ?? false
        let decision = Self.decision(
            segmenter, row: row, trace: trace, isInvited: round?.isInvited ?? keepsSession)
        self.decision = decision
        self.overdue = Pesos(Int128(row[.overdue] ?? 0))
        let onRecord = recorded.map { Decision($0) } ?? (isSegmented ? Decision(rule: "none") : nil)
        self.recorded = onRecord
        var notes = choice.notes
        if start != nil, trace.invited != nil {
            notes.append(
                "sessions of mediation were given out when \(period) was segmented, "
                    + (keepsSession ? "and it keeps its own" : "so it was not invited"))
        }
        if choice.isApplied, decision.rule != onRecord?.rule ?? "none" {
            notes.append(
                "on record is \(onRecord?.rule ?? "none"): since \(period) was segmented, stops or other news changed "
                    + "what the rules see")
        }
        self.notes = notes
    }

    private static func decision(
        _ segmenter: Segmenter, row: AccountRow, trace: PolicyTracer, isInvited: Bool
    ) -> Decision {
        switch trace.verdict {
        case .excluded(let index):
            let rule = segmenter.policy.exclusions[index]
            return Decision(
                rule: "exclusion.\(rule.reason)", exclusion: rule.reason,
                until: rule.until.map { $0.words(for: row[$0]) })
        case .placed(let placed):
            let placement = isInvited ? trace.invited ?? placed : placed
            return Decision(
                rule: segmenter.rule(placement), strategy: placement.strategy.name,
                tactic: segmenter.tactics[Int(placement.tactic)], portfolio: placement.portfolio.name,
                priority: placement.priority, termDays: segmenter.policy.holding(placement.strategy)?.termDays)
        case .nothingToCollect:
            return Decision(rule: "none")
        }
    }

    // MARK: - For people

    /// Relief, exclusions, strategies and mediation in their order, then the decision.
    package var lines: [String] {
        var lines = [
            "account \(account), delegation \(delegation) \(delegationName), "
                + (start.map { "started \($0.onDate) (\($0.reason)), placed as of \($0.placedOn)" }
                    ?? "in the cut of \(cut)"),
            "policy \(policy) \(version) (\(digest.prefix(8)))" + (isApplied ? ", which placed \(period)" : ""),
        ]
        if !relief.isEmpty {
            lines += ["", "relief that it may be offered"] + relief.flatMap { $0.lines(indent: 2) }
        }
        lines += ["", "exclusions, of which the first that holds is the reason"]
        lines += exclusions.flatMap { $0.lines(indent: 2) }
        lines += ["", "strategies, of which the first that holds takes it"]
        lines += strategies.flatMap { $0.lines(indent: 2) }
        if let mediation { lines += ["", "mediation, by invitation"] + mediation.lines(indent: 2) }
        if let invitation { lines.append("      " + words(invitation)) }
        lines += ["", "decision: \(decision.words(overdue: overdue))"]
        if let recorded {
            lines.append(
                "on record: " + (recorded.rule == decision.rule ? "the same" : recorded.words(overdue: overdue)))
        }
        lines += notes.map { "note: \($0)" }
        return lines
    }

    private func words(_ invitation: Invitation) -> String {
        let sessions = "\(Figure.grouped(invitation.capacity)) session\(invitation.capacity == 1 ? "" : "s")"
        return "number \(Figure.grouped(invitation.rank)) of \(Figure.grouped(invitation.candidates)) candidates in "
            + "delegation \(delegation) for \(sessions): \(invitation.isInvited ? "invited" : "not invited")"
    }
}

extension ExplainReport.Decision {
    /// What is on record says nothing of terms and ends.
    fileprivate init(_ row: RecordedVerdict) {
        self.init(
            rule: row.rule, strategy: row.strategy?.name, tactic: row.tactic, portfolio: row.portfolio?.name,
            priority: row.priority, exclusion: row.exclusion)
    }

    /// - Parameter overdue: what nobody collects where no rule takes the account.
    fileprivate func words(overdue: Pesos) -> String {
        if exclusion != nil { return "\(rule)" + (until.map { ", until \($0)" } ?? "") }
        guard let portfolio, let priority else {
            return overdue.centavos > 0
                ? "no strategy takes it, and \(Figure.grouped(overdue)) pesos are overdue" : "nothing to collect"
        }
        return "\(rule), by \(portfolio), class \(priority)" + (termDays.map { ", held for \($0) days" } ?? "")
    }
}
