// SPDX-License-Identifier: Apache-2.0

import Assignment
import Crypto
import Simulation
import Testing

/// What the ledger says of the order of things, what was kept beyond its end, and what fees rest on; each fault is planted into a sound history.
struct JudgedOrderTests {
    /// Records in blocks of one each, in the order of the list.
    private func blocks(_ records: [String]) -> [History.Block] {
        records.enumerated().map { index, text in
            let bytes = Array(text.utf8)
            let size = withUnsafeBytes(of: UInt32(bytes.count).bigEndian) { Array($0) }
            return History.Block(
                id: Int64(index) + 1, period: 202_403, records: size + bytes, count: 1,
                root: Array(SHA256.hash(data: [0] + bytes)))
        }
    }

    /// One more account is leased in the instant in which the second one is given back; the ledger is read for its order.
    private func atOneInstant(_ records: [String]) throws -> Verdict {
        var history = try History.sound()
        history.operations = []
        history.hasLedger = true
        history.grants.append(.sample(first: 3, last: 3, at: .hour(30), total: 3, key: 8))
        history.quotaPlaces = [3: History.QuotaPlace(contract: 1_001, portfolio: 1)]
        history.advisers = [
            History.Advisers(contract: 1_001, portfolio: 1, committed: 2, accountsPerAdviser: 1, countsPresent: false)
        ]
        history.bonds = [1_001: 200]
        history.blocks = blocks(records)
        var country = CountryHistory()
        var verdict = Judge.judge(history, adding: &country)
        verdict.merge(country.judge())
        return verdict
    }

    @Test func `what is given back in the instant of a grant makes room only where it was committed before`() throws {
        let first = "grant id=\(History.first)"
        let second = "grant id=\(GrantID(hand: History.hand, first: 3))"
        let ending = "ending account=102 epoch=1 kind=return"
        let limits: Set<Invariant> = [.quotas, .capacity, .bond]
        #expect(limits.intersection(try atOneInstant([first, ending, second]).broken) == [])
        #expect(limits.intersection(try atOneInstant([first, second, ending]).broken) == limits)
        // Where one of them is not known, the instant has to do.
        #expect(limits.intersection(try atOneInstant([first, second]).broken) == [])
    }

    @Test func `a stop that came while the account was held is not outlived, whatever ended the lease`() throws {
        var history = try History.sound()
        let account = try #require(AccountID(101))
        history.now = .hour(900)
        history.stops = [
            History.Stop(
                account: account, reason: "lawsuit", from: try #require(LocalDate(text: "2024-03-03")), until: nil,
                importedAt: .hour(50))
        ]
        history.grants[0].closedAt = .hour(754)
        #expect(Judge.judge(history).broken == [.exclusions])
        history.stops[0].importedAt = .hour(749)
        #expect(Judge.judge(history).broken == [])
        // A virtual clock may jump while a file is taken in.
        history.stops[0].importedAt = .hour(650)
        #expect(Judge.judge(history).broken == [.exclusions])
        history.isVirtual = true
        #expect(Judge.judge(history).broken == [])
    }

