// SPDX-License-Identifier: Apache-2.0

internal import Assignment
package import PgStore

/// Who held an account, why, and all that was done, disclosed and paid: an auditor's question, answered from the deals and from the
/// records of the ledger.
package struct AccountAudit: Encodable {
    package struct Holding: Encodable {
        package let period: String
        package let delegation: Int16
        package let epoch: Int64
        package let strategy: String
        package let tactic: String
        package let portfolio: String
        /// The rule of the policy that placed it, and the policy.
        package let rule: String?
        package let policy: String?
        package let plan: Int64
        package let seed: Int64
        package let hand: Int32
        package let position: Int32
        package let handSize: Int32
        /// `plan`, or `front`: a later deal into a front hand, or `opening`: elsewhere, before this installation was there.
        package let dealtBy: String
        /// Who could draw it: one contract, or those that share the hand.
        package let dealtTo: [Dealt]
        /// Of what nobody leased.
        package let waiting: Waiting?
        package let agency: String?
        package let agencyName: String?
        package let contract: Int32?
        package let contractNumber: String?
        package let grant: String?
        package let from: String?
        /// When it ended; of a live lease its term.
        package let until: String?
        package let term: String?
        /// Of a live lease: until when nobody else gets it, with grace and outages.
        package let enforced: String?
        package let ending: String?
    }

    /// What became of a deal that nobody leased.
    package enum Waiting: String, Encodable, Sendable {
        /// In an open hand, in front of whoever pulls next.
        case waits
        case withdrawn
        /// By a pull that came to it and could not take it.
        case passed
        /// With a hand that was closed at the turn of its month.
        case closed
        /// Its plan is being dealt.
        case inactive
    }

    package struct Dealt: Encodable {
        package let contract: Int32
        package let agency: String
    }

    package struct Event: Encodable {
        package let at: String
        package let kind: String
        package let record: String
        /// The record's hash in the ledger, to be proved by.
        package let receipt: String
    }

    package struct Place: Encodable {
        package let period: String
        package let delegation: Int16
        package let strategy: String
        package let rule: String
        /// What it may be offered by the policy that placed it; empty where it was not placed, or where this version cannot read
        /// that policy any more.
        package let offers: [OfferedSolution]
    }

    package let account: Int64
    package let on: String?
    package let placements: [Place]
    package let holdings: [Holding]
    package let events: [Event]
    package let stops: [String]

    /// - Parameter day: only who held it on this day of Mexico City, and what happened up to its end.
    package init(_ link: PgLink, account number: Int64, on day: String? = nil) throws {
        let account = try Words.account(number)
        let limit = try day.map { try Words.midnight($0) }
        let end = limit?.advanced(by: .seconds(86_400))
        self.account = number
        on = day
        (placements, holdings, events, stops) = try link.snapshot {
            let store = AuditStore(link)
            let placements = try store.placements(of: account)
            let deals = try store.deals(of: account)
            let cuts = try store.cuts(of: account)
            guard !placements.isEmpty || !deals.isEmpty || !cuts.isEmpty else {
                throw CommandFailure(
                    .findings, "no cut has an account \(number)", remedy: "Check the number; it is the credit's own.")
            }
            let held = deals.filter { deal in
                guard let limit, let end else { return true }
                return deal.lease.map { $0.from < end && $0.until >= limit } ?? false
            }
            let delegations = Set(deals.map(\.delegation) + cuts.map(\.delegation)).sorted()
            let unplaced = cuts.filter { cut in !placements.contains { $0.period == cut.period } }
            let events = try Self.events(store, account, deals, delegations).filter { event in
                end.map { event.at < "\($0)" } ?? true
            }
            let stops = try store.stops(of: account).map { stop in
                "\(stop.reason) from \(stop.from)" + (stop.until.map { " until \($0)" } ?? "")
            }
            return (
                try placements.map { place in
                    Place(
                        period: "\(place.period)", delegation: place.delegation.value,
                        strategy: place.strategy?.name ?? "excluded", rule: place.exclusion ?? place.rule,
                        offers: try Self.offers(
                            link, place, balance: cuts.first { $0.period == place.period }?.balance ?? .zero))
                }
                    + unplaced.map { cut in
                        Place(
                            period: "\(cut.period)", delegation: cut.delegation.value, strategy: "not placed",
                            rule: "nothing to collect, or not segmented yet", offers: [])
                    }, held.map(Holding.init), events, stops
            )
        }
    }

    private static func offers(
        _ link: PgLink, _ place: AuditStore.Placement, balance: Cents
    ) throws -> [OfferedSolution] {
        guard place.offers != 0 else { return [] }
        do {
            return try OfferBook(link, period: place.period).solutions(place.offers, balance: balance)
        } catch is CommandFailure {
            // A policy of an older version of this program; all else of the account can be told.
            return []
        }
    }

    private static func events(
        _ store: AuditStore, _ account: AccountID, _ deals: [AuditStore.Deal], _ delegations: [Delegation]
    ) throws -> [Event] {
        let name = "account=\(account)"
        // A grant is of many accounts and names none; what is recorded of it is of all of them.
        let grants = Set(deals.compactMap { deal in deal.lease.map { Grant(deal.delegation, $0.grant) } })
        var events: [Event] = []
        var outcomes: [Int64] = []
        for block in try store.blocks(naming: account, grants: grants.map(\.id), in: delegations) {
            for record in LedgerBlock.unpack(block.records) {
                let text = String(decoding: record, as: UTF8.self)
                let isOwn = text.split(separator: " ").contains { $0 == name }
                guard isOwn || Grant(record: text).map(grants.contains) ?? false else { continue }
                if let fields = LedgerFields(text), fields.kind == "outcome", let number = fields.number("number") {
                    outcomes.append(number)
                }
                events.append(Event(text, receipt: LedgerTree.leaf(record)))
            }
        }
        // They name the outcome alone.
        let decided =
            try store.reviews(of: outcomes, in: delegations).map(LedgerRecord.review)
            + store.contests(of: outcomes, in: delegations).map { LedgerRecord.contest($0) }
        events += decided.map { Event(String(decoding: $0.bytes, as: UTF8.self), receipt: $0.receipt) }
        // Of one instant, as a clock that is stepped by hand has many, in the order of the ledger.
        return events.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }.map(\.element)
    }

    /// A grant of one delegation, as its records name it.
    private struct Grant: Hashable {
        let delegation: Delegation
        let id: GrantID

        init(_ delegation: Delegation, _ id: GrantID) {
            self.delegation = delegation
            self.id = id
        }

        /// Of a grant that was made, extended or swept; `nil` for any other record.
        init?(record: String) {
            guard ["grant ", "extension ", "sweep "].contains(where: record.hasPrefix),
                let fields = LedgerFields(record),
                let number = fields.number(fields.kind == "grant" ? "id" : "grant"),
                let id = GrantID(text: String(number)),
                let delegation = fields.number("delegation").flatMap({ Int16(exactly: $0) }).flatMap({ Delegation($0) })
            else { return nil }
            self.init(delegation, id)
        }
    }
}

