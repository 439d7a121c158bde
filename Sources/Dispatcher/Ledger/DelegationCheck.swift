// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// One delegation's chains, month after month, and what its tables must hold by them.
struct DelegationCheck {
    let delegation: Delegation
    /// By contract, strategy and portfolio: what the ledger's grants leased, and what endings and sweeps gave back.
    private var leased: [Quota: Int64] = [:]
    private var released: [Quota: Int64] = [:]
    /// Every limit that was recorded of a quota, as accounts and exposure.
    private var limits: [Quota: Set<String>] = [:]
    private var hands: [Int64: HandPlace] = [:]
    private var dealt = HandCheck()
    private var releases = ReleaseCheck()
    /// The records of an opening's grants, of all months: they are recorded when they come on board, and are of days before.
    private var opening: [[UInt8]: String] = [:]
    private var latest = LatestRecords()
    /// Of shared hands, whose each stretch of positions was.
    private var sharedGrants: [Int64: [(positions: ClosedRange<Int64>, contract: Int64)]] = [:]

    private struct HandPlace {
        /// `nil`: several share it.
        let contract: Int64?
        let strategy: String
        let portfolio: String
    }

    private struct Quota: Hashable {
        let contract: Int64
        let strategy: String
        let portfolio: String
    }

    init(_ delegation: Delegation) { self.delegation = delegation }

    // MARK: - A month

    mutating func month(
        _ period: Period, signed: PeriodRootRow?, _ store: ProofStore, _ whole: inout WholeRecords,
        _ report: inout LedgerVerification.Report
    ) throws {
        let place = "delegation \(delegation), \(period)"
        var chain = ChainCheck(signed: signed, delegation: delegation)
        var book = MonthRecords()
        try store.eachBlock(delegation, period) { block in
            let records = LedgerBlock.unpack(block.records)
            report.blocks += 1
            report.records += records.count
            chain.take(block, records, place, &report)
            for record in records {
                book.take(record, block: block.number)
                whole.take(record, period, block: block.number, &report)
                latest.take(record)
            }
        }
        chain.finish(place, isClosed: signed != nil, &report)
        for deal in book.deals {
            note(deal)
            dealt.take(deal: deal, period)
        }
        for (sweep, block) in book.sweeps {
            dealt.take(sweep: sweep)
            releases.take(sweep: sweep, block: block)
        }
        for limit in book.limits { note(limit: limit) }
        opening.merge(book.openingGrants) { first, _ in first }
        let rows = RecordedRows(store.link)
        book.compare(try rows.reviews(delegation, period).map(LedgerRecord.review), "review", place, &report)
        book.compare(try rows.contests(delegation, period).map(book.contest), "contest", place, &report)
        book.compare(try rows.payments(delegation, period).map(LedgerRecord.payment), "payment", place, &report)
        book.compare(try rows.facts(delegation, period).map(LedgerRecord.fact), "fact", place, &report)
        book.compare(
            try rows.starts(delegation, period).map { .start($0, period: period) }, "start", place, &report)
        try stages(period, StageStore(store.link), book, place, &report)
        let outcomes = try rows.outcomes(delegation, period)
        book.compare(outcomes.map { .outcome($0) }, "outcome", place, &report)
        try leases(period, rows, book, place, &report)
        let late = try store.link.recordedEvidence(delegation, from: period.start, until: period.end)
        book.compare(late.map { .evidence($0, period: period) }, "evidence", place, &report)
        if signed != nil {
            try FeeBaseCheck(outcomes, reviews: book.reviews)
                .run(delegation, period, store.link, place, &report)
        }
    }

    /// Objections to pre-statements and adjustments, with what was decided about them.
    private func stages(
        _ period: Period, _ store: StageStore, _ book: MonthRecords, _ place: String,
        _ report: inout LedgerVerification.Report
    ) throws {
        let objections = try store.objections(period).filter { LedgerRecord.chain(of: $0.delegation) == delegation }
        book.compare(objections.map(LedgerRecord.objection), "line-objection", place, &report)
        book.compare(objections.compactMap(LedgerRecord.objectionDecision), "line-decision", place, &report)
        let adjustments = try store.adjustments(period).filter {
            $0.decision != nil && LedgerRecord.chain(of: $0.delegation) == delegation
        }
        book.compare(adjustments.map(LedgerRecord.adjustment), "adjustment", place, &report)
    }