    @Test
    func
        `who is excluded by the next month's cut is not kept to the term, nor under a recall that was withdrawn before`()
        throws
    {
        var history = try History.sound()
        history.now = .hour(900)
        history.grants[0].closedAt = .hour(754)
        history.cutExclusions = [
            History.CutExclusion(
                period: 202_404, account: try #require(AccountID(101)), reason: "lawsuit", since: .hour(50))
        ]
        history.plansAppliedAt = [202_404: .hour(51)]
        #expect(Judge.judge(history).broken == [.exclusions])
        var notice = History.Notice.sample("excluded", final: 754)
        history.notices = [try .sample(101): notice]
        #expect(Judge.judge(history).broken == [])
        // In the instant in which the month was put in force it is a decision about that month.
        for (decided, broken) in [(40, [.exclusions]), (51, [])] as [(Int, [Invariant])] {
            (notice.decision, notice.decidedAt) = ("withdrawn", .hour(decided))
            history.notices = [try .sample(101): notice]
            #expect(Judge.judge(history).broken == broken)
        }
    }

    @Test func `a recall whose day has come is made final`() throws {
        var history = try History.sound()
        history.limits = [History.Limit(quota: 3, since: .hour(0), accounts: 9)]
        history.notices = [try .sample(101): .sample("order", final: 40)]
        #expect(Judge.judge(history).broken == [])
        history.grants.append(.sample(first: 3, last: 3, at: .hour(46), total: 3, key: 8))
        #expect(Judge.judge(history).broken == [])
        history.grants[1].grantedAt = .hour(47)
        #expect(Judge.judge(history).broken == [.exclusions])
        history.notices[try .sample(101)]?.decision = "withdrawn"
        #expect(Judge.judge(history).broken == [])
    }

    @Test func `an epoch that was dealt before and never leased is not fallen behind`() throws {
        var history = try History.sound()
        history.deals.append((try .sample(103, 5), 4, 1))
        history.positions.append(
            History.Position(hand: 4, position: 1, held: try .sample(103, 5), exposure: 100))
        #expect(Judge.judge(history).broken == [.epochs])
        // Into a later hand it rises.
        history.deals[4].hand = 6
        history.positions[4].hand = 6
        #expect(Judge.judge(history).broken == [])
    }

    @Test func `what waits and is held of one quota's hands is no more than it ever allowed`() throws {
        var history = try History.sound()
        history.hands = [
            History.Hand(hand: History.hand, quota: 3, size: 2), History.Hand(hand: 6, quota: 3, size: 1),
        ]
        history.limits = [History.Limit(quota: 3, since: .hour(0), accounts: 4)]
        history.openHands = [History.hand, 6]
        history.positions.append(History.Position(hand: 6, position: 1, held: try .sample(106), exposure: 100))
        #expect(Judge.judge(history).broken == [])
        history.positions.append(History.Position(hand: 6, position: 2, held: try .sample(107), exposure: 100))
        #expect(Judge.judge(history).broken == [.deals])
    }

    @Test func `a grant has its hand's grace, and the client was told it`() throws {
        var history = try History.sound()
        history.dealtHands = [History.hand: .sample()]
        history.operations = []
        history.grants[0].graceMicroseconds = 0
        #expect(Judge.judge(history).broken == [.expiry])

        history = try History.sound()
        guard case .granted(var told) = history.operations[0].reply else {
            Issue.record("the first operation is no grant")
            return
        }
        told.grace = 86_401
        history.operations[0].reply = .granted(told)
        #expect(Judge.judge(history).broken == [.nothingLost])
        told.grace = 86_400
        history.operations[0].reply = .granted(told)
        #expect(Judge.judge(history).broken == [])
    }

    /// The grant is of hour 10. Under a virtual clock an outage of real time is booked on whatever day that clock shows.
    @Test(
        arguments: [(false, 10, true), (true, 10, true), (false, 11, false), (true, 11, true), (false, nil, false)]
            as [(Bool, Int?, Bool)])
    func `a grant counts no outage that was not booked by then`(isVirtual: Bool, booked: Int?, isSound: Bool) throws {
        var history = try History.sound()
        (history.operations, history.outcomes, history.endings) = ([], [], [])
        history.hasLedger = true
        history.isVirtual = isVirtual
        history.dealtHands = [History.hand: .sample()]
        history.grants[0].outageMicroseconds = 5_000_000
        history.outages =
            booked.map {
                [
                    History.Outage(
                        from: .hour(9), bookedAt: .hour($0), microseconds: 5_000_000, totalMicroseconds: 5_000_000)
                ]
            } ?? []
        let found = Judge.judge(history).findings.map(\.found)
        #expect(found.contains("a grant counts more outage than was booked before it") == !isSound, "\(found)")
    }

    @Test func `limits are recorded one after the other, and each that was recorded is there`() throws {
        var history = try History.sound()
        (history.operations, history.outcomes, history.endings) = ([], [], [])
        history.hasLedger = true
        func broken(_ recorded: [Int], _ stored: [Int]) -> [String] {
            history.blocks = blocks(
                recorded.map { "quota contract=1 strategy=dual portfolio=telephone accounts=\($0) exposure=none" })
            history.stored = stored.map {
                StoredRow(kind: "quota", name: "1 dual telephone", fields: ["accounts": "\($0)", "exposure": "none"])
            }
            return Judge.judge(history).findings.map(\.found).filter { $0.contains("limit") }
        }
        #expect(broken([5, 3, 5], [5, 3, 5]) == [])
        // The lowering is taken back, its row is gone, or it was never recorded.
        for stored in [[5, 5, 3], [5, 3], [5, 3, 5, 5]] {
            #expect(broken([5, 3, 5], stored) == ["a limit was never recorded as it stands"])
        }
        history.limits.append(History.Limit(quota: 3, since: .hour(-1), accounts: 2, exposure: 200))
        #expect(broken([], []) == ["a limit was put in force before the one that it takes the place of"])
    }

    @Test func `statements are those that were signed, no more and no fewer`() throws {
        let delegation = try #require(Delegation(14))
        let kept = [1, 2].map { History.StatementDigest(period: 202_403, contract: $0, digest: [UInt8($0)]) }
        func broken(_ signed: [Int32: [Int32: [UInt8]]]) -> [Invariant] {
            SignedStatementChecks(signed: signed, kept: kept).verdict(delegation).broken
        }
        #expect(broken([202_403: [1: [1], 2: [2]]]) == [])
        #expect(broken([:]) == [])
        #expect(broken([202_403: [1: [1]]]) == [.money])
        #expect(broken([202_403: [1: [1], 2: [3]]]) == [.money])
        #expect(broken([202_403: [1: [1], 2: [2], 3: [3]]]) == [.money])
    }

    @Test func `what is read of a root was signed: its lines, its text, its key`() throws {
        let delegation = try #require(Delegation(14))
        let key = Curve25519.Signing.PrivateKey()
        func signed(_ period: Int32, _ month: String, _ leaves: [String], after previous: String) throws -> SignedRoot {
            // Two lines: the hash of a one and those of the lines.
            let hashes = leaves.map { Array(SHA256.hash(data: [0] + Array($0.utf8))) }
            let root = Array(SHA256.hash(data: [1] + hashes[0] + hashes[1]))
            let message =
                "reparto-period-root-1\nperiod=\(month)\nroot=\(Hex.text(root))\nprevious=\(previous)\nsigned=x\nkey=k\n"
            return SignedRoot(
                period: period, leaves: leaves, root: root, message: message, key: "k",
                publicKey: Array(key.publicKey.rawRepresentation),
                signature: Array(try key.signature(for: Array(message.utf8))))
        }
        let march = try signed(202_403, "2024-03", ["chain delegation=9", "statement contract=3"], after: "none")
        let april = try signed(
            202_404, "2024-04", ["chain delegation=9", "statement contract=4"],
            after: "2024-03:\(Hex.text(march.root))")
        func found(_ roots: [SignedRoot]) -> [String] {
            SignedRootChecks(roots: roots).verdict(delegation).findings.map(\.found)
        }
        #expect(found([march, april]) == [] && found([]) == [])
        #expect(found([april]) == ["a signed text is not of its root"])
        var other = march
        other.leaves[1] = "statement contract=5"
        #expect(found([other]) == ["a signed root is not that of its lines"])
        other = march
        other.period = 202_402
        #expect(found([other]) == ["a signed text is not of its root"])
        other = march
        other.signature[5] ^= 1
        #expect(found([other]) == ["a root's signature is not one of its key"])
        other = march
        other.publicKey = nil
        #expect(found([other]) == ["a root's signature is not one of its key"])
    }

    @Test func `a statement is recorded in each of its delegations, and what was recorded is kept`() throws {
        var history = try History.sound()
        (history.operations, history.outcomes, history.endings) = ([], [], [])
        history.hasLedger = true
        func broken(_ records: [String], _ kept: [History.StatementDigest]) -> [String] {
            history.blocks = blocks(records)
            history.statementDigests = kept
            return Judge.judge(history).findings.filter { $0.invariant == .money }.map(\.found)
        }
        let kept = History.StatementDigest(
            period: 202_403, contract: 31, digest: [7], delegations: [history.delegation])
        #expect(broken(["statement contract=31 digest=07"], [kept]) == [])
        #expect(broken([], [kept]) == ["a statement was never recorded"])
        #expect(broken(["statement contract=31 digest=07"], []) == ["a statement that was recorded is gone"])
    }

    private func line(_ rule: String, records: [Int64] = [], facts: [String] = [], base: String? = nil)
        -> History.StatementLine
    {
        History.StatementLine(
            period: 202_403, contract: 1_001, rule: rule, subject: "s", isFee: true, amount: "1.00", records: records,
            facts: facts, base: base)
    }

    @Test func `a fee is on approved work of its month, or on payments that are there`() throws {
        var history = try History.sound()
        func broken(_ line: History.StatementLine) -> [Invariant] {
            history.statementLines = [line]
            return Judge.judge(history).broken
        }
        #expect(broken(line("FEE-11", records: [55])) == [])
        history.stored = [StoredRow(kind: "review", name: "55", fields: ["decision": "rejected"])]
        #expect(broken(line("FEE-11", records: [55])) == [.money])
        // A contest was decided for the agency.
        history.stored.append(StoredRow(kind: "review", name: "55", fields: ["decision": "approved"]))
        #expect(broken(line("FEE-11", records: [55])) == [])
        var april = line("FEE-11", records: [55])
        april.period = 202_404
        #expect(broken(april) == [.money])

        history.stored = [StoredRow(kind: "payment", name: "P1", fields: ["amount": "100.00"])]
        #expect(broken(line("FEE-01", facts: ["P1"], base: "100.00")) == [])
        #expect(broken(line("FEE-01", facts: ["P1"], base: "100.01")) == [.money])
        #expect(broken(line("FEE-01", base: "100.00")) == [.money])
        #expect(broken(line("FEE-01", facts: ["P1", "P2"], base: "100.00")) == [.money])
        // A part of it is taken back in the same feed.
        history.stored.append(StoredRow(kind: "payment", name: "R1", fields: ["amount": "40.00", "reverses": "P1"]))
        #expect(broken(line("FEE-01", facts: ["P1", "R1"], base: "60.00")) == [])
        #expect(broken(line("FEE-01", facts: ["P1", "R1"], base: "60.01")) == [.money])
    }
}
