// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// Orders that would change nothing are slips of the pen, and are refused; and what goes on after a release is told.
extension AgencyOrder {
    /// - Throws: ``CommandFailure`` (usage) where a suspension is of a strategy that no contract of the agency has.
    func requireWorked(_ link: PgLink) throws {
        guard action == .suspend, let strategy else { return }
        let worked = try link.readStrategies(of: agency)
        // An agency without any is unknown, or its contracts are over: the first is told by what comes next.
        guard !worked.isEmpty, !worked.contains(strategy) else { return }
        throw CommandFailure(
            .usage, "no contract of \(agency) has \(strategy.name)",
            remedy: "It works \(worked.sorted().map(\.name).joined(separator: ", ")).")
    }

    /// Of what is held, what a recall is under way of.
    static func underWay(_ held: [AgencyPlace: (held: Int64, recallable: Int64)]) -> Int64 {
        held.values.reduce(0) { $0 + $1.held - $1.recallable }
    }

    /// - Throws: ``CommandFailure`` (usage) where nothing is in force that the release would end.
    func requireReleasable(_ link: PgLink) throws {
        guard let row = try link.readAgencyStatus(of: agency).first else { return }
        let suspensions = row.suspensions.filter {
            (strategy == nil || $0.strategy == strategy) && (band == nil || $0.band == band)
        }
        guard suspensions.isEmpty, strategy != nil || row.status != "hold" else { return }
        if withdrawsRecalls,
            Self.underWay(try link.countHeld(by: agency, strategy: strategy, tactic: band)) > 0
        {
            return
        }
        let what = [strategy?.name, band].compactMap(\.self).joined(separator: ", ")
        let stands = Self.standing(row)
        throw CommandFailure(
            .usage,
            what.isEmpty ? "\(agency) is neither on hold nor suspended" : "\(agency) is not suspended of \(what)",
            remedy: stands.isEmpty ? "Nothing is to be released." : "It is \(stands.joined(separator: ", ")).")
    }

    /// Ends recalls where that is asked for, and notes what goes on all the same.
    func tellRest(_ link: PgLink, _ report: inout AgencyOrderReport) throws {
        if withdrawsRecalls {
            while true {
                let page = try link.readRecalls(
                    of: agency, strategy: strategy, tactic: band, limit: Int32(Recalls.pageMax)
                ).map(\.lease)
                let withdrawn = try Recalls.withdraw(link, page, reason: motive, by: by)
                report.addRecalls(underWay: Int64(withdrawn), areWithdrawn: true)
                // Those that are left have ended meanwhile.
                if page.count < Recalls.pageMax || withdrawn == 0 { break }
            }
        }
        let held = try link.countHeld(by: agency, strategy: strategy, tactic: band)
        report.addRecalls(underWay: Self.underWay(held), areWithdrawn: false)
        report.stands = try link.readAgencyStatus(of: agency).first.map(Self.standing) ?? []
    }

    /// `on hold`, `suspended of dual, signed`.
    private static func standing(_ row: AgencyStatusRow) -> [String] {
        (row.status == "hold" ? ["on hold"] : [])
            + row.suspensions.map { "suspended of \($0.strategy.name)" + ($0.band.isEmpty ? "" : ", \($0.band)") }
    }
}
