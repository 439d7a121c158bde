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
            Replaces the month's placements as a whole, by the policy's version in force on the month's first day; FILE@VERSION \
            makes sure that it is that one.
            The same cut and policy give the same placements, and a run that finds them there already changes nothing. \
            See docs/policy.md.

            Examples:
              dispatcherd segment --period 2024-03 --policy policies/infonavit-2023.yaml
              dispatcherd segment --period 2024-03 --policy mine.yaml --json
              dispatcherd segment --period 2024-03 --policy mine.yaml@2024-03
            """)

    @OptionGroup var database: DatabaseOptions
    @OptionGroup var planned: PlannedPeriod
    @Option(help: "The policy file; without it policies/infonavit-2023.yaml is taken, where a clone has it.")
    var policy: String?
    @Flag(help: "Print the counts as JSON.")
    var json = false

    func run() async throws {
        let file = try PolicyChoice.Wish.placing(policy, for: planned.argument.period)
        let link = try await database.open()
        let start = ContinuousClock.now
        let report = try SegmentationRun(link, period: planned.argument.period, policy: file).run()
        if !report.isUnchanged { Console.committed("the placements of \(report.period) are written") }
        if json { return Console.out(try JSONText.of(report)) }
        for line in report.lines + [(ContinuousClock.now - start).words] { Console.out(line) }
    }
}
