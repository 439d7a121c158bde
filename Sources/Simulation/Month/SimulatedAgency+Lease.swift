// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol
internal import Assignment

extension SimulatedAgency {
    private static let batch = 100
    private static let pullsPerTickMax = 8
    /// How many ticks' work an agency wants to have lying ready.
    static let backlogTicks = 3

    /// Pulls in each strategy of the post until there is work for some ticks, or the daemon says why there is no more.
    func pull(_ post: ContractBook.Post, _ tick: Tick) async throws {
        let unworked = state.cases.values.filter {
            $0.works == 0 && $0.nextAt != nil && $0.contract == post.contract && $0.delegation == post.delegation
        }
        let fresh = Dictionary(grouping: unworked, by: \.strategy)
        for strategy in post.strategies {
            let key = PullKey(contract: post.contract, delegation: post.delegation, strategy: strategy)
            guard !exhausted.contains(key), !undealt.contains(key) else { continue }
            let wanted = max(10, capacity(post, tick) * Self.backlogTicks / post.strategies.count)
            var missing = wanted - (fresh[strategy]?.count ?? 0)
            var pulls = 0
            var empty = 0
            while missing > 0, pulls < Self.pullsPerTickMax, empty < Self.pullsPerTickMax {
                let (granted, goesOn) = try await lease(post, strategy, max: min(Self.batch, missing), tick)
                missing -= granted
                // Whether a hand that came to its end is asked once more depends on when the node looked, and is no pull.
                if granted > 0 { pulls += 1 } else { empty += 1 }
                guard goesOn else {
                    exhausted.insert(key)
                    break
                }
            }
        }
    }

    /// - Returns: how many accounts came, and whether asking again makes sense today.
    private func lease(
        _ post: ContractBook.Post, _ strategy: Strategy, max: Int, _ tick: Tick
    ) async throws -> (Int, Bool) {
        let request = LeaseRequest(
            key: nextKey(), delegation: post.delegation, strategy: strategy, contract: post.contract, max: max)
        let replies = try await link.send([.lease(request)])
        guard let reply = replies.first else { return (0, false) }
        guard let summary = reply.leaseSummary else {
            refused(reply, verb: "LEASE", key: request.key, delegation: post.delegation, held: nil)
            if reply.code == .scope {
                undealt.insert(PullKey(contract: post.contract, delegation: post.delegation, strategy: strategy))
            }
            return (0, false)
        }
        let accounts = reply.leasedAccounts
        let goesOn = summary.stop == .limit || summary.stop == .hand
        guard let grant = summary.grant, let term = summary.term, !accounts.isEmpty else { return (0, goesOn) }
        counts.leases += 1
        counts.accounts += accounts.count
        let told = ClientOperation.Grant(
            grant: grant, strategy: strategy, term: term,
            accounts: accounts.map { Held(account: $0.account, epoch: $0.epoch) }, grace: summary.graceSeconds)
        log.write(
            key: request.key, delegation: post.delegation, .granted(told),
            receipt: reply.fields["receipt"].flatMap { Hex.bytes($0) })
        try log.flush()
        for account in accounts { take(account, post, strategy, grant, term, tick) }
        if random.chance(400) {
            try await repeated(
                .lease(request), verb: "LEASE", key: request.key, delegation: post.delegation, first: reply)
        }
        return (accounts.count, goesOn)
    }

    private func take(
        _ account: LeasedAccount, _ post: ContractBook.Post, _ strategy: Strategy, _ grant: GrantID, _ term: Timestamp,
        _ tick: Tick
    ) {
        let held = HeldCase(
            delegation: post.delegation, held: Held(account: account.account, epoch: account.epoch),
            contract: post.contract,
            strategy: strategy, grant: grant, term: term, leasedAt: tick.now, tactic: account.tactic ?? "rest",
            due: account.due, overdue: account.overdue, window: ContactWindow(text: account.window) ?? .whole,
            nextAt: isNeglected(account) ? nil : tick.now)
        state.cases[held.cursor] = held
        let debtor = Debtor(seed: seed, period: period, held)
        if debtor.isSpontaneous, !debtor.isPayer {
            plan(held, debtor, onDay: tick.day.advanced(byDays: debtor.daysToPay + 5))
        }
    }

    private func isNeglected(_ account: LeasedAccount) -> Bool {
        var draw = SplitMix64(seed: seed, 0x1D1E, Int(agency.value), Int(account.account.value))
        return draw.chance(behaviour.neglect)
    }

