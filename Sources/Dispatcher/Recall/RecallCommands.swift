// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol
internal import Assignment
internal import PgStore

/// A recall as an operator orders it: looked at first, then given notice of.
package struct RecallOrder {
    private let scope: RecallScope
    /// Of that scope what is held above limits, and nothing else.
    private var isOfExcess = false
    private let reason: String
    private let finalAt: Timestamp
    private let by: String

    /// Accounts of one order at most.
    static let max: Int32 = 100_000
    /// What takes an account back at once, and keeps it from being dealt again.
    private static let stops = ["lawsuit", "death", "payoff", "fpp", "extension", "disaster"]

    /// - Throws: ``CommandFailure`` of usage.
    package init(
        delegation: Int16?, accounts: [Int64], agency: String?, contract: Int32?, strategy: String?, limit: Int32?,
        reason: String, on: String, by: String
    ) throws(CommandFailure) {
        guard !accounts.isEmpty || agency != nil || contract != nil else {
            throw CommandFailure(
                .usage, "nothing says whose accounts", remedy: "Give --account, --agency or --contract.")
        }
        guard !Self.stops.contains(reason) else {
            throw CommandFailure(
                .usage, "\(reason) needs no notice, and keeps an account from being dealt again",
                remedy: "Load it with `dispatcherd import stops`; that takes held accounts back at once.")
        }
        var scope = RecallScope()
        scope.delegation = try delegation.map(Words.delegation)
        for account in accounts { scope.accounts.append(try Words.account(account)) }
        scope.agency = try agency.map(Words.agency)
        scope.contract = try contract.map(Self.contract)
        scope.strategy = try strategy.map(Words.strategy)
        if let limit, limit < 1 {
            throw CommandFailure(.usage, "--limit is \(limit)", remedy: "It is 1 or more.")
        }
        scope.limit = limit
        self.scope = scope
        self.reason = try Words.token(reason, "reason")
        self.by = try Words.person(by)
        finalAt = try Words.midnight(on)
    }

    /// A recall of what contracts hold above their limits: of each limit the lowest priority classes first, and in a class those
    /// leased last.
    ///
    /// - Throws: ``CommandFailure`` of usage.
    package init(
        aboveLimitsIn delegation: Int16?, agency: String?, contract: Int32?, strategy: String?, on: String, by: String
    ) throws(CommandFailure) {
        var scope = RecallScope()
        scope.delegation = try delegation.map(Words.delegation)
        scope.agency = try agency.map(Words.agency)
        scope.contract = try contract.map(Self.contract)
        scope.strategy = try strategy.map(Words.strategy)
        self.scope = scope
        isOfExcess = true
        reason = "over-limit"
        self.by = try Words.person(by)
        finalAt = try Words.midnight(on)
    }

    private static func contract(_ number: Int32) throws(CommandFailure) -> ContractID {
        guard let known = ContractID(number) else {
            throw CommandFailure(.usage, "\(number) is no contract", remedy: "Contracts are 1 to 99999.")
        }
        return known
    }

    /// - Returns: what would be recalled, or was.
    package func run(on link: DatabaseLink, applies: Bool, asJSON: Bool) throws -> String {
        do {
            guard finalAt > (try link.readNow()) else {
                throw CommandFailure(
                    .usage, "\(finalAt) has passed", remedy: "Give a later day; a notice gives the agency time.")
            }
            let found =
                isOfExcess
                ? try link.readOverLimit(scope, limit: Self.max)
                : try link.readRecallable(scope, limit: min(scope.limit ?? Self.max, Self.max))
            guard applies else { return try text(found, isApplied: false, asJSON: asJSON) }
            let noticed = try Recalls.notice(link, found.map(\.lease), reason: reason, finalAt: finalAt, by: by)
            return try text(noticed, isApplied: true, asJSON: asJSON)
        } catch let error as PgError {
            throw CommandFailure(
                error, work: "those accounts", left: "what was noticed stays so; ask again for the rest")
        }
    }

    private func text(_ rows: [RecallRow], isApplied: Bool, asJSON: Bool) throws -> String {
        if asJSON { return try JSONText.of(rows.map(ListedRecall.init)) }
        guard !rows.isEmpty else {
            return isOfExcess
                ? "nothing is held above a limit that has no recall under way"
                : "no held account fits that has no recall under way"
        }
        var table = TextTable(columns: [.left, .left, .right, .right, .right])
        table.row(["agency", "strategy", "delegation", "accounts", "overdue"])
        let groups = Dictionary(grouping: rows) { RecallGroup($0) }
        for (group, rows) in groups.sorted(by: { $0.key < $1.key }) {
            table.row([
                group.agency.description, group.strategy, "\(group.delegation)", Console.grouped(rows.count),
                rows.reduce(Cents.zero) { $0 + $1.overdue }.description,
            ])
        }
        let end =
            isApplied
            ? "notice given of \(Console.grouped(rows.count)) accounts, for \(reason), final \(finalAt)"
            : "nothing was changed; --apply gives notice of these \(Console.grouped(rows.count)) accounts"
        return (table.lines + [end]).joined(separator: "\n")
    }

    private struct RecallGroup: Hashable, Comparable {
        let agency: AgencyID
        let strategy: String
        let delegation: Delegation

        init(_ row: RecallRow) {
            agency = row.agency
            strategy = row.strategy?.name ?? ""
            delegation = row.lease.delegation
        }

        static func < (left: RecallGroup, right: RecallGroup) -> Bool {
            (left.agency, left.strategy, left.delegation) < (right.agency, right.strategy, right.delegation)
        }
    }
}

