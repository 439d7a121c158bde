// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import Assignment
internal import Dispatcher
internal import Glibc
internal import PgStore

/// What `make bench` runs of this program's own parts. scripts/bench has the cases and what they are compared with.
@main
struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Parts of dispatcherd by themselves, to be measured.",
        discussion: """
            Examples:
              bench statements --policy policies/infonavit-2023.yaml --period 2024-03
              bench solver
              bench codec
              bench policy-eval --database "$(dispatcherd database url)" --policy FILE --period 2024-03 --csv cut.csv
            """,
        subcommands: [StatementsCommand.self, PolicyEvalCommand.self, SolverCommand.self, CodecCommand.self])
}

/// The policy as a period's accounts meet it.
struct PolicyOptions: ParsableArguments {
    @Option(help: "The policy file.")
    var policy: String
    @Option(help: "The month, as 2024-03.", transform: PeriodArgument.init(text:))
    var period: PeriodArgument

    func compiled() throws -> ColumnSegmenter {
        let policy = try PolicyFile(path: policy).policy(for: period.period)
        return try SegmentationRun.compiled(policy, cut: SegmentationRun.cutDay(period.period))
    }
}

/// Prints, as JSON, the statements that a comparison needs: made of the policy, so that nobody has to keep them in step.
struct StatementsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "statements", abstract: "Prints SQL of a policy.")
    @OptionGroup var options: PolicyOptions

    private struct Statements: Encodable {
        let columns: String
        let table: String
        let query: String
        let outcomes: [String: String]
        let offers: [String]
    }

    func run() throws {
        let columns = try options.compiled()
        let cut = SegmentationRun.cutDay(options.period.period)
        let sql = try PolicySQL(columns.segmenter.policy, cut: cut, fields: columns.fields)
        Console.out(
            try JSONText.of(
                Statements(
                    columns: SegmentationStore.ownColumns(columns.fields), table: sql.table, query: sql.query,
                    outcomes: sql.outcomes, offers: columns.segmenter.policy.relief.map(\.name))))
    }
}
