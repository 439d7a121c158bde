// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import Dispatcher

/// `dispatcherd agency hold | release | suspend | terminate | list`: who is given work.
extension AgencyCommand {
    /// What every order says.
    struct OrderOptions: ParsableArguments {
        @Argument(help: "The agency, as ACE07.")
        var agency: String
        @Option(help: "Why, in 1 to 64 of A-Z a-z 0-9 . _ -. It is kept, and the agency is told.")
        var motive: String
        @Option(help: "Who orders it.")
        var by: String = "operator"
        @Flag(help: "Show what would happen, and change nothing.")
        var preview = false
        @Flag(help: "As JSON.")
        var json = false
        @OptionGroup var database: DatabaseOptions

        func run(
            _ action: AgencyOrder.Action, strategy: String? = nil, band: String? = nil, recallOn: String? = nil,
            withdrawsRecalls: Bool = false
        ) async throws {
            let order = try AgencyOrder(
                action, agency: agency, strategy: strategy, band: band, motive: motive, recallOn: recallOn, by: by,
                withdrawsRecalls: withdrawsRecalls)
            let (text, failure) = try order.result(on: try await database.open(), isPreview: preview, asJSON: json)
            Console.out(text, after: !preview)
            if let failure { throw failure }
        }
    }

    struct Hold: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Gives an agency nothing more for now; what waits for it is withdrawn at once.",
            discussion: """
                What it holds stays with it until the term, or is recalled with a notice. What waited for others before is
                dealt with it, and told apart.

                Examples:
                  dispatcherd agency hold ACE07 --motive audit --preview
                  dispatcherd agency hold ACE07 --motive audit
                  dispatcherd agency hold ACE07 --motive fraud --recall-on 2024-03-20
                """)
        @OptionGroup var order: OrderOptions
        @Option(help: "Recall what it holds, final on that day; without it that stays until its term.")
        var recallOn: String?

        func run() async throws { try await order.run(.hold, recallOn: recallOn) }
    }

    struct Suspend: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Gives an agency nothing more of a strategy, or of one band of it.",
            discussion: """
                A band is a tactic of the policy that places the month: `signed` of policies/infonavit-2023.yaml,
                `band-31-60` of policies/fna-bands.yaml. Another one is refused, with those that there are.

                Examples:
                  dispatcherd agency suspend ACE07 --strategy administrative --band signed \\
                    --motive goal-missed
                  dispatcherd agency suspend ACE07 --strategy dual --motive goal-missed \\
                    --recall-on 2024-03-20
                """)
        @OptionGroup var order: OrderOptions
        @Option(help: "preventive, administrative, dual or mediation.")
        var strategy: String
        @Option(help: "One band of it.")
        var band: String?
        @Option(help: "Recall what it holds of it, final on that day; without it that stays until its term.")
        var recallOn: String?

        func run() async throws {
            try await order.run(.suspend, strategy: strategy, band: band, recallOn: recallOn)
        }
    }

    struct Terminate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Ends the work with an agency for good.",
            discussion: """
                It can report, return and object until the last of its terms is over, and extends none.

                Examples:
                  dispatcherd agency terminate ACE07 --motive three-misses --recall-on 2024-03-20 --preview
                  dispatcherd agency terminate ACE07 --motive contract-ended
                """)
        @OptionGroup var order: OrderOptions
        @Option(help: "Recall what it holds, final on that day; without it that stays until its term.")
        var recallOn: String?

        func run() async throws { try await order.run(.terminate, recallOn: recallOn) }
    }

    struct Release: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Ends a hold and all suspensions, or one suspension.",
            discussion: """
                The agency is given work by the next plan, or by `dispatcherd plan rebalance`. Recalls that an order gave notice of
                go on, unless they are withdrawn with it. Where nothing is in force there is nothing to release.

                Examples:
                  dispatcherd agency release ACE07 --motive audit-passed
                  dispatcherd agency release ACE07 --motive audit-passed --withdraw-recalls
                  dispatcherd agency release ACE07 --strategy dual --motive goals-met
                """)
        @OptionGroup var order: OrderOptions
        @Option(help: "Only the suspensions of that strategy.")
        var strategy: String?
        @Option(help: "Only that band.")
        var band: String?
        @Flag(help: "Withdraw every recall under way of what it holds of that; without it they go on.")
        var withdrawRecalls = false

        func run() async throws {
            try await order.run(.release, strategy: strategy, band: band, withdrawsRecalls: withdrawRecalls)
        }
    }

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "Lists agencies with their status and why; one agency with everything ordered about it.",
            discussion: """
                Examples:
                  dispatcherd agency list
                  dispatcherd agency list ACE07 --json
                """)
        @Argument(help: "One agency, as ACE07.")
        var agency: String?
        @Flag(help: "As JSON.")
        var json = false
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            Console.out(try AgencyList.text(agency: agency, asJSON: json, try await database.open()))
        }
    }
}