extension AccountAudit.Event {
    /// The instant that the record is about: of the work, of the payment's day, of what was decided.
    fileprivate init(_ text: String, receipt: [UInt8]) {
        // Not by ``LedgerFields``: a person's name in an early record may have a space.
        let words = text.split(separator: " ")
        func value(_ key: String) -> String? {
            words.last { $0.hasPrefix(key + "=") }.map { String($0.dropFirst(key.count + 1)) }
        }
        at = value("worked") ?? value("at") ?? value("paid").map { $0 + "T12:00:00.000Z" } ?? value("on") ?? ""
        kind = words.first.map(String.init) ?? ""
        record = text
        self.receipt = LedgerTree.hex(receipt)
    }
}

extension AccountAudit.Holding {
    fileprivate init(_ deal: AuditStore.Deal) {
        period = "\(deal.period)"
        delegation = deal.delegation.value
        epoch = deal.epoch
        strategy = deal.strategy?.name ?? ""
        tactic = deal.tactic
        portfolio = deal.portfolio?.name ?? ""
        rule = deal.rule
        policy = deal.policy.map { "\($0.name) \($0.version)" }
        plan = deal.plan
        seed = deal.seed
        hand = deal.hand
        position = deal.position
        handSize = deal.handSize
        dealtBy = deal.isOpening ? "opening" : deal.isFront ? "front" : "plan"
        dealtTo = deal.dealtTo.map { AccountAudit.Dealt(contract: $0.contract, agency: $0.agency.description) }
        waiting = deal.lease == nil ? Self.waiting(deal) : nil
        agency = deal.lease?.agency?.description
        agencyName = deal.lease?.agencyName
        contract = deal.lease?.contract
        contractNumber = deal.lease?.contractNumber
        grant = deal.lease?.grant.description
        from = deal.lease?.from.description
        let isLive = deal.lease.map { !$0.isSwept && deal.ending == nil } ?? false
        until = deal.lease.map { isLive ? $0.term.description : $0.until.description }
        term = deal.lease?.term.description
        enforced = isLive ? deal.lease?.until.description : nil
        ending =
            deal.ending.map { "\($0.kind) (\($0.reason)) at \($0.at)" }
            ?? deal.lease.flatMap { $0.isSwept ? "expiry at \($0.until), its term \($0.term)" : nil }
    }

