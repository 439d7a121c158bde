// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import Assignment
internal import Dispatcher
internal import Simulation

/// A policy and plan settings by their files.
struct PolicyChoice {
    static let standard = "policies/infonavit-2023.yaml"

    /// - Throws: ``SimulationFailure`` (usage), also where no policy is named and the usual one is not here.
    static func read(policy: String?, plan: String?, name: String, period: Period) throws -> ModelPolicy {
        guard policy != nil || Folder.exists(standard) else {
            throw SimulationFailure(
                .usage, "no policy is named, and the default of --policy, \(standard), is not here",
                remedy: "Name one with --policy, or run the command in the folder of the clone")
        }
        do {
            let file = try PolicyFile(path: policy ?? standard)
            let settings = try plan.map { path in try PlanSettingsFile(path: path) } ?? .standard
            return ModelPolicy(name: name, policy: try file.policy(for: period), settings: settings.settings)
        } catch let failure as CommandFailure {
            throw SimulationFailure(.usage, failure.found, remedy: failure.remedy)
        }
    }
}

struct ReplayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Show what a recorded month says of another policy or plan, and what it does not.",
        discussion: """
            Places and deals the recorded cut anew by the rules of the engine, and compares with who leased what by the \
            clients' logs, or by the database, which knows all clients and what began, stopped and was dealt again within the \
            month. A folder may have several months: the others are left out.

            Examples:
              agentsim replay --period 2024-03 --log var/demo/clients --portfolio var/demo/portfolio --policy mine.yaml
              agentsim replay --period 2024-03 --log var/demo/clients --portfolio var/demo/portfolio --plan shares.yaml --json
              agentsim replay --period 2024-03 --database postgresql:///reparto --portfolio in --policy mine.yaml
              agentsim replay --period 2024-03 --data-dir var/demo/postgres --portfolio var/demo/portfolio --policy mine.yaml
            """)

    @Option(help: "The month, as in 2024-03.")
    var period: String
    @Option(help: "The folder of the clients' logs and payments; without it the database is asked.")
    var log: String?
    @OptionGroup var server: ServerOptions
    @Option(
        help:
            "The folder of contracts.csv and cut.csv (of a later month of it: cut-2024-04.csv) that the month was played on."
    )
    var portfolio: String
    @Option(
        help: "Another policy; with --plan alone it is policies/infonavit-2023.yaml. One of both is needed.")
    var policy: String?
    @Option(
        help: "Other plan settings, as 'dispatcherd plan settings put' takes them; the standard ones by themselves.")
    var plan: String?
    @Option(help: "The seed of the dealing; the month's number by itself, as of 'dispatcherd plan apply'.")
    var seed: UInt64?
    @Flag(help: "For programs.")
    var json = false

    func validate() throws {
        guard policy != nil || plan != nil else {
            throw ValidationError("Name another policy with --policy, or a plan with --plan.")
        }
        guard log == nil || (server.database == nil && server.dataDir == nil && server.config == nil) else {
            throw ValidationError("Take the month from --log or from the database, not from both.")
        }
    }

    func run() throws {
        guard let month = Period(text: period) else {
            throw SimulationFailure(.usage, "\(period) is not a month", remedy: "Write it as in 2024-03")
        }
        let name = [policy, plan].compactMap(\.self).joined(separator: " and ")
        let source: ReplayRun.Source = try log.map { .logs($0) } ?? .database(server.connection())
        let files = try MonthFileNames(of: month, in: portfolio)
        let replay = try ReplayRun(
            source, cut: files.cut, contracts: "\(portfolio)/contracts.csv", facts: files.openingFacts, period: month,
            policy: try PolicyChoice.read(policy: policy, plan: plan, name: name, period: month),
            seed: seed ?? UInt64(month.number))
        if json { return Terminal.out(replay.json) }
        for line in replay.lines { Terminal.out(line) }
    }
}
