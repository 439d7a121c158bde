// SPDX-License-Identifier: Apache-2.0

import Assignment

/// What a client believes that its agency holds, with the digest that `RESUME` compares. Knows no socket: what replies, pushes and
/// comparisons change of it are values, which are kept before they are told.
struct Holdings: Equatable {
    struct Held: Hashable {
        let epoch: Epoch
        /// What `LEASE` said of the account, with `grant` and `term`, and what came since (``HeldNews``).
        let fields: FieldText
    }

    enum Change: Equatable {
        /// It came, or something of it is new.
        case held(HeldCursor, Held)
        case over(HeldCursor)
    }

    private(set) var accounts: [HeldCursor: Held] = [:]
    private(set) var digest = HeldDigest.empty

    mutating func apply(_ change: Change) {
        switch change {
        case .held(let place, let held):
            remove(place)
            accounts[place] = held
            digest.add(place.delegation, place.account, held.epoch)
        case .over(let place): remove(place)
        }
    }

    func lease(_ place: HeldCursor) -> AgentLease? { accounts[place].map { AgentLease(place, $0.epoch) } }

    /// What a reply says about leases.
    func changes(_ request: AgentRequest, _ reply: ClientReply) -> [Change] {
        switch request {
        case .lease(let lease): reply.isOK ? leased(lease.delegation, reply) : []
        case .extend(let extend): reply.isOK ? extended(extend, reply.fields["term"]) : []
        case .giveBack(let giveBack):
            reply.isOK || Self.isOver(reply) ? over(giveBack.delegation, giveBack.account, giveBack.epoch) : []
        case .report(let report): Self.isOver(reply) ? over(report.delegation, report.account, report.epoch) : []
        case .contact(let contact): Self.isOver(reply) ? over(contact.delegation, contact.account, contact.epoch) : []
        case .object(let object): Self.isOver(reply) ? over(object.delegation, object.account, object.epoch) : []
        case .hello, .auth, .resume, .held, .status, .explain, .quiet, .ping, .bye: []
        }
    }

    /// Whether a reply shows that more is out of date than it names: a whole grant, or another epoch of ours.
    static func isDoubtful(_ request: AgentRequest, _ reply: ClientReply) -> Bool {
        if case .extend = request { return isOver(reply) }
        return reply.code == .reassigned && reply.fields["epoch"] != nil
    }

    /// A final recall ends a lease; a notice and a payment are news of it. Both say how things stand, so that it does no harm to hear
    /// one twice, or after a comparison that told it already.
    func changes(_ push: ClientPush) -> [Change] {
        guard let place = place(of: push) else { return [] }
        switch (Push.Name(rawValue: push.name), push.fields["final"], push.fields["decision"]) {
        case (.recall, "yes", _): return [.over(place)]
        case (.recall, _, "withdrawn"): return heard(HeldNews.recall, at: place) { _ in nil }
        case (.recall, _, let decision):
            return heard(HeldNews.recall, at: place) { key in
                switch key {
                case "recall": push.fields["from"]
                case "recall-reason": push.fields["reason"]
                default: decision == "upheld" ? "refused" : nil
                }
            }
        case (.update, _, _) where Self.isOfDebtor(push.fields["change"]):
            return heard(HeldNews.started, at: place) { key in push.fields[key == "changed" ? "change" : "on"] }
        // Nothing paid is said, so that it is not overlooked, and kept as comparisons tell it: by leaving it out.
        case (.update, _, _):
            return heard(HeldNews.paid, at: place) { key in push.fields[key].flatMap { $0 == "0.00" ? nil : $0 } }
        default: return []
        }
    }

    /// Whether an UPDATE tells what happened to the debtor, and nothing of payments.
    private static func isOfDebtor(_ change: String?) -> Bool {
        change.map { $0 != "payment" && $0 != "payment-reversed" } ?? false
    }

    /// Where the lease is that a push is about; `nil` where it is about none that is known.
    func place(of push: ClientPush) -> HeldCursor? {
        guard let delegation: Delegation = push.fields.value("delegation"),
            let account: AccountID = push.fields.value("account"), let epoch: Epoch = push.fields.value("epoch")
        else { return nil }
        let place = HeldCursor(delegation: delegation, account: account)
        return accounts[place]?.epoch == epoch ? place : nil
    }