    private mutating func note(_ deal: LedgerFields) {
        guard let hand = deal.number("hand"), let strategy = deal["strategy"], let portfolio = deal["portfolio"]
        else { return }
        hands[hand] = HandPlace(contract: deal.number("contract"), strategy: strategy, portfolio: portfolio)
    }

    private mutating func note(limit: LedgerFields) {
        guard let contract = limit.number("contract"), let strategy = limit["strategy"],
            let portfolio = limit["portfolio"], let accounts = limit.number("accounts"),
            let exposure = limit["exposure"]
        else { return }
        limits[Quota(contract: contract, strategy: strategy, portfolio: portfolio), default: []].insert(
            Self.words(accounts, exposure))
    }

    private static func words(_ accounts: Int64, _ exposure: String) -> String {
        "\(grouped(accounts)) accounts" + (exposure == "none" ? "" : " and an exposure of \(exposure)")
    }

    /// Whose quota a leased position counts for.
    private func quota(_ hand: Int64, at position: Int64) -> Quota? {
        guard let place = hands[hand] else { return nil }
        let contract =
            place.contract ?? sharedGrants[hand]?.first { $0.positions.contains(position) }?.contract
        return contract.map { Quota(contract: $0, strategy: place.strategy, portfolio: place.portfolio) }
    }

    private mutating func leases(
        _ period: Period, _ rows: RecordedRows, _ book: MonthRecords, _ place: String,
        _ report: inout LedgerVerification.Report
    ) throws {
        let grants = try rows.grants(delegation, from: period.start, until: period.end)
        book.compare(grants.map { .grant($0.row, period: period, at: $0.at) }, "grant", place, &report)
        for grant in grants {
            let (hand, first) = (Int64(grant.row.grant.hand), Int64(grant.row.grant.first))
            if let place = hands[hand], place.contract == nil {
                sharedGrants[hand, default: []].append(
                    (first...max(first, Int64(grant.row.last)), Int64(grant.row.contract.value)))
            }
            guard let quota = quota(hand, at: first) else { continue }
            leased[quota, default: 0] += Int64(grant.row.accounts)
        }
        let endings = try rows.endings(delegation, from: period.start, until: period.end)
        let records = endings.map { LedgerRecord.ending($0.row, period: period, at: $0.at) }
        book.compare(records, "ending", place, &report)
        for (ending, record) in zip(endings, records) {
            releases.take(ending.row, wasHeld: ending.wasHeld, block: book.endings[record.receipt])
        }
        for ending in endings where ending.wasHeld {
            guard let quota = quota(Int64(ending.row.hand), at: Int64(ending.row.position)) else { continue }
            released[quota, default: 0] += 1
        }
        for (sweep, _) in book.sweeps {
            guard let grant = sweep.number("grant"), let quota = quota(grant >> 32, at: grant & 0xFFFF_FFFF) else {
                continue
            }
            released[quota, default: 0] += sweep.number("accounts") ?? 0
        }
    }

    /// Every limit that was in force is one that was recorded, and the other way round.
    private func compareLimits(_ link: PgLink, _ report: inout LedgerVerification.Report) throws {
        var kept: [Quota: Set<String>] = [:]
        for row in try RecordedPlans(link).limits(delegation) {
            guard let strategy = Strategy(rawValue: row.strategy), let portfolio = Portfolio(rawValue: row.portfolio)
            else { continue }
            let quota = Quota(contract: Int64(row.contract), strategy: strategy.name, portfolio: portfolio.name)
            kept[quota, default: []].insert(Self.words(row.accounts, row.exposure?.description ?? "none"))
        }
        for quota in Set(limits.keys).union(kept.keys).sorted(by: { "\($0)" < "\($1)" })
        where limits[quota] != kept[quota] {
            report.add(
                "delegation \(delegation)",
                "contract \(quota.contract), \(quota.strategy), \(quota.portfolio): the limits that were in force are "
                    + "stored otherwise than they were recorded")
        }
    }

