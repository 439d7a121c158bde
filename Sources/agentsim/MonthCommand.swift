// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import Assignment
internal import Simulation

struct MonthCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "month",
        abstract: "Play a whole month by one command: portfolio, daemon, agencies, reviews, close, judge.",
        discussion: """
            Starts a daemon and a private PostgreSQL of its own in the folder and stops them at the end; with --database a \
            database that was made for it. Everything that was made stays in the folder; its steps.log has all that each step \
            said, of which the last line is shown.

            Examples:
              agentsim month --out var/month --period 2024-03 --accounts 20000
              agentsim month --out var/cheats --period 2024-03 --accounts 20000 --profiles profiles/agencies.yaml
              agentsim month --out var/half --period 2024-03 --accounts 5000 --until 2024-03-15
              agentsim month --out var/two --period 2024-03 --accounts 5000 --months 2

            With --model nothing is started: the month is played in memory on the engine's own rules, with many seeds, and \
            a second policy or plan gets the same accounts, agencies and debtors. Fees and penalties are by --schedules; who \
            is not worked, placed or not, pays at the rate of --untreated. There is no network and no protocol in it: an agency's \
            connection is there for a half day or not, by its profile's crashes.

              agentsim month --model --period 2024-03 --seeds 1000
              agentsim month --model --period 2024-03 --seeds 1000 --against-policy mine.yaml
              agentsim month --model --period 2024-03 --seeds 1000 --against-plan shares.yaml --json
            """)

    private static let standardSchedules = "policies/schedules.csv"

    @Option(help: "The folder of the month, empty or missing.")
    var out: String?
    @Option(help: "The month, as in 2024-03.")
    var period: String
    @Option(help: "How many accounts; 20000 by itself, 5000 with --model.")
    var accounts: Int?
    @Option(help: "The seed of everything.")
    var seed: UInt64 = 7
    @Option(help: "How many agencies.")
    var agencies = 29
    @Option(help: "How many contracts; 88, or one for each agency where that is more, by itself.")
    var contracts: Int?
    @Option(help: "Which agency behaves how, a YAML file such as profiles/agencies.yaml; without it the seed draws.")
    var profiles: String?
    @Option(help: "The policy that places the accounts; policies/infonavit-2023.yaml by itself.")
    var policy: String?
    @Option(help: "The schedules of fees and penalties.")
    var schedules = MonthCommand.standardSchedules
    @Option(help: "So many months in a row, each on the same accounts a month on.")
    var months = 1
    @Option(help: "The last day that is played; nothing is closed then.")
    var until: String?
    @Option(name: .customLong("dispatcherd"), help: "The dispatcherd program; the one beside agentsim by itself.")
    var dispatcherd: String?
    @Option(help: "A PostgreSQL database made for this; without one, a private server in the folder.")
    var database: String?
    @Flag(help: "On the pure machines alone, many seeds, no daemon.")
    var model = false
    @Option(help: "With --model: how many seeds, from --seed on (default: 200).")
    var seeds: Int?
    @Option(help: "With --model: plan settings, as 'dispatcherd plan settings put' takes them.")
    var plan: String?
    @Option(help: "With --model: a second policy to compare with.")
    var againstPolicy: String?
    @Option(help: "With --model: second plan settings to compare with.")
    var againstPlan: String?
    @Option(
        help:
            "With --model: of a hundred debtors who pay when they are worked, how many pay without (default: \(ModelExperiment.untreatedPercent)). An assumption."
    )
    var untreated: Int?
    @Option(help: "With --model: so many seeds at a time (default: 2).")
    var workers: Int?
    @Flag(help: "With --model: for programs.")
    var json = false

    func validate() throws {
        guard model || out != nil else { throw ValidationError("Name a folder with --out, or take --model.") }
        guard
            model
                || (plan == nil && againstPolicy == nil && againstPlan == nil && !json)
                    && (seeds == nil && untreated == nil && workers == nil)
        else {
            throw ValidationError(
                "--seeds, --plan, --against-policy, --against-plan, --untreated, --workers and --json go with --model.")
        }
        guard (1...5).contains(months), months == 1 || until == nil else {
            throw ValidationError("--months takes 1 to 5, and 1 with --until.")
        }
        guard !model || (out == nil && until == nil && database == nil && months == 1) else {
            throw ValidationError(
                "--out, --until, --months and --database go with a month that is played, not with --model.")
        }
        guard (1...64).contains(workers ?? 2) else { throw ValidationError("--workers takes 1 to 64.") }
    }

    private func specification() throws -> PortfolioSpecification {
        guard let month = Period(text: period) else {
            throw SimulationFailure(.usage, "\(period) is not a month", remedy: "Write it as in 2024-03")
        }
        let map = Folder.exists("policies/zones.csv") ? try ZoneMap(path: "policies/zones.csv") : ZoneMap()
        return try PortfolioSpecification(
            accounts: accounts ?? (model ? 5_000 : 20_000), seed: seed, period: month, agencies: agencies,
            contracts: contracts, zones: map)
    }

    private func experiment() async throws {
        let base = try specification()
        func choice(_ policy: String?, _ plan: String?) throws -> ModelPolicy {
            let name = [policy ?? PolicyChoice.standard, plan].compactMap(\.self).joined(separator: " and ")
            return try PolicyChoice.read(policy: policy, plan: plan, name: name, period: base.period)
        }
        var policies = [try choice(policy, plan)]
        if againstPolicy != nil || againstPlan != nil {
            // What is not named again is the same on both sides.
            policies.append(try choice(againstPolicy ?? policy, againstPlan ?? plan))
        }
        guard Folder.exists(schedules) else {
            throw SimulationFailure(
                .usage,
                "there is no file \(schedules)\(schedules == Self.standardSchedules ? ", the default of --schedules" : "")",
                remedy: "Name the schedules of fees with --schedules, or run the command in the folder of the clone")
        }
        let seeds = seeds ?? 200
        let behaviour = try profiles.map { path in try ProfileFile(path: path) }
        if let left = behaviour?.cheatsOutsideOfModel, !left.isEmpty {
            Terminal.note(
                "note: the model does not play \(left.joined(separator: ", ")): such agencies are honest ones there. 'agentsim month' without "
                    + "--model plays them")
        }
        let comparison = try await ModelExperiment(
            base: base, policies: policies, seeds: seeds,
            profiles: behaviour, tariff: try ModelTariff(path: schedules),
            untreatedPercent: untreated ?? ModelExperiment.untreatedPercent
        ).run(workers: workers ?? 2) { done in
            Terminal.progress("seeds: \(done) of \(seeds)", isDone: done == seeds)
        }
        if json { return Terminal.out(comparison.json) }
        for line in comparison.lines { Terminal.out(line) }
    }

    @OptionGroup var progress: ProgressOptions

    func run() async throws {
        progress.apply()
        if model { return try await experiment() }
        guard let out else { return }
        var specification = try specification()
        specification.cutsAfter = months - 1
        let month = specification.period
        var settings = WholeMonth.Settings(
            folder: out, specification: specification, program: dispatcherd ?? ChildProcess.sibling("dispatcherd"),
            schedules: schedules)
        settings.policy = policy
        settings.months = months
        settings.profiles = try profiles.map { path in try ProfileFile(path: path) }
        settings.database = try database.map(Verification.address)
        if let until {
            guard let day = LocalDate(text: until), day.period == month else {
                throw SimulationFailure(
                    .usage, "\(until) is no day of \(period)", remedy: "Write it as in \(period)-15")
            }
            settings.lastDay = day
        }
        let verdict = try await WholeMonth(settings).run { step in
            Terminal.endProgress()
            let tenths = Int((step.seconds * 10).rounded())
            Terminal.out("\(step.title) (\(tenths / 10).\(tenths % 10) s)\(step.said.isEmpty ? "" : ": \(step.said)")")
        }
        guard let verdict else {
            return Terminal.out("Played up to \(until ?? ""), not closed; everything is in \(out).")
        }
        Terminal.out(verdict.text)
        Terminal.out(
            "The statements are in \(out)/month\(months == 1 ? "" : "-\(period) and so on"), begin with index.html.")
        guard verdict.isClean else {
            throw SimulationFailure(
                .findings, "\(VerdictReport.breaks(verdict.findings)) in the history", remedy: "")
        }
        guard !verdict.isEmpty else {
            throw SimulationFailure(
                .findings, "there was nothing to judge: \(verdict.emptiness)",
                remedy:
                    "Play more accounts (--accounts), or a policy that places some; \(out)/steps.log has what each step said"
            )
        }
    }
}
