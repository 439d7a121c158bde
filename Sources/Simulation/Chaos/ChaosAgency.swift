// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol
internal import Assignment

/// What the agencies of a chaos run did and met.
struct ChaosCounts: Sendable {
    var acknowledged = 0
    var grants = 0
    var reports = 0
    var returns = 0
    var extensions = 0
    var repetitions = 0
    var unequal = 0
    var connections = 0
    /// Answers to `RESUME` on connections that took the place of lost ones, and what differed from what was believed.
    var comparisons = 0
    var toldLost = 0
    var toldHeld = 0
    /// Requests whose connection died before they were answered; each was sent again under its key.
    var unanswered = 0
    var refused: [String: Int] = [:]
    /// From the first sending of a request to its answer.
    var longest = Duration.zero
    /// Requests that nobody answered although everything was whole again.
    var givenUp = 0

    mutating func add(_ other: ChaosCounts) {
        acknowledged += other.acknowledged
        grants += other.grants
        reports += other.reports
        returns += other.returns
        extensions += other.extensions
        repetitions += other.repetitions
        unequal += other.unequal
        connections += other.connections
        comparisons += other.comparisons
        toldLost += other.toldLost
        toldHeld += other.toldHeld
        unanswered += other.unanswered
        refused.merge(other.refused, uniquingKeysWith: +)
        longest = max(longest, other.longest)
        givenUp += other.givenUp
    }
}

