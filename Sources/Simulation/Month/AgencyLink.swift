// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol
internal import Assignment

/// An agency's way to the daemon: the client that agencies use, with what only a simulation wants: it cuts its own connections, and
/// is told when a new one was made.
actor AgencyLink {
    let agency: AgencyID
    private let host: String
    private let ports: [Int]
    private let instance: Token
    private let key: AgencyPrivateKey
    private let tls: WireTLS?
    /// Somebody else uses its name, so that it has to pass by that one's sequence.
    private let isCloned: Bool
    /// How far two clients of one name can have come apart.
    private static let clonesMax = 500
    private let client: AgentClient
    private let counter: SequenceCounter
    /// The connections that the caller knows of.
    private var known = 0

    init(
        host: String, ports: [Int], agency: AgencyID, instance: Token, key: AgencyPrivateKey, sequence: Int64,
        tls: WireTLS? = nil, isCloned: Bool = false
    ) {
        self.host = host
        self.ports = ports
        self.instance = instance
        self.key = key
        self.tls = tls
        self.isCloned = isCloned
        let counter = SequenceCounter(sequence)
        var settings = AgentClientSettings(
            addresses: Self.turned(ports, agency).map { AgentClientSettings.Address(host: host, port: $0) },
            agency: agency, instance: instance,
            privateKey: key, nextSequence: { await counter.next() })
        settings.client = "agentsim/1"
        settings.tls = tls?.agent
        // A played month connects when it asks, and at no other time.
        settings.staysConnected = false
        client = AgentClient(settings)
        self.counter = counter
        self.agency = agency
    }

    /// The nodes in the order in which this agency tries them: each agency begins with another one.
    private static func turned(_ ports: [Int], _ agency: AgencyID) -> [Int] {
        let first = Int(agency.value) % ports.count
        return Array(ports[first...] + ports[..<first])
    }

    /// Of the connection made last; it never falls.
    var sequence: Int64 { get async { await counter.latest } }

    /// - Returns: whether connections were made since the last time; then the caller compares what it holds.
    func connect() async throws -> Bool {
        try await passing { try await client.connect() }
        let count = await client.connectionCount
        defer { known = count }
        return count > known
    }

    /// Sends requests in one go and returns their replies in the same order.
    func send(_ requests: [AgentRequest]) async throws -> [ClientReply] {
        try await passing { try await client.exchange(requests) }
    }

    /// Sends questions whose answers count each time, so that none is sent twice.
    ///
    /// - Returns: `nil` where a connection was lost before all were answered: what of it was done nobody knows.
    func ask(_ requests: [AgentRequest]) async throws -> [ClientReply]? {
        try await passing {
            do {
                return try await client.exchange(requests)
            } catch AgentClientError.unanswered {
                return nil
            }
        }
    }

    /// Another client of the same name, as one that was restored from a backup.
    nonisolated func copy(sequence: Int64) -> AgencyLink {
        AgencyLink(
            host: host, ports: ports, agency: agency, instance: instance, key: key, sequence: sequence, tls: tls)
    }

    /// Cuts the connection without a word, as a crash does.
    func cut() async { await client.cut() }

    func leave() async { await client.close() }

    /// Tries again where a client of the same name has gone further: each try raises the sequence.
    private func passing<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        for _ in 0..<(isCloned ? Self.clonesMax : 0) {
            do {
                return try await body()
            } catch AgentClientError.refused(let reply) where reply.code == "CLONE" {
                continue
            } catch let error as AgentClientError {
                throw failure(error)
            }
        }
        return try await failing(body)
    }

    private func failing<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let error as AgentClientError {
            throw failure(error)
        }
    }

    private func failure(_ error: AgentClientError) -> SimulationFailure {
        let remedy =
            if case .refused(let reply) = error, reply.code == "CLONE" {
                "A client of this agency was here before with another folder: go on with that one (--log), which knows how far it got"
            } else {
                "Check that dispatcherd serve listens there, and that keys.csv of this portfolio was loaded"
            }
        return SimulationFailure(.environment, "\(agency): \(error)", remedy: remedy)
    }
}

/// Raised before each connection. The state file stores it ahead of what was used.
private actor SequenceCounter {
    private(set) var latest: Int64

    init(_ latest: Int64) { self.latest = latest }

    func next() -> Int64 {
        latest += 1
        return latest
    }
}
