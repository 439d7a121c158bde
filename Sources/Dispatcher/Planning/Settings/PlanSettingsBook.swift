// SPDX-License-Identifier: Apache-2.0

package import Assignment
package import PgStore

/// Plan settings as they are kept: put, found again, listed.
package struct PlanSettingsBook {
    package struct Line: Encodable, Sendable {
        package let from: String
        package let settings: String
        package let digest: String
        package let by: String
        package let at: String
        /// The name of what was put later for the same first month, and counts in its place.
        package let replacedBy: String?

        /// For people.
        package var text: String {
            "from \(from): \(settings), \(digest.prefix(16)), by \(by) at \(at)"
                + (replacedBy.map { "; replaced by \($0)" } ?? "")
        }
    }

    private let store: PlanSettingsStore
    private let link: PgLink

    package init(_ link: PgLink) {
        self.link = link
        self.store = PlanSettingsStore(link)
    }

    /// - Throws: ``CommandFailure`` (usage) where this version cannot read what is in force any more.
    package func inForce(_ period: Period) throws -> PlanSettingsFile {
        guard let row = try store.inForce(period) else { return .standard }
        do {
            return try PlanSettingsFile(text: row.body)
        } catch {
            throw CommandFailure(
                .usage, "this version cannot read the plan settings in force from \(row.period) any more",
                remedy: "Put settings of this version: dispatcherd plan settings put FILE --from \(period) --by NAME")
        }
    }

    /// The settings of a digest, as they were put once.
    /// - Throws: ``CommandFailure`` (usage) where this version cannot read them any more, or they are not there.
    func kept(digest: String) throws -> PlanSettingsFile {
        if LedgerTree.hex(PlanSettingsFile.standard.digest) == digest { return .standard }
        if let row = try store.history().last(where: { LedgerTree.hex($0.digest) == digest }),
            let file = try? PlanSettingsFile(text: row.body)
        {
            return file
        }
        throw CommandFailure(
            .usage, "this version cannot read the plan settings \(digest.prefix(16)) any more",
            remedy: "Read the plan with the version that made it.")
    }

    /// Puts settings in force from a period on.
    ///
    /// - Returns: whether they were not in force already.
    /// - Throws: ``CommandFailure`` (usage) where a plan of that period or a later one is applied, or being dealt: what
    ///   has been planned by other settings is not changed under it; and where the contracts that there are would be given
    ///   more than the whole of a delegation's strategy, which no month could be planned by.
    /// - Locks: every period that is not closed, as a plan does.
    package func put(_ file: PlanSettingsFile, from period: Period, by person: String) throws -> Bool {
        try link.transaction {
            let planned = PlanningStore(link, period: period, cut: period.firstDay)
            // A plan that is just made reads the settings under the same lock: it is seen below, or reads these.
            _ = try planned.lockPeriods()
            if let row = try store.inForce(period), row.digest == file.digest { return false }
            if let plan = try planned.plan() {
                throw CommandFailure(
                    .usage, "plan \(plan.id) of \(period) is \(plan.state) already",
                    remedy: "Put the settings from a later period on")
            }
            try PlanDraft.refuseLater(planned, remedy: "Put the settings from a later period on")
            try refuseTargets(file, planned)
            try store.put(period, digest: file.digest, body: file.text, by: person)
            return true
        }
    }

    private func refuseTargets(_ file: PlanSettingsFile, _ planned: PlanningStore) throws {
        let supply = try PlanSupply.read(planned, settings: file)
        do {
            try supply.input([]).validate()
        } catch {
            throw PlanWords.failure(error, of: supply.targets)
        }
    }

    package func history() throws -> [Line] {
        let rows = try store.history()
        return rows.enumerated().map { index, row in
            let later = rows[(index + 1)...].first { $0.period == row.period }
            return Line(
                from: row.period.description, settings: Self.name(row), digest: LedgerTree.hex(row.digest),
                by: row.person, at: row.at.description,
                replacedBy: later.map { "\(Self.name($0)), \(LedgerTree.hex($0.digest).prefix(16))" })
        }
    }

    /// What the latest settings of a first month took the place of; `nil` where they are the only ones.
    package func replaced(from period: Period) throws -> Line? {
        try history().last { $0.from == period.description && $0.replacedBy != nil }
    }

    private static func name(_ row: PlanSettingsStore.Row) -> String {
        (try? PlanSettingsFile(text: row.body))?.settings.name ?? "(of another version)"
    }
}
