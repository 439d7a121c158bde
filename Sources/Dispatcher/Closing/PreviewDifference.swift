// SPDX-License-Identifier: Apache-2.0

internal import Assignment
package import PgStore

/// What changed in a month's statements since somebody proposed its close, else since its latest preview.
package struct PreviewDifference: Equatable, Sendable {
    /// For people, one line each; empty where there was no preview before.
    package let lines: [String]

    /// Compares with the proposal, which stays as it is, or with the latest preview, and takes its place.
    package init(_ link: PgLink, _ month: ClosedMonth) throws {
        lines = try link.transaction {
            let store = StageStore(link)
            let shown = try Self.figures(month)
            let former = try store.preview(month.period)
            let proposal = try store.proposal(of: month.period)
            if let former, let proposal, former.at == proposal.at {
                return Self.lines(
                    from: former.shown, to: shown, since: "\(proposal.by) proposed the close at \(proposal.at)")
            }
            try store.keepPreview(month.period, shown, at: try link.readNow())
            guard let former else { return [] }
            return Self.lines(from: former.shown, to: shown, since: "the preview of \(former.at)")
        }
    }

    /// What a preview shows of each statement.
    static func figures(_ month: ClosedMonth) throws -> [(contract: Int32, figures: StageStore.Shown)] {
        try month.statements.map { statement in
            let totals = try StatementDocument(statement.body).totals
            let figures = StageStore.Shown(
                fees: Cents(pesos: totals.fees) ?? .zero, penalties: Cents(pesos: totals.penalties) ?? .zero,
                digest: statement.digest)
            return (statement.contract, figures)
        }
    }

    private static func lines(
        from former: [Int32: StageStore.Shown], to now: [(contract: Int32, figures: StageStore.Shown)], since: String
    ) -> [String] {
        let changes = changes(from: former, to: now)
        guard !changes.isEmpty else { return ["nothing changed since \(since)"] }
        return ["since \(since), \(Words.counted(Int64(changes.count), "contract")) changed:"]
            + changes.map { "  \($0)" }
    }

    /// One text per contract whose statement is another, ascending by contract.
    static func changes(
        from former: [Int32: StageStore.Shown], to figures: [(contract: Int32, figures: StageStore.Shown)]
    ) -> [String] {
        let now = Dictionary(figures.map { ($0.contract, $0.figures) }, uniquingKeysWith: { $1 })
        return Set(former.keys).union(now.keys).filter { former[$0] != now[$0] }.sorted().map { contract in
            let (from, to) = (former[contract] ?? .nothing, now[contract] ?? .nothing)
            if from.fees == to.fees, from.penalties == to.penalties {
                return "contract \(contract): the same amounts, and other indicators, records or facts behind them"
            }
            return "contract \(contract): fees \(grouped(from.fees)) → \(grouped(to.fees)), penalties "
                + "\(grouped(from.penalties)) → \(grouped(to.penalties))"
        }
    }
}

extension StageStore.Shown {
    fileprivate static let nothing = StageStore.Shown(fees: .zero, penalties: .zero, digest: [])
}
