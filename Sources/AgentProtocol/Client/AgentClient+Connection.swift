// SPDX-License-Identifier: Apache-2.0

import Assignment

extension AgentClient {
    /// The connection; where there is none, one is made, and all that comes before new requests is done.
    func connected(until deadline: ContinuousClock.Instant) async throws(AgentClientError) -> AgentConnection {
        while true {
            if isClosed { throw .closed }
            if let connection { return connection }
            let others = connecting
            let task = others ?? Task { try await self.makeConnection(until: deadline) }
            connecting = task
            // Whoever began may be more patient than this one, and less.
            switch await task.result(until: deadline) {
            case .success(let made): return made
            case nil: throw Task.isCancelled ? .cancelled : .cannotConnect(latestObstacle ?? "no answer in time")
            case .failure(let error as AgentClientError):
                if case .cannotConnect = error, others != nil, ContinuousClock.now < deadline { continue }
                throw error
            case .failure(let error): throw isClosed ? .closed : .cannotConnect("\(error)")
            }
        }
    }

    private func makeConnection(until deadline: ContinuousClock.Instant) async throws -> AgentConnection {
        latestObstacle = nil
        defer { connecting = nil }
        let made = try await connect(until: deadline)
        guard !isClosed else {
            made.abandon()
            throw AgentClientError.closed
        }
        connection = made
        if comparesAgain { refresh(over: made) }
        repeatLater()
        return made
    }

    /// Goes round the addresses, and waits longer after each round.
    private func connect(until deadline: ContinuousClock.Instant) async throws -> AgentConnection {
        for attempt in 1... {
            let address = settings.addresses[nextAddress % settings.addresses.count]
            do {
                let made = try await AgentConnection.connect(
                    settings.connection(address, installation.instance, sequence: try await nextSequence()))
                connectionCount += 1
                told.yield(.connected(address))
                listen(to: made)
                do {
                    try await establish(made)
                } catch {
                    made.abandon()
                    told.yield(.disconnected("\(error)"))
                    throw error
                }
                return made
            } catch let error as AgentConnectionError {
                if case .refused(let reply) = error, reply.replyClass != .retry {
                    throw AgentClientError.refused(AgentReply(reply))
                }
                if case .cannotConnect(_, _, let reason) = error {
                    latestObstacle = "\(address): \(reason)"
                } else {
                    latestObstacle = "\(address): \(error)"
                }
            }
            nextAddress += 1
            guard ContinuousClock.now < deadline, !isClosed else { break }
            if attempt % settings.addresses.count == 0 {
                // No address let it in: the longer that lasts, the less often it asks.
                try await Task.sleep(for: settings.pause(attempt / settings.addresses.count))
            }
        }
        throw AgentClientError.cannotConnect(latestObstacle ?? "no address was given")
    }

    /// Sends again what may have been done, and compares once nothing is in flight.
    private func establish(_ live: AgentConnection) async throws {
        let mine = connectionCount
        establishing = live
        defer { establishing = nil }
        while true {
            let again = unrepeated(before: mine)
            for number in again { requests[number]?.repeatedOn = mine }
            await send(again, over: live)
            // Also what a node that goes away has still to answer.
            await noneInFlight()
            if unrepeated(before: mine).isEmpty { break }
        }
        comparesAgain = false
        if installation.holdings.accounts.isEmpty, live.admission.fields.number("held") == 0 {
            // Both sides hold nothing: there is nothing to compare.
            try await believe(true, [], live.greeting.timestamp("time"))
        } else {
            try await compare(over: live)
        }
    }

    /// What may have been done, has no answer, and was not sent over this connection yet.
    private func unrepeated(before number: Int) -> [Int] {
        requests.filter {
            $0.value.mayBeDone && $0.value.end == nil && !$0.value.isInFlight && $0.value.repeatedOn < number
                && $0.value.request.keyedPlace != nil
        }.keys.sorted()
    }

    /// A connection is gone, or is of no use.
    func lost(_ dead: AgentConnection, _ why: String) {
        dead.abandon()
        guard connection === dead else { return }
        connection = nil
        nextAddress += 1
        told.yield(.disconnected(why))
        reconnect()
    }

    /// Makes another connection without being asked, so that pushes come.
    private func reconnect() {
        guard settings.staysConnected, !isClosed, reconnecting == nil else { return }
        let (first, patience) = (settings.pauseFirst, settings.patience)
        reconnecting = Task { [weak self] in
            var isWanted = true
            // Whoever asks for something meanwhile connects without this pause.
            while isWanted, (try? await Task.sleep(for: first)) != nil {
                isWanted = await self?.reconnected(until: ContinuousClock.now + patience) ?? false
            }
            await self?.doneReconnecting()
        }
    }

