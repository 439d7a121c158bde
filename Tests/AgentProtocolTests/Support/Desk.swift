// SPDX-License-Identifier: Apache-2.0

import AgentProtocol
import Assignment

/// A dispatcher of three accounts in memory: enough of one to answer every verb, so that lines, sessions and
/// connections can be tested. Leasing itself is tested where it is decided.
struct Desk {
    static let secret = hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    static let publicKey = hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    static let grant = GrantID(hand: 3, first: 1)
    static let ceiling = instant("2024-05-03T00:00:00-06:00")

    private var isForgiving: Bool
    private let handIsLarge: Bool
    private var term = instant("2024-04-03T00:00:00-06:00")
    static let first = LeasedAccount.example(1_900_012_345, epoch: 7, due: 4_310_22, overdue: 9_120_87)
    static let second = LeasedAccount.example(1_900_077_120, epoch: 3, due: 2_950_00, overdue: 5_900_00)
    private var undealt = [
        first, second,
        LeasedAccount.example(1_900_088_001, epoch: 1, due: 1_000_00, overdue: 1_000_00),
    ]
    private var held: [HeldCursor: Epoch] = [:]
    private var bound: [Int64: (content: [UInt8], reply: Reply)] = [:]
    private var latestOutcome: Int64 = 55_119
    private var sequences: [AgencyID: Int64] = [:]
    private var isPaused = false
    private var ended: [HeldCursor: ReplyCode] = [:]

    /// - Parameter isForgiving: takes reports on any account, for tests that only want many of them.
    init(handSize: Int64 = 3, isForgiving: Bool = false) {
        self.isForgiving = isForgiving
        self.handIsLarge = handSize > 3
        for number in 3..<max(handSize, 3) {
            undealt.append(.example(1_900_100_000 + number, epoch: 1, due: number, overdue: number))
        }
    }

    mutating func answer(_ request: SessionRequest) -> Reply {
        switch request {
        case .authenticate(let claim): authenticate(claim)
        case .lease(let lease): once(lease.key, lease.canonicalContent) { $0.grant(lease) }
        case .report(let report): once(report.key, report.canonicalContent) { $0.record(report) }
        case .extend(let extend): once(extend.key, extend.canonicalContent) { $0.extend(extend) }
        case .giveBack(let giveBack): once(giveBack.key, giveBack.canonicalContent) { $0.take(giveBack) }
        case .object(let object): once(object.key, object.canonicalContent) { $0.object(object) }
        case .contact(let contact): disclose(contact)
        case .resume(let resume): compare(resume)
        case .held(let held): list(held)
        case .status(let status): stand(status)
        case .explain(let explain): tell(explain)
        case .quiet(let quiet): pause(quiet)
        }
    }

    mutating func recall(_ account: AccountID) {
        let place = HeldCursor(delegation: delegation14, account: account)
        held[place] = nil
        ended[place] = .recalled
    }

    private mutating func authenticate(_ claim: AuthenticationClaim) -> Reply {
        guard claim.isSigned(by: Self.publicKey) else { return .refused(.auth) }
        guard claim.sequence > sequences[claim.agency, default: -1] else { return .refused(.clone) }
        sequences[claim.agency] = claim.sequence
        let identity = AgentIdentity(agency: claim.agency, instanceID: 12)
        return .authenticated(Admission(identity: identity, held: Int64(held.count), contracts: 2))
    }

    private mutating func once(_ key: Int64, _ content: [UInt8], _ act: (inout Desk) -> Reply) -> Reply {
        if let earlier = bound[key] { return earlier.content == content ? earlier.reply : .refused(.keyReused) }
        let reply = act(&self)
        if case .refused(let refusal) = reply, refusal.code.replyClass != .refresh { return reply }
        bound[key] = (content, reply)
        return reply
    }

