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
///
/// On a new connection three things come in this order: what may have been done and has no answer, the comparison of what is held, and
/// then whatever waits. So a comparison never sees a request in flight.
public actor AgentClient {
    let settings: AgentClientSettings
    public nonisolated let events: AsyncStream<AgentClientEvent>
    let told = UnreadQueue<AgentClientEvent>(max: 1_024, weight: \.count) { .missed($0) }
    var installation: Installation
    var folder: StateFolder?
    /// What the folder had when it was last written whole.
    private var folderBytes = 0
    private var addedBytes = 0
    private var opening: Task<Void, any Error>?
    /// Requests until they have their end, by the order in which they came.
    var requests: [Int: OpenRequest] = [:]
    private var latestNumber = 0

    var connection: AgentConnection?
    var connecting: Task<AgentConnection, any Error>?
    /// Why the latest address did not let it in, since this connection was begun.
    var latestObstacle: String?
    /// The one that is made just now, once it is let in.
    var establishing: AgentConnection?
    /// The address that is tried first.
    var nextAddress = 0
    /// How many connections were made so far.
    package internal(set) var connectionCount = 0
    /// Lots that were sent and are not settled, and who waits for none to be.
    private var lotsInFlight = 0
    private var waitingForNone: [CheckedContinuation<Void, Never>] = []
    /// A comparison on a connection that works already; requests wait meanwhile.
    var comparing: Task<Void, Never>?
    /// Whether something came that a comparison, or a reply that is on its way, may undo.
    var comparesAgain = false
    private var repeating: Task<Void, Never>?
    var reconnecting: Task<Void, Never>?
    var isClosed = false

    public init(_ settings: AgentClientSettings) {
        self.settings = settings
        let instance: Token? =
            switch settings.memory {
            case .folder(_, let instance): instance
            case .caller(let instance, _): instance
            }
        installation = Installation(agency: settings.agency, instance: instance ?? Self.newName())
        installation.apply(.key(settings.firstKey - 1))
        events = told.stream
    }

    deinit {
        connection?.abandon()
        told.finish()
    }

    private static func newName() -> Token {
        var random = SystemRandomNumberGenerator()
        let name = "swift-" + HexBytes((0..<6).map { _ in UInt8.random(in: .min ... .max, using: &random) }).description
        guard let token = Token(name) else { preconditionFailure("\(name) is no instance") }
        return token
    }

    // MARK: What is known

    /// The installation's name: the given one, or that of the state folder once it is open.
    public var instance: String { installation.instance.text }

    /// What this installation and all others of the agency hold, as far as replies and pushes have told.
    public var held: [AgentLease] {
        installation.holdings.accounts.map { AgentLease($0.key, $0.value.epoch) }.sorted()
    }

    /// What is known of a held account: what `LEASE` said of it, its `grant` and `term`, and what came since. Of one that came by a
    /// comparison only the latter; `HELD` tells all of it. `nil` where it is not held.
    public func details(of lease: AgentLease) -> [String: String]? {
        guard let place = lease.place, let held = installation.holdings.accounts[place],
            held.epoch.value == lease.epoch
        else { return nil }
        return held.fields.dictionary
    }

    /// What came of held accounts since they were leased, as `HELD` tells it: `paid`, `paid-on`, `reversed`, `recall`,
    /// `recall-reason`, `objection`. Accounts of which nothing came are missing.
    public var news: [AgentLease: [String: String]] {
        let keys = Set(HeldNews.keys.map(\.text))
        return installation.holdings.accounts.reduce(into: [:]) { all, entry in
            let news = entry.value.fields.dictionary.filter { keys.contains($0.key) }
            if !news.isEmpty { all[AgentLease(entry.key, entry.value.epoch)] = news }
        }
    }

    /// What may have been done and has no answer yet, in the order in which it was sent. It is sent again by itself, and is told as
    /// ``AgentClientEvent/late(_:_:)`` where nobody waits for it.
    public var unanswered: [AgentCall] {
        requests.sorted { $0.key < $1.key }.filter { $0.value.mayBeDone && $0.value.end == nil }.map {
            AgentCall($0.value.request)
        }
    }

    // MARK: Asking

    /// Reads the state folder, where there is one, connects, sends what was left without an answer, and compares what is held. The first
    /// request does the same. What the folder had is known even where this throws because nobody could be reached.
    public func open() async throws {
        try await opened()
        _ = try await connected(until: ContinuousClock.now + settings.patience)
    }

    /// Sends one request and waits for its reply, for as long as the settings have patience. `retry` refusals are waited out; a lost
    /// connection is made again, and the request with a key sent again under the same one.
    ///
    /// - Parameters:
    ///   - verb: of the protocol: `LEASE`, `STATUS`.
    ///   - fields: its keys and values; a verb that takes a `key` gets the next one where it has none.
    /// - Throws: ``AgentClientError``; its ``AgentClientError/mayHaveBeenDone`` says whether there may be an effect.
    public func send(_ verb: String, _ fields: [String: String] = [:]) async throws -> AgentReply {
        try await send(all: [AgentCall(verb, fields)])[0].get()
    }

    /// Sends several requests in one go, as an evening's reports. Each has its own end, in their order here: neither a refusal nor a lost
    /// connection nor a line that cannot be spoils its neighbours.
    public func send(all calls: [AgentCall]) async -> [Result<AgentReply, AgentClientError>] {
        do throws(AgentClientError) {
            try await opened()
        } catch {
            return calls.map { _ in .failure(error) }
        }
        let prepared = calls.map { call in Result { () throws(AgentClientError) in try self.prepared(call) } }
        var answers = (await settled(prepared.compactMap { try? $0.get() })).makeIterator()
        return prepared.map { request in
            request.flatMap { _ in
                switch answers.next() {
                case .reply(let reply): .success(AgentReply(reply))
                case .unanswered(let key, let refusal):
                    .failure(.unanswered(key: key, refusal: refusal.map { AgentReply($0) }))
                case .failed(let error): .failure(error)
                case nil: .failure(.closed)
                }
            }
        }
    }

    /// The replies in the order of the requests; a `retry` that lasted longer than the patience is one.
    ///
    /// - Throws: ``AgentClientError`` where one of them has none; the others may have been done, and their keys tell.
    package func exchange(_ requests: [AgentRequest]) async throws -> [ClientReply] {
        try await opened()
        return try await settled(requests).map { end in
            switch end {
            case .reply(let reply), .unanswered(_, let reply?): reply
            case .unanswered(let key, nil): throw AgentClientError.unanswered(key: key, refusal: nil)
            case .failed(let error): throw error
            }
        }
    }

    /// Compares what is held with the server, and takes over what it says; ``events`` tells the difference. Requests wait meanwhile.
    public func compare() async throws {
        try await opened()
        let live = try await connected(until: ContinuousClock.now + settings.patience)
        refresh(over: live)
        await comparing?.value
    }

    /// Connects where there is no connection, without asking anything.
    package func connect() async throws { try await open() }

    /// Cuts the connection without a word, as a crash does. The next request makes another one.
    package func cut() {
        connection?.abandon()
        connection = nil
    }

    /// Ends the connection after what is in flight. The client is of no use afterwards; what may have been done and has no answer stays in
    /// the state folder, and what was not done never will be.
    public func close() async {
        guard !isClosed else { return }
        isClosed = true
        connecting?.cancel()
        reconnecting?.cancel()
        repeating?.cancel()
        establishing?.abandon()
        // One that is already dead needs no farewell.
        try? await connection?.bye()
        connection = nil
        // What was answered until now has its end; who waits for another attempt is not to leave it to the next process.
        await noneInFlight()
        giveUp(requests.filter { !$0.value.mayBeDone }.keys.sorted(), .closed)
        try? await folder?.sync()
        folder = nil
        told.finish()
    }

    private func prepared(_ call: AgentCall) throws(AgentClientError) -> AgentRequest {
        var fields = call.fields
        if let known = Verb(Array(call.verb.utf8)[...]), known.keys.required.contains(.key), fields["key"] == nil {
            fields["key"] = String(installation.latestKey + 1)
        }
        let request = try AgentRequest(verb: call.verb, fields: fields)
        switch request {
        case .hello, .auth, .bye: throw .badRequest("\(call.verb) is the client's own")
        default: break
        }
        if let place = request.keyedPlace { installation.apply(.key(place.key)) }
        return request
    }

    // MARK: The state folder

    private func opened() async throws(AgentClientError) {
        if isClosed { throw .closed }
        guard case .folder(let path, let instance) = settings.memory, folder == nil else { return }
        let task = opening ?? Task { try await self.read(path, instance) }
        opening = task
        do {
            try await task.value
        } catch let error as AgentClientError {
            opening = nil
            throw error
        } catch {
            opening = nil
            throw .state("\(error)")
        }
    }

    private func read(_ path: String, _ instance: Token?) async throws {
        let (folder, lines) = try await StateFolder.open(path)
        if !lines.isEmpty {
            let found: Installation
            do throws(AgentClientError) {
                found = try Installation(lines: lines)
            } catch {
                guard case .state(let what) = error else { throw error }
                throw AgentClientError.state("\(path)/installation: \(what)")
            }
            guard found.agency == settings.agency, instance == nil || instance == found.instance else {
                throw AgentClientError.state(
                    "\(path) belongs to \(found.agency) instance \(found.instance.text); choose another folder")
            }
            installation = found
        }
        self.folder = folder
        for (_, request) in installation.unanswered.sorted(by: { $0.key < $1.key }) {
            latestNumber += 1
            requests[latestNumber] = OpenRequest(request, mayBeDone: true, isLate: true)
        }
        rewrite(folder)
        try await folder.sync()
    }

    /// What is changed is written down at once, and on disk after the next ``synced()``.
    func apply(_ changes: [Installation.Change]) {
        for change in changes { installation.apply(change) }
        guard let folder else { return }
        var lines: [UInt8] = []
        for change in changes { change.write(to: &lines) }
        folder.add(lines)
        addedBytes += lines.count
        if addedBytes > 4 * folderBytes + 1 << 20 { rewrite(folder) }
    }

    private func rewrite(_ folder: StateFolder) {
        let whole = installation.lines
        (folderBytes, addedBytes) = (whole.count, 0)
        folder.replace(by: whole)
    }

    func synced() async throws(AgentClientError) {
        do {
            try await folder?.sync()
        } catch let error as AgentClientError {
            throw error
        } catch {
            throw .state("\(error)")
        }
    }

    func nextSequence() async throws -> Int64 {
        guard case .caller(_, let next) = settings.memory else {
            apply([.sequence(installation.sequence + 1)])
            let sequence = installation.sequence
            try await synced()
            return sequence
        }
        return try await next()
    }

    // MARK: Requests

    private func settled(_ wanted: [AgentRequest]) async -> [OpenRequest.End] {
        if isClosed { return wanted.map { _ in .failed(.closed) } }
        let deadline = ContinuousClock.now + settings.patience
        let numbers = wanted.map { request in
            latestNumber += 1
            requests[latestNumber] = OpenRequest(request)
            return latestNumber
        }
        apply(wanted.filter { $0.keyedPlace != nil }.map { .sent($0) })
        do throws(AgentClientError) {
            try await synced()
        } catch {
            for number in numbers { requests[number] = nil }
            return wanted.map { _ in .failed(error) }
        }
        var attempt = 0
        while numbers.contains(where: { requests[$0]?.end == nil }) {
            attempt += 1
            do throws(AgentClientError) {
                let live = try await connected(until: deadline)
                while let comparing {
                    guard await comparing.result(until: deadline) != nil else {
                        throw Task.isCancelled ? .cancelled : .cannotConnect("what is held is still compared")
                    }
                }
                if isClosed { throw .closed }
                // Settled by the connection itself, which sends again what may have been done.
                let rest = numbers.filter { requests[$0]?.end == nil && requests[$0]?.isInFlight == false }
                await send(rest, over: live)
            } catch {
                giveUp(numbers, error)
                break
            }
            let refused = numbers.compactMap { requests[$0]?.end == nil ? requests[$0]?.refusal : nil }
            guard numbers.contains(where: { requests[$0]?.end == nil }) else { break }
            let wait =
                refused.isEmpty
                ? settings.pause(attempt)
                : Duration.seconds(max(1, min(refused.compactMap(\.afterSeconds).max() ?? 1, 60)))
            guard ContinuousClock.now + wait < deadline else {
                giveUp(numbers, nil)
                break
            }
            if refused.contains(where: { $0.code == .unavailable }), let connection {
                lost(connection, "the node is unavailable")
            }
            guard (try? await Task.sleep(for: wait)) != nil else {
                giveUp(numbers, .cancelled)
                break
            }
        }
        try? await synced()
        return numbers.map { take($0) }
    }

    /// The end of a request that somebody waited for. What may have been done stays open until it has its answer.
    private func take(_ number: Int) -> OpenRequest.End {
        guard let request = requests[number] else { return .failed(.closed) }
        guard let end = request.end else {
            requests[number]?.isLate = true
            repeatLater()
            return .unanswered(request.request.keyedPlace?.key, request.refusal)
        }
        requests[number] = nil
        return end
    }

    /// Nobody waits any longer. What was not done never will be.
    private func giveUp(_ numbers: [Int], _ error: AgentClientError?) {
        for number in numbers {
            guard let request = requests[number], request.end == nil else { continue }
            switch request.request.repetition {
            case .keyed where request.mayBeDone: continue
            case .keyed(let place): apply([.answered(place)])
            case .harmless, .never: break
            }
            if let refusal = request.refusal {
                requests[number]?.end = .reply(refusal)
            } else if request.mayBeDone, request.request.hasEffect {
                requests[number]?.end = .unanswered(nil, nil)
            } else {
                requests[number]?.end = .failed(error ?? .cannotConnect("no answer in time"))
            }
        }
    }

    /// Sends a lot over one connection and settles it: on disk first, then told.
    func send(_ numbers: [Int], over live: AgentConnection) async {
        guard !numbers.isEmpty else { return }
        for number in numbers {
            requests[number]?.isInFlight = true
            requests[number]?.refusal = nil
        }
        lotsInFlight += 1
        defer {
            lotsInFlight -= 1
            if lotsInFlight == 0 {
                for waiting in waitingForNone { waiting.resume() }
                waitingForNone = []
            }
        }
        let results = await live.exchange(numbers.compactMap { requests[$0]?.request })
        var ends: [(Int, OpenRequest.End)] = []
        var isDoubtful = false
        for (number, result) in zip(numbers, results) {
            guard let request = requests[number]?.request else { continue }
            switch (result, request.repetition) {
            case (.success(let reply), .never) where reply.code == .unavailable: ends.append((number, .reply(reply)))
            case (.success(let reply), _) where reply.replyClass == .retry:
                requests[number]?.refusal = reply
                // BUSY was not done, this time; of UNAVAILABLE that is not known.
                if reply.code == .unavailable { requests[number]?.mayBeDone = true }
            case (.success(let reply), _):
                let changes = installation.holdings.changes(request, reply)
                apply(changes.map { .holding($0) } + (request.keyedPlace.map { [.answered($0)] } ?? []))
                isDoubtful = isDoubtful || Holdings.isDoubtful(request, reply)
                ends.append((number, .reply(reply)))
            case (.failure(let loss), .never) where loss.wasSent:
                lost(live, "\(loss.error)")
                ends.append((number, .unanswered(nil, nil)))
            case (.failure(let loss), _):
                lost(live, "\(loss.error)")
                if loss.wasSent { requests[number]?.mayBeDone = true }
            }
        }
        do throws(AgentClientError) {
            try await synced()
        } catch {
            ends = ends.map { ($0.0, .failed(error)) }
        }
        for number in numbers { requests[number]?.isInFlight = false }
        for (number, end) in ends { settle(number, end) }
        if isDoubtful { compareAgain() }
    }

    private func settle(_ number: Int, _ end: OpenRequest.End) {
        guard let request = requests[number] else { return }
        requests[number]?.end = end
        guard request.isLate else { return }
        requests[number] = nil
        if case .reply(let reply) = end { told.yield(.late(AgentCall(request.request), AgentReply(reply))) }
    }

    /// Returns once nothing is in flight.
    func noneInFlight() async {
        while lotsInFlight > 0 { await withCheckedContinuation { waitingForNone.append($0) } }
    }

    /// What nobody waits for and was told to come again later.
    func repeatLater() {
        guard repeating == nil, !isClosed, requests.contains(where: { $0.value.isLate }) else { return }
        repeating = Task { [weak self] in
            // Nobody waits for these answers any more.
            var pause: Duration? = .seconds(1)
            while let wait = pause, (try? await Task.sleep(for: wait)) != nil { pause = await self?.repeated() }
            await self?.doneRepeating()
        }
    }

    private func doneRepeating() {
        repeating = nil
        // Another connection may have come while the former one's was found gone.
        if connection != nil { repeatLater() }
    }

    /// - Returns: when to try again; `nil` where nothing is left to repeat, or the next connection will do it.
    private func repeated() async -> Duration? {
        guard let connection, !isClosed else { return nil }
        while let comparing { await comparing.value }
        let late = requests.filter { $0.value.isLate && !$0.value.isInFlight && $0.value.end == nil }
        await send(late.keys.sorted(), over: connection)
        let left = requests.values.filter(\.isLate)
        guard !left.isEmpty else { return nil }
        return .seconds(max(1, min(left.compactMap { $0.refusal?.afterSeconds }.max() ?? 1, 60)))
    }
}

/// One request until it has its end.
struct OpenRequest {
    enum End {
        case reply(ClientReply)
        /// It may have been done. Under a key it is sent again.
        case unanswered(_ key: Int64?, _ refusal: ClientReply?)
        case failed(AgentClientError)
    }

    let request: AgentRequest
    /// Whether it may have been done without our knowing.
    var mayBeDone: Bool
    /// Whether nobody waits for it any more.
    var isLate: Bool
    var isInFlight = false
    /// The latest refusal of class `retry`.
    var refusal: ClientReply?
    /// The number of the connection that it was sent again over.
    var repeatedOn = 0
    var end: End?

    init(_ request: AgentRequest, mayBeDone: Bool = false, isLate: Bool = false) {
        self.request = request
        self.mayBeDone = mayBeDone
        self.isLate = isLate
    }
}

extension AgentLease {
    fileprivate var place: HeldCursor? {
        guard let delegation = Int16(exactly: delegation).flatMap({ Delegation($0) }), let account = AccountID(account)
        else { return nil }
        return HeldCursor(delegation: delegation, account: account)
    }
}
