// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import Assignment
internal import Simulation

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Play the agencies against a running daemon over its protocol, under the virtual clock.",
        discussion: """
            Steps the database's virtual clock twice a day by calling dispatcherd, and lets every agency act at that \
            instant.
            The folder of --log keeps each agency's log and state; a run from the next day goes on where the last one \
            stopped. --data-dir, or --database, is that of the daemon.

            Examples:
              agentsim run --port 7607 --keys var/demo/portfolio/keys \\
                --from 2024-03-01 --to 2024-03-15 --log var/demo/clients --data-dir var/demo/postgres
              agentsim run --port 7607 --keys var/demo/portfolio/keys \\
                --from 2024-03-16 --to 2024-03-31 --log var/demo/clients --data-dir var/demo/postgres
              agentsim run --port 7607 --port 7608 --keys var/demo/portfolio/keys \\
                --from 2024-03-01 --to 2024-03-15 --log var/demo/clients --data-dir var/demo/postgres
            """)

    @OptionGroup var server: ServerOptions
    @OptionGroup var tls: TLSOptions
    @Option(help: "The daemon's address.")
    var host = "127.0.0.1"
    @Option(help: "The daemon's port; several times for several nodes of one database.")
    var port: [Int]
    @Option(help: "The folder of the agencies' private keys.")
    var keys: String
    @Option(help: "The file of contracts; contracts.csv beside the keys folder by itself.")
    var contracts: String?
    @Option(name: .customLong("from"), help: "The first day.")
    var first: String
    @Option(name: .customLong("to"), help: "The last day.")
    var last: String
    @Option(help: "The seed of everything that the agencies and debtors do.")
    var seed: UInt64 = 7
    @Option(help: "The folder of logs, states and payments.")
    var log: String
    @Option(help: "Which agency behaves how, a YAML file such as profiles/agencies.yaml; without it the seed draws.")
    var profiles: String?

    @OptionGroup var progress: ProgressOptions

    func run() async throws {
        progress.apply()
        if let wrong = port.first(where: { !(1...65_535).contains($0) }) {
            throw SimulationFailure(.usage, "--port is \(wrong)", remedy: "It takes 1 to 65535")
        }
        guard let from = LocalDate(text: first), let to = LocalDate(text: last), from <= to, from.days(to: to) < 400
        else {
            throw SimulationFailure(
                .usage, "\(first) to \(last) is no span of days", remedy: "Write them as in 2024-03-01")
        }
        var settings = MonthSettings(
            port: port[0], keysFolder: keys, contractsPath: contracts ?? Folder.file("contracts.csv", beside: keys),
            logFolder: log,
            from: from,
            to: to, seed: seed, program: server.program)
        settings.otherPorts = Array(port.dropFirst())
        settings.host = host
        settings.tls = try tls.wire()
        settings.profiles = try profiles.map { path in try ProfileFile(path: path) }
        for note in try settings.reachable() { Terminal.note("note: \(note)") }
        try AgencyKey.require(folder: keys)
        // Its clock is set.
        if server.database == nil { _ = try server.connection() }
        let (counts, payments) = try await MonthRun(settings).run { day, counts in
            Terminal.progress(
                "\(day)  leases \(Terminal.grouped(counts.accounts))  reports \(Terminal.grouped(counts.reports))  "
                    + "held \(Terminal.grouped(counts.held))", isDone: day == to)
        }
        summary(counts, payments)
    }

    private func summary(_ counts: MonthCounts, _ payments: MonthPayments) {
        let (figure, counted) = (Terminal.grouped, { Terminal.counted($0, $1) })
        Terminal.out(
            "\(first) to \(last), seed \(seed): \(counted(counts.leases, "grant")) of \(counted(counts.accounts, "account")), "
                + "\(counted(counts.reports, "report")), \(counted(counts.returns, "return")), "
                + "\(counted(counts.extensions, "extension")), \(counted(counts.contacts, "disclosure")) of contact data, \(counted(counts.resumes, "resume")), "
                + "\(counted(counts.repeats, "repetition")) (\(counts.unequal) unequal), "
                + "\(figure(counts.evidence)) kept as evidence, \(counted(counts.held, "account")) held, "
                + "\(counted(payments.ofRun, "payment")); \(log)/payments.csv has \(figure(payments.all)) with those of other runs."
        )
        for (code, count) in counts.refused.sorted(by: { $0.key < $1.key }) {
            let meaning = RefusalWords.meaning(of: code).map { ": \($0)" } ?? ""
            Terminal.out("  refused: \(code) \(figure(count))\(meaning)")
        }
    }
}