    private static func waiting(_ deal: AuditStore.Deal) -> AccountAudit.Waiting {
        if deal.ending != nil || deal.withdrawn != nil && !deal.isPassed { return .withdrawn }
        if deal.isPassed { return .passed }
        switch deal.handState {
        case "open": return .waits
        case "inactive": return .inactive
        default: return .closed
        }
    }
}

extension AccountAudit {
    /// For people: places, holdings with their reasons, then what happened.
    package var lines: [String] {
        var lines = ["account \(account)" + (on.map { " on \($0)" } ?? "")]
        for place in placements {
            let offers = place.offers.map { offer in
                "\(offer.solution) (\(offer.origins.joined(separator: ", "))\(offer.amounts.map { ": \($0)" } ?? ""))"
            }
            lines.append(
                "\(place.period): \(place.strategy) in delegation \(place.delegation), by \(place.rule)"
                    + (offers.isEmpty ? "" : "; may be offered \(offers.joined(separator: ", "))"))
        }
        for stop in stops { lines.append("stopped: \(stop)") }
        if holdings.isEmpty { lines.append(on == nil ? "it was never dealt" : "nobody held it on that day") }
        for holding in holdings {
            lines.append("")
            if let agency = holding.agency {
                lines.append(
                    "held by \(agency) \(holding.agencyName ?? "") under contract \(holding.contract ?? 0) "
                        + "(\(holding.contractNumber ?? "")) from \(holding.from ?? "") until \(holding.until ?? "")"
                        + (holding.enforced.map { ", its term; with grace and outages until \($0)" } ?? ""))
            } else {
                lines.append(holding.unleased)
            }
            if holding.dealtBy == "opening" {
                lines.append(
                    "  why: \(holding.strategy); held when the operation came on board (import opening), epoch \(holding.epoch)"
                )
                if let ending = holding.ending { lines.append("  ended: \(ending)") }
                continue
            }
            lines.append(
                "  why: \(holding.strategy), \(holding.tactic), by rule \(holding.rule ?? "(gone)") of policy "
                    + "\(holding.policy ?? "(gone)"); dealt by \(holding.dealtBy == "plan" ? "plan" : "a front hand of plan") "
                    + "\(holding.plan), seed \(holding.seed), hand \(holding.hand), position \(holding.position) of "
                    + "\(holding.handSize), epoch \(holding.epoch)"
            )
            if let ending = holding.ending { lines.append("  ended: \(ending)") }
        }
        if !events.isEmpty { lines += ["", "what the ledger has of it:"] }
        for event in events { lines.append("  \(event.record)  [\(event.receipt.prefix(16))…]") }
        return lines
    }
}

extension AccountAudit.Holding {
    /// What became of a deal that nobody leased, in words.
    fileprivate var unleased: String {
        let whom = dealtTo.map { "\($0.agency) under contract \($0.contract)" }.joined(separator: " or ")
        switch waiting {
        case .waits: return "waits for \(whom), which may pull it"
        case .withdrawn: return "was dealt to \(whom), and withdrawn before it was pulled"
        case .passed: return "was dealt to \(whom), and passed over by the pull that came to it"
        case .inactive: return "is being dealt to \(whom)"
        case .closed, nil: return "was dealt to \(whom), and not pulled before its hand was closed"
        }
    }
}
