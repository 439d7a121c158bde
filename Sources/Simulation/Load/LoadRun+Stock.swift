// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol
internal import Assignment

/// What the agencies of a load could lease before it, as `STATUS` has it: the smaller one of what is free and of what the quota leaves,
/// where nothing stops a pull. Contracts that draw from one hand count it each, so it is at most so much.
struct LoadStock: Sendable {
    /// By agency.
    var accounts: [AgencyID: Int64] = [:]
    /// What stops the others, and how often.
    var stops: [String: Int] = [:]
    /// Agencies of the load that were not asked, because there are so many.
    var unasked = 0
    /// How many agencies with little are told by name.
    private static let namedMax = 5

    var total: Int64 { accounts.values.reduce(0, +) }
    var byName: [String: Int64] { Dictionary(uniqueKeysWithValues: accounts.map { ("\($0.key)", $0.value) }) }

    /// - Throws: ``SimulationFailure`` (findings) where there is nothing to pull.
    func requireSome() throws(SimulationFailure) {
        guard total == 0, unasked == 0 else { return }
        let why = stops.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value) times" }.joined(separator: ", ")
        throw SimulationFailure(
            .findings,
            "none of the \(accounts.count) agencies has an account that it could lease"
                + (why.isEmpty ? "" : " (stop in STATUS: \(why))"),
            remedy: stops.keys.allSatisfy { $0 == "empty" }
                ? "Nothing was dealt to them, or all of it is leased: make a database as docs/agentsim.md has it under load"
                : "'dispatcherd plan explain' tells why an agency gets nothing")
    }

    /// For people, before the load.
    var line: String {
        let least = accounts.sorted { ($0.value, $0.key) < ($1.value, $1.key) }
        let named = least.prefix(Self.namedMax).map { "\($0.key) \(Terminal.grouped(Int($0.value)))" }
        let who =
            unasked == 0
            ? "the \(accounts.count) agencies"
            : "\(Terminal.grouped(accounts.count)) of the \(Terminal.grouped(accounts.count + unasked)) agencies were asked, which"
        return "\(who) can lease at most \(Terminal.grouped(Int(total))) accounts; "
            + (least.count > Self.namedMax ? "those with the fewest: " : "") + named.joined(separator: ", ")
    }
}

extension LoadRun {
    /// Agencies that are asked at a time.
    private static let askedAtOnce = 8
    /// How many are asked at most: to ask each of thousands takes longer than a load.
    static let askedMax = 250

    /// Places of those that are asked, evenly spread over all.
    static func asked(of count: Int) -> [Int] {
        count <= askedMax ? Array(0..<count) : (0..<askedMax).map { $0 * count / askedMax }
    }

    /// Asks the daemon what agencies that get a connection could lease.
    func stock(_ agencies: [Agency]) async throws -> LoadStock {
        let all = Array(agencies.prefix(settings.connections))
        let asked = Self.asked(of: all.count).map { all[$0] }
        return try await withThrowingTaskGroup(of: (AgencyID, Int64, [String: Int]).self) { group in
            var rest = asked[...]
            var stock = LoadStock()
            stock.unasked = all.count - asked.count
            for agency in rest.prefix(Self.askedAtOnce) { group.addTask { try await self.stock(of: agency) } }
            rest = rest.dropFirst(Self.askedAtOnce)
            while let (agency, accounts, stops) = try await group.next() {
                stock.accounts[agency] = accounts
                stock.stops.merge(stops, uniquingKeysWith: +)
                if let next = rest.popFirst() { group.addTask { try await self.stock(of: next) } }
            }
            return stock
        }
    }

    private func stock(of agency: Agency) async throws -> (AgencyID, Int64, [String: Int]) {
        let link = try await connect(agency, "stock")
        do {
            return try await stock(agency, link)
        } catch let error as AgentConnectionError {
            throw SimulationFailure(
                .environment, "\(settings.addresses[0]): \(error)", remedy: Self.remedy("\(error)"))
        }
    }

    private func stock(_ agency: Agency, _ link: AgentConnection) async throws -> (AgencyID, Int64, [String: Int]) {
        let strategies = Set(agency.pools.map(\.strategy)).sorted { $0.rawValue < $1.rawValue }
        let pools = Set(agency.pools.map { "\($0.contract) \($0.delegation) \($0.strategy.name)" })
        var accounts: Int64 = 0
        var stops: [String: Int] = [:]
        for strategy in strategies {
            let reply = try await link.status(StatusRequest(strategy: strategy))
            for line in reply.data where line["warning"] == nil {
                let pool = [line["contract"], line["delegation"], line["strategy"]].map { $0 ?? "" }
                guard pools.contains(pool.joined(separator: " ")) else { continue }
                let (free, left) = (line.number("free") ?? 0, line.number("quota-left") ?? 0)
                let stop = line["stop"] ?? ""
                guard ["limit", "hand"].contains(stop), min(free, left) > 0 else {
                    stops[["limit", "hand"].contains(stop) ? "empty" : stop, default: 0] += 1
                    continue
                }
                accounts += min(free, left)
            }
        }
        try await link.bye()
        return (agency.id, accounts, stops)
    }

    /// A session beside the load's own.
    ///
    /// - Throws: ``SimulationFailure`` where it is not let in.
    func connect(_ agency: Agency, _ purpose: String) async throws -> AgentConnection {
        guard let address = settings.addresses.first, let instance = Token("\(settings.instance)-\(purpose)") else {
            throw SimulationFailure(
                .usage, "\(settings.instance) is no name of an installation",
                remedy: "It has 1 to 50 of A-Z a-z 0-9 . _ -")
        }
        var connection = AgentConnectionSettings(
            port: address.port, agency: agency.id, instance: instance, sequence: Self.nowMicroseconds(),
            privateKey: agency.key)
        connection.host = address.host
        connection.tls = settings.tls?.client
        do {
            return try await AgentConnection.connect(connection)
        } catch let error as AgentConnectionError {
            throw SimulationFailure(.environment, "\(address): \(error)", remedy: Self.remedy("\(error)"))
        }
    }
}
