// SPDX-License-Identifier: Apache-2.0

import Assignment
import Simulation
import Testing

extension Timestamp {
    /// Hours after the first of March 2024, 06:00 UTC.
    static func hour(_ hours: Int) -> Timestamp {
        Timestamp(microseconds: 1_709_272_800_000_000 + Int64(hours) * 3_600_000_000)
    }
}

extension Held {
    static func sample(_ account: Int64, _ epoch: Int64 = 1) throws -> Held {
        Held(account: try #require(AccountID(account)), epoch: try #require(Epoch(epoch)))
    }
}

extension History {
    static let hand: Int32 = 5
    static let first = GrantID(hand: hand, first: 1)

    /// Delegation 14, one hand of four accounts of one peso of exposure each; agency 7 leased the first two at hour
    /// 10 until hour 730, reported the first and returned the second. Its client's log tells all of it.
    static func sound() throws -> History {
        var history = History(delegation: try #require(Delegation(14)), now: .hour(100))
        for number in 1...4 {
            let held = try Held.sample(100 + Int64(number))
            history.positions.append(Position(hand: hand, position: Int32(number), held: held, exposure: 100))
            history.deals.append((held, hand, Int32(number)))
        }
        history.limits = [Limit(quota: 3, since: .hour(0), accounts: 2, exposure: 200)]
        history.quotaPlaces = [3: QuotaPlace(contract: 1_001, portfolio: 1)]
        history.handPeriods = [hand: 202_403]
        history.contractEnds = [1_001: try #require(LocalDate(year: 2024, month: 12, day: 31))]
        history.instances = [History.instanceName(agency: 7, instance: "sim"): 1]
        history.grants = [.sample(first: 1, last: 2, at: .hour(10), total: 2)]
        let report = try ClientOperation.Report.sample(101, outcome: 55)
        history.outcomes = [Outcome(agency: 7, instance: 1, key: 2, receivedAt: .hour(21), report: report)]
        history.endings = [
            Ending(held: try .sample(102), kind: "return", reason: "unlocatable", endedAt: .hour(30))
        ]
        history.requests = [Request(agency: 7, instance: 1, verb: "RETURN", key: 3)]
        let told = ClientOperation.Grant(
            grant: first, strategy: .administrative, term: .hour(730), accounts: [try .sample(101), try .sample(102)])
        history.operations = [
            try .sample(1, .granted(told)), try .sample(2, .reported(report)),
            try .sample(3, .returned(ClientOperation.Return(held: .sample(102), reason: "unlocatable"))),
        ]
        return history
    }
}

extension History.Grant {
    static func sample(
        first: Int32, last: Int32, at instant: Timestamp, total: Int64, key: Int64 = 1, hand: Int32 = History.hand,
        quota: Int32 = 3
    ) -> History.Grant {
        History.Grant(
            grant: GrantID(hand: hand, first: first), last: last, quota: quota, contract: 1_001, agency: 7,
            instance: 1,
            key: key, accounts: last - first + 1, exposure: Int64(last - first + 1) * 100, totalAccounts: total,
            totalExposure: total * 100, grantedAt: instant, announcedTerm: .hour(730), term: .hour(730),
            graceMicroseconds: 86_400_000_000)
    }
}

extension ClientOperation {
    static func sample(
        _ key: Int64, _ reply: Reply, agency: Int32 = 7, receipt: [UInt8]? = nil, at instant: Timestamp? = nil
    ) throws -> ClientOperation {
        ClientOperation(
            place: "ACE07.log:\(key + 1)", agency: try #require(AgencyID(agency)), instance: "sim", key: key,
            delegation: try #require(Delegation(14)), reply: reply, receipt: receipt, answeredAt: instant)
    }
}

extension ClientOperation.Report {
    static func sample(_ account: Int64, outcome: Int64) throws -> ClientOperation.Report {
        ClientOperation.Report(
            held: try .sample(account), at: .hour(20), channel: "phone-out", contact: "direct", result: "promise",
            amount: Cents(31_022), promised: LocalDate(year: 2024, month: 3, day: 11), outcome: outcome)
    }
}

extension History.Notice {
    /// Given at hour 11, final at an hour.
    static func sample(_ reason: String, final hour: Int) -> History.Notice {
        History.Notice(reason: reason, noticedAt: .hour(11), finalAt: .hour(hour))
    }
}

extension History.DealtHand {
    /// Of contract 1001, administrative by telephone.
    static func sample(activityDays: Int32? = nil, unlocatableDays: Int32? = nil) -> History.DealtHand {
        History.DealtHand(
            contracts: [1_001], size: 4, activityDays: activityDays, unlocatableDays: unlocatableDays,
            graceMicroseconds: 86_400_000_000)
    }
}

extension Verdict {
    var broken: [Invariant] { findings.map(\.invariant) }
}
