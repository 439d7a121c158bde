// SPDX-License-Identifier: Apache-2.0

import Assignment

/// What a client believes that its agency holds, with the digest that `RESUME` compares. Knows no socket.
struct Holdings {
    private(set) var leases: [HeldCursor: AgentLease] = [:]
    private(set) var digest = HeldDigest.empty
    /// What came of them since they were leased; nothing where nothing did.
    private(set) var news: [HeldCursor: [String: String]] = [:]

    /// Takes note of what a reply says about leases.
    mutating func note(_ request: AgentRequest, _ reply: ClientReply) {
        switch request {
        case .lease(let lease):
            for account in reply.isOK ? reply.leasedAccounts : [] {
                add(lease.delegation, account.account, account.epoch)
            }
        case .giveBack(let giveBack):
            if reply.isOK || Self.isOver(reply) { remove(giveBack.delegation, giveBack.account, giveBack.epoch) }
        case .report(let report):
            if Self.isOver(reply) { remove(report.delegation, report.account, report.epoch) }
        case .contact(let contact):
            if Self.isOver(reply) { remove(contact.delegation, contact.account, contact.epoch) }
        case .object(let object):
            if Self.isOver(reply) { remove(object.delegation, object.account, object.epoch) }
        case .hello, .auth, .extend, .resume, .held, .status, .explain, .quiet, .ping, .bye: break
        }
    }

    /// A final recall ends a lease; a notice and a payment are news of it. Both say how things stand, so that it does no harm to hear
    /// one twice, or after a comparison that told it already.
    mutating func note(_ push: ClientPush) {
        guard let delegation: Delegation = push.fields.value("delegation"),
            let account: AccountID = push.fields.value("account"), let epoch: Epoch = push.fields.value("epoch")
        else { return }
        let place = HeldCursor(delegation: delegation, account: account)
        guard leases[place]?.epoch == epoch.value else { return }
        switch (Push.Name(rawValue: push.name), push.fields["final"], push.fields["decision"]) {
        case (.recall, "yes", _): remove(delegation, account, epoch)
        case (.recall, _, "withdrawn"): put(HeldNews.recall, at: place) { _ in nil }
        case (.recall, _, let decision):
            put(HeldNews.recall, at: place) { key in
                switch key {
                case "recall": push.fields["from"]
                case "recall-reason": push.fields["reason"]
                default: decision == "upheld" ? "refused" : nil
                }
            }
        case (.update, _, _): put(HeldNews.paid, at: place) { push.fields[$0] }
        default: break
        }
    }

    /// Takes note of what a comparison told of leases that both sides agree on.
    ///
    /// - Returns: those of which something is known now that was not, or is no more.
    mutating func note(news accounts: [HeldAccount]) -> [AgentLease] {
        accounts.compactMap { account in
            let place = HeldCursor(delegation: account.delegation, account: account.account)
            guard let lease = leases[place], lease.epoch == account.epoch.value else { return nil }
            let before = news[place]
            put(account)
            return news[place] == before ? nil : lease
        }
    }

    private mutating func put(_ account: HeldAccount) {
        let told = Dictionary(account.news.map { ($0.key.text, $0.value) }) { first, _ in first }
        put(HeldNews.keys, at: HeldCursor(delegation: account.delegation, account: account.account)) { told[$0] }
    }

    private mutating func put(_ keys: [StaticKey], at place: HeldCursor, _ value: (String) -> String?) {
        var fields = news[place] ?? [:]
        for key in keys { fields[key.text] = value(key.text) }
        news[place] = fields.isEmpty ? nil : fields
    }

    /// Believes the server.
    ///
    /// - Returns: what was lost and what was found by it.
    mutating func replace(_ held: [HeldAccount]) -> (lost: Set<AgentLease>, found: Set<AgentLease>) {
        let before = Set(leases.values)
        self = Holdings()
        for account in held {
            add(account.delegation, account.account, account.epoch)
            put(account)
        }
        let after = Set(leases.values)
        return (before.subtracting(after), after.subtracting(before))
    }

    private mutating func add(_ delegation: Delegation, _ account: AccountID, _ epoch: Epoch) {
        let place = HeldCursor(delegation: delegation, account: account)
        if let old = leases[place] {
            guard old.epoch != epoch.value, let former = Epoch(old.epoch) else { return }
            remove(delegation, account, former)
        }
        leases[place] = AgentLease(delegation: Int(delegation.value), account: account.value, epoch: epoch.value)
        digest.add(delegation, account, epoch)
    }

    private mutating func remove(_ delegation: Delegation, _ account: AccountID, _ epoch: Epoch) {
        let place = HeldCursor(delegation: delegation, account: account)
        guard leases[place]?.epoch == epoch.value else { return }
        leases[place] = nil
        news[place] = nil
        digest.subtract(delegation, account, epoch)
    }

    private static func isOver(_ reply: ClientReply) -> Bool {
        switch reply.code {
        case .expired, .reassigned, .recalled, .closed, .unknown: true
        default: false
        }
    }
}

extension AgentRequest {
    /// A request as a program writes it: a verb and fields, read by the same rules as a line of the wire.
    ///
    /// - Throws: ``AgentClientError/badRequest(_:)``.
    init(verb word: String, fields: [String: String]) throws {
        var line = Array(word.utf8)
        for (key, value) in fields.sorted(by: { $0.key < $1.key }) {
            line.append(.space)
            line.append(contentsOf: key.utf8)
            line.append(.equals)
            line.append(value: value)
        }
        var scanner = FieldScanner(line[...])
        do {
            guard let verb = Verb(try scanner.word()) else { throw AgentClientError.badRequest("no verb \(word)") }
            self = try AgentRequest(verb: verb, scanner: scanner, batchMax: .max)
        } catch let refusal as Refusal {
            let field = refusal.fields.first { $0.key.text == "field" }.map { " of \($0.value)" } ?? ""
            throw AgentClientError.badRequest("\(refusal.code.rawValue)\(field)")
        } catch is SyntaxError {
            throw AgentClientError.badRequest("a field that no line can carry")
        }
    }

    /// Whether asking twice has no second effect.
    var isRepeatable: Bool {
        switch self {
        case .lease, .report, .extend, .giveBack, .object, .resume, .held, .status, .explain, .quiet, .ping: true
        // Each disclosure of contact data is a record.
        case .contact, .hello, .auth, .bye: false
        }
    }

    var key: Int64? {
        switch self {
        case .lease(let request): request.key
        case .report(let request): request.key
        case .extend(let request): request.key
        case .giveBack(let request): request.key
        case .object(let request): request.key
        case .hello, .auth, .contact, .resume, .held, .status, .explain, .quiet, .ping, .bye: nil
        }
    }
}
