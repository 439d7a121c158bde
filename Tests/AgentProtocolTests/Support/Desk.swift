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
    private var term = instant("2024-04-03T00:00:00-06:00")
    private var undealt = [
        LeasedAccount.example(1_900_012_345, epoch: 7, due: 4_310_22, overdue: 9_120_87),
        LeasedAccount.example(1_900_077_120, epoch: 3, due: 2_950_00, overdue: 5_900_00),
        LeasedAccount.example(1_900_088_001, epoch: 1, due: 1_000_00, overdue: 1_000_00),
    ]
    private var held: [HeldCursor: Epoch] = [:]
    private var bound: [Int64: (content: [UInt8], reply: Reply)] = [:]
    private var latestOutcome: Int64 = 55_119
    private var sequences: [AgencyID: Int64] = [:]

    /// - Parameter isForgiving: takes reports on any account, for tests that only want many of them.
    init(handSize: Int64 = 3, isForgiving: Bool = false) {
        self.isForgiving = isForgiving
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
        case .resume(let resume): compare(resume)
        }
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
        let accounts = Array(undealt.prefix(lease.max))
        guard !accounts.isEmpty else { return .leased(accounts: [], grant: .nothing(stop: .empty)) }
        undealt.removeFirst(accounts.count)
        for account in accounts {
            held[HeldCursor(delegation: lease.delegation, account: account.account)] = account.epoch
        }
        return .leased(
            accounts: accounts,
            grant: LeaseSummary(
                grant: Self.grant, term: term, graceSeconds: 86_400, left: Int64(undealt.count),
                stop: accounts.count == lease.max ? .limit : .empty))
    }

    private mutating func record(_ report: ReportRequest) -> Reply {
        let live = held[HeldCursor(delegation: report.delegation, account: report.account)]
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
        guard held[place] == giveBack.epoch else { return .stale(.unknown) }
        held[place] = nil
        return .returned(receipt: nil)
    }

    private func compare(_ resume: ResumeRequest) -> Reply {
        var digest = HeldDigest.empty
        for (place, epoch) in held { digest.add(place.delegation, place.account, epoch) }
        let isMatch = digest.count == resume.count && digest.bytes == resume.digest
        let page = held.sorted { $0.key < $1.key }.map { place, epoch in
            HeldAccount(
                delegation: place.delegation, account: place.account, epoch: epoch, grant: Self.grant, term: term)
        }
        return .resumed(HeldComparison(held: digest.count, isMatch: isMatch, page: isMatch ? [] : page))
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