    private func doneReconnecting() { reconnecting = nil }

    /// - Returns: whether to try again.
    private func reconnected(until deadline: ContinuousClock.Instant) async -> Bool {
        do throws(AgentClientError) {
            _ = try await connected(until: deadline)
            return false
        } catch {
            // Who is not let in is told so with the next request.
            if case .cannotConnect = error { return !isClosed }
            return false
        }
    }

    private func listen(to connection: AgentConnection) {
        Task { [weak self] in
            for await push in connection.pushes { await self?.heard(push, from: connection) }
            await self?.ended(connection)
        }
    }

    private func ended(_ dead: AgentConnection) async { lost(dead, await dead.ending) }

    private func heard(_ push: ClientPush, from source: AgentConnection) async {
        let isDoubtful = isDoubtful(push, from: source)
        apply(installation.holdings.changes(push).map { .holding($0) })
        try? await synced()
        told.yield(.push(name: push.name, fields: push.fields.dictionary))
        if isDoubtful || comparesAgain { compareAgain() }
        // The node goes away: what is in flight is answered there, what comes next goes elsewhere.
        if push.name == Push.Name.draining.rawValue, connection === source {
            connection = nil
            nextAddress += 1
            // Answered after what is in flight; a node that is gone by then needs no farewell.
            Task { try? await source.bye() }
            reconnect()
        }
    }

    /// Whether a push leaves open what is held: something was thrown away; or a reply or a page that is older, and is applied later,
    /// may bring back what it ended, or be the first that tells of its account.
    private func isDoubtful(_ push: ClientPush, from source: AgentConnection) -> Bool {
        switch Push.Name(rawValue: push.name) {
        case .missed: true
        case .recall: comparing != nil || connection !== source || isLeasing
        // What is known of a lease is not undone by the reply that granted it.
        case .update:
            comparing != nil || connection !== source || isLeasing && installation.holdings.place(of: push) == nil
        default: false
        }
    }

    private var isLeasing: Bool {
        requests.values.contains { if case .lease = $0.request { $0.isInFlight } else { false } }
    }

    // MARK: Comparing

    /// As soon as it can be: where none of the connections works, the next one begins with it.
    func compareAgain() {
        comparesAgain = true
        if let connection { refresh(over: connection) }
    }

    /// A comparison on a connection that works already: once nothing is in flight, and what comes next waits for it.
    func refresh(over live: AgentConnection) {
        guard comparing == nil, connection === live else { return }
        comparing = Task {
            defer { comparing = nil }
            // Requests wait: where pushes never end, the next one of them goes on with it.
            for _ in 0..<Self.comparisonsMax {
                await noneInFlight()
                comparesAgain = false
                // Where it fails the connection is gone, and the next one begins with a comparison.
                do { try await compare(over: live) } catch { break }
                guard comparesAgain, connection === live else { break }
            }
        }
    }

    /// Sets what is believed to be held against what the server says, and asks what came of it since the last time.
    private func compare(over connection: AgentConnection) async throws {
        var isMatch: Bool?
        var listed: [HeldAccount] = []
        var next: HeldCursor?
        var refusals = 0
        repeat {
            let digest = installation.holdings.digest
            let reply = try await connection.resume(
                ResumeRequest(
                    count: digest.count, digest: digest.bytes, after: next, since: installation.comparedAt))
            guard reply.isOK else {
                refusals += 1
                guard reply.replyClass == .retry, refusals < Self.comparisonRefusalsMax else { return }
                // As the node asks, within bounds: what comes after the comparison waits for it.
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
        try await believe(isMatch == true, listed, connection.greeting.timestamp("time"))
    }

    /// Takes over what the server says, and tells what differs.
    private func believe(_ isMatch: Bool, _ listed: [HeldAccount], _ time: Timestamp?) async throws {
        let before = Set(held)
        let changes =
            isMatch
            ? installation.holdings.changes(told: listed) : installation.holdings.changes(listed: listed)
        apply(changes.map { .holding($0) } + (time.map { [.compared($0)] } ?? []))
        try await synced()
        let changed = changes.compactMap { change -> AgentLease? in
            if case .held(let place, let held) = change { AgentLease(place, held.epoch) } else { nil }
        }
        if !isMatch {
            let after = Set(held)
            told.yield(
                .difference(lost: before.subtracting(after).sorted(), found: after.subtracting(before).sorted()))
        }
        let news = changed.filter { isMatch || before.contains($0) }
        if !news.isEmpty { told.yield(.news(news.sorted())) }
    }

    /// Comparisons in a row.
    private static let comparisonsMax = 10
    /// Refusals of class `retry` that one comparison waits out.
    private static let comparisonRefusalsMax = 10
}