    /// Asks for ten more days of grants that end within three, where enough of them is still in work.
    func extendNear(_ tick: Tick) async throws {
        let soon = tick.now.advanced(by: .seconds(3 * 86_400))
        let near = Dictionary(grouping: state.cases.values.filter { $0.term <= soon }, by: \.grant)
        // By what is in them: the numbers of hands are those of whichever thread dealt first.
        let first = near.mapValues { cases in cases.map(\.cursor).min() }
        let order = near.keys.sorted { left, right in
            guard let one = first[left] ?? nil, let other = first[right] ?? nil else { return left < right }
            return one < other
        }
        for grant in order where state.extended.insert(grant).inserted {
            guard let held = near[grant]?.first, near[grant]?.contains(where: { $0.nextAt != nil }) == true,
                random.chance(6_000)
            else { continue }
            let until = held.term.advanced(by: .seconds(10 * 86_400))
            let request = ExtendRequest(key: nextKey(), delegation: held.delegation, grant: grant, until: until)
            guard let reply = try await link.send([.extend(request)]).first else { continue }
            guard reply.isOK, let term = reply.fields.timestamp("term") else {
                refused(reply, verb: "EXTEND", key: request.key, delegation: held.delegation, held: nil, grant: grant)
                continue
            }
            counts.extensions += 1
            log.write(
                key: request.key, delegation: held.delegation,
                .extended(ClientOperation.Extension(grant: grant, term: term)),
                receipt: reply.fields["receipt"].flatMap { Hex.bytes($0) })
            for key in state.cases.keys where state.cases[key]?.grant == grant { state.cases[key]?.term = term }
        }
    }

    /// Returns accounts, and now and then still reports one of them afterwards, which must not count.
    func giveBack(_ givings: [Giving], _ tick: Tick) async throws {
        guard !givings.isEmpty else { return }
        let requests = givings.map { giving in
            ReturnRequest(
                key: nextKey(), delegation: giving.held.delegation, account: giving.held.held.account,
                epoch: giving.held.held.epoch, reason: giving.reason)
        }
        let replies = try await link.send(requests.map { .giveBack($0) })
        for ((giving, request), reply) in zip(zip(givings, requests), replies) {
            guard reply.isOK else {
                refused(reply, verb: "RETURN", key: request.key, delegation: request.delegation, held: giving.held.held)
                continue
            }
            counts.returns += 1
            state.cases[giving.held.cursor] = nil
            log.write(
                key: request.key, delegation: request.delegation,
                .returned(ClientOperation.Return(held: giving.held.held, reason: request.reason.rawValue)),
                receipt: reply.fields["receipt"].flatMap { Hex.bytes($0) })
            try log.flush()
            if random.chance(500) { try await reportStale(giving.held, tick) }
            try await reportGone(giving.held, tick)
            if random.chance(300) {
                try await repeated(
                    .giveBack(request), verb: "RETURN", key: request.key, delegation: request.delegation, first: reply)
            }
        }
    }

    func reportStale(_ held: HeldCase, _ tick: Tick) async throws {
        let request = ReportRequest(
            key: nextKey(), delegation: held.delegation, account: held.held.account, epoch: held.held.epoch,
            at: tick.now.advanced(by: .seconds(-60)), channel: .phoneOut, contact: .nobody, result: .noAnswer)
        guard let reply = try await link.send([.report(request)]).first else { return }
        guard !reply.isOK else {
            // An outcome on a returned account is for the judge to find: it is logged like any other.
            log.write(
                key: request.key, delegation: request.delegation,
                .reported(
                    ClientOperation.Report(
                        held: held.held, at: request.at, channel: request.channel.rawValue,
                        contact: request.contact.rawValue,
                        result: request.result.rawValue, outcome: reply.fields.number("outcome") ?? 0)))
            return
        }
        refused(reply, verb: "REPORT", key: request.key, delegation: request.delegation, held: held.held)
    }

    /// Compares what it believes with what the daemon says, page by page, and believes the daemon; the log says where they differ.
    func resume(_ tick: Tick) async throws {
        counts.resumes += 1
        var digest = HeldDigest.empty
        for held in state.cases.values { digest.add(held.delegation, held.held.account, held.held.epoch) }
        var actual: [CaseKey: HeldAccount] = [:]
        var after: HeldCursor?
        while true {
            let request = ResumeRequest(count: digest.count, digest: digest.bytes, after: after)
            guard let reply = try await link.send([.resume(request)]).first, reply.isOK else { return }
            if reply.fields["match"] == "yes" { return }
            for held in reply.heldAccounts {
                actual[CaseKey(delegation: held.delegation, account: held.account)] = held
            }
            guard let next = HeldCursor(text: reply.fields["next"] ?? ""), next != after else { break }
            after = next
        }
        for (key, held) in state.cases.sorted(by: { $0.key < $1.key }) where actual[key]?.epoch != held.held.epoch {
            log.write(key: 0, delegation: key.delegation, .compared(held.held, isHeld: false))
            state.cases[key] = nil
        }
        for (key, held) in actual.sorted(by: { $0.key < $1.key }) where state.cases[key] == nil {
            log.write(
                key: 0, delegation: key.delegation,
                .compared(Held(account: held.account, epoch: held.epoch), isHeld: true))
            guard held.term > tick.now else { continue }
            state.cases[key] = HeldCase(
                delegation: held.delegation, held: Held(account: held.account, epoch: held.epoch), contract: nil,
                strategy: nil,
                grant: held.grant, term: held.term, leasedAt: tick.now, tactic: "rest", due: .zero, overdue: .zero,
                window: .whole)
        }
    }
}

extension HeldCursor {
    /// As `next=` has it.
    init?(text: String) {
        let parts = text.split(separator: ":")
        guard parts.count == 2, let delegation = Delegation(text: parts[0]), let account = AccountID(text: parts[1])
        else { return nil }
        self.init(delegation: delegation, account: account)
    }
}
