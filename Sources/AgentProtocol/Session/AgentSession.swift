// SPDX-License-Identifier: Apache-2.0

import Assignment

/// One client's connection, from the greeting to the end. Knows no socket, timer or table.
///
///     greeting ──HELLO──▶ hello ──AUTH──▶ authenticating ──accepted──▶ authenticated ──▶ draining ──▶ closed
///
/// Every event brings its `Moment` and returns what is to be done. Lines that may not be started yet stay unread: while
/// `AUTH` is being decided, while the window is full, while too much output is unsent.
package struct AgentSession {
    package enum State: Equatable, Sendable {
        case greeting
        case hello(HelloRequest)
        case authenticating(HelloRequest, RequestNumber)
        case authenticated(AgentIdentity)
        case draining(AgentIdentity?, DrainCause)
        case closed
    }
    package enum DrainCause: Equatable, Sendable {
        /// The client said `BYE`, which is answered last.
        case bye(Tag)
        /// The server goes away: no new requests, until the deadline.
        case server(deadline: Duration)
    }

    package private(set) var state = State.greeting
    /// Where the connection comes from, as far as the shell knows.
    package var address = ""
    /// The hash of the certificate that the listener showed; `nil` without TLS. Clients sign it.
    package var certificateHash: [UInt8]?
    let limits: SessionLimits
    private let server: String
    private let sessionID: String
    private let nonce: [UInt8]

    private var framer: LineFramer
    private var inFlight: [(number: RequestNumber, tag: Tag, accounts: Int)] = []
    /// Accounts that the leases in flight ask for.
    private var accountsInFlight = 0
    /// A lease that was read and waits for credit in accounts; nothing behind it is read.
    private var waiting: (request: SessionRequest, accounts: Int, tag: Tag)?
    /// Pushes that were thrown away, because nobody read the ones before them.
    private var missedPushes: Int64 = 0
    private var latestNumber: Int64 = 0
    private var hasInputEnded = false
    private var isPaused = false
    private var unsentBytes = 0
    /// Of what is unsent, how much there is up to the end of the last reply; a push behind it keeps nobody waiting.
    private var unsentReplyBytes = 0
    private var openedAt: Duration = .zero
    private var heardAt: Duration = .zero
    private var wroteAt: Duration = .zero

    /// - Parameter server: the node's name, as greeted and signed.
    /// - Parameter nonce: 32 random bytes, never used before.
    package init(server: String, sessionID: String, nonce: [UInt8], limits: SessionLimits) {
        self.server = server
        self.sessionID = sessionID
        self.nonce = nonce
        self.limits = limits
        self.framer = LineFramer(lineMax: limits.lineMaxBytes)
    }

    private var isClosed: Bool {
        switch state {
        case .closed: true
        case .greeting, .hello, .authenticating, .authenticated, .draining: false
        }
    }

    package var identity: AgentIdentity? {
        switch state {
        case .authenticated(let identity): identity
        case .draining(let identity, _): identity
        case .greeting, .hello, .authenticating, .closed: nil
        }
    }

    /// When ``tick(at:)`` is due; `nil` while nothing can run out.
    package var nextDeadline: Duration? {
        var deadlines: [Duration] = []
        switch state {
        case .greeting, .hello: deadlines.append(openedAt + limits.authentication)
        case .draining(_, .server(let deadline)): deadlines.append(deadline)
        case .authenticating, .authenticated, .draining(_, .bye): break
        case .closed: return nil
        }
        if inFlight.isEmpty, unsentReplyBytes == 0 { deadlines.append(heardAt + limits.idle) }
        if unsentBytes > 0 { deadlines.append(wroteAt + limits.writeIdle) }
        return deadlines.min()
    }

    // MARK: Events

    /// The connection is there: the server speaks first.
    package mutating func opened(at now: Moment) -> [SessionAction] {
        openedAt = now.uptime
        heardAt = now.uptime
        var turn = Turn(now)
        writeGreeting(&turn)
        return finish(turn)
    }

    /// The peer sent `bytes`. While reading is paused they are kept; the shell sees to it that few come.
    package mutating func received(_ bytes: [UInt8], at now: Moment) -> [SessionAction] {
        guard !isClosed, !hasInputEnded else { return [] }
        var turn = Turn(now)
        do throws(FramingError) {
            try framer.append(bytes)
            readLines(&turn)
        } catch {
            end(&turn, Refusal(.framing, [ReplyField("reason", error.rawValue)]))
        }
        return finish(turn)
    }

    /// The peer will send no more; what it has sent is still answered.
    package mutating func inputEnded(at now: Moment) -> [SessionAction] {
        guard !isClosed else { return [] }
        hasInputEnded = true
        var turn = Turn(now)
        readLines(&turn)
        return finish(turn)
    }

    /// The engine's answer to a request that was performed. Each number is answered once.
    package mutating func completed(_ number: RequestNumber, _ reply: Reply, at now: Moment) -> [SessionAction] {
        completed([(number, reply)], at: now)
    }

    /// Several answers at once, which leave in one piece.
    package mutating func completed(_ answers: [(RequestNumber, Reply)], at now: Moment) -> [SessionAction] {
        guard !isClosed else { return [] }
        heardAt = now.uptime
        var turn = Turn(now)
        for (number, reply) in answers where !turn.isClosing { answer(number, reply, &turn) }
        readLines(&turn)
        return finish(turn)
    }

    private mutating func answer(_ number: RequestNumber, _ reply: Reply, _ turn: inout Turn) {
        guard let index = inFlight.firstIndex(where: { $0.number == number }) else {
            preconditionFailure("request \(number.value) was answered twice or never asked, in \(state)")
        }
        let request = inFlight.remove(at: index)
        accountsInFlight -= request.accounts
        reply.write(request.tag, to: &turn.output)
        turn.answers = true
        if case .authenticating(_, number) = state { decided(reply, &turn) }
    }

    /// Something to know for this agency. A connection that does not read loses it and is told so once it reads again.
    package mutating func push(_ pushes: [Push], at now: Moment) -> [SessionAction] {
        switch state {
        case .authenticated, .draining: break
        case .greeting, .hello, .authenticating, .closed: return []
        }
        var turn = Turn(now)
        for push in pushes {
            if missedPushes > 0 || unsentBytes + turn.output.count > limits.outputMaxBytes {
                missedPushes += 1
            } else {
                push.write(to: &turn.output)
            }
        }
        return finish(turn)
    }

    /// `bytes` of what was sent have left the process.
    package mutating func wrote(_ bytes: Int, at now: Moment) -> [SessionAction] {
        guard !isClosed else { return [] }
        unsentBytes -= bytes
        wroteAt = now.uptime
        if unsentReplyBytes > 0 {
            // For whom its reply is still on the way, the request is in flight.
            unsentReplyBytes = max(0, unsentReplyBytes - bytes)
            heardAt = now.uptime
        }
        var turn = Turn(now)
        if missedPushes > 0, unsentBytes <= limits.outputMaxBytes / 2 {
            Push.missed(missedPushes).write(to: &turn.output)
            missedPushes = 0
        }
        readLines(&turn)
        return finish(turn)
    }

    /// A deadline may have passed.
    package mutating func tick(at now: Moment) -> [SessionAction] {
        guard !isClosed else { return [] }
        var turn = Turn(now)
        if unsentBytes > 0, now.uptime >= wroteAt + limits.writeIdle {
            // Nobody reads; a farewell would not be read either.
            turn.isClosing = true
            turn.isCutOff = true
        } else if case .draining(_, .server(let deadline)) = state, now.uptime >= deadline {
            turn.isClosing = true
            turn.isCutOff = true
        } else if isAuthenticationOverdue(now) {
            end(&turn, Refusal(.idle, [ReplyField("reason", "authentication")]))
        } else if inFlight.isEmpty, unsentReplyBytes == 0, now.uptime >= heardAt + limits.idle {
            end(&turn, Refusal(.idle, [ReplyField("reason", "silence")]))
        }
        return finish(turn)
    }

    /// The server is about to stop. Who is not authenticated is sent away at once.
    package mutating func drain(at now: Moment) -> [SessionAction] {
        var turn = Turn(now)
        switch state {
        case .authenticated(let identity):
            if let (_, _, tag) = waiting {
                waiting = nil
                refuse(tag, Refusal(.unavailable, after: limits.draining.components.seconds), &turn)
            }
            let deadline = now.uptime + limits.draining
            state = .draining(identity, .server(deadline: deadline))
            Push.draining(afterSeconds: limits.draining.components.seconds).write(to: &turn.output)
        case .greeting, .hello, .authenticating:
            end(&turn, Refusal(.unavailable, after: limits.draining.components.seconds))
        case .draining, .closed:
            return []
        }
        return finish(turn)
    }

    /// The key that the client signed in with is in force no more. What is under way is done; its answers have nobody to go to.
    package mutating func keyEnded(at now: Moment) -> [SessionAction] {
        guard identity != nil else { return [] }
        var turn = Turn(now)
        end(&turn, Refusal(.keyEnded))
        return finish(turn)
    }

    /// The connection is gone. Answers that are still under way will find a closed session.
    package mutating func lost() {
        state = .closed
        inFlight = []
        waiting = nil
    }

    // MARK: Lines

    private var canStart: Bool {
        switch state {
        case .greeting, .hello, .authenticated, .draining(_, .server):
            waiting == nil && inFlight.count < limits.window && unsentBytes <= limits.outputMaxBytes
        case .authenticating, .draining(_, .bye), .closed: false
        }
    }

    private mutating func readLines(_ turn: inout Turn) {
        startWaiting(&turn)
        do throws(FramingError) {
            while !turn.isClosing, canStart, unsentBytes + turn.output.count <= limits.outputMaxBytes {
                guard let line = try framer.nextLine() else {
                    if hasInputEnded, inFlight.isEmpty, waiting == nil { turn.isClosing = true }
                    break
                }
                heardAt = turn.now.uptime
                take(line, &turn)
            }
        } catch {
            end(&turn, Refusal(.framing, [ReplyField("reason", error.rawValue)]))
        }
        if case .draining(_, .bye(let tag)) = state, inFlight.isEmpty, !turn.isClosing {
            turn.output.append(tag: tag)
            turn.output.append(text: " OK\n")
            turn.isClosing = true
        }
    }

    private mutating func take(_ line: ArraySlice<UInt8>, _ turn: inout Turn) {
        var scanner = FieldScanner(line)
        guard let tag = Tag(scanner.wordAlone()) else {
            return end(&turn, Refusal(.syntax, [ReplyField("at", SyntaxError.tag.rawValue)]))
        }
        guard !inFlight.contains(where: { $0.tag == tag }), waiting?.tag != tag else {
            return end(&turn, Refusal(.tagInUse, [ReplyField("tag", tag.description)]))
        }
        let word: ArraySlice<UInt8>
        do throws(SyntaxError) {
            word = try Self.verb(&scanner)
        } catch {
            return refuse(tag, .syntax(error), &turn)
        }
        guard let verb = Verb(word) else { return refuse(tag, Refusal(.unknownVerb, Verb.hint(word)), &turn) }
        if let refusal = obstacle(to: verb) { return refuse(tag, refusal, &turn) }
        do {
            let request = try AgentRequest(verb: verb, scanner: scanner, batchMax: limits.batchMax)
            start(request, tag, &turn)
        } catch {
            refuse(tag, error, &turn)
        }
    }

    /// The word after the tag, with the spaces around it checked.
    private static func verb(_ scanner: inout FieldScanner) throws(SyntaxError) -> ArraySlice<UInt8> {
        try scanner.skipSpace()
        guard scanner.rest.first != .space else { throw .spacing }
        let word = try scanner.word()
        guard !word.isEmpty else { throw .verb }
        return word
    }

    /// Why the verb cannot be asked for in this state. Together with ``start(_:_:_:)`` this is the table in
    /// docs/protocol.md.
    private func obstacle(to verb: Verb) -> Refusal? {
        switch (state, verb) {
        case (.greeting, .hello), (.greeting, .ping), (.greeting, .bye): nil
        case (.hello, .auth), (.hello, .ping), (.hello, .bye): nil
        case (.hello, .hello): Refusal(.state)
        // Of what was sent in one go the first may have been refused: mended, all of it can be sent again.
        case (.greeting, _): Refusal(.tooEarly, [ReplyField("expected", Verb.hello.name)])
        case (.hello, _): Refusal(.tooEarly, [ReplyField("expected", Verb.auth.name)])
        case (.authenticated, .hello), (.authenticated, .auth), (.draining, .hello), (.draining, .auth): Refusal(.state)
        case (.authenticated, _): nil
        case (.draining, .ping), (.draining, .bye): nil
        case (.draining, _): Refusal(.unavailable, after: limits.draining.components.seconds)
        case (.authenticating, _), (.closed, _): Refusal(.state)
        }
    }

    private mutating func start(_ request: AgentRequest, _ tag: Tag, _ turn: inout Turn) {
        switch request {
        case .hello(let hello): greet(hello, tag, &turn)
        case .auth(let auth): prove(auth, tag, &turn)
        case .lease(let lease): take(.lease(lease), accounts: lease.max, tag, &turn)
        case .report(let report): perform(.report(report), tag, &turn)
        case .extend(let extend): perform(.extend(extend), tag, &turn)
        case .giveBack(let giveBack): perform(.giveBack(giveBack), tag, &turn)
        case .object(let object): perform(.object(object), tag, &turn)
        case .contact(let contact): perform(.contact(contact), tag, &turn)
        case .resume(let resume): take(.resume(resume), accounts: limits.batchMax, tag, &turn)
        case .held(let held): take(.held(held), accounts: held.max ?? limits.batchMax, tag, &turn)
        case .status(let status): perform(.status(status), tag, &turn)
        case .explain(let explain): perform(.explain(explain), tag, &turn)
        case .quiet(let quiet): perform(.quiet(quiet), tag, &turn)
        case .ping:
            turn.output.append(tag: tag)
            turn.output.append(text: " OK")
            turn.output.append(field: "time", text: turn.now.time.description)
            turn.output.append(.lineFeed)
            turn.answers = true
        case .bye:
            state = .draining(identity, .bye(tag))
        }
    }

    /// Starts what is answered with accounts, or lets it wait until others of the kind are answered. One alone always starts.
    private mutating func take(_ request: SessionRequest, accounts: Int, _ tag: Tag, _ turn: inout Turn) {
        guard accountsInFlight == 0 || accountsInFlight + accounts <= limits.accountsWindow else {
            waiting = (request, accounts, tag)
            return
        }
        perform(request, tag, accounts: accounts, &turn)
    }

    private mutating func startWaiting(_ turn: inout Turn) {
        guard let (request, accounts, tag) = waiting, !turn.isClosing else { return }
        waiting = nil
        take(request, accounts: accounts, tag, &turn)
    }

    private mutating func greet(_ hello: HelloRequest, _ tag: Tag, _ turn: inout Turn) {
        guard hello.version == 1 else { return refuse(tag, Refusal(.version, [ReplyField("versions", "1")]), &turn) }
        state = .hello(hello)
        turn.output.append(tag: tag)
        turn.output.append(text: " OK")
        turn.output.append(field: "session", text: sessionID)
        turn.output.append(.lineFeed)
        turn.answers = true
    }

    private mutating func prove(_ auth: AuthRequest, _ tag: Tag, _ turn: inout Turn) {
        guard case .hello(let hello) = state else { return refuse(tag, Refusal(.state), &turn) }
        let message = AuthenticationMessage(
            server: server, serverNonce: nonce, hello: hello, certificate: certificateHash)
        let claim = AuthenticationClaim(hello: hello, message: message, signature: auth.proof, address: address)
        let number = perform(.authenticate(claim), tag, &turn)
        state = .authenticating(hello, number)
    }

    private mutating func decided(_ reply: Reply, _ turn: inout Turn) {
        guard case .authenticated(let admission) = reply else {
            turn.isClosing = true
            return
        }
        state = .authenticated(admission.identity)
        framer.lineMax = limits.lineOpenMaxBytes
    }

    @discardableResult
    private mutating func perform(
        _ request: SessionRequest, _ tag: Tag, accounts: Int = 0, _ turn: inout Turn
    ) -> RequestNumber {
        latestNumber += 1
        let number = RequestNumber(latestNumber)
        inFlight.append((number, tag, accounts))
        accountsInFlight += accounts
        turn.performed.append(.perform(number, request))
        return number
    }

    // MARK: Output

    private func writeGreeting(_ turn: inout Turn) {
        turn.output.append(text: "* REPARTO versions=1")
        turn.output.append(field: "node", text: server)
        turn.output.append(field: "time", text: turn.now.time.description)
        turn.output.append(field: "nonce", HexBytes(nonce))
        turn.output.append(field: "line-max", limits.lineMaxBytes)
        turn.output.append(field: "line-max-open", limits.lineOpenMaxBytes)
        turn.output.append(field: "batch-max", limits.batchMax)
        turn.output.append(field: "window", limits.window)
        turn.output.append(field: "accounts-window", limits.accountsWindow)
        turn.output.append(field: "idle", limits.idle.components.seconds)
        turn.output.append(field: "auth", text: "ed25519")
        turn.output.append(.lineFeed)
    }

    /// Answers a request with `NO`; a fatal one ends the session.
    private func refuse(_ tag: Tag, _ refusal: Refusal, _ turn: inout Turn) {
        turn.output.append(tag: tag)
        refusal.write(to: &turn.output)
        turn.output.append(.lineFeed)
        turn.answers = true
        if refusal.code.replyClass == .fatal { turn.isClosing = true }
    }

    /// Ends the session with a reason that belongs to no request.
    private func end(_ turn: inout Turn, _ refusal: Refusal) {
        turn.output.append(text: "*")
        refusal.write(to: &turn.output)
        turn.output.append(.lineFeed)
        turn.isClosing = true
    }

    private func isAuthenticationOverdue(_ now: Moment) -> Bool {
        switch state {
        case .greeting, .hello: now.uptime >= openedAt + limits.authentication
        case .authenticating, .authenticated, .draining, .closed: false
        }
    }

    private mutating func finish(_ turn: Turn) -> [SessionAction] {
        var actions: [SessionAction] = []
        if !turn.output.isEmpty {
            if unsentBytes == 0 { wroteAt = turn.now.uptime }
            unsentBytes += turn.output.count
            if turn.answers { unsentReplyBytes = unsentBytes }
            actions.append(.send(turn.output))
        }
        actions += turn.performed
        if turn.isClosing {
            lost()
            actions.append(turn.isCutOff ? .cutOff : .close)
        } else if isPaused == canStart {
            isPaused.toggle()
            actions.append(isPaused ? .pauseReading : .resumeReading)
        }
        return actions
    }

    /// What one event brings about.
    private struct Turn {
        let now: Moment
        var output: [UInt8] = []
        var performed: [SessionAction] = []
        var isClosing = false
        /// Whether the output has a reply in it, and not pushes alone.
        var answers = false
        /// Whether the end does not wait for what is unsent.
        var isCutOff = false

        init(_ now: Moment) { self.now = now }
    }
}
