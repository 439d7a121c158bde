// SPDX-License-Identifier: Apache-2.0

import Assignment
import Crypto
import Simulation
import Testing

/// What happened in one instant is told by the blocks of the ledger, and when a sweep ran by its record; each fault is planted into a
/// sound history.
struct JudgedInstantTests {
    /// Records in blocks of one each, in the order of the list.
    ///
    /// - Parameter groups: the transaction of each; in default every block has its own.
    static func blocks(_ records: [String], groups: [Int64]? = nil) -> [History.Block] {
        records.enumerated().map { index, text in
            let bytes = Array(text.utf8)
            let size = withUnsafeBytes(of: UInt32(bytes.count).bigEndian) { Array($0) }
            return History.Block(
                id: Int64(index) + 1, period: 202_403, records: size + bytes, count: 1,
                root: Array(SHA256.hash(data: [0] + bytes)), transaction: groups?[index])
        }
    }

    private static let grant = "grant id=\(History.first)"
    private static let ending = "ending account=102 epoch=1 kind=return"

    private func found(_ history: History) -> [String] { Judge.judge(history).findings.map(\.found) }

    @Test(arguments: [(754, false), (753, true), (100, true)])
    func `a sweep closes what is over when it runs, and nothing before`(ranAt: Int, isEarly: Bool) throws {
        var history = try History.sound()
        (history.now, history.hasLedger) = (.hour(900), true)
        history.grants[0].closedAt = .hour(754)
        history.blocks = Self.blocks(
            ["sweep grant=\(History.first) accounts=1 end=\(Timestamp.hour(754)) at=\(Timestamp.hour(ranAt))"])
        let early = "a lease was closed before its end had come"
        #expect(found(history).contains(early) == isEarly)
        // Without the ledger, what is closed as of a time to come shows by itself.
        history.hasLedger = false
        #expect(found(history) == [])
        history.now = .hour(753)
        #expect(found(history) == [early])
    }

    @Test func `an account is leased again in the instant of its return where that was committed before`() throws {
        var history = try History.sound()
        history.hasLedger = true
        history.positions.append(
            History.Position(hand: History.hand, position: 5, held: try .sample(102, 2), exposure: 100))
        history.grants.append(.sample(first: 5, last: 5, at: .hour(30), total: 3, key: 9))
        let again = "grant id=\(GrantID(hand: History.hand, first: 5))"
        let double = "account 102 was leased again while its lease was live"
        history.blocks = Self.blocks([Self.grant, Self.ending, again])
        #expect(!found(history).contains(double))
        history.blocks = Self.blocks([Self.grant, again, Self.ending])
        #expect(found(history).contains(double))
        // Two blocks of one group, whichever comes first.
        history.blocks = Self.blocks([Self.grant, Self.ending, again], groups: [7, 8, 8])
        #expect(found(history).contains(double))
        history.blocks = Self.blocks([Self.grant, again])
        #expect(!found(history).contains(double))
    }

    @Test func `what is reported in the instant of a lease's end counts where it was taken before or with it`() throws {
        var history = try History.sound()
        history.hasLedger = true
        let held = try Held.sample(101)
        history.endings.append(History.Ending(held: held, kind: "return", reason: "other", endedAt: .hour(21)))
        let outcome = "outcome number=55 agency=ACE07 account=101 epoch=1 key=2"
        let end = "ending account=101 epoch=1 kind=return"
        let outside = "an outcome counts outside its lease"
        for (records, groups, isOutside) in [
            ([Self.grant, outcome, end], [1, 2, 3], false), ([Self.grant, end, outcome], [1, 2, 2], false),
            ([Self.grant, end, outcome], [1, 2, 3], true), ([outcome, Self.grant, end], [1, 2, 3], true),
        ] as [([String], [Int64], Bool)] {
            history.blocks = Self.blocks(records, groups: groups)
            #expect(found(history).contains(outside) == isOutside, "\(records) \(groups)")
        }
        history.lateAccepted = [History.Request(agency: 7, instance: 1, verb: "REPORT", key: 2)]
        history.blocks = Self.blocks([Self.grant, end, outcome])
        #expect(!found(history).contains(outside))
    }