    /// What a comparison told of leases that both sides agree on.
    func changes(told accounts: [HeldAccount]) -> [Change] {
        accounts.flatMap { account -> [Change] in
            let place = HeldCursor(delegation: account.delegation, account: account.account)
            guard self.accounts[place]?.epoch == account.epoch else { return [] }
            return heard(HeldNews.keys, at: place) { account.told[$0] }
        }
    }

    /// What differs from the server's whole list. The server is believed; what `LEASE` said still holds where it is the same deal.
    func changes(listed: [HeldAccount]) -> [Change] {
        var left = Set(accounts.keys)
        var changes: [Change] = []
        for account in listed {
            let place = HeldCursor(delegation: account.delegation, account: account.account)
            left.remove(place)
            let mine = accounts[place]
            var fields = mine?.epoch == account.epoch ? mine?.fields.dictionary ?? [:] : [:]
            for key in HeldNews.keys { fields[key.text] = account.told[key.text] }
            fields["grant"] = account.grant.text
            fields["term"] = account.term.description
            let held = Held(epoch: account.epoch, fields: FieldText(fields))
            if held != mine { changes.append(.held(place, held)) }
        }
        return left.sorted().map { .over($0) } + changes
    }

    private func leased(_ delegation: Delegation, _ reply: ClientReply) -> [Change] {
        let grant = ["grant": reply.fields["grant"], "term": reply.fields["term"], "work-by": reply.fields["work-by"]]
        return reply.data.compactMap { line in
            guard let account: AccountID = line.value("account"), let epoch: Epoch = line.value("epoch") else {
                return nil
            }
            let place = HeldCursor(delegation: delegation, account: account)
            var fields = line.dictionary
            for key in ["account", "epoch"] { fields[key] = nil }
            for (key, value) in grant { fields[key] = value }
            // A reply that is repeated is the one of that time; what is known already is newer.
            if let mine = accounts[place], mine.epoch == epoch {
                fields.merge(mine.fields.dictionary) { _, known in known }
            }
            let held = Held(epoch: epoch, fields: FieldText(fields))
            return accounts[place] == held ? nil : .held(place, held)
        }
    }

    private func extended(_ request: ExtendRequest, _ term: String?) -> [Change] {
        guard let term else { return [] }
        let grant = request.grant.text
        return accounts.compactMap { place, held in
            guard place.delegation == request.delegation else { return nil }
            var fields = held.fields.dictionary
            guard fields["grant"] == grant else { return nil }
            fields["term"] = term
            return .held(place, Held(epoch: held.epoch, fields: FieldText(fields)))
        }
    }

    private func over(_ delegation: Delegation, _ account: AccountID, _ epoch: Epoch) -> [Change] {
        let place = HeldCursor(delegation: delegation, account: account)
        return accounts[place]?.epoch == epoch ? [.over(place)] : []
    }

    private func heard(_ keys: [StaticKey], at place: HeldCursor, _ value: (String) -> String?) -> [Change] {
        guard let mine = accounts[place] else { return [] }
        var fields = mine.fields.dictionary
        for key in keys { fields[key.text] = value(key.text) }
        let held = Held(epoch: mine.epoch, fields: FieldText(fields))
        return held == mine ? [] : [.held(place, held)]
    }

    private mutating func remove(_ place: HeldCursor) {
        guard let old = accounts.removeValue(forKey: place) else { return }
        digest.subtract(place.delegation, place.account, old.epoch)
    }

    private static func isOver(_ reply: ClientReply) -> Bool {
        switch reply.code {
        case .expired, .reassigned, .recalled, .closed, .unknown: true
        default: false
        }
    }
}

extension HeldAccount {
    /// What came since the lease, by its keys.
    fileprivate var told: [String: String] {
        Dictionary(news.map { ($0.key.text, $0.value) }) { first, _ in first }
    }
}

extension GrantID {
    /// As the wire has it.
    fileprivate var text: String {
        var bytes: [UInt8] = []
        write(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension AgentLease {
    init(_ place: HeldCursor, _ epoch: Epoch) {
        self.init(
            delegation: Int(place.delegation.value), account: place.account.value, epoch: epoch.value)
    }
}
