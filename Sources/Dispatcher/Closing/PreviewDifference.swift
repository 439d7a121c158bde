// SPDX-License-Identifier: Apache-2.0

internal import Assignment
package import PgStore

/// What changed in a month's statements since its latest preview.
package struct PreviewDifference: Equatable, Sendable {
    /// For people, one line each; empty where there was no preview before.
    package let lines: [String]

    /// Compares with the latest preview and takes its place.
    package init(_ link: PgLink, _ month: ClosedMonth) throws {
        lines = try link.transaction {
            let store = StageStore(link)
            var shown: [(contract: Int32, figures: StageStore.Shown)] = []
            for statement in month.statements {
                let totals = try StatementDocument(statement.body).totals
                let figures = StageStore.Shown(
                    fees: Cents(pesos: totals.fees) ?? .zero, penalties: Cents(pesos: totals.penalties) ?? .zero,
                    digest: statement.digest)
                shown.append((statement.contract, figures))
            }
            let former = try store.preview(month.period)
            try store.keepPreview(month.period, shown)
            guard let former else { return [] }
            return Self.lines(
                from: former.shown, to: Dictionary(shown.map { ($0.contract, $0.figures) }, uniquingKeysWith: { $1 }),
                since: "\(former.at)")
        }
    }

    static func lines(
        from former: [Int32: StageStore.Shown], to now: [Int32: StageStore.Shown], since: String
    ) -> [String] {
        let changed = Set(former.keys).union(now.keys).filter { former[$0] != now[$0] }.sorted()
        guard !changed.isEmpty else { return ["nothing changed since the preview of \(since)"] }
        return ["since the preview of \(since), \(changed.count) contracts changed:"]
            + changed.map { contract in
                let (from, to) = (former[contract] ?? .nothing, now[contract] ?? .nothing)
                if from.fees == to.fees, from.penalties == to.penalties {
                    return
                        "  contract \(contract): the same amounts, and other indicators, records or facts behind them"
                }
                return "  contract \(contract): fees \(grouped(from.fees)) → \(grouped(to.fees)), penalties "
                    + "\(grouped(from.penalties)) → \(grouped(to.penalties))"
            }
    }
}

extension StageStore.Shown {
    fileprivate static let nothing = StageStore.Shown(fees: .zero, penalties: .zero, digest: [])
}