/// Recalls as the command line has them.
package enum RecallCommands {
    /// The recalls under way, one line each, or a JSON array.
    package static func list(objected: Bool, asJSON: Bool, _ link: DatabaseLink) throws -> String {
        let rows = try link.readRecalls(objected: objected, limit: RecallOrder.max)
        if asJSON { return try JSONText.of(rows.map(ListedRecall.init)) }
        guard !rows.isEmpty else { return objected ? "no objection waits" : "no recall is under way" }
        var table = TextTable(columns: [.right, .right, .right, .left, .left, .left, .left])
        table.row(["delegation", "account", "epoch", "agency", "reason", "due", "objection"])
        for recall in rows.map(ListedRecall.init) {
            table.row([
                "\(recall.delegation)", "\(recall.account)", "\(recall.epoch)", recall.agency, recall.reason ?? "",
                recall.due ?? "", [recall.objection, recall.state].compactMap(\.self).joined(separator: ", "),
            ])
        }
        return table.lines.joined(separator: "\n")
    }

    /// A decision about one recall.
    package struct Decision {
        private let lease: LeaseKey
        private let decision: Recalls.Decision
        private let reason: String
        private let by: String

        package init(
            delegation: Int16, account: Int64, epoch: Int64, upholds: Bool, reason: String, by: String
        ) throws(CommandFailure) {
            guard let number = Epoch(epoch) else {
                throw CommandFailure(.usage, "\(epoch) is no epoch", remedy: "`dispatcherd recall list` shows it.")
            }
            lease = LeaseKey(
                delegation: try Words.delegation(delegation), account: try Words.account(account), epoch: number)
            decision = upholds ? .upheld : .withdrawn
            self.reason = try Words.token(reason, "reason")
            self.by = try Words.person(by)
        }

        package func run(on link: DatabaseLink) throws -> String {
            guard let row = try Recalls.decide(link, lease, decision, reason: reason, by: by) else {
                throw CommandFailure(
                    .findings, "no recall of account \(lease.account) under epoch \(lease.epoch) waits for that",
                    remedy: "`dispatcherd recall list` shows those that are under way.")
            }
            // Whoever decides at the same time is told whose decision this one takes the place of.
            let former = row.notice.flatMap { $0.state.state == .upheld ? $0.decidedBy : nil }
            return "\(row.agency) account \(lease.account): recall \(decision.rawValue)"
                + (former.map { ", which \($0) had upheld" } ?? "")
        }
    }
}

/// A recall as JSON.
private struct ListedRecall: Encodable {
    let delegation: Int16
    let account, epoch: Int64
    let agency: String
    let strategy, reason, noticedBy, noticedAt, due, state, objection: String?

    init(_ row: RecallRow) {
        delegation = row.lease.delegation.value
        account = row.lease.account.value
        epoch = row.lease.epoch.value
        agency = row.agency.description
        strategy = row.strategy?.name
        reason = row.notice?.reason
        noticedBy = row.notice?.by
        noticedAt = row.notice?.noticedAt.description
        due = row.notice?.state.due?.description
        objection = row.notice?.objection
        state = row.notice.map {
            switch $0.state.state {
            case .pending: "pending"
            case .objected: "waits for a decision"
            case .upheld: "upheld"
            case .withdrawn: "withdrawn"
            }
        }
    }
}
