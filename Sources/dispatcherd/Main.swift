// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import CommandUsage
internal import Dispatcher

@main
struct Dispatcherd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dispatcherd",
        abstract: "Hands out debt accounts to collection agencies and keeps proof of what became of them.",
        discussion: """
            A month goes through import, segment, plan, serve, review and close, in this order. \
            Exit codes: 0 fine, 1 something was found, 2 wrong call, 3 a database, port or disk fails.

            Examples:
              dispatcherd database start
              dispatcherd import cut cut.csv --period 2024-03
              dispatcherd help import
            """,
        version: "0.1.0",
        subcommands: [
            ServeCommand.self,
            ImportCommand.self,
            SegmentCommand.self,
            PolicyCommand.self,
            PlanCommand.self,
            ReviewCommand.self,
            ExhaustionCommand.self,
            ReportCommand.self,
            CloseCommand.self,
            StatementCommand.self,
            ObjectionCommand.self,
            AdjustmentCommand.self,
            PeriodCommand.self,
            SuspensionCommand.self,
            WorkplanCommand.self,
            ProjectionCommand.self,
            IndicatorsCommand.self,
            ScorecardCommand.self,
            AgreementsCommand.self,
            LedgerCommand.self,
            AccountCommand.self,
            ContactsCommand.self,
            RecallCommand.self,
            EvidenceCommand.self,
            VisitBanCommand.self,
            ConciliationCentreCommand.self,
            PauseCommand.self,
            ExperimentCommand.self,
            AgencyCommand.self,
            ConfigCommand.self,
            DatabaseCommand.self,
            MigrateCommand.self,
            RecoverCommand.self,
            ClockCommand.self,
            FormatsCommand.self,
        ]
    )

    static func main() async {
        await CommandRun.main(Self.self) { error in
            let failure = error as? CommandFailure ?? Database.failure(error)
            return failure.map { CommandRun.Stop($0, exit: $0.exit.rawValue) }
        }
    }
}
