// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// What a month's statements were computed by, and how it rated its contracts, as lines of its signed tree: the versions of schedules
/// that the statements name, the kept scorecards, what the contracts said, and the month's cut.
///
/// docs/ledger.md says the bytes.
enum PeriodGrounds {
    static let schedule = "schedule"
    static let scorecard = "scorecard"
    static let contract = "contract"
    static let cut = "cut"

    /// Kinds that came into the tree together: a root that has none of them is older.
    static let generations = [[schedule, scorecard], [contract], [cut]]

    /// Schedules by kind, name and first day, scorecards by delegation and contract, contracts, and the cut by delegation.
    ///
    /// - Parameter delegations: whose cut is digested, which reads all of it; `nil`: of all.
    static func lines(_ link: PgLink, _ period: Period, cutOf delegations: Set<Delegation>? = nil) throws -> [String] {
        let statements = try PeriodStore(link, period: period).statements()
        let documents = try statements.map { try StatementDocument($0.body) }
        var lines: [String] = []
        // What is given back of an earlier month names the schedule that it was paid by, which may be another.
        let fees = documents.flatMap { document in
            [document.feeSchedule]
                + document.sections.flatMap(\.lines).filter { $0.kind == StatementLine.Kind.feeCut.rawValue }.map(
                    \.schedule)
        }
        for (kind, named) in [("fee", Set(fees)), ("penalty", Set(documents.map(\.penaltySchedule)))] {
            let versions = try link.readSchedules(kind).values.flatMap(\.self).filter {
                named.contains($0.version.description)
            }
            for schedule in versions.sorted(by: { $0.version.description < $1.version.description }) {
                lines.append(
                    "\(Self.schedule) kind=\(kind) name=\(LedgerRecord.word(schedule.version.name))"
                        + " from=\(schedule.version.effectiveOn) digest=\(LedgerTree.hex(digest(schedule)))")
            }
        }
        for card in try ScorecardStore(link, period: period).kept() {
            let text =
                "points=\(card.points.map(String.init) ?? "none") neutral=\(card.isNeutral ? "yes" : "no")\n\(card.body)"
            lines.append(
                "\(scorecard) delegation=\(card.delegation) contract=\(card.contract)"
                    + " digest=\(LedgerTree.hex(LedgerTree.hash(Array(text.utf8), [])))")
        }
        let places = zip(statements, documents).map { statement, document in
            (statement.contract, Set(document.sections.compactMap { $0.delegation.flatMap { Int16(exactly: $0) } }))
        }
        let grounds = GroundStore(link, period: period)
        lines += try grounds.terms(Dictionary(places, uniquingKeysWith: { $1 })).map {
            "\(contract) contract=\($0.contract) digest=\(LedgerTree.hex(digest($0)))"
        }
        lines += try grounds.cut(delegations.map { $0.map(\.value).sorted() }).map {
            "\(cut) delegation=\($0.delegation) digest=\(LedgerTree.hex($0.digest))"
        }
        return lines
    }

    /// Of a line of what it says, as words, and one per portfolio in each delegation of its statement, each with a line break behind it.
    private static func digest(_ terms: GroundStore.Terms) -> [UInt8] {
        let words = [
            ("agency", "\(terms.agency)"), ("name", terms.agencyName), ("number", terms.number),
            ("tender", terms.tender),
            ("fees", terms.feeSchedule), ("penalties", terms.penaltySchedule), ("bond", "\(terms.bond)"),
        ].map { "\($0)=\(LedgerRecord.word($1))" }
        let capacity = terms.capacity.map {
            "delegation=\($0.delegation) portfolio=\($0.portfolio) accounts=\($0.accounts)\n"
        }
        let text = words.joined(separator: " ") + "\n" + capacity.joined()
        return LedgerTree.hash(Array(text.utf8), [])
    }

    /// Of one line per value, `rule parameter value`, ascending, each with a line break behind it.
    private static func digest(_ schedule: Schedule) -> [UInt8] {
        let text = schedule.values.map { "\($0.rule) \($0.parameter) \($0.value)\n" }
            .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.joined()
        return LedgerTree.hash(Array(text.utf8), [])
    }

    /// The line without its digest: what it is about.
    static func name(_ line: String) -> String {
        line.split(separator: " ").filter { !$0.hasPrefix("digest=") }.joined(separator: " ")
    }
}
