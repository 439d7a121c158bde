// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol
internal import Assignment

extension SimulatedAgency {
    /// Gestiones that an adviser gets done between two ticks.
    private static let callsPerTick = 7
    private static let visitsPerTick = 4
    private static let burst = 200

    struct Giving: Sendable {
        var held: HeldCase
        var reason: ReturnReason
    }

    private struct Doing {
        var request: ReportRequest
        var gestion: Gestion
    }

    func capacity(_ post: ContractBook.Post, _ tick: Tick) -> Int { Self.capacity(post, behaviour, tick) }

    /// Gestiones that the people of one post get done in a half day.
    static func capacity(_ post: ContractBook.Post, _ behaviour: Behaviour, _ tick: Tick) -> Int {
        let full = post.telephoneAdvisers * callsPerTick + post.homeVisitAdvisers * visitsPerTick
        return max(1, full * behaviour.diligencePercent / 100 * tick.effortPercent / 100)
    }

    /// Works what is due, fresh accounts first, up to what its people can do, and reports it in bursts.
    ///
    /// - Returns: what goes back.
    func work(_ tick: Tick) async throws -> [Giving] {
        var doings: [Doing] = []
        let byPost = Dictionary(grouping: state.cases.values) {
            PostKey(contract: $0.contract, delegation: $0.delegation)
        }
        for post in posts {
            let held = (byPost[PostKey(contract: post.contract, delegation: post.delegation)] ?? [])
                .filter { $0.leasedAt < tick.now && ($0.nextAt ?? .distantFuture) <= tick.now }
                .sorted {
                    ($0.works, $0.nextAt ?? .distantFuture, $0.cursor) < (
                        $1.works, $1.nextAt ?? .distantFuture, $1.cursor
                    )
                }
            for item in held.prefix(capacity(post, tick) * behaviour.invention) {
                if let doing = doing(item, tick) { doings.append(doing) }
            }
        }
        try await ask(doings.filter { asksBefore($0) })
        var returns: [Giving] = []
        for start in stride(from: 0, to: doings.count, by: Self.burst) {
            returns += try await report(Array(doings[start..<min(start + Self.burst, doings.count)]), tick)
        }
        return returns
    }

    /// Whether its people need to know how to reach the debtor first. Drawn by the account, so that nothing else is drawn otherwise for it.
    private func asksBefore(_ doing: Doing) -> Bool {
        let (request, gestion) = (doing.request, doing.gestion)
        guard [.phoneOut, .visit, .locationVisit].contains(gestion.channel),
            state.cases[CaseKey(delegation: request.delegation, account: request.account)]?.works == 0
        else { return false }
        var draw = SplitMix64(seed: seed, 0xC047, Int(agency.value), Int(request.account.value))
        return draw.chance(behaviour.asksPercent * 100)
    }

    /// Asks for the contact data of what is called or visited now. It is not kept, and a question that is refused is not a reason to stop
    /// working: the report of the work says whether the account is still held.
    private func ask(_ doings: [Doing]) async throws {
        for start in stride(from: 0, to: doings.count, by: Self.burst) {
            guard !closedContacts.isClosed() else { return }
            let asked = doings[start..<min(start + Self.burst, doings.count)].map(\.request)
            let answers = try await link.ask(
                asked.map { .contact(ContactRequest(delegation: $0.delegation, account: $0.account, epoch: $0.epoch)) })
            for (request, reply) in zip(asked, answers ?? []) {
                guard reply.isOK else {
                    if reply.code == .unsupported { closedContacts.close() }
                    counts.refused["CONTACT \(reply.codeText)", default: 0] += 1
                    // What it says of the account is for the judge, and changes nothing here.
                    if reply.replyClass == .refresh {
                        let held = Held(account: request.account, epoch: request.epoch)
                        log.write(
                            key: 0, delegation: request.delegation,
                            .refused(ClientOperation.Refusal(verb: "CONTACT", code: reply.codeText, held: held)))
                    }
                    continue
                }
                counts.contacts += 1
                log.write(
                    key: 0, delegation: request.delegation,
                    .disclosed(Held(account: request.account, epoch: request.epoch)),
                    receipt: reply.fields["receipt"].flatMap { Hex.bytes($0) })
            }
            try log.flush()
        }
    }

    private struct PostKey: Hashable {
        var contract: ContractID?
        var delegation: Delegation
    }

    /// `nil` where no instant since the last tick lies in the contact window.
    private func doing(_ held: HeldCase, _ tick: Tick) -> Doing? {
        guard let at = instant(held, tick) else { return nil }
        let gestion = behaviour.told(
            Script(seed: seed, signingPercent: behaviour.signingPercent).next(
                held, Debtor(seed: seed, period: period, held)), of: held)
        let request = ReportRequest(
            key: nextKey(), delegation: held.delegation, account: held.held.account, epoch: held.held.epoch, at: at,
            channel: gestion.channel, contact: gestion.contact, result: gestion.result, amount: gestion.amount,
            promised: gestion.promisedInDays.map { tick.day.advanced(byDays: $0) },
            solution: gestion.solution.flatMap { Token($0) })
        return Doing(request: request, gestion: gestion)
    }

