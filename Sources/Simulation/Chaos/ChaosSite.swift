// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol
internal import Assignment
internal import Glibc
internal import NIOCore
internal import NIOPosix
internal import PgStore

/// How a chaos run is set up.
package struct ChaosSettings: Sendable {
    package var folder: String
    package var seed: UInt64 = 7
    package var duration: Duration = .seconds(120)
    package var nodes = 2
    package var agencies = 8
    package var accounts = 20_000
    package var faults = ChaosFault.allCases
    package var program: String
    package var serverAccount = "postgres"
    /// Zone map, schedules and policy as they are shipped.
    package var policies: String
    /// What is read of it.
    var zones: String { "\(policies)/zones.csv" }
    var schedules: String { "\(policies)/schedules.csv" }
    var policy: String { "\(policies)/infonavit-2023.yaml" }
    var inputs: [String] { [zones, schedules, policy, program] }

    package init(folder: String, program: String, policies: String) {
        self.folder = folder
        self.program = program
        self.policies = policies
    }
}

/// A whole small installation for a chaos run: a PostgreSQL, a dealt month, nodes, ways to them, agencies.
final class ChaosSite: Sendable {
    static let period = "2024-03"
    let server: ChaosServer
    let nodes: [ChaosNode]
    /// Ways from the agencies to the nodes, one each.
    let proxies: [FaultProxy]
    /// Ways from the nodes to PostgreSQL, one each.
    let stores: [FaultProxy]
    let agencies: [ChaosAgency]
    let time: ChaosTime
    let logs: String
    private let group: MultiThreadedEventLoopGroup
    private let settings: ChaosSettings

    /// - Parameter progress: told what is being done.
    static func make(_ settings: ChaosSettings, progress: (String) -> Void) async throws -> ChaosSite {
        guard let period = Period(text: Self.period), let start = Timestamp(text: "2024-03-04T15:00:00.000Z") else {
            throw SimulationFailure(.usage, "\(Self.period) is not a month", remedy: "")
        }
        let portfolio = settings.folder + "/portfolio"
        let logs = settings.folder + "/clients"
        try Folder.make(logs)
        progress("making a portfolio of \(Terminal.grouped(settings.accounts)) accounts")
        let specification = try PortfolioSpecification(
            accounts: settings.accounts, seed: settings.seed, period: period, agencies: 29, contracts: 88,
            zones: ZoneMap())
        _ = try PortfolioFolder(specification).write(to: portfolio) { _ in }
        progress("making a PostgreSQL")
        let server = try ChaosServer(account: settings.serverAccount, log: settings.folder + "/postgres.log")
        do {
            try await server.start()
            progress("importing, segmenting, dealing")
            try prepare(settings, server, portfolio)
            return try await ChaosSite(settings, server, portfolio, logs, start)
        } catch {
            await server.stop()
            server.remove()
            throw error
        }
    }

    private static func prepare(_ settings: ChaosSettings, _ server: ChaosServer, _ portfolio: String) throws {
        func run(_ words: String...) throws {
            let (code, text) = try ChildProcess.run(settings.program, words + ["--database", server.conninfo])
            guard code == 0 else {
                throw SimulationFailure(
                    .environment,
                    "dispatcherd \(words.prefix(2).joined(separator: " ")) failed: \(DaemonProgram.lastWords(text))",
                    remedy: "Run it by hand with the same options")
            }
        }
        try run("migrate")
        try run("clock", "set", "2024-03-01T06:00Z")
        for (kind, path) in [
            ("zones", settings.zones), ("schedules", settings.schedules), ("contracts", "\(portfolio)/contracts.csv"),
        ] { try run("import", kind, path, "--period", Self.period) }
        try run("agency", "key", "add", "--file", "\(portfolio)/keys.csv")
        try run("import", "cut", "\(portfolio)/cut.csv", "--period", Self.period)
        try run("import", "facts", "\(portfolio)/facts-opening.csv", "--period", Self.period)
        try run("segment", "--period", Self.period, "--policy", settings.policy)
        try run("plan", "apply", "--period", Self.period)
        try run("clock", "set", "2024-03-04T15:00Z")
    }

    private init(
        _ settings: ChaosSettings, _ server: ChaosServer, _ portfolio: String, _ logs: String, _ start: Timestamp
    ) async throws {
        self.settings = settings
        self.server = server
        self.logs = logs
        let (folder, program) = (settings.folder, settings.program)
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        var made: [FaultProxy] = []
        for _ in 0..<settings.nodes {
            let store = try await FaultProxy.start(on: group)
            store.set(target: .socket(server.socket))
            made.append(store)
        }
        stores = made
        nodes = made.enumerated().map { index, store in
            ChaosNode(
                number: index + 1, program: program, folder: folder, conninfo: server.conninfo(by: store.port),
                mark: server.leftovers.mark)
        }
        made = []
        for _ in nodes { made.append(try await FaultProxy.start(on: group)) }
        proxies = made
        time = ChaosTime(start)
        let book = try ContractBook(path: portfolio + "/contracts.csv")
        let busiest = book.posts.keys.sorted { (book.posts[$0]?.count ?? 0, $1) > (book.posts[$1]?.count ?? 0, $0) }
        let (clock, ports, seed) = (time, proxies.map(\.port), settings.seed)
        agencies = try busiest.prefix(settings.agencies).map { agency in
            let key = try AgencyKey(path: "\(portfolio)/keys/\(agency).key")
            guard let secret = AgencyPrivateKey(bytes: key.secret) else {
                throw SimulationFailure(.usage, "the key of \(agency) is no key", remedy: "Make the portfolio again")
            }
            return try ChaosAgency(
                agency, key: secret, posts: book.posts[agency] ?? [], ports: ports, time: clock, seed: seed,
                folder: logs)
        }
    }

    /// Starts nodes that do not run, and tells the ways where they listen now.
    func keepNodes() throws {
        for (node, proxy) in zip(nodes, proxies) { proxy.set(target: try node.keep().map { .port($0) }) }
    }

    /// Moves the virtual clock ahead; where the database does not answer, it stays.
    ///
    /// - Returns: whether it moved.
    func advance(_ duration: Duration) -> Bool {
        let next = time.now.advanced(by: duration)
        time.announce(next)
        do {
            let link = try server.link("agentsim chaos")
            try link.script("SET lock_timeout = '2s'; SET statement_timeout = '2s'")
            try link.run("UPDATE clock SET virtual_now = $1 WHERE virtual_now < $1", [.timestamp(next)])
        } catch {
            return false
        }
        time.set(next)
        return true
    }

    func stop() async {
        for node in nodes { await node.stop() }
        for proxy in proxies + stores { await proxy.stop() }
        try? await group.shutdownGracefully()
    }
}
