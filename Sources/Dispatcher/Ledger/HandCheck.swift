// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol
internal import Assignment
internal import PgStore

/// Who was dealt and leased which account, in one delegation over all months: hands, positions, deals and grants against what the
/// ledger says of them.
///
/// Positions are read in their order, one at a time; what is kept is one digest per hand and per grant.
struct HandCheck {
    private struct Dealt {
        let words: String
        let leases: String?
        /// The month of the record's chain.
        let month: Period
        /// When it was opened, as the record writes it; `nil`: with its plan, or recorded before records said it.
        let opened: String?
        let isFront: Bool
        let redeal: Int64?
        let isImported: Bool
    }

    /// What the ledger says of each hand.
    private var dealt: [Int32: Dealt] = [:]
    /// When each grant ended, as the sweep's record writes it.
    private var ends: [Int64: String] = [:]

    /// - Parameter month: whose chain the record is in.
    mutating func take(deal: LedgerFields, _ month: Period) {
        guard let hand = deal.number("hand").flatMap({ Int32(exactly: $0) }) else { return }
        let words = ["plan", "contract", "strategy", "portfolio", "accounts"].map { "\($0)=\(deal[$0] ?? "")" }
        dealt[hand] = Dealt(
            words: words.joined(separator: " "), leases: deal["leases"], month: month, opened: deal["opened"],
            isFront: deal["front"] == "yes", redeal: deal.number("redeal"), isImported: deal["imported"] == "yes")
    }

    mutating func take(sweep: LedgerFields) {
        guard let grant = sweep.number("grant") else { return }
        ends[grant] = sweep["end"] ?? ""
    }

    /// - Parameter grants: all of the delegation's, ascending.
    func compare(
        _ delegation: Delegation, _ grants: [RecordedHands.Grant], _ link: PgLink,
        _ report: inout LedgerVerification.Report
    ) throws {
        let (rows, place) = (RecordedHands(link), "delegation \(delegation)")
        var left = try hands(rows, delegation, place, &report)
        var hand = OpenHand()
        var grants = GrantSums(delegation, grants)
        func finish(_ number: Int32, _ hand: OpenHand) {
            guard left.remove(number) != nil else { return }
            let (digest, isWhole) = hand.end()
            guard !isWhole || dealt[number]?.leases != digest else { return }
            report.add(place, "hand \(number) has other accounts, or in another order, than it was dealt")
        }
        try rows.eachPosition(delegation) { number, position, account, epoch in
            if hand.number != number {
                if let before = hand.number { finish(before, hand) }
                hand = OpenHand(number)
            }
            hand.add(position, account, epoch)
            grants.add(number, position, account, epoch)
        }
        if let last = hand.number { finish(last, hand) }
        // Those without a position: dealt nothing, or emptied.
        for number in left.sorted() { finish(number, OpenHand()) }
        for grant in grants.end() {
            report.add(place, "grant id=\(grant) leased other accounts than its positions have now")
        }
        let strays = try rows.strays(delegation)
        if strays > 0 {
            report.add(place, "\(grouped(strays)) deals and positions do not lead to each other")
        }
        let misplaced = try rows.misplacedOutcomes(delegation)
        if misplaced > 0 {
            report.add(
                place, "\(grouped(misplaced)) outcomes name another hand or place in it than their account was dealt in"
            )
        }
        let beside = try rows.positionsBesideCut(delegation)
        if beside > 0 {
            report.add(place, "\(grouped(beside)) positions have other amounts than their month's cut")
        }
        try terms(rows, delegation, place, &report)
    }

    /// - Returns: the hands whose accounts can be compared with their record; the others are told here.
    private func hands(
        _ rows: RecordedHands, _ delegation: Delegation, _ place: String, _ report: inout LedgerVerification.Report
    ) throws -> Set<Int32> {
        var left = dealt
        var recordedHands: Set<Int32> = []
        for row in try rows.hands(delegation) {
            let words = [
                "plan=\(row.plan)", "contract=\(row.contracts.map(String.init).joined(separator: ","))",
                "strategy=\(Strategy(rawValue: row.strategy)?.name ?? "")",
                "portfolio=\(Portfolio(rawValue: row.portfolio)?.name ?? "")", "accounts=\(row.size)",
            ]
            guard let recorded = left.removeValue(forKey: row.number) else {
                if !row.isInactive { report.add(place, "hand \(row.number) is there, and was never recorded") }
                continue
            }
            recordedHands.insert(row.number)
            if recorded.words != words.joined(separator: " ") {
                report.add(place, "hand \(row.number) is stored otherwise than it was recorded")
            }
            if !Self.isSame(row, recorded) {
                report.add(place, "hand \(row.number) is of another month, order or opening than it was recorded")
            }
        }
        for number in left.keys.sorted() {
            report.add(place, "hand \(number) was recorded, and is gone")
        }
        return recordedHands
    }

