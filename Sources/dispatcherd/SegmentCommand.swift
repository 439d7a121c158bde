// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import Dispatcher

/// The month that a command of segmentation or planning works on.
struct PlannedPeriod: ParsableArguments {
    @Option(name: .customLong("period"), help: "The month, as 2024-03.", transform: PeriodArgument.init(text:))
    var argument: PeriodArgument
}

/// `dispatcherd segment`: from the cut to the placements.
struct SegmentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "segment",
        abstract: "Places every account of a month's cut by a policy.",
        discussion: """
            Replaces the month's placements as a whole.
            The same cut and policy give the same placements, and a run that finds them there already changes nothing. \
            See docs/policy.md.

            Examples:
              dispatcherd segment --period 2024-03
              dispatcherd segment --period 2024-03 --policy mine.yaml --json
            """)

    @OptionGroup var database: DatabaseOptions
    @OptionGroup var planned: PlannedPeriod
    @Option(help: "The policy file.")
    var policy = "policies/infonavit-2023.yaml"
    @Flag(help: "Print the counts as JSON.")
    var json = false

    func run() async throws {
        let file = try PolicyFile(path: policy)
        let link = try await database.open()
        let report = try SegmentationRun(link, period: planned.argument.period, policy: file).run()
        if json {
            Console.out(try JSONText.of(report))
        } else {
            for line in report.lines { Console.out(line) }
        }
    }
}

/// `dispatcherd policy`: policy files by themselves.
struct PolicyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy", abstract: "Looks at policy files.",
        discussion: """
            Examples:
              dispatcherd policy check policies/infonavit-2023.yaml
            """,
        subcommands: [Check.self])

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Reads a policy file and lists every fault with its line and column.",
            discussion: """
                Exit code 1 where there are faults.

                Examples:
                  dispatcherd policy check policies/infonavit-2023.yaml
                  dispatcherd policy check mine.yaml --json
                """)
        @Argument(help: "The policy file.")
        var file: String
        @Flag(help: "Print the faults as JSON.")
        var json = false

        func run() async throws {
            let check = try PolicyCheck(path: file)
            if json {
                Console.out(try JSONText.of(check))
            } else {
                for line in check.lines { Console.out(line) }
            }
            if !check.faults.isEmpty { throw ExitCode(CommandFailure.Exit.findings.rawValue) }
        }
    }
}