/// An agency that works without end and never takes a silence for an answer: it sends a request again under its key, over whatever
/// node is there, until it is told what became of it, and writes that down.
actor ChaosAgency {
    struct Lease {
        var delegation: Delegation
        var held: Held
        var grant: GrantID
        var term: Timestamp
    }

    private struct Place: Hashable {
        var contract: ContractID
        var delegation: Delegation
        var strategy: Strategy
    }

    /// How long it waits for an answer before it gives the connection up.
    static let replySeconds = 6
    private static let heldMax = 120
    private static let instance = "chaos"
    /// Of a hundred connections that take the place of lost ones, so many begin with a comparison. After the others it goes on with what
    /// it believes, and is refused what is out of date.
    private static let comparedPercent = 60
    let agency: AgencyID
    private let key: AgencyPrivateKey
    private let posts: [ContractBook.Post]
    private let ports: [Int]
    let time: ChaosTime
    var random: SplitMix64
    var log: AgencyLog
    private var connection: AgentConnection?
    /// The node that the connection leads to, as its place among the ways.
    private var node = 0
    private var sequence: Int64 = 0
    private var nextKey: Int64 = 1
    var leases: [Lease] = []
    /// A lost connection was made again, and what is held is compared before anything else is asked.
    private var hasToCompare = false
    /// What was never dealt to it: told once, and not asked for again.
    private var undealt: Set<Place> = []
    var counts = ChaosCounts()

    /// - Parameter ports: of the ways to the nodes, one each.
    init(
        _ agency: AgencyID, key: AgencyPrivateKey, posts: [ContractBook.Post], ports: [Int], time: ChaosTime,
        seed: UInt64, folder: String
    ) throws(SimulationFailure) {
        self.agency = agency
        self.key = key
        self.posts = posts
        self.ports = ports
        self.time = time
        self.random = SplitMix64(seed: seed, 0xC405, Int(agency.value))
        self.log = try AgencyLog(folder: folder, agency: agency, instance: Self.instance)
    }

    /// Works until it is told to stop, and then until its last request is answered.
    func work() async throws {
        while !time.isOver {
            try await step()
            // The pace of an agency, drawn by the seed.
            try await Task.sleep(for: .milliseconds(random.between(2...25)))
        }
        // A connection that is dead needs no farewell.
        try? await connection?.bye()
    }

    private func step() async throws {
        if hasToCompare {
            // What had no answer was sent again and is answered: nothing is in flight.
            hasToCompare = false
            try await compare()
        }
        switch random.below(100) {
        case ..<30 where leases.count < Self.heldMax: try await lease()
        case ..<75: try await report()
        case ..<85: try await giveBack()
        case ..<90: try await extend()
        default:
            if random.chance(3_000) { cut() }
            try await report()
        }
    }

    private func cut() {
        connection?.abandon()
        connection = nil
    }

    // MARK: - Requests

    private func lease() async throws {
        let post = random.pick(posts)
        let strategy = random.pick(post.strategies)
        let place = Place(contract: post.contract, delegation: post.delegation, strategy: strategy)
        guard !undealt.contains(place) else { return }
        let request = LeaseRequest(
            key: takeKey(), delegation: post.delegation, strategy: strategy, contract: post.contract,
            max: random.between(1...20))
        guard let reply = try await answer(.lease(request)) else { return }
        guard let summary = reply.leaseSummary else {
            if reply.code == .scope { undealt.insert(place) }
            return try refused(reply, "LEASE", request.key, post.delegation, nil)
        }
        guard let grant = summary.grant, let term = summary.term, !reply.leasedAccounts.isEmpty else { return }
        counts.grants += 1
        let held = reply.leasedAccounts.map { Held(account: $0.account, epoch: $0.epoch) }
        try acknowledged(
            request.key, post.delegation,
            .granted(
                ClientOperation.Grant(
                    grant: grant, strategy: strategy, term: term, accounts: held, grace: summary.graceSeconds)), reply)
        // Of what it is dealt anew it believes the later epoch alone.
        let places = Set(held.map(\.account))
        leases.removeAll { $0.delegation == post.delegation && places.contains($0.held.account) }
        leases += held.map { Lease(delegation: post.delegation, held: $0, grant: grant, term: term) }
        try await maybeRepeat(.lease(request), "LEASE", request.key, post.delegation, reply)
    }

    private func report() async throws {
        guard !leases.isEmpty else { return try await lease() }
        let now = time.now
        let chosen = (0..<random.between(1...12)).map { _ in random.pick(leases) }
        let requests = chosen.map { lease in
            ReportRequest(
                key: takeKey(), delegation: lease.delegation, account: lease.held.account, epoch: lease.held.epoch,
                at: now, channel: .phoneOut, contact: .nobody, result: .noAnswer)
        }
        let replies = try await answers(requests.map { .report($0) })
        for ((request, lease), reply) in zip(zip(requests, chosen), replies) {
            guard let reply else { continue }
            guard reply.isOK, let outcome = reply.fields.number("outcome") else {
                try refused(reply, "REPORT", request.key, lease.delegation, lease.held)
                continue
            }
            counts.reports += 1
            let told = ClientOperation.Report(
                held: lease.held, at: now, channel: request.channel.rawValue, contact: request.contact.rawValue,
                result: request.result.rawValue, outcome: outcome)
            try acknowledged(request.key, lease.delegation, .reported(told), reply)
        }
        if let request = requests.first, let reply = replies.first ?? nil {
            try await maybeRepeat(.report(request), "REPORT", request.key, request.delegation, reply)
        }
    }

    private func giveBack() async throws {
        guard let index = leases.indices.randomElement(using: &random) else { return }
        let lease = leases[index]
        let request = ReturnRequest(
            key: takeKey(), delegation: lease.delegation, account: lease.held.account, epoch: lease.held.epoch,
            reason: .unlocatable)
        guard let reply = try await answer(.giveBack(request)) else { return }
        leases.removeAll { $0.held == lease.held && $0.delegation == lease.delegation }
        guard reply.isOK else { return try refused(reply, "RETURN", request.key, lease.delegation, lease.held) }
        counts.returns += 1
        let told = ClientOperation.Return(held: lease.held, reason: request.reason.rawValue)
        try acknowledged(request.key, lease.delegation, .returned(told), reply)
        try await maybeRepeat(.giveBack(request), "RETURN", request.key, lease.delegation, reply)
    }

    private func extend() async throws {
        guard let lease = leases.randomElement(using: &random) else { return }
        let until = lease.term.advanced(by: .seconds(random.between(1...5) * 86_400))
        let request = ExtendRequest(key: takeKey(), delegation: lease.delegation, grant: lease.grant, until: until)
        guard let reply = try await answer(.extend(request)) else { return }
        guard reply.isOK, let term = reply.fields.timestamp("term") else {
            return try refused(reply, "EXTEND", request.key, lease.delegation, nil, lease.grant)
        }
        counts.extensions += 1
        for index in leases.indices where leases[index].grant == lease.grant { leases[index].term = term }
        try acknowledged(
            request.key, lease.delegation, .extended(ClientOperation.Extension(grant: lease.grant, term: term)), reply)
    }

    private func takeKey() -> Int64 {
        defer { nextKey += 1 }
        return nextKey
    }

    // MARK: - What is written down

    private func acknowledged(
        _ key: Int64, _ delegation: Delegation, _ told: ClientOperation.Reply, _ reply: ClientReply
    ) throws {
        counts.acknowledged += 1
        time.acknowledge(node: node)
        log.now = time.now
        log.write(
            key: key, delegation: delegation, told, receipt: reply.fields["receipt"].flatMap { Hex.bytes($0) })
        try log.flush()
    }

    private func refused(
        _ reply: ClientReply, _ verb: String, _ key: Int64, _ delegation: Delegation, _ held: Held?,
        _ grant: GrantID? = nil
    ) throws {
        counts.refused["\(verb) \(reply.codeText)", default: 0] += 1
        log.now = time.now
        log.write(
            key: key, delegation: delegation,
            .refused(
                ClientOperation.Refusal(
                    verb: verb, code: reply.codeText, held: held, grant: grant,
                    evidence: reply.fields.number("evidence"))))
        try log.flush()
        if reply.replyClass == .refresh, let held { leases.removeAll { $0.held == held } }
    }

    private func maybeRepeat(
        _ request: AgentRequest, _ verb: String, _ key: Int64, _ delegation: Delegation, _ first: ClientReply
    ) async throws {
        guard random.chance(1_000), let again = try await answer(request) else { return }
        counts.repetitions += 1
        let isEqual = again.text == first.text
        if !isEqual { counts.unequal += 1 }
        log.write(key: key, delegation: delegation, .repeated(verb: verb, isEqual: isEqual))
        try log.flush()
        // Another request under a key that was taken.
        guard first.isOK, let other = request.altered, let refusal = try await answer(other) else { return }
        log.write(key: key, delegation: delegation, .altered(verb: verb, code: refusal.isOK ? "OK" : refusal.codeText))
        try log.flush()
    }

    // MARK: - The way to an answer

    func answer(_ request: AgentRequest) async throws -> ClientReply? { try await answers([request])[0] }

    /// - Returns: a reply for each request; `nil` for one that was given up long after everything was whole again.
    private func answers(_ requests: [AgentRequest]) async throws -> [ClientReply?] {
        var replies = [ClientReply?](repeating: nil, count: requests.count)
        var open = Array(requests.indices)
        let begun = ContinuousClock.now
        defer { counts.longest = max(counts.longest, ContinuousClock.now - begun) }
        while !open.isEmpty {
            guard !time.isHopeless else {
                counts.givenUp += open.count
                return replies
            }
            do {
                let connection = try await connected()
                var again: [Int] = []
                for (index, reply) in zip(open, try await connection.send(open.map { requests[$0] })) {
                    // A session that is over answers what it had not begun with a fatal one: it is asked again on another.
                    if reply.replyClass == .retry || reply.replyClass == .fatal {
                        again.append(index)
                        if reply.replyClass == .fatal { cut() }
                        counts.refused["\(reply.codeText), asked again", default: 0] += 1
                    } else {
                        replies[index] = reply
                    }
                }
                open = again
                // A refusal of class retry asks for a pause before the next attempt.
                if !open.isEmpty { try await Task.sleep(for: .milliseconds(random.between(50...300))) }
            } catch is AgentConnectionError {
                if connection != nil { counts.unanswered += open.count }
                cut()
                // A node that is down takes its time to come back; the next one may be there already.
                try await Task.sleep(for: .milliseconds(random.between(30...250)))
            }
        }
        return replies
    }

    private func connected() async throws -> AgentConnection {
        if let connection { return connection }
        sequence += 1
        let way = random.below(ports.count)
        var settings = AgentConnectionSettings(
            port: ports[way], agency: agency, instance: try token(), sequence: sequence, privateKey: key)
        settings.client = "agentsim-chaos/1"
        settings.connectTimeout = .seconds(2)
        settings.replyTimeout = .seconds(Self.replySeconds)
        let made = try await AgentConnection.connect(settings)
        counts.connections += 1
        if counts.connections > 1, random.below(100) < Self.comparedPercent { hasToCompare = true }
        connection = made
        node = way
        return made
    }

    private func token() throws(SimulationFailure) -> Token {
        guard let token = Token(Self.instance) else {
            throw SimulationFailure(.usage, "\(Self.instance) is no name of an installation", remedy: "")
        }
        return token
    }
}
