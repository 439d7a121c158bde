// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import Assignment
internal import Dispatcher

/// `dispatcherd suspension`: what missed minimums of bands allow, and what a person decides.
struct SuspensionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "suspension",
        abstract: "Agencies that missed a band's minimum in a closed month: proposals, for a person to decide.",
        discussion: """
            Only contracts that pay by bands have minimums. See docs/closing.md.

            Examples:
              dispatcherd suspension list --period 2024-03
              dispatcherd suspension decide --period 2024-03 --agency ACE07 --band FEE-02 --suspend --reason "38 % of 65 %" --by "Ana Ruiz"
            """,
        subcommands: [List.self, Decide.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "What is proposed, and what was decided.",
            discussion: """
                Examples:
                  dispatcherd suspension list --period 2024-03
                """)
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var planned: PlannedPeriod
        @Flag(
            help:
                "Misses of any band count together toward the end of a contract; without it those of one band (AMB-23)."
        )
        var anyBand = false
        @Flag(help: "As JSON.")
        var json = false

        func run() async throws {
            let suspensions = try Suspensions(
                try await database.open(), period: planned.argument.period, counting: anyBand ? .anyBand : .sameBand)
            if json { return Console.out(try suspensions.json) }
            for line in try suspensions.lines { Console.out(line) }
        }
    }

    struct Decide: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Decides about a proposal. A suspended band loses at once what was dealt and not pulled, and gets no more.",
            discussion: """
                Each tactic that lies in the band is suspended as by `agency suspend`, and `agency release` lifts it; what the
                agency holds stays with it. A termination is `agency terminate`: nothing more of any band, for good.

                Where the agency has other contracts, which do not pay by bands, nothing is ordered about the agency: what waits
                under those that do is dealt to others, a termination ends these contracts alone, and later rounds and plans may
                give the band again; `agency suspend` stops that. What was decided stands in `suspension list`.

                Examples:
                  dispatcherd suspension decide --period 2024-03 --agency ACE07 --band FEE-02 --suspend --reason "missed" --by "Ana Ruiz"
                  dispatcherd suspension decide --period 2024-03 --agency ACE07 --band FEE-02 --decline --reason "flood" --by "Ana Ruiz"
                """)
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var planned: PlannedPeriod
        @Option(help: "The agency, as ACE07.")
        var agency: String
        @Option(help: "FEE-01 (1–30 days) to FEE-05 (over 120).")
        var band: String
        @Flag(help: "About the end of the contract, not about the band.")
        var termination = false
        @Flag(
            help:
                "Misses of any band count together toward the end of a contract; without it those of one band (AMB-23)."
        )
        var anyBand = false
        @Flag(help: "Suspend, or terminate.")
        var suspend = false
        @Flag(help: "Do not.")
        var decline = false
        @Option(help: "Why.")
        var reason: String
        @Option(help: "Who decides.")
        var by: String
        @Flag(help: "Do not ask.")
        var yes = false

        func validate() throws {
            guard MoraBand(rawValue: band) != nil else { throw ValidationError("--band is FEE-01 to FEE-05.") }
            guard suspend != decline else { throw ValidationError("Give either --suspend or --decline.") }
        }

        func run() async throws {
            let suspensions = try Suspensions(
                try await database.open(), period: planned.argument.period, counting: anyBand ? .anyBand : .sameBand)
            let (about, kind) = (
                MoraBand(rawValue: band) ?? .over120, termination ? SuspensionProposal.Kind.termination : .band
            )
            try suspensions.requireUndecided(agency: agency, band: about, kind: kind)
            if suspend {
                try Confirmation.require(
                    termination
                        ? "The contracts of \(agency) that pay by bands end today: all that waits in their hands is withdrawn at once."
                        : "What \(agency) was dealt in band \(band) and has not pulled is withdrawn at once.",
                    isGiven: yes)
            }
            let effect = try suspensions.decide(
                agency: agency, band: about, kind: kind, isSuspended: suspend, reason: reason, by: by)
            guard suspend else { return Console.done("declined") }
            Console.done(
                "\(termination ? "terminated" : "suspended"); \(Console.grouped(Int(effect.accounts))) \(effect.accounts == 1 ? "account" : "accounts") withdrawn, "
                    + "\(Console.grouped(Int(effect.dealtAgain))) of what waited dealt to others")
            if !effect.untouched.isEmpty {
                Console.out(
                    "what \(agency) does under its contracts that pay by no band goes on: "
                        + effect.untouched.map(String.init).joined(separator: ", "))
            }
            guard !termination else { return }
            let tactics = effect.tactics.joined(separator: ", ")
            Console.out(
                effect.tactics.isEmpty
                    ? (effect.untouched.isEmpty
                        ? "no tactic of the policy is that band alone" : "it has other contracts")
                        + ", so plans to come give it as before; `agency suspend` stops more"
                    : "\(tactics): nothing more of it until `agency release \(agency)`")
        }
    }
}
