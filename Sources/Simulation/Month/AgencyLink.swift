// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol
internal import Assignment

/// An agency's way to the daemon: connects when needed, sends again under the same keys when a connection dies or the
/// server asks to wait, and gives up after a bounded number of times.
actor AgencyLink {
    private static let attemptsMax = 6
    let host: String
    let port: Int
    let agency: AgencyID
    let instance: Token
    let key: AgencyPrivateKey
    private let wireTLS: WireTLS?
    private let tls: ClientTLS?
    /// Somebody else uses its name, so that it has to pass by that one's sequence.
    private let isCloned: Bool
    /// How far two clients of one name can have come apart.
    private static let clonesMax = 500
    /// Of the connection made last; it never falls.
    private(set) var sequence: Int64
    private var connection: AgentConnection?

    init(
        host: String, port: Int, agency: AgencyID, instance: Token, key: AgencyPrivateKey, sequence: Int64,
        tls: WireTLS? = nil, isCloned: Bool = false
    ) {
        self.isCloned = isCloned
        self.wireTLS = tls
        self.tls = tls?.client
        self.host = host
        self.port = port
        self.agency = agency
        self.instance = instance
        self.key = key
        self.sequence = sequence
    }

    /// - Returns: whether a new connection was made; then the caller compares what it holds.
    func connect() async throws -> Bool {
        guard connection == nil else { return false }
        for attempt in 1... {
            sequence += 1
            var settings = AgentConnectionSettings(
                port: port, agency: agency, instance: instance, sequence: sequence, privateKey: key)
            settings.host = host
            settings.client = "agentsim/1"
            settings.tls = tls
            do {
                connection = try await AgentConnection.connect(settings)
                return true
            } catch AgentConnectionError.refused(let reply) where isCloned && reply.code == .clone {
                guard attempt < Self.clonesMax else { throw Self.failure(agency, .refused(reply)) }
            } catch let error as AgentConnectionError {
                guard attempt < Self.attemptsMax, Self.mayRetry(error) else { throw Self.failure(agency, error) }
                try await Task.sleep(for: .milliseconds(100 << attempt))
            }
        }
        return false
    }

    /// Sends requests in one go and returns their replies in the same order, none of which is a `retry`.
    func send(_ requests: [AgentRequest]) async throws -> [ClientReply] {
        var replies = [ClientReply?](repeating: nil, count: requests.count)
        var open = Array(requests.indices)
        for attempt in 1... {
            do {
                _ = try await connect()
                guard let connection else { continue }
                var wait: Int64 = 0
                var again: [Int] = []
                for (index, reply) in zip(open, try await connection.send(open.map { requests[$0] })) {
                    replies[index] = reply
                    guard reply.replyClass == .retry else { continue }
                    again.append(index)
                    wait = max(wait, reply.afterSeconds ?? 0)
                }
                open = again
                if open.isEmpty || attempt >= Self.attemptsMax { return replies.compactMap(\.self) }
                try await Task.sleep(for: .milliseconds(max(200, min(wait, 5) * 1_000)))
            } catch let error as AgentConnectionError {
                connection = nil
                guard attempt < Self.attemptsMax, Self.mayRetry(error) else { throw Self.failure(agency, error) }
            }
        }
        return replies.compactMap(\.self)
    }

    /// Another client of the same name, as one that was restored from a backup.
    nonisolated func copy(sequence: Int64) -> AgencyLink {
        AgencyLink(
            host: host, port: port, agency: agency, instance: instance, key: key, sequence: sequence, tls: wireTLS,
            isCloned: false)
    }

    /// Cuts the connection without a word, as a crash does.
    func cut() {
        connection?.abandon()
        connection = nil
    }

    func leave() async {
        // A connection that is already dead needs no farewell.
        try? await connection?.bye()
        connection = nil
    }

    private static func mayRetry(_ error: AgentConnectionError) -> Bool {
        switch error {
        case .closed, .ended, .replyTimeout: true
        case .refused(let reply): reply.replyClass == .retry
        case .cannotConnect, .protocolViolation: false
        }
    }

    private static func failure(_ agency: AgencyID, _ error: AgentConnectionError) -> SimulationFailure {
        SimulationFailure(
            .environment, "\(agency): \(error)",
            remedy: "Check that dispatcherd serve listens there, and that keys.csv of this portfolio was loaded")
    }
}
