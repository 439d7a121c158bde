// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import CommandUsage
internal import Glibc
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
        version: "0.1.0",
        subcommands: [PortfolioCommand.self, RunCommand.self, ReviewCommand.self, VerifyCommand.self]
    )

    /// Exit codes are our own: 0 fine, 1 findings, 2 usage, 3 environment.
    static func main() async {
        CommandInterruption.install()
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let failure as SimulationFailure {
            Terminal.note("error: \(failure)")
            Glibc.exit(failure.exit.rawValue)
        } catch {
            let code = exitCode(for: error)
            if code.isSuccess {
                Terminal.out(fullMessage(for: error))
                Glibc.exit(0)
            }
            if code == .validationFailure {
                let usage = UsageError(error, of: Self.self, arguments: CommandLine.arguments.dropFirst())
                Terminal.note("error: \(usage)")
                Glibc.exit(2)
            }
            let text = message(for: error)
            if !text.isEmpty { Terminal.note("error: \(text)") }
            Glibc.exit(code.rawValue)
        }
    }
}
