// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import CommandUsage
internal import Simulation

@main
struct Agentsim: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agentsim",
        abstract: "Makes a portfolio, plays the agencies of a month, and judges the history of it.",
        discussion: """
            Exit codes: 0 fine, 1 something is broken, 2 wrong call, 3 a daemon, database or disk fails.

            Examples:
              agentsim portfolio --out in --period 2024-03 --accounts 20000
              agentsim help run
            """,
        version: ProgramVersion.text,
        subcommands: [
            PortfolioCommand.self, RunCommand.self, MonthCommand.self, ReplayCommand.self, ReportCommand.self,
            LoadCommand.self, ShellCommand.self, ReviewCommand.self, VerifyCommand.self, ChaosCommand.self,
        ]
    )

    static func main() async {
        await CommandRun.main(
            Self.self,
            explained: { error in (error as? SimulationFailure).map { CommandRun.Stop($0, exit: $0.exit.rawValue) } },
            refused: answer)
        Terminal.finish()
    }

    /// Of the commands that promise an object in any case, a wrong command line gets one, too.
    private static func answer(_ why: String) {
        let words = CommandLine.arguments.dropFirst()
        guard words.contains("--json") else { return }
        let failure = SimulationFailure(.usage, why, remedy: "")
        switch words.first {
        case "load" where !words.contains("compare"): Terminal.out(LoadReport.json(of: failure))
        case "chaos": Terminal.out(ChaosReport.json(of: failure, seed: nil))
        default: break
        }
    }
}
