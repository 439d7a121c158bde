// SPDX-License-Identifier: Apache-2.0

import Assignment

/// An agency's half of the protocol: connects to one of several addresses, again when it must; sends what had no answer again under its
/// key, and nothing else; knows what is held, and compares it with the server after every connection.
///
///     let client = AgentClient(settings)
///     let lease = try await client.lease(delegation: 14, strategy: "administrative", max: 10)
///     for account in lease.data { … }
///
/// Any number of tasks may use it. What is said without being asked, and what comparisons found, is in ``events``.
public actor AgentClient {
    private let settings: AgentClientSettings
    public nonisolated let events: AsyncStream<AgentClientEvent>
    private let told: AsyncStream<AgentClientEvent>.Continuation
    private var connection: AgentConnection?
    private var connecting: Task<AgentConnection, any Error>?
    private var holdings = Holdings()
    /// The address that is tried first.
    private var nextAddress = 0
    private var latestKey: Int64
    private var isClosed = false
    /// The server's time at the beginning of the latest connection on which all that was held was compared.
    private var comparedAt: Timestamp?

    public init(_ settings: AgentClientSettings) {
        self.settings = settings
        latestKey = settings.firstKey - 1
        (events, told) = AsyncStream.makeStream(of: AgentClientEvent.self, bufferingPolicy: .bufferingNewest(1_024))
    }

    /// What this installation and all others of the agency hold, as far as replies and pushes have told.
    public var held: [AgentLease] { holdings.leases.values.sorted() }

    /// What came of held accounts since they were leased, as `HELD` tells it: `paid`, `paid-on`, `reversed`, `recall`,
    /// `recall-reason`, `objection`. Accounts of which nothing came are missing.
    public var news: [AgentLease: [String: String]] {
        holdings.news.reduce(into: [:]) { all, entry in
            if let lease = holdings.leases[entry.key] { all[lease] = entry.value }
        }
    }

    // MARK: Asking

    /// Sends one request and waits for its reply, for as long as the settings have patience. `retry` refusals are waited out; a lost
    /// connection is made again, and the request with a key sent again under the same one.
    ///
    /// - Parameters:
    ///   - verb: of the protocol: `LEASE`, `STATUS`.
    ///   - fields: its keys and values; a verb that takes a `key` gets the next one where it has none.
    /// - Throws: ``AgentClientError``. ``AgentClientError/unanswered(_:)`` leaves open whether the request was done, and names the
    ///   key under which asking again tells.
    public func send(_ verb: String, _ fields: [String: String] = [:]) async throws -> AgentReply {
        AgentReply(try await exchange([try prepared(verb, fields)])[0])
    }

    /// Sends several requests in one go, as an evening's reports; each is answered for itself, in their order here.
    ///
    /// - Throws: ``AgentClientError`` where one of them has no answer; the others may have been done, and their keys tell.
    public func send(all calls: [(verb: String, fields: [String: String])]) async throws -> [AgentReply] {
        try await exchange(try calls.map { try prepared($0.verb, $0.fields) }).map { AgentReply($0) }
    }

    /// The replies in the order of the requests. Only what had no answer, or a `retry`, is sent again.
    package func exchange(_ requests: [AgentRequest]) async throws -> [ClientReply] {
        let deadline = ContinuousClock.now + settings.patience
        var replies = [ClientReply?](repeating: nil, count: requests.count)
        var open = Array(requests.indices)
        var attempt = 0
        while !open.isEmpty {
            attempt += 1
            let live = try await connected(until: deadline)
            do {
                var again: [Int] = []
                for (index, reply) in zip(open, try await live.send(open.map { requests[$0] })) {
                    replies[index] = reply
                    if reply.replyClass == .retry { again.append(index) } else { note(requests[index], reply) }
                }
                open = again
                let refused = open.compactMap { replies[$0] }
                let wait = Duration.seconds(max(1, min(refused.compactMap(\.afterSeconds).max() ?? 1, 60)))
                guard !open.isEmpty, ContinuousClock.now + wait < deadline else { break }
                if refused.contains(where: { $0.code == .unavailable }) { drop(live) }
                try await Task.sleep(for: wait)
            } catch is AgentConnectionError {
                drop(live)
                guard open.allSatisfy({ requests[$0].isRepeatable }) else {
                    throw AgentClientError.unanswered(key: nil)
                }
                guard ContinuousClock.now < deadline else {
                    throw AgentClientError.unanswered(key: open.compactMap { requests[$0].key }.first)
                }
                try await Task.sleep(for: settings.pause(attempt))
            }
        }
        return replies.compactMap(\.self)
    }

    /// How many connections were made so far.
    package private(set) var connectionCount = 0

    /// Connects where there is no connection, without asking anything.
    package func connect() async throws {
        _ = try await connected(until: ContinuousClock.now + settings.patience)
    }

    /// Cuts the connection without a word, as a crash does. The next request makes another one.
    package func cut() {
        connection?.abandon()
        connection = nil
    }

    /// Ends the connection after what is in flight. The client is of no use afterwards.
    public func close() async {
        isClosed = true
        connecting?.cancel()
        // One that is already dead needs no farewell.
        try? await connection?.bye()
        connection = nil
        told.finish()
    }

    private func prepared(_ verb: String, _ fields: [String: String]) throws -> AgentRequest {
        var fields = fields
        if let known = Verb(Array(verb.utf8)[...]), known.keys.required.contains(.key), fields["key"] == nil {
            latestKey += 1
            fields["key"] = String(latestKey)
        }
        let request = try AgentRequest(verb: verb, fields: fields)
        switch request {
        case .hello, .auth, .bye: throw AgentClientError.badRequest("\(verb) is the client's own")
        default: return request
        }
    }

    private func note(_ request: AgentRequest, _ reply: ClientReply) {
        holdings.note(request, reply)
    }

    // MARK: The connection

    private func connected(until deadline: ContinuousClock.Instant) async throws -> AgentConnection {
        if isClosed { throw AgentClientError.closed }
        if let connection { return connection }
        if let connecting { return try await connecting.value }
        let task = Task { try await self.connect(until: deadline) }
        connecting = task
        defer { connecting = nil }
        let made = try await task.value
        connection = made
        return made
    }

    /// Goes round the addresses, and waits longer after each round.
    private func connect(until deadline: ContinuousClock.Instant) async throws -> AgentConnection {
        var latest = AgentClientError.cannotConnect("no address was given")
        for attempt in 1... {
            let address = settings.addresses[nextAddress % settings.addresses.count]
            do {
                let made = try await AgentConnection.connect(
                    settings.connection(address, sequence: try await settings.nextSequence()))
                connectionCount += 1
                told.yield(.connected(address))
                listen(to: made)
                try await compare(over: made)
                return made
            } catch let error as AgentConnectionError {
                if case .refused(let reply) = error, reply.replyClass != .retry {
                    throw AgentClientError.refused(AgentReply(reply))
                }
                if case .cannotConnect(_, _, let reason) = error {
                    latest = .cannotConnect("\(address): \(reason)")
                } else {
                    latest = .cannotConnect("\(address): \(error)")
                }
            }
            nextAddress += 1
            guard ContinuousClock.now < deadline, !isClosed else { break }
            if attempt % settings.addresses.count == 0 {
                try await Task.sleep(for: settings.pause(attempt / settings.addresses.count))
            }
        }
        throw latest
    }

    private func drop(_ dead: AgentConnection) {
        guard connection === dead else { return }
        dead.abandon()
        connection = nil
        told.yield(.disconnected)
        nextAddress += 1
    }

    private func listen(to connection: AgentConnection) {
        Task { [weak self] in
            for await push in connection.pushes { await self?.heard(push, from: connection) }
        }
    }

    private func heard(_ push: ClientPush, from source: AgentConnection) {
        holdings.note(push)
        told.yield(.push(name: push.name, fields: push.fields.dictionary))
        // What was thrown away is asked for; where that fails, the next connection begins with it.
        if push.name == Push.Name.missed.rawValue { Task { try? await compare(over: source) } }
        // The node goes away: what is in flight is answered there, what comes next goes elsewhere.
        if push.name == Push.Name.draining.rawValue, connection === source {
            connection = nil
            nextAddress += 1
            // Answered after what is in flight; a node that is gone by then needs no farewell.
            Task { try? await source.bye() }
        }
    }

    /// Sets what is believed to be held against what the server says, and asks what came of it since the last time.
    private func compare(over connection: AgentConnection) async throws {
        var isMatch: Bool?
        var listed: [HeldAccount] = []
        var next: HeldCursor?
        var refusals = 0
        repeat {
            let reply = try await connection.resume(
                ResumeRequest(
                    count: holdings.digest.count, digest: holdings.digest.bytes, after: next, since: comparedAt))
            guard reply.isOK else {
                refusals += 1
                guard reply.replyClass == .retry, refusals < Self.comparisonRefusalsMax else { return }
                try await Task.sleep(for: .seconds(max(1, min(reply.afterSeconds ?? 1, 10))))
                continue
            }
            let agrees = reply.fields["match"] == "yes"
            if isMatch != agrees {
                // The first page, or something ended between two pages: what was listed answers another question.
                (isMatch, listed) = (agrees, [])
                if next != nil {
                    (isMatch, next) = (nil, nil)
                    continue
                }
            }
            listed += reply.heldAccounts
            next = reply.fields["next"].flatMap { HeldCursor(wire: Array($0.utf8)[...]) }
        } while isMatch == nil || next != nil
        if isMatch == true {
            let changed = holdings.note(news: listed)
            if !changed.isEmpty { told.yield(.news(changed.sorted())) }
        } else {
            let (lost, found) = holdings.replace(listed)
            told.yield(.difference(lost: lost.sorted(), found: found.sorted()))
        }
        comparedAt = connection.greeting.timestamp("time") ?? comparedAt
    }

    /// Refusals of class `retry` that one comparison waits out.
    private static let comparisonRefusalsMax = 10
}

extension AgentClient {
    public func lease(delegation: Int, strategy: String, max: Int) async throws -> AgentReply {
        try await send("LEASE", ["delegation": "\(delegation)", "strategy": strategy, "max": "\(max)"])
    }

    /// - Parameter fields: `at`, `channel`, `contact`, `result`, and what the result needs.
    public func report(_ lease: AgentLease, _ fields: [String: String]) async throws -> AgentReply {
        try await send("REPORT", lease.fields.merging(fields) { _, given in given })
    }

    public func giveBack(_ lease: AgentLease, reason: String) async throws -> AgentReply {
        try await send("RETURN", lease.fields.merging(["reason": reason]) { _, given in given })
    }

    public func extend(delegation: Int, grant: Int64, until: String) async throws -> AgentReply {
        try await send("EXTEND", ["delegation": "\(delegation)", "grant": "\(grant)", "until": until])
    }
}