    /// What came on board stands as it was recorded, and counts as leased.
    private mutating func takeOpening(_ rows: RecordedRows, _ report: inout LedgerVerification.Report) throws {
        let grants = try rows.openingGrants(delegation)
        // A month is no part of a record.
        let records = grants.map { LedgerRecord.grant($0.row, period: .ofWork(at: $0.at), at: $0.at, isImported: true) }
        MonthRecords.compare(records, with: opening, "delegation \(delegation), opening", &report)
        for grant in grants {
            guard let quota = quota(Int64(grant.row.grant.hand), at: Int64(grant.row.grant.first)) else { continue }
            leased[quota, default: 0] += Int64(grant.row.accounts)
        }
    }

    // MARK: - The counters, over all months

    mutating func finish(_ link: PgLink, _ report: inout LedgerVerification.Report) throws {
        try takeOpening(RecordedRows(link), &report)
        let grants = try RecordedHands(link).grants(delegation)
        try dealt.compare(delegation, grants, link, &report)
        releases.compare(delegation, grants, &report)
        try latest.compare(delegation, link, &report)
        try compareLimits(link, &report)
        let doubled = try link.countDoubled(in: delegation)
        if doubled > 0 {
            report.add(
                "delegation \(delegation)",
                "\(grouped(doubled)) accounts wait in two open hands, or wait in one while they are held, or are held twice"
            )
        }
        for counter in try RecordedRows(link).counters(delegation) {
            guard let strategy = Strategy(rawValue: counter.strategy),
                let portfolio = Portfolio(rawValue: counter.portfolio)
            else { continue }
            let quota = Quota(contract: Int64(counter.contract), strategy: strategy.name, portfolio: portfolio.name)
            let name = "contract \(counter.contract), \(strategy.name), \(portfolio.name)"
            for (word, stored, computed) in [
                ("leased", counter.leased, leased[quota, default: 0]),
                ("released", counter.released, released[quota, default: 0]),
            ] where stored != computed {
                report.add(
                    "delegation \(delegation)",
                    "\(name): the quota has \(grouped(stored)) \(word), the ledger \(grouped(computed))")
            }
            // What an opening brought was in force before anything was recorded.
            let allowed = Self.words(counter.limitAccounts, counter.limitExposure?.description ?? "none")
            if let recorded = limits[quota], !recorded.contains(allowed) {
                report.add("delegation \(delegation)", "\(name): the quota allows \(allowed), which was never recorded")
            }
        }
    }
}

/// Roots, heads and heights of one chain, and what was signed of it.
struct ChainCheck {
    private var head = LedgerTree.firstHead
    private var height: Int64 = 0
    private var links: [(root: [UInt8], head: [UInt8])] = []
    private var loose = 0
    private let signed: LedgerFields?
    private let isSigned: Bool

    init(signed root: PeriodRootRow?, delegation: Delegation) {
        isSigned = root != nil
        signed = root?.leaves.first { $0.hasPrefix("chain delegation=\(delegation) ") }.flatMap { LedgerFields($0) }
    }

    mutating func take(
        _ block: LedgerBlockRow, _ records: [[UInt8]], _ place: String, _ report: inout LedgerVerification.Report
    ) {
        let root = LedgerTree.root(records.map(LedgerTree.leaf))
        if records.count != Int(block.count) || LedgerBlock.pack(records) != block.records {
            report.add(place, "the records of block \(block.number) do not add up")
        }
        if root != block.root { report.add(place, "the root of block \(block.number) is not that of its records") }
        guard let link = block.link else {
            loose += 1
            return
        }
        height += 1
        if link.height != height {
            report.add(place, "the chain has height \(link.height) where \(height) was expected")
            height = link.height
        }
        head = LedgerTree.head(after: head, root: root)
        if head != link.head {
            report.add(place, "the head at height \(height) does not follow from the one before and its block")
            head = link.head
        }
        links.append((root, link.head))
    }

    func finish(_ place: String, isClosed: Bool, _ report: inout LedgerVerification.Report) {
        if loose > 0 { report.unchained.append(LedgerVerification.Unchained(place: place, blocks: loose)) }
        guard isSigned else { return }
        guard let signed, let end = signed.number("height") else {
            report.notes.append("\(place): all of its blocks came after the root was signed")
            return
        }
        guard links.count >= end, end > 0 else {
            return report.add(place, "the chain has \(links.count) blocks, and \(end) were signed")
        }
        let part = Array(links.prefix(Int(end)))
        if part[Int(end) - 1].head != signed.hash("head") ?? []
            || LedgerTree.root(PeriodRoot.chainLeaves(part)) != signed.hash("tree") ?? []
        {
            report.add(place, "the chain is not the one that was signed")
        }
        if links.count > end {
            report.notes.append("\(place): \(links.count - Int(end)) blocks came after the root was signed")
        }
    }
}

