// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import Dispatcher

/// `dispatcherd plan rebalance | unpulled`: within the month.
extension PlanCommand {
    struct Rebalance: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Deals again what nobody holds: staffing, a bond or an agency's standing changed.",
            discussion: """
                What is held stays with its holder and counts. Pool after pool is closed, dealt anew and opened; meanwhile \
                pulls of that pool get 'paused'. With --left-over only what waits for nobody is dealt, in front of the \
                hands that are out, and no pull waits. One that was stopped is gone on with by the next one.

                Examples:
                  dispatcherd plan rebalance --period 2024-03 --preview
                  dispatcherd plan rebalance --period 2024-03 --delegation 14
                  dispatcherd plan rebalance --left-over
                """)
        @OptionGroup var database: DatabaseOptions
        @Option(help: "The month that is dealt; refused where another one is.")
        var period: String?
        @Option(
            name: .customLong("delegation"), help: "A delegation, 1 to 32; may be given several times; all without.")
        var delegations: [Int16] = []
        @Option(name: .customLong("strategy"), help: "A strategy; may be given several times; all without.")
        var strategies: [String] = []
        @Flag(help: "Deal only what waits for nobody.")
        var leftOver = false
        @Option(help: "Who orders it.")
        var by: String = "operator"
        @Option(parsing: .unconditional, help: "The seed of the shuffle; without one the plan's.")
        var seed: Int64?
        @Flag(help: "Show whose limits would change, and change nothing.")
        var preview = false
        @Flag(help: "As JSON.")
        var json = false

        func run() async throws {
            let order = try RedealOrder(
                period: period, delegations: delegations, strategies: strategies, leftOver: leftOver, by: by, seed: seed
            )
            Console.out(try order.run(on: try await database.open(), isPreview: preview, asJSON: json), after: !preview)
        }
    }

    struct Unpulled: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "unpulled",
            abstract: "Sets or lists after how many days what an agency does not pull goes to others.",
            discussion: """
                The nodes that serve look after it. Without a setting what nobody pulls stays where it is.

                Examples:
                  dispatcherd plan unpulled --strategy preventive --days 7
                  dispatcherd plan unpulled --strategy dual --delegation 14 --days off
                  dispatcherd plan unpulled
                """)
        @OptionGroup var database: DatabaseOptions
        @Option(help: "preventive, administrative, dual or mediation; without one everything is listed.")
        var strategy: String?
        @Option(
            name: .customLong("delegation"), help: "A delegation, 1 to 32; may be given several times; all without.")
        var delegations: [Int16] = []
        @Option(help: "Days without a pull, 1 to 366, or off.")
        var days: String?
        @Option(help: "Who sets it.")
        var by: String = "operator"
        @Flag(help: "As JSON.")
        var json = false

        func validate() throws {
            guard (strategy == nil) == (days == nil) else {
                throw ValidationError("Give --strategy and --days together, or neither to list.")
            }
        }

        func run() async throws {
            guard let strategy, let days else {
                return Console.out(try DealSettings.list(asJSON: json, try await database.open()))
            }
            let setting = try DealSettings(
                strategy: strategy, delegations: delegations, unpulledDays: days, by: by)
            Console.done(try setting.set(try await database.open()))
        }
    }
}
