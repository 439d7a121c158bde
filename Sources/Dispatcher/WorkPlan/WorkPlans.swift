// SPDX-License-Identifier: Apache-2.0

package import Assignment
package import PgStore

/// Work plans of a month: proposed by `import goals`, decided here, frozen by the first grant (WP-01, WP-03).
///
/// What is approved after the contract's first grant in a delegation is a change of a frozen plan: it needs a reason, and the
/// statement shows it.
package struct WorkPlans {
    private let link: PgLink
    private let period: Period
    private let store: WorkPlanStore

    package init(_ link: PgLink, period: Period) throws {
        self.link = link
        self.period = period
        store = WorkPlanStore(link, period: period)
        guard try PeriodStore(link, period: period).state() != nil else {
            throw CommandFailure(
                .usage, "there is nothing of \(period): no file was ever imported for it",
                remedy: "Propose goals with `dispatcherd import goals FILE --period \(period)`.")
        }
    }

    /// Whose waiting goals are meant.
    package struct Scope {
        /// A contract's, or the delegations' own.
        package let contract: Int32?
        package let delegation: Int16?
        package let goal: String?

        package init(contract: Int32?, delegation: Int16?, goal: String?) {
            self.contract = contract
            self.delegation = delegation
            self.goal = goal
        }

        fileprivate func takes(_ row: WorkPlanStore.Row) -> Bool {
            row.goal.contract?.value == contract && (delegation == nil || row.goal.delegation.value == delegation)
                && (goal == nil || row.goal.id == goal)
        }
    }

    package struct Decided: Equatable {
        package let goals: Int
        /// Of them approved after the first grant.
        package let late: Int
        /// Of them in the place of another goal.
        package let replaced: Int
    }

    /// Approves or rejects what waits, all or nothing.
    ///
    /// - Parameter reason: of a rejection, and of whatever changes a plan that is frozen.
    package func decide(_ scope: Scope, isApproved: Bool, reason: String?, by: String) throws -> Decided {
        guard (1...80).contains(by.count), reason.map({ (1...500).contains($0.count) }) ?? true else {
            throw CommandFailure(
                .usage, "a decision names who decides, in 1 to 80 characters, and a reason has 1 to 500",
                remedy: "Give --by, and --reason where one is needed.")
        }
        guard isApproved || reason != nil else {
            throw CommandFailure(.usage, "a rejection needs a reason", remedy: "Give --reason.")
        }
        return try link.transaction {
            guard try store.lockPeriod() == "open" else {
                throw CommandFailure(
                    .usage, "\(period) is not open, so its plans stand",
                    remedy: "Goals of a later month can be decided.")
            }
            let waiting = try store.rows().filter { $0.decision == nil && scope.takes($0) }
            guard !waiting.isEmpty else {
                throw CommandFailure(
                    .findings, "no goal waits there",
                    remedy: "`dispatcherd workplan list --period \(period)` shows them.")
            }
            if isApproved { try requireTactics(waiting) }
            var late = 0
            var replaced = 0
            var records: [LedgerRecord] = []
            for row in waiting {
                let isLate = try isApproved && store.firstGrant(contract: row.goal.contract, row.goal.delegation) != nil
                guard !isLate || reason != nil else {
                    throw CommandFailure(
                        .findings,
                        "goal \(row.goal.id) changes a plan that the first grant in delegation \(row.goal.delegation) froze",
                        remedy: "Give --reason; the statement shows it.")
                }
                let former = isApproved ? try store.standing(row.goal) : nil
                try store.decide(
                    row.goal.id, isApproved: isApproved, reason: reason, isLate: isLate, replaces: former, by: by)
                if isApproved, let fact = try store.addFact(row.goal.id) { records.append(.fact(fact)) }
                late += isLate ? 1 : 0
                replaced += former == nil ? 0 : 1
            }
            try link.insertBlocks(LedgerBlock.seal(records))
            return Decided(goals: waiting.count, late: late, replaced: replaced)
        }
    }

    /// A goal of a tactic that the month has not would be reached by nobody, and charged.
    private func requireTactics(_ rows: [WorkPlanStore.Row]) throws {
        guard rows.contains(where: { $0.goal.tactic != nil }), let tactics = try KnownTactics(link, period: period),
            let row = rows.first(where: { $0.goal.tactic.map { !tactics.names.contains($0) } ?? false })
        else { return }
        throw CommandFailure(
            .findings, "goal \(row.goal.id) is of the tactic `\(row.goal.tactic ?? "")`, which \(tactics.fault)",
            remedy: "Reject it, and propose another goal by one of these.")
    }

    // MARK: - What was reached

    package struct Line: Equatable {
        package let row: WorkPlanStore.Row
        /// In ten-thousandths; of one that counts, what was reached so far.
        package let achieved: Int64?
        /// After the institution took accounts away.
        package let minimum: Int64
        /// Whether it names a tactic that the month's policy, which came after it, has not.
        package let isOfNoTactic: Bool

        package var state: String {
            let state =
                switch row.decision {
                case "approved": row.isReplaced ? "replaced" : row.isLate ? "approved late" : "approved"
                case "rejected": "rejected"
                default: "waits"
                }
            return isOfNoTactic ? state + "; no tactic of the month" : state
        }

        /// Of the minimum, in percent, cut off; `nil` where there is nothing to reach.
        package var percent: String? {
            guard let achieved, minimum > 0 else { return nil }
            let hundredths = Int128(achieved) * 10_000 / Int128(minimum)
            return Cents(Int64(clamping: hundredths)).description
        }
    }

    /// Every goal of the month with what was reached by the facts so far.
    package func lines() throws -> [Line] {
        let rows = try store.rows()
        let reached = try MonthClosing(link, period: period).goalFigures(rows.map(\.goal))
        let tactics = try KnownTactics(link, period: period)
        return zip(rows, reached).map { row, figures in
            Line(
                row: row, achieved: figures?.achieved, minimum: figures?.minimum ?? row.goal.minimum,
                isOfNoTactic: row.goal.tactic.map { tactics?.names.contains($0) == false } ?? false)
        }
    }

    package func table() throws -> [String] {
        let lines = try lines()
        guard !lines.isEmpty else {
            return ["no goal was proposed for \(period); `dispatcherd import goals FILE --period \(period)` does"]
        }
        var table = TextTable(columns: [.left, .right, .right, .left, .right, .right, .right, .right, .left, .left])
        table.row([
            "goal", "contract", "delegation", "what", "minimum", "left", "reached", "%", "weight", "state",
        ])
        for line in lines {
            let goal = line.row.goal
            table.row([
                goal.id, goal.contract?.description ?? "own", "\(goal.delegation)", goal.subject,
                Self.text(goal.minimum), Self.text(line.minimum), line.achieved.map(Self.text) ?? "–",
                line.percent ?? "–", Self.text(goal.weight),
                [line.state, line.row.decidedBy.map { "by \($0)" }, line.row.reason].compactMap(\.self)
                    .joined(separator: ", "),
            ])
        }
        return table.lines + [
            "", "left: what is to be reached after the institution took accounts away; own: the delegation's own goals",
        ]
    }

    package func json() throws -> String {
        let json = CanonicalJSON.array(
            try lines().map { line in
                let goal = line.row.goal
                var members: [String: CanonicalJSON] = [
                    "goal": .string(goal.id), "delegation": .number(Int64(goal.delegation.value)),
                    "indicator": .string(goal.indicator.rawValue), "minimum": .string(Self.text(goal.minimum)),
                    "left": .string(Self.text(line.minimum)), "weight": .string(Self.text(goal.weight)),
                    "state": .string(line.state),
                ]
                if let contract = goal.contract { members["contract"] = .number(Int64(contract.value)) }
                if let tactic = goal.tactic { members["tactic"] = .string(tactic) }
                if let achieved = line.achieved { members["reached"] = .string(Self.text(achieved)) }
                if let reason = line.row.reason { members["reason"] = .string(reason) }
                if let by = line.row.decidedBy { members["by"] = .string(by) }
                return .object(members)
            })
        return String(json.text.dropLast())
    }

    /// Ten-thousandths without zeros at the end.
    static func text(_ value: Int64) -> String {
        let whole = "\(value / WorkGoal.scale)"
        let rest = value % WorkGoal.scale
        guard rest != 0 else { return whole }
        var digits = String("\(WorkGoal.scale + rest)".dropFirst())
        while digits.hasSuffix("0") { digits.removeLast() }
        return whole + "." + digits
    }
}