/// The records of one chain by kind, as they are to be compared with tables.
struct MonthRecords {
    private var receipts: [String: [[UInt8]: String]] = [:]
    /// What is said of grants that an opening brought, by receipt: they are compared over all months.
    private(set) var openingGrants: [[UInt8]: String] = [:]
    private(set) var deals: [LedgerFields] = []
    /// With the number of the block.
    private(set) var sweeps: [(record: LedgerFields, block: Int64)] = []
    /// The number of each ending's block, by receipt.
    private(set) var endings: [[UInt8]: Int64] = [:]
    /// Of quotas.
    private(set) var limits: [LedgerFields] = []
    /// Decisions by outcome.
    private(set) var reviews: [Int64: String] = [:]
    /// When each outcome was contested.
    private var contestedAt: [Int64: Timestamp] = [:]

    private static let compared: Set = [
        "outcome", "grant", "ending", "review", "contest", "payment", "fact", "line-objection", "line-decision",
        "adjustment", "evidence", "start",
    ]

    mutating func take(_ record: [UInt8], block: Int64) {
        let text = String(decoding: record, as: UTF8.self)
        let kind = String(text.prefix { $0 != " " })
        if kind == "grant", text.hasSuffix(" imported=yes") {
            openingGrants[LedgerTree.leaf(record)] = Self.name(text)
        } else if Self.compared.contains(kind) {
            receipts[kind, default: [:]][LedgerTree.leaf(record)] = Self.name(text)
        }
        switch kind {
        case "deal": LedgerFields(text).map { deals.append($0) }
        case "quota": LedgerFields(text).map { limits.append($0) }
        case "sweep": LedgerFields(text).map { sweeps.append(($0, block)) }
        case "ending": endings[LedgerTree.leaf(record)] = block
        case "review":
            // A second decision, after a contest, takes the place of the first.
            if let fields = LedgerFields(text), let outcome = fields.number("outcome") {
                reviews[outcome] = fields["decision"]
            }
        case "contest":
            if let fields = LedgerFields(text), let outcome = fields.number("outcome") {
                contestedAt[outcome] = fields["at"].flatMap { Timestamp(text: $0) }
            }
        default: break
        }
    }

    /// The record that the row makes. Rows once had an instant of their own, which was read a moment after the record's: less than a
    /// second from it, a row has the record's.
    func contest(_ row: RecordedContest) -> LedgerRecord {
        guard let at = contestedAt[row.outcome], abs(row.at.microseconds - at.microseconds) < 1_000_000 else {
            return .contest(row)
        }
        return .contest(row.outcome, row.delegation, row.period, reason: row.reason, by: row.by, at: at)
    }

    /// The record's kind and the field behind it; an ending and a start have none of their own and get three.
    private static func name(_ text: String) -> String {
        text.split(separator: " ").prefix(["ending ", "start "].contains(where: text.hasPrefix) ? 4 : 2).joined(
            separator: " ")
    }

    /// Each row makes one record of the ledger, and each record has its row.
    func compare(
        _ rows: [LedgerRecord], _ kind: String, _ place: String, _ report: inout LedgerVerification.Report
    ) {
        Self.compare(rows, with: receipts[kind, default: [:]], place, &report)
    }

    /// - Parameter receipts: with what each record is called.
    static func compare(
        _ rows: [LedgerRecord], with receipts: [[UInt8]: String], _ place: String,
        _ report: inout LedgerVerification.Report
    ) {
        var left = receipts
        for row in rows where left.removeValue(forKey: row.receipt) == nil {
            let name = Self.name(String(decoding: row.bytes, as: UTF8.self))
            report.add(place, "\(name) is stored otherwise than it was recorded, or was never recorded")
        }
        for name in left.values.sorted() {
            report.add(place, "\(name) was recorded, and nothing is stored that fits it")
        }
    }
}

extension Period {
    /// Its first instant by the clock of Mexico City.
    var start: Timestamp {
        Timestamp(date: firstDay, offsetSeconds: MexicanTimeZone.mexicoCity.standardOffsetSeconds)
    }

    /// The first instant after it.
    var end: Timestamp { advanced(byMonths: 1).start }
}
