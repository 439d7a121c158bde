// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import Dispatcher

/// `dispatcherd account`: an auditor's question about one account.
struct AccountCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "account",
        abstract: "Who held an account, why, and all that was done, disclosed and paid. Changes nothing.",
        discussion: """
            The reasons are the policy's rule, the plan and its seed; what happened are the ledger's own records, each with its receipt, \
            which `ledger prove` takes. --json has the receipts in full.

            Examples:
              dispatcherd account 1900012345
              dispatcherd account 1900012345 --on 2024-03-14
              dispatcherd account 1900012345 --json
            """)
    @OptionGroup var database: DatabaseOptions
    @Argument(help: "The account's number.")
    var account: Int64
    @Option(help: "Only who held it on this day, and what happened until then; by the calendar of Mexico City.")
    var on: String?
    @Flag(help: "As JSON.")
    var json = false

    func run() async throws {
        let audit = try AccountAudit(try await database.open(), account: account, on: on)
        if json { return Console.out(try JSONText.of(audit)) }
        for line in audit.lines { Console.out(line) }
    }
}
