// SPDX-License-Identifier: Apache-2.0

package import Assignment
package import PgStore

/// Early warning: what a running month would charge and miss if it went on as it has so far.
package struct MonthProjection {
    package struct Row: Sendable {
        package let contract: ContractID
        package let agency: AgencyID
        package let line: ProjectedMonth.Line

        /// Advisers are wanted there, and nobody said how many are present.
        var isUnreported: Bool {
            line.rule == PenaltyRule.capacity.rawValue && line.level == .risk && line.now.isEmpty
        }
    }

    package let period: Period
    package let progress: ProjectedMonth.Progress
    /// By contract, delegation and rule, the whole invoice last.
    package let rows: [Row]

    /// - Throws: ``CommandFailure`` where the month has not begun, or is closed.
    package init(_ link: PgLink, period: Period) throws {
        (progress, rows) = try MonthClosing(link, period: period).projection()
        self.period = period
    }

    /// Holds what is asked for to what there is: a wrong number would be told that nothing is missed.
    ///
    /// - Throws: ``CommandFailure``, usage.
    package static func require(agency: AgencyID?, contract: Int32?, _ link: PgLink) throws {
        if let contract, try StageStore(link).delegations(ofContract: contract) == nil {
            throw CommandFailure(
                .usage, "there is no contract \(contract)", remedy: "Check --contract; it is the number in this system."
            )
        }
        if let agency, try ExperimentStore(link).known([agency]).isEmpty {
            throw CommandFailure(
                .usage, "there is no agency \(agency)", remedy: "`dispatcherd agency list` shows them.")
        }
    }

    /// Only those of an agency or contract, and without what is fine unless all are asked for.
    package func shown(agency: AgencyID?, contract: Int32?, all: Bool) -> [Row] {
        rows.filter { row in
            (agency == nil || row.agency == agency) && (contract == nil || row.contract.value == contract)
                && (all || row.line.level != .fine)
        }
    }

    /// Makes the projections that are due, for agencies to be told from.
    ///
    /// - Returns: the months.
    static func keep(_ link: PgLink, every interval: Duration) throws -> [Period] {
        try link.transaction {
            try link.script("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            let store = ProjectionStore(link)
            let due = try store.due(every: interval)
            for period in due {
                let (_, rows) = try MonthClosing(link, period: period).projectionInTransaction()
                try store.replace(
                    period, with: rows.map { ProjectionStore.Row(period: period, contract: $0.contract, line: $0.line) }
                )
            }
            return due
        }
    }

    package func table(_ rows: [Row]) -> [String] {
        let day = "day \(progress.elapsed) of \(progress.days)"
        guard !rows.isEmpty else { return ["nothing is missed or near it, \(day) of \(period)"] }
        var table = TextTable(
            columns: [.right, .left, .right, .left, .left, .right, .right, .right, .right, .left])
        table.row([
            "contract", "agency", "delegation", "rule", "level", "now", "limit", "end", "charge", "what would mend it",
        ])
        let unreported = rows.filter(\.isUnreported)
        for row in Self.byWeight(rows) where unreported.count < Self.foldedMin || !row.isUnreported {
            let line = row.line
            table.row([
                "\(row.contract)", row.agency.description, line.delegation?.description ?? "all",
                line.subject.isEmpty ? line.rule : "\(line.rule) \(line.subject)", line.level.rawValue, line.now,
                line.limit, line.end, grouped(line.charge), line.mend,
            ])
        }
        let charge = rows.reduce(Cents.zero) { $0 + $1.line.charge }
        return (unreported.count < rows.count || unreported.count < Self.foldedMin ? table.lines : [])
            + folded(unreported) + [
                "", "\(day): if \(period) went on as it has so far, \(grouped(charge)) would be charged, before IVA",
            ]
    }

    /// So many rows that say nothing but that staffing was not reported are one line.
    private static let foldedMin = 3

    /// What would be missed and what it would cost first; ties as they come.
    private static func byWeight(_ rows: [Row]) -> [Row] {
        func place(_ level: ProjectedMonth.Level) -> Int { ProjectedMonth.Level.allCases.firstIndex(of: level) ?? 0 }
        return rows.enumerated().sorted { left, right in
            (place(left.element.line.level), -left.element.line.charge.value, left.offset)
                < (place(right.element.line.level), -right.element.line.charge.value, right.offset)
        }.map(\.element)
    }

    private func folded(_ unreported: [Row]) -> [String] {
        guard unreported.count >= Self.foldedMin else { return [] }
        let contracts = Set(unreported.map(\.contract)).sorted().map(\.description)
        return [
            "risk: staffing was not reported yet in \(unreported.count) places of contract"
                + "\(contracts.count == 1 ? "" : "s") \(Words.list(contracts, shown: 12)) "
                + "(\(PenaltyRule.capacity.rawValue)): import facts, kind staffing; --json has each"
        ]
    }

    package func json(_ rows: [Row]) -> String {
        let json = CanonicalJSON.object([
            "period": .string("\(period)"), "elapsed": .number(progress.elapsed), "days": .number(progress.days),
            "lines": .array(rows.map(Self.json)),
        ])
        return String(json.text.dropLast())
    }

    private static func json(_ row: Row) -> CanonicalJSON {
        var members: [String: CanonicalJSON] = [
            "contract": .number(Int64(row.contract.value)), "agency": .string(row.agency.description),
            "rule": .string(row.line.rule), "subject": .string(row.line.subject),
            "level": .string(row.line.level.rawValue), "now": .string(row.line.now), "limit": .string(row.line.limit),
            "end": .string(row.line.end), "charge": .string(row.line.charge.description),
            "need": .string(row.line.need), "mend": .string(row.line.mend),
        ]
        if let delegation = row.line.delegation { members["delegation"] = .number(Int64(delegation.value)) }
        return .object(members)
    }
}