    @Test func `nothing is given back, prolonged or told behind the sweep or the end of its lease`() throws {
        var history = try History.sound()
        (history.hasLedger, history.now) = (true, .hour(900))
        (history.grants[0].closedAt, history.endings[0].endedAt) = (.hour(754), .hour(754))
        let sweep = "sweep grant=\(History.first) accounts=1 end=\(Timestamp.hour(754)) at=\(Timestamp.hour(754))"
        let term = "term=\(Timestamp.hour(730)) at=\(Timestamp.hour(730))"
        let told = "disclosure account=101 epoch=1 agency=ACE07 instance=1 at=\(Timestamp.hour(754))"
        let behind = [
            "an account was given back after its lease had ended": Self.ending,
            "a lease was prolonged after it had ended": "extension grant=\(History.first) \(term)",
            "contact data was given to somebody who did not hold the account": told,
        ]
        for (finding, record) in behind {
            history.blocks = Self.blocks([Self.grant, record, sweep])
            #expect(!found(history).contains(finding))
            history.blocks = Self.blocks([Self.grant, sweep, record])
            #expect(found(history).contains(finding))
        }
    }

    @Test func `two delegations lease an account that moved one after the other, in one instant too`() throws {
        let held = try Held.sample(101)
        func verdict(_ first: [History.Block], _ second: [History.Block]) throws -> [Invariant] {
            var country = CountryHistory(moved: [held.account])
            var one = try History.sound()
            one.endings.append(History.Ending(held: held, kind: "return", reason: "other", endedAt: .hour(40)))
            (one.hasLedger, one.blocks) = (true, first)
            var other = try History.sound()
            other.delegation = try #require(Delegation(15))
            (other.hasLedger, other.blocks) = (true, second)
            (other.endings, other.grants) = ([], [.sample(first: 1, last: 2, at: .hour(40), total: 2)])
            _ = Judge.judge(one, adding: &country)
            _ = Judge.judge(other, adding: &country)
            return country.judge().broken
        }
        let end = "ending account=101 epoch=1 kind=return"
        func at(_ id: Int64, _ text: String) -> History.Block {
            var block = Self.blocks([text])[0]
            block.id = id
            return block
        }
        #expect(try verdict([at(1, Self.grant), at(2, end)], [at(3, Self.grant)]) == [])
        #expect(try verdict([at(1, Self.grant), at(3, end)], [at(2, Self.grant)]) == [.oneHolder])
    }

    @Test func `a notice of something else is no reason to keep a stopped account`() throws {
        var history = try History.sound()
        (history.now, history.grants[0].closedAt) = (.hour(900), .hour(754))
        let held = try Held.sample(101)
        history.stops = [
            History.Stop(
                account: held.account, reason: "lawsuit", from: try #require(LocalDate(text: "2024-03-03")), until: nil,
                importedAt: .hour(50))
        ]
        var notice = History.Notice.sample("order", final: 40)
        (notice.decision, notice.decidedAt) = ("withdrawn", .hour(30))
        history.notices = [held: notice]
        #expect(found(history) == ["a stopped account was not taken back"])
        history.notices[held] = .sample("lawsuit", final: 754)
        #expect(found(history) == ["a stopped account was not taken back"])
    }

    /// The lease is of hour 10, which is the first of March.
    @Test(arguments: [(1, true), (0, false)])
    func `the last day of a stop is in force`(days: Int, isBroken: Bool) throws {
        var history = try History.sound()
        let first = try #require(LocalDate(text: "2024-02-29"))
        history.stops = [
            History.Stop(
                account: try #require(AccountID(101)), reason: "extension", from: first,
                until: first.advanced(byDays: days), importedAt: .hour(9))
        ]
        #expect(Judge.judge(history).broken == (isBroken ? [.exclusions] : []))
    }
}
