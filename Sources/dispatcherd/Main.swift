// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import CommandUsage
internal import Dispatcher
internal import Glibc

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
            CloseCommand.self,
            StatementCommand.self,
            AgencyCommand.self,
            ConfigCommand.self,
            DatabaseCommand.self,
            MigrateCommand.self,
            ClockCommand.self,
            FormatsCommand.self,
        ]
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
        } catch let failure as CommandFailure {
            Console.note("error: \(failure)")
            Glibc.exit(failure.exit.rawValue)
        } catch {
            if let failure = Database.failure(error) {
                Console.note("error: \(failure)")
                Glibc.exit(failure.exit.rawValue)
            }
            let code = exitCode(for: error)
            if code.isSuccess {
                Console.out(fullMessage(for: error))
                Glibc.exit(0)
            }
            if code == .validationFailure {
                let usage = UsageError(error, of: Self.self, arguments: CommandLine.arguments.dropFirst())
                Console.note("error: \(usage)")
                Glibc.exit(2)
            }
            let text = message(for: error)
            if !text.isEmpty { Console.note("error: \(text)") }
            Glibc.exit(code.rawValue)
        }
    }
}
