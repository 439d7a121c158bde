// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import Simulation

struct ReviewCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "review",
        abstract: "Play the delegations' reviewers: approve or reject the pending outcomes, with reasons.",
        discussion: """
            Examples:
              dispatcherd review list --period 2024-03 --pending --csv pending.csv
              agentsim review --in pending.csv --out reviews.csv --seed 7
            """)

    @Option(
        name: .customLong("in"),
        help: "The pending outcomes, as dispatcherd review list --pending --csv FILE writes them.")
    var input: String
    @Option(name: .customLong("out"), help: "The file of reviews to write.")
    var output: String
    @Option(help: "The seed that the decisions are drawn from.")
    var seed: UInt64 = 7

    func run() throws {
        let pending = try Table(path: input, required: Reviewers.required)
        let counts = try Reviewers(seed: seed).review(pending, to: output)
        let total = counts.approved + counts.rejected
        Terminal.out(
            "Reviewed \(Terminal.grouped(total)) outcomes: \(Terminal.grouped(counts.approved)) approved, "
                + "\(Terminal.grouped(counts.rejected)) rejected, in \(output), seed \(seed).")
    }
}
