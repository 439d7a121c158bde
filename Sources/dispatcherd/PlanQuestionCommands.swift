// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Assignment
internal import Dispatcher

/// `dispatcherd plan check`: was everything as it was said?
struct PlanCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Verifies a plan again from its own record: feasibility, bound, nearness, the limits put in force.",
        discussion: """
            Ends with 1 where something is not as it was said.

            Examples:
              dispatcherd plan check --period 2024-03
              dispatcherd plan check --period 2024-03 --json
            """)
    @OptionGroup var database: DatabaseOptions
    @OptionGroup var planned: PlannedPeriod
    @Flag(help: "Print the result as JSON.")
    var json = false

    func run() async throws {
        let report = try PlanCheckRun(try await database.open(), period: planned.argument.period).run()
        if json {
            Console.out(try JSONText.of(report))
        } else {
            for line in report.lines { Console.out(line) }
        }
        if !report.faults.isEmpty { throw ExitCode(CommandFailure.Exit.findings.rawValue) }
    }
}

/// `dispatcherd plan explain`: why an agency gets what it gets.
struct PlanExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Tells why an agency has its quotas in a delegation.",
        discussion: """
            By the plan that is applied; where there is none, by the one that would be made now.

            Examples:
              dispatcherd plan explain --period 2024-03 --agency ACE07 --delegation 14
            """)
    @OptionGroup var database: DatabaseOptions
    @OptionGroup var planned: PlannedPeriod
    @Option(help: "The agency, as ACE07.")
    var agency: String
    @Option(help: "The delegation, 1 to 32.")
    var delegation: Int16
    @Flag(help: "Print it as JSON.")
    var json = false

    func run() async throws {
        guard let asked = AgencyID(text: agency) else {
            throw CommandFailure(.usage, "'\(agency)' is no agency", remedy: "Write it as ACE07")
        }
        guard let place = Delegation(delegation) else {
            throw CommandFailure(.usage, "\(delegation) is no delegation", remedy: "Give 1 to 32")
        }
        let report = try PlanExplain(try await database.open(), period: planned.argument.period).run(asked, place)
        if json { return Console.out(try JSONText.of(report)) }
        for line in report.lines { Console.out(line) }
    }
}

/// `dispatcherd plan what-if`: a change seen before it is made.
struct PlanWhatIfCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "what-if",
        abstract: "Plans with other shares, holds or limits, beside the plan as it is now. Writes nothing.",
        discussion: """
            Changes may be combined and repeated.

            Examples:
              dispatcherd plan what-if --period 2024-04 --settings mine.yaml
              dispatcherd plan what-if --period 2024-04 --hold ACE07
              dispatcherd plan what-if --period 2024-04 --share 14/administrative=31:60,32:40
              dispatcherd plan what-if --period 2024-04 --advisers 31/14/telephone=20 --bond 31=2500000.00
            """)
    @OptionGroup var database: DatabaseOptions
    @OptionGroup var planned: PlannedPeriod
    @Option(help: "Plan settings in the place of those in force.")
    var settings: String?
    @Option(
        help:
            "Fixed shares of a delegation's strategy: DELEGATION/STRATEGY=CONTRACT:PERCENT,…; who is not named gets nothing."
    )
    var share: [String] = []
    @Option(help: "An agency that gets nothing.")
    var hold: [String] = []
    @Option(help: "An agency on hold that gets its part again.")
    var release: [String] = []
    @Option(help: "Advisers of a place: CONTRACT/DELEGATION/PORTFOLIO=NUMBER.")
    var advisers: [String] = []
    @Option(help: "A bond: CONTRACT=PESOS.")
    var bond: [String] = []
    @Option(help: "One agency's part of everything at most, in percent.")
    var cap: String?
    @Flag(help: "Print it as JSON, with every quota that differs.")
    var json = false

    func run() async throws {
        let file = try settings.map { try PlanSettingsFile(path: $0) }
        var changes = try hold.map { try PlanTrial.Change(agency: $0, isHeld: true) }
        changes += try release.map { try PlanTrial.Change(agency: $0, isHeld: false) }
        changes += try advisers.map { try PlanTrial.Change(advisers: $0) }
        changes += try share.map { try PlanTrial.Change(shares: $0) }
        changes += try bond.map { try PlanTrial.Change(bond: $0) }
        if let cap { changes.append(try PlanTrial.Change(cap: cap)) }
        guard file != nil || !changes.isEmpty else {
            throw CommandFailure(
                .usage, "nothing is to be changed",
                remedy: "Give --settings, --share, --hold, --release, --advisers, --bond or --cap")
        }
        let report = try PlanTrial(
            try await database.open(), period: planned.argument.period, settings: file, changes: changes
        ).run()
        if json { return Console.out(try JSONText.of(report)) }
        for line in report.lines { Console.out(line) }
    }
}

/// `dispatcherd plan compare`: two plans that were kept.
struct PlanCompareCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare", abstract: "Shows two kept plans side by side.",
        discussion: """
            Each by its number, or by its month.

            Examples:
              dispatcherd plan compare 2024-03 2024-04
              dispatcherd plan compare 3 4 --json
            """)
    @OptionGroup var database: DatabaseOptions
    @Argument(help: "A plan's number or month.")
    var first: String
    @Argument(help: "Another one's.")
    var second: String
    @Flag(help: "Print it as JSON, with every quota that differs.")
    var json = false

    func run() async throws {
        let report = try PlanComparing(try await database.open()).run(first, second)
        if json { return Console.out(try JSONText.of(report)) }
        for line in report.lines { Console.out(line) }
    }
}