    private mutating func grant(_ lease: LeaseRequest) -> Reply {
        guard lease.tactic == nil else {
            return .refused(
                .mixedHand,
                [ReplyField("field", "tactic"), ReplyField("expected", "no tactic: pulls take what is next")])
        }
        guard lease.delegation == delegation14 || handIsLarge else { return .refused(.scope) }
        guard !isPaused else { return .leased(accounts: [], grant: .nothing(stop: .paused, after: 60)) }
        let accounts = Array(undealt.prefix(lease.max))
        guard !accounts.isEmpty else { return .leased(accounts: [], grant: .nothing(stop: .empty)) }
        undealt.removeFirst(accounts.count)
        for account in accounts {
            held[HeldCursor(delegation: lease.delegation, account: account.account)] = account.epoch
        }
        return .leased(
            accounts: accounts,
            grant: LeaseSummary(
                grant: Self.grant, contract: ContractID(31), portfolio: .telephone, term: term, ceiling: Self.ceiling,
                graceSeconds: 86_400, left: Int64(undealt.count),
                stop: accounts.count == lease.max ? .limit : .empty))
    }

    private mutating func record(_ report: ReportRequest) -> Reply {
        let place = HeldCursor(delegation: report.delegation, account: report.account)
        let live = held[place]
        guard isForgiving || report.at <= instant("2024-03-04T15:00:00Z") else {
            return .refused(.clock, [ReplyField("time", instant("2024-03-04T15:00:00Z"))])
        }
        guard isForgiving || report.at >= instant("2024-03-01T00:00:00-06:00") else {
            return .refused(.periodClosed, [ReplyField("period", "2024-02")])
        }
        if let code = ended[place] { return .stale(code, evidence: 1_207, counts: code == .closed ? .no : .yes) }
        guard isForgiving || live == report.epoch else {
            return live == nil
                ? .stale(.unknown, evidence: 1_207, counts: .no)
                : .stale(.reassigned, epoch: live, evidence: 1_207, counts: .no)
        }
        latestOutcome += 1
        let digits = String(latestOutcome)
        let receipt = hex(String(repeating: "0", count: 64 - digits.utf8.count) + digits)
        return .reported(outcome: latestOutcome, receipt: receipt)
    }

    private mutating func extend(_ extend: ExtendRequest) -> Reply {
        guard extend.grant == Self.grant else { return .refused(.unknown) }
        guard extend.until <= Self.ceiling else {
            return .refused(.beyondCeiling, [ReplyField("ceiling", Self.ceiling)])
        }
        term = extend.until
        return .extended(term: term, ceiling: Self.ceiling, receipt: nil)
    }

    private mutating func take(_ giveBack: ReturnRequest) -> Reply {
        let place = HeldCursor(delegation: giveBack.delegation, account: giveBack.account)
        guard held[place] == giveBack.epoch else { return .stale(ended[place] ?? .unknown) }
        held[place] = nil
        ended[place] = .closed
        return .returned(receipt: nil)
    }

    private mutating func object(_ object: ObjectRequest) -> Reply {
        let place = HeldCursor(delegation: object.delegation, account: object.account)
        guard held[place] == object.epoch else { return .stale(ended[place] ?? .unknown) }
        return .refused(.noNotice)
    }

    private func disclose(_ contact: ContactRequest) -> Reply {
        let place = HeldCursor(delegation: contact.delegation, account: contact.account)
        guard held[place] == contact.epoch else { return .stale(ended[place] ?? .unknown) }
        guard contact.account == anAccount(1_900_012_345) else { return .refused(.notFound) }
        return .listed(
            [
                [ReplyField("kind", "name"), ReplyField("value", "Ana Torres")],
                [ReplyField("kind", "phone"), ReplyField("value", "+52 33 1234 5678")],
            ], end: [ReplyField("receipt", bytes: [UInt8](repeating: 0, count: 32))])
    }

    private func list(_ request: HeldRequest) -> Reply {
        let lines = held.sorted { $0.key < $1.key }.map { place, epoch in
            [
                ReplyField("delegation", place.delegation), ReplyField("account", place.account),
                ReplyField("epoch", epoch), ReplyField("grant", Self.grant),
                ReplyField("strategy", Strategy.administrative), ReplyField("term", term),
            ]
        }
        return .listed(lines, end: [ReplyField("listed", Int64(lines.count))])
    }

    private var place: [ReplyField] {
        [
            ReplyField("delegation", delegation14), ReplyField("contract", valid(ContractID(31))),
            ReplyField("strategy", Strategy.administrative), ReplyField("portfolio", Portfolio.telephone),
        ]
    }

