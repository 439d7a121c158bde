// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// What a month's statements were computed by, and how it rated its contracts, as lines of its signed tree: the versions of schedules
/// that the statements name, and the kept scorecards.
///
/// docs/ledger.md says the bytes.
enum PeriodGrounds {
    static let schedule = "schedule"
    static let scorecard = "scorecard"

    /// Schedules by kind, name and first day, then scorecards by delegation and contract.
    static func lines(_ link: PgLink, _ period: Period) throws -> [String] {
        let documents = try PeriodStore(link, period: period).statements().map { try StatementDocument($0.body) }
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
        return lines
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