    /// A whole second after the lease and the last tick, before now, inside the contact window of the account.
    private func instant(_ held: HeldCase, _ tick: Tick) -> Timestamp? {
        let earliest =
            behaviour.cheat == .backDatedReports
            ? max(held.leasedAt, tick.now.advanced(by: .seconds(-Int64(Behaviour.backDatedDays) * 86_400)))
            : max(held.leasedAt, tick.previous, tick.now.advanced(by: .seconds(-8 * 3_600)))
        let span = Int((tick.now.microseconds - earliest.microseconds) / 1_000_000)
        guard span > 2 else { return nil }
        for _ in 0..<3 {
            let at = tick.now.advanced(by: .seconds(-random.between(1...span - 1)))
            if held.window.allows(at) { return at }
        }
        let late = tick.now.advanced(by: .seconds(-random.between(1...min(300, span - 1))))
        return held.window.allows(late) ? late : nil
    }

    private func report(_ doings: [Doing], _ tick: Tick) async throws -> [Giving] {
        let replies = try await link.send(doings.map { .report($0.request) })
        var returns: [Giving] = []
        for (doing, reply) in zip(doings, replies) {
            guard note(doing.request, reply) else { continue }
            if let giving = remember(doing, tick) { returns.append(giving) }
        }
        try log.flush()
        if random.chance(800), let index = replies.indices.randomElement(using: &random),
            replies[index].replyClass != .retry
        {
            let request = doings[index].request
            try await repeated(
                .report(request), verb: "REPORT", key: request.key, delegation: request.delegation,
                first: replies[index])
        }
        return returns
    }

    /// Writes to the log what became of a report.
    ///
    /// - Returns: whether it was taken.
    @discardableResult
    func note(_ request: ReportRequest, _ reply: ClientReply) -> Bool {
        guard reply.isOK, let outcome = reply.fields.number("outcome") else {
            refused(
                reply, verb: "REPORT", key: request.key, delegation: request.delegation,
                held: Held(account: request.account, epoch: request.epoch))
            return false
        }
        counts.reports += 1
        log.write(
            key: request.key, delegation: request.delegation, .reported(told(request, outcome)),
            receipt: reply.fields["receipt"].flatMap { Hex.bytes($0) })
        return true
    }

    private func told(_ request: ReportRequest, _ outcome: Int64) -> ClientOperation.Report {
        ClientOperation.Report(
            held: Held(account: request.account, epoch: request.epoch), at: request.at,
            channel: request.channel.rawValue,
            contact: request.contact.rawValue, result: request.result.rawValue, amount: request.amount,
            promised: request.promised, solution: request.solution?.text, outcome: outcome)
    }

    private func remember(_ doing: Doing, _ tick: Tick) -> Giving? {
        let key = CaseKey(delegation: doing.request.delegation, account: doing.request.account)
        guard var held = state.cases[key] else { return nil }
        let debtor = Debtor(seed: seed, period: period, held)
        if held.works == 0, debtor.isPayer, behaviour.cheat != .reportsWithoutCalls {
            plan(held, debtor, onDay: tick.day.advanced(byDays: debtor.daysToPay))
        }
        if doing.gestion.result == .agreementSigned, doing.gestion.channel == .mediationSession {
            planAgreement(held, tick)
        }
        held.works += 1
        held.isScheduled = held.isScheduled || doing.gestion.schedules
        held.nextAt = doing.gestion.againInDays.map { tick.now.advanced(by: .seconds($0 * 86_400 - 3_600)) }
        state.cases[key] = held
        return doing.gestion.returns.map { Giving(held: held, reason: $0) }
    }

    /// One instalment in every month in which the agreement is paid; the months to come stay in the state until their day.
    private func planAgreement(_ held: HeldCase, _ tick: Tick) {
        var draw = SplitMix64(seed: seed, 0xA9EE, Int(held.held.account.value), Int(period.number))
        let agreement = AgreementDraw(&draw)
        for (month, isPaid) in agreement.isPaid.enumerated() where isPaid {
            let period = tick.day.period.advanced(byMonths: month)
            let day =
                month == 0
                ? min(tick.day.advanced(byDays: draw.between(0...9)), period.lastDay)
                : period.firstDay.advanced(byDays: draw.between(2...24))
            state.payments.append(
                PlannedPayment(
                    identifier: "A\(held.delegation)-\(held.held.account)-\(day)", key: held.cursor, on: day,
                    amount: max(Cents(20_000), held.due), origin: "borrower"))
        }
    }

    func plan(_ held: HeldCase, _ debtor: Debtor, onDay day: LocalDate) {
        let identifier = "P\(held.delegation)-\(held.held.account)-\(day)"
        guard !state.payments.contains(where: { $0.identifier == identifier }) else { return }
        let payment = PlannedPayment(
            identifier: identifier, key: held.cursor, on: day, amount: debtor.payment, origin: debtor.origin)
        state.payments.append(payment)
        guard debtor.isReversed else { return }
        var reversal = payment
        reversal.identifier = "R\(identifier.dropFirst())"
        reversal.on = day.advanced(byDays: 3)
        reversal.reverses = identifier
        state.payments.append(reversal)
    }
}

extension Timestamp {
    /// Later than anything that happens.
    static let distantFuture = Timestamp(microseconds: .max)
}

extension SplitMix64: RandomNumberGenerator {}
