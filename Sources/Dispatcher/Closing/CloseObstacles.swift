// SPDX-License-Identifier: Apache-2.0

package import Assignment
package import PgStore

/// What stands in the way of a month's close, each with what mends it: for who proposes it, before another person is refused.
///
/// What needs only time is told with its instant. What would be closed to nobody's gain (outcomes that wait for their review) is told
/// although it keeps no close from being run.
package struct CloseObstacles {
    /// Objections and adjustments that are told by themselves; of more only the number is told.
    static let shownMax = 20

    private let link: PgLink
    private let period: Period
    private let stages: StageCommands
    private let objectionDays: Int

    package init(_ link: PgLink, period: Period, _ settings: Settings) {
        self.init(
            link, period: period, StageCommands(link, settings), objectionDays: settings.closingObjectionDays)
    }

    /// - Parameter objectionDays: business days that agencies have after pre-statements are out.
    init(_ link: PgLink, period: Period, _ stages: StageCommands, objectionDays: Int = 5) {
        self.link = link
        self.period = period
        self.stages = stages
        self.objectionDays = objectionDays
    }

    /// The same for after something was committed: that it could not be told is told, and fails nothing.
    package func notes() -> [String] {
        do {
            return try lines().map { "in its way: \($0)" }
        } catch {
            return ["what stands in its way could not be looked up: \(error)"]
        }
    }

    /// One sentence each, in the order in which they are mended; empty where the month can be closed.
    package func lines() throws -> [String] {
        let closing = MonthClosing(link, period: period)
        var lines: [String] = []
        if let unfinished = try closing.unfinished() {
            lines.append("\(unfinished): `dispatcherd close --period \(period)` after that")
        }
        if let earlier = try closing.openBefore() { lines.append("\(earlier): `dispatcherd close` of those first") }
        if try PeriodStore(link, period: period).hasStoppedPlan() {
            lines.append(
                "a plan of \(period) was stopped while it was dealt: `dispatcherd plan apply --period \(period)` or "
                    + "`dispatcherd plan discard --period \(period)`")
        }
        return try lines + reviews() + rejections() + decisions() + preStatements()
    }

    private func reviews() throws -> [String] {
        let until = try stages.reviewsUntil(period)
        let isOver = try link.readNow() >= until
        let waiting = try ReviewStore(link).progress(period).reduce(Int64(0)) { $0 + $1.pending }
        let contests = try stages.openContests(period)
        var lines: [String] = []
        if waiting > 0 {
            // A rejection that is contested stands until its second decision, and does not wait.
            let what = Words.counted(waiting, "outcome waits", "outcomes wait") + " for review"
            lines.append(
                isOver
                    ? "\(what), their time was over at \(until), and the close never bills them: "
                        + "`dispatcherd review list --period \(period) --pending` shows them"
                    : "\(what): `dispatcherd review list --period \(period) --pending --csv pending.csv`, then "
                        + "`dispatcherd review import FILE` with the decisions")
        }
        lines += Self.contests(contests, at: try link.readNow(), period)
        if !isOver {
            lines.append(
                "reviews count until \(until): `dispatcherd close` after that, or with --before-reviews, for good")
        }
        return lines
    }

    /// One line for each contest of a rejection that has no second decision, those out of time first.
    private static func contests(
        _ contests: [(outcome: Int64, raised: Timestamp, until: Timestamp)], at now: Timestamp, _ period: Period
    ) -> [String] {
        let told = contests.filter { $0.until <= now } + contests.filter { $0.until > now }
        let lines = told.prefix(shownMax).map { contest in
            let what = "the contest of outcome \(contest.outcome), raised at \(contest.raised), "
            return what
                + (contest.until <= now
                    ? "was not decided until \(contest.until) and is out of time: its rejection stands"
                    : "waits for its second decision until \(contest.until): `dispatcherd review import FILE` with it, else its "
                        + "rejection stands")
        }
        let more = contests.count - shownMax
        return lines
            + (more > 0
                ? [
                    "\(grouped(Int64(more))) more contests have no second decision: `dispatcherd review list --period \(period) "
                        + "--pending`"
                ] : [])
    }

    private func decisions() throws -> [String] {
        func place(_ contract: Int32, _ delegation: Int16?) -> String {
            "contract \(contract), " + (delegation.map { "delegation \($0)" } ?? "the whole invoice")
        }
        let objections = try stages.objections(period).filter { $0.decision == nil }.map { row in
            "objection \(row.number) (\(place(row.contract, row.delegation)), \(row.rule)) waits for a decision: "
                + "`dispatcherd objection uphold \(row.number)` or `dispatcherd objection reject \(row.number)`"
        }
        let adjustments = try stages.adjustments(period).filter { $0.decision == nil }.map { row in
            let kind = row.adjustment.withdraws == nil ? row.adjustment.kind.rawValue : "withdrawal"
            return "adjustment \(row.adjustment.number) (\(kind), \(place(row.contract, row.delegation)), "
                + "\(row.adjustment.rule)) waits for a decision: `dispatcherd adjustment approve \(row.adjustment.number)` or "
                + "`dispatcherd adjustment reject \(row.adjustment.number)`"
        }
        return Self.first(objections, "objections", period) + Self.first(adjustments, "adjustments", period)
    }

    private static func first(_ lines: [String], _ what: String, _ period: Period) -> [String] {
        let more = lines.count - shownMax
        let command = "`dispatcherd \(what.dropLast()) list --period \(period)`"
        return lines.prefix(shownMax)
            + (more > 0 ? ["\(grouped(Int64(more))) more \(what) wait for a decision: \(command)"] : [])
    }

    private func preStatements() throws -> [String] {
        guard
            let until = try StageStore(link).facts(of: period, objectionDays: objectionDays)?.objectionsUntil
        else { return [] }
        var lines: [String] = []
        if try link.readNow() < until {
            lines.append(
                "agencies may object to the pre-statements until \(until): `dispatcherd close` after that")
        }
        do {
            try stages.requireAsIssued(try MonthClosing(link, period: period).preview())
        } catch let failure as CommandFailure where failure.exit == .findings {
            lines.append(
                "\(failure.found): `dispatcherd statement issue --period \(period)`, and agencies may object again")
        }
        return lines
    }

    /// Those that their agencies may contest still, which the close would take from them.
    private func rejections() throws -> [String] {
        guard let open = try stages.contestable(period) else { return [] }
        return [
            "agencies may contest \(Words.counted(Int64(open.rejections), "rejection")) until \(open.until): `dispatcherd close` after that, "
                + "or with --before-reviews, for good"
        ]
    }
}