    private func stand(_ request: StatusRequest) -> Reply {
        let count = Int64(held.count)
        return .listed(
            [
                place + [
                    ReplyField("free", Int64(undealt.count)), ReplyField("held", count), ReplyField("quota", 10),
                    ReplyField("quota-left", 10 - count), ReplyField("advisers", 2), ReplyField("capacity", 400),
                    ReplyField("stop", isPaused ? "paused" : "limit"),
                ]
            ], end: [ReplyField("held", count)])
    }

    private func tell(_ explain: ExplainRequest) -> Reply {
        switch explain.subject {
        case .account(let account):
            guard let epoch = held[HeldCursor(delegation: explain.delegation, account: account)] else {
                return .refused(.unknown)
            }
            return .listed(
                [
                    [
                        ReplyField("event", "placed"), ReplyField("epoch", epoch), ReplyField("period", "2024-03"),
                        ReplyField("rule", "SEG-06"), ReplyField("policy", "infonavit"),
                    ],
                    [
                        ReplyField("event", "dealt"), ReplyField("epoch", epoch), ReplyField("plan", 3),
                        ReplyField("hand", 3), ReplyField("position", 1), ReplyField("of", 3),
                    ],
                    [
                        ReplyField("event", "leased"), ReplyField("epoch", epoch), ReplyField("grant", Self.grant),
                        ReplyField("at", instant("2024-03-04T15:00:00Z")), ReplyField("term", term),
                    ],
                ], end: [])
        case .strategy:
            return .listed(
                [
                    place + [
                        ReplyField("pool", 6), ReplyField("sharers", 2), ReplyField("dealt", 3),
                        ReplyField("drawn", 3 - Int64(undealt.count)), ReplyField("free", Int64(undealt.count)),
                        ReplyField("held", Int64(held.count)), ReplyField("quota", 10), ReplyField("plan", 3),
                        ReplyField("stop", "limit"),
                    ]
                ], end: [])
        }
    }

    private mutating func pause(_ quiet: QuietRequest) -> Reply {
        isPaused = quiet.state == .on
        return .listed([], end: [ReplyField("paused", isPaused)])
    }

    private func compare(_ resume: ResumeRequest) -> Reply {
        switch resume.belief {
        case .digest(let count, let sum):
            var digest = HeldDigest.empty
            for (place, epoch) in held { digest.add(place.delegation, place.account, epoch) }
            let isMatch = digest.count == count && digest.bytes == sum
            let page = held.sorted { $0.key < $1.key }.map { place, epoch in
                HeldAccount(
                    delegation: place.delegation, account: place.account, epoch: epoch, grant: Self.grant, term: term)
            }
            return .resumed(HeldComparison(held: digest.count, isMatch: isMatch, page: isMatch ? [] : page))
        case .list(let list, _):
            return compare(list.entries)
        }
    }

    private func compare(_ believed: [HeldList.Entry]) -> Reply {
        func fields(_ status: String, _ place: HeldCursor, _ epoch: Epoch) -> [ReplyField] {
            [
                ReplyField("status", status), ReplyField("delegation", place.delegation),
                ReplyField("account", place.account), ReplyField("epoch", epoch),
            ]
        }
        let lost = believed.filter { held[$0.place] != $0.epoch }
        let known = Set(believed.map(\.place))
        let besides = held.filter { !known.contains($0.key) }.sorted { $0.key < $1.key }
        let lines =
            lost.map {
                fields("lost", $0.place, $0.epoch) + [ReplyField("reason", (ended[$0.place] ?? .unknown).rawValue)]
            }
            + besides.map {
                fields("held", $0.key, $0.value) + [ReplyField("grant", Self.grant), ReplyField("term", term)]
            }
        return .listed(
            lines,
            end: [
                ReplyField("keep", Int64(believed.count - lost.count)), ReplyField("lost", Int64(lost.count)),
                ReplyField("besides", Int64(besides.count)),
            ])
    }
}

extension LeasedAccount {
    static func example(_ number: Int64, epoch dealt: Int64, due: Int64, overdue: Int64) -> LeasedAccount {
        LeasedAccount(
            account: anAccount(number), epoch: anEpoch(dealt), tactic: "containment", band: "1-3", due: Cents(due),
            overdue: Cents(overdue), reference: "R-\(number)", window: "07:00-22:00/America/Mexico_City",
            next: "call/2024-03-04")
    }
}
