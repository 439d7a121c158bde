// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import Simulation

struct LoadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load",
        abstract: "Load a daemon with pulls and reports, and measure what it takes.",
        discussion: """
            'load' alone is 'load run'; 'agentsim help load run' has its options.

            Examples:
              agentsim load --port 7607 --keys var/demo/portfolio/keys --connections 32 --batch 1
              agentsim load compare monday.json tuesday.json
            """,
        subcommands: [LoadRunCommand.self, LoadCompareCommand.self], defaultSubcommand: LoadRunCommand.self)
}

struct LoadCompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Put two results of 'load --json' side by side.",
        discussion: """
            Says first in what the two loads were not the same.

            Examples:
              agentsim load --port 7607 --keys keys --json >monday.json
              agentsim load compare monday.json tuesday.json
            """)

    @Argument(help: "The result of before.")
    var before: String
    @Argument(help: "The result of after.")
    var after: String

    func run() throws {
        for line in try LoadComparison(before, after).lines { Terminal.out(line) }
    }
}

struct LoadRunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Load a daemon with pulls and reports, and measure what it takes.",
        discussion: """
            Every connection pulls accounts of an agency's own pools and reports each of them, without end. By itself the \
            next pull is made as soon as the one before is answered; with --rate pulls arrive at their own times, and one \
            that has to wait counts from the moment it was due. When the time is over, what was due and has not left leaves \
            within ten seconds; what was sent is waited for as long as anybody is answered within ten, a minute in all. What is not \
            answered then counts with its waiting, is told, and makes the exit code 1.
            A connection that is lost is made again, at the next --port, and sends what had no answer once more.
            Where all pools run dry, or on Ctrl-C, it ends early with what was measured until then, and says so.
            Two loads at once against one database need names of their own: --instance.
            What is pulled stays leased: use a database made for it.
            Sizes are a number, or several with weights: --batch 1:80,100:20 pulls a hundred accounts once in five times.

            Examples:
              agentsim load --port 7607 --keys var/demo/portfolio/keys --connections 32 --batch 1
              agentsim load --port 7607 --keys var/demo/portfolio/keys --connections 8 --batch 100 --seconds 30
              agentsim load --port 7607 --keys var/demo/portfolio/keys --batch 1:80,100:20 --reports 0:30,1:50,5:20
              agentsim load --port 7607 --keys var/demo/portfolio/keys --contact 20
              agentsim load --port 7607 --keys var/demo/portfolio/keys --connections 64 --rate 2000 --html load.html
              agentsim load --port 7607 --port 7608 --keys var/demo/portfolio/keys --rate 200 --seconds 60
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
    @Option(help: "What the names of its installations begin with; two loads at once need two.")
    var instance = LoadSettings.usualInstance
    @Option(help: "Accounts of one pull, 1 to 1000, or several with weights.")
    var batch = "1"
    @Option(help: "Reports of each account that was pulled, 0 to 100, all in one burst; or several with weights.")
    var reports = "1"
    @Option(
        help:
            "Of a hundred accounts that were pulled, so many whose contact data is asked for (CONTACT) with the reports."
    )
    var contact = 0
    @Option(help: "Pulls a second over all connections; without it, as fast as the daemon goes.")
    var rate: Int?
    @Option(
        help:
            "How the pulls of --rate follow each other: even, or poisson, at times that the seed draws, as pgbench --rate does; by itself even."
    )
    var arrivals: String?
    @Option(help: "Seconds that are measured.")
    var seconds = 10
    @Option(help: "Seconds before that.")
    var warmUp = 2
    @Flag(help: "Wait for the answers to all reports before the next pull, instead of sending both together.")
    var separate = false
    @Option(help: "What draws the sizes of pulls and bursts.")
    var seed: UInt64 = 7
    @Option(help: "Threads of the load itself.")
    var threads = 1
    @Option(
        name: .customLong("idle-of"),
        help: "Only sign in, and tell what the daemon of this process number uses for each idle connection.")
    var idleOf: Int32?
    @Option(help: "The daemon's process number, several times for several; whoever listens on the port by itself.")
    var daemon: [Int32] = []
    @Option(
        help:
            "The number of PostgreSQL's first process, where it is on this machine; the one that the daemon is connected to by itself."
    )
    var postgres: Int32?
    @OptionGroup var tls: TLSOptions
    @Option(help: "A file for the result as a page with pictures.")
    var html: String?
    @Flag(help: "The result as JSON.")
    var json = false
    @OptionGroup var progress: ProgressOptions

    func run() async throws {
        progress.apply()
        let report: LoadReport?
        do {
            report = try await measured()
        } catch {
            // Whoever asked for JSON gets an object in any case.
            Interruption.answer(with: nil)
            if json { Terminal.out(LoadReport.json(of: error)) }
            throw error
        }
        if let report { try tell(report) }
    }

    /// - Returns: `nil` where only what idle connections cost was asked for, and is told.
    private func measured() async throws -> LoadReport? {
        try check("--port", port.isEmpty ? 0 : port.min() ?? 0, 1...65_535)
        try check("--port", port.max() ?? 0, 1...65_535)
        try check("--connections", connections, 1...LoadSettings.connectionsMax)
        try check("--seconds", seconds, 1...86_400)
        try check("--warm-up", warmUp, 0...3_600)
        try check("--threads", threads, 1...64)
        try check("--contact", contact, 0...100)
        if let rate { try check("--rate", rate, 1...10_000_000) }
        guard LoadSettings.isInstance(instance) else {
            throw SimulationFailure(
                .usage, instance.isEmpty ? "--instance is empty" : "--instance is \(instance)",
                remedy: "It takes 1 to 50 of A-Z a-z 0-9 . _ -, such as \(LoadSettings.usualInstance)")
        }
        var settings = LoadSettings(
            addresses: port.map { LoadAddress(host: host, port: $0) }, keysFolder: keys,
            contractsPath: contracts ?? Folder.file("contracts.csv", beside: keys))
        settings.connections = connections
        settings.instance = instance
        settings.leaseSizes = try mix("--batch", batch, 1...1_000)
        settings.reportsPerAccount = try mix("--reports", reports, 0...100)
        settings.contactPercent = contact
        settings.daemons = daemon
        settings.postgres = postgres
        settings.arrival = try arrival()
        settings.duration = .seconds(seconds)
        settings.warmUp = .seconds(warmUp)
        settings.isPaired = !separate
        settings.threads = threads
        settings.seed = seed
        settings.tls = try tls.wire()
        if let idleOf {
            let idle = try await LoadRun(settings).idle(daemon: idleOf) { Terminal.progress($0) }
            Terminal.progress("done", isDone: true)
            for line in json ? [try idle.jsonText()] : idle.lines { Terminal.out(line) }
            return nil
        }
        if let html { try FileOutput.requireWritable(html) }
        // The first one asks for what was measured until then.
        Interruption.say("interrupted; nothing is told of this load. What was pulled stays leased.")
        if json {
            Interruption.answer(
                with: LoadReport.json(
                    of: SimulationFailure(.environment, "interrupted", remedy: "What was pulled stays leased")))
        }
        Interruption.await()
        let run = LoadRun(settings, isInterrupted: { Interruption.isAsked })
        let report = try await run.run(note: { Terminal.step($0) }, progress: { Terminal.progress($0) })
        Interruption.awaitNoMore()
        Interruption.answer(with: nil)
        Terminal.progress("done", isDone: true)
        return report
    }

    private func arrival() throws -> LoadSettings.Arrival {
        let spread = arrivals.map { LoadSettings.Spread(rawValue: $0) }
        if let arrivals, spread == .some(nil) || rate == nil {
            throw SimulationFailure(
                .usage, rate == nil ? "--arrivals is given without --rate" : "--arrivals is \(arrivals)",
                remedy: rate == nil
                    ? "Say with --rate how many pulls a second arrive" : "It takes \(LoadSettings.Spread.words)")
        }
        return rate.map { .open(pullsPerSecond: $0, spread: (spread ?? nil) ?? .even) } ?? .closed
    }

    private func tell(_ report: LoadReport) throws {
        // Before any file is: what was measured is not lost by a disk that is full.
        if json {
            Terminal.out(try report.jsonText())
        } else {
            for line in report.lines { Terminal.out(line) }
        }
        if let html {
            Interruption.say(
                "interrupted; the figures are told, and \(html) is not written. What was pulled stays leased.")
            let page = try FileOutput(replacing: html)
            try page.write(LoadPage(report).html.utf8)
            try page.finish()
        }
        if let cut = report.cutText {
            throw SimulationFailure(
                report.cut == .dry ? .findings : .environment, "\(cut); what was measured until then is told",
                remedy: report.cut == .dry
                    ? "Load for a shorter time, or plan a larger portfolio" : "What was pulled stays leased")
        }
        guard report.isAnswered else {
            throw SimulationFailure(
                .findings,
                "\(Terminal.counted(Int(report.waitingPulls), "pull")) and \(Terminal.counted(Int(report.waitingReports), "report")) "
                    + "were never answered"
                    + (report.dryPulls > 0
                        ? ", and for \(Terminal.counted(Int(report.dryPulls), "pull")) there were no accounts" : ""),
                remedy: (report.lostConnections.isEmpty ? "" : "Connections were lost, see above. ")
                    + "Look at the daemon's log"
                    + (report.pullsPerSecond == nil ? "" : "; a lower --rate asks for fewer pulls a second"))
        }
        guard report.isTaken else {
            throw SimulationFailure(
                .findings, "\(Terminal.counted(Int(report.refusedReports ?? 0), "report")) were refused for good",
                remedy: "The lines above say by which codes; load a month in which nothing is taken back")
        }
    }

    private func mix(_ option: String, _ text: String, _ range: ClosedRange<Int>) throws -> LoadMix {
        guard let mix = LoadMix(text: text, in: range) else {
            throw SimulationFailure(
                .usage, "\(option) is \(text)",
                remedy:
                    "It takes \(range.lowerBound) to \(range.upperBound), or several with weights as in 1:80,100:20")
        }
        return mix
    }

    private func check(_ option: String, _ value: Int, _ range: ClosedRange<Int>) throws {
        guard range.contains(value) else {
            throw SimulationFailure(
                .usage, "\(option) is \(value)", remedy: "It takes \(range.lowerBound) to \(range.upperBound)")
        }
    }
}
