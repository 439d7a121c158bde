// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// Dealing again as it is asked for on the command line, its words checked.
package struct RedealOrder {
    private let period: Period?
    private let scope: RedealScope
    private let by: String
    private let seed: Int64?

    /// - Throws: ``CommandFailure`` of usage.
    package init(
        period: String?, delegations: [Int16], strategies: [String], leftOver: Bool, by: String, seed: Int64?
    ) throws(CommandFailure) {
        self.period = try period.map { text throws(CommandFailure) in try PeriodArgument(text: text).period }
        var places: Set<Delegation> = []
        for number in delegations { places.insert(try Words.delegation(number)) }
        var named: Set<Strategy> = []
        for word in strategies { named.insert(try Words.strategy(word)) }
        scope = RedealScope(
            leftOver ? .leftOver : .everything, delegations: places.isEmpty ? nil : places,
            strategies: named.isEmpty ? nil : named)
        self.by = try Words.person(by)
        self.seed = seed
    }

    package func run(on link: DatabaseLink, isPreview: Bool, asJSON: Bool) throws -> String {
        let reason = scope.manner == .everything ? "rebalance" : "left-over"
        let run = RedealRun(link, scope: scope, reason: reason, by: by, seed: seed)
        let report = isPreview ? try run.preview(period) : try run.run(period)
        if asJSON { return try JSONText.of(report) }
        return (report.detail + [""] + report.summary).joined(separator: "\n")
    }
}