    /// The month is that of the plan, and of the record but for a round's, which is in the chain of the day; there it is also the day's.
    private static func isSame(_ row: RecordedHands.Hand, _ recorded: Dealt) -> Bool {
        let isRound = recorded.redeal != nil
        guard row.period == row.ofPlan, row.redeal == recorded.redeal, LedgerTree.hex(row.digest) == recorded.leases
        else { return false }
        // What an opening brought was dealt before this installation was there, and its record is of the day of the opening.
        if recorded.isImported { return true }
        guard isRound || row.period == recorded.month, row.isFront == recorded.isFront,
            (row.openedAt != nil) == (isRound || recorded.isFront)
        else {
            return false
        }
        if let opened = recorded.opened { return row.openedAt?.description == opened }
        return !isRound || row.openedAt.map { Period.ofWork(at: $0) } == recorded.month
    }

    /// When grants ended, and from which outage on each is credited.
    private func terms(
        _ rows: RecordedHands, _ delegation: Delegation, _ place: String, _ report: inout LedgerVerification.Report
    ) throws {
        var left = ends
        for (grant, closedAt) in try rows.closedGrants(delegation) {
            let recorded = left.removeValue(forKey: Int64(grant.hand) << 32 | Int64(grant.first))
            if recorded == nil || recorded != closedAt.map({ "\($0)" }) {
                report.add(
                    place, "the end of grant id=\(grant) is stored otherwise than it was swept, or was never recorded")
            }
        }
        for grant in left.keys.sorted() {
            report.add(place, "grant id=\(grant) was swept, and is stored as open")
        }
        for grant in try rows.grantsBesideOutages(delegation) {
            report.add(place, "the outages before grant id=\(grant) are not those that were booked")
        }
    }
}

/// A hand while its positions come in.
private struct OpenHand {
    let number: Int32?
    private var digest = HandDigest()
    private var next: Int32 = 1
    private var isWhole = true

    init(_ number: Int32? = nil) { self.number = number }

    mutating func add(_ position: Int32, _ account: Int64, _ epoch: Int64) {
        // The digest has their order alone, and a grant is of numbers.
        if position != next { isWhole = false }
        next += 1
        digest.add(account, epoch)
    }

    /// - Returns: the digest in hexadecimal, and whether the positions were numbered from 1 without a gap.
    func end() -> (digest: String, isWhole: Bool) { (LedgerTree.hex(digest.finalize()), isWhole) }
}

/// The sums of all grants of a delegation, while positions come in by hand and place.
private struct GrantSums {
    private let delegation: Delegation
    private let grants: [RecordedHands.Grant]
    private var index = 0
    private var sum = HeldDigest.empty
    private var different: [GrantID] = []

    init(_ delegation: Delegation, _ grants: [RecordedHands.Grant]) {
        self.delegation = delegation
        self.grants = grants
    }

    mutating func add(_ hand: Int32, _ position: Int32, _ account: Int64, _ epoch: Int64) {
        while index < grants.count, (grants[index].grant.hand, grants[index].last) < (hand, position) { next() }
        guard index < grants.count else { return }
        let grant = grants[index]
        guard grant.grant.hand == hand, grant.grant.first <= position, !grant.skipped.contains(position),
            let account = AccountID(account), let epoch = Epoch(epoch)
        else { return }
        sum.add(delegation, account, epoch)
    }

    /// - Returns: the grants whose accounts do not add up.
    mutating func end() -> [GrantID] {
        while index < grants.count { next() }
        return different
    }

    private mutating func next() {
        if sum.bytes != grants[index].heldDigest { different.append(grants[index].grant) }
        index += 1
        sum = .empty
    }
}
