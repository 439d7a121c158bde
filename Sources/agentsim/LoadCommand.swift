// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import Simulation

struct LoadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load",
        abstract: "Load a daemon with pulls and reports, and measure what it takes.",
        discussion: """
            Every connection pulls accounts of an agency's own pools and reports each of them, without end. By itself the \
            next pull is made as soon as the one before is answered; with --rate pulls arrive at their own times, and one \
            that has to wait counts from the moment it was due.
            What is pulled stays leased: use a database made for it.

            Examples:
              agentsim load --port 7607 --keys var/demo/portfolio/keys --connections 32 --batch 1
              agentsim load --port 7607 --keys var/demo/portfolio/keys --connections 8 --batch 100 --seconds 30
              agentsim load --port 7607 --keys var/demo/portfolio/keys --connections 64 --rate 2000 --json
              agentsim load --port 7607 --keys var/demo/portfolio/keys --connections 20000 --idle-of $(pgrep dispatcherd)
            """)

    @Option(help: "The daemon's address. Anything but loopback has to be named here.")
    var host = "127.0.0.1"
    @Option(help: "The daemon's port; several times for several nodes of one database.")
    var port: [Int]
    @Option(help: "The folder of the agencies' private keys.")
    var keys: String
    @Option(help: "The file of contracts; contracts.csv beside the keys folder by itself.")
    var contracts: String?
    @Option(help: "Connections, 1 to 20000; they are spread over the agencies.")
    var connections = 32
    @Option(help: "Accounts of one pull, 1 to 1000.")
    var batch = 1
    @Option(help: "Pulls a second over all connections; without it, as fast as the daemon goes.")
    var rate: Int?
    @Option(help: "Seconds that are measured.")
    var seconds = 10
    @Option(help: "Seconds before that.")
    var warmUp = 2
    @Flag(help: "Wait for the answers to all reports before the next pull, instead of sending both together.")
    var separate = false
    @Option(help: "Threads of the load itself.")
    var threads = 1
    @Option(
        name: .customLong("idle-of"),
        help: "Only sign in, and tell what the daemon of this process number uses for each idle connection.")
    var idleOf: Int32?
    @OptionGroup var tls: TLSOptions
    @Flag(help: "The result as JSON.")
    var json = false

    func run() async throws {
        try check("--port", port.isEmpty ? 0 : port.min() ?? 0, 1...65_535)
        try check("--port", port.max() ?? 0, 1...65_535)
        try check("--connections", connections, 1...LoadSettings.connectionsMax)
        try check("--batch", batch, 1...1_000)
        try check("--seconds", seconds, 1...86_400)
        try check("--warm-up", warmUp, 0...3_600)
        try check("--threads", threads, 1...64)
        if let rate { try check("--rate", rate, 1...10_000_000) }
        var settings = LoadSettings(
            addresses: port.map { LoadAddress(host: host, port: $0) }, keysFolder: keys,
            contractsPath: contracts ?? "\(keys)/../contracts.csv")
        settings.connections = connections
        settings.batch = batch
        settings.arrival = rate.map { .open(pullsPerSecond: $0) } ?? .closed
        settings.duration = .seconds(seconds)
        settings.warmUp = .seconds(warmUp)
        settings.isPaired = !separate
        settings.threads = threads
        settings.tls = tls.wire
        if let idleOf {
            let idle = try await LoadRun(settings).idle(daemon: idleOf) { Terminal.progress($0) }
            Terminal.progress("done", isDone: true)
            for line in json ? [try idle.jsonText()] : idle.lines { Terminal.out(line) }
            return
        }
        let report = try await LoadRun(settings).run { Terminal.progress($0) }
        Terminal.progress("done", isDone: true)
        if json {
            Terminal.out(try report.jsonText())
        } else {
            for line in report.lines { Terminal.out(line) }
        }
    }

    private func check(_ option: String, _ value: Int, _ range: ClosedRange<Int>) throws {
        guard range.contains(value) else {
            throw SimulationFailure(
                .usage, "\(option) is \(value)", remedy: "It takes \(range.lowerBound) to \(range.upperBound)")
        }
    }
}
