// SPDX-License-Identifier: Apache-2.0

package import Assignment
internal import Crypto
package import PgStore

/// An account on its way to a certificate: what the clauses read, and what agencies reported.
struct ExhaustionCandidate {
    let delegation: Delegation
    let account: Int64
    let met: [Bool]
    let values: [AccountField: Int64]
    let history: AccountHistory
}

/// A named person's validation: the gate between social collection and the judicial side (SOL-40, SOL-43).
package struct ExhaustionValidation {
    /// How many accounts the preview tells in full.
    package static let shownMax = 10

    private let link: PgLink
    private let period: Period
    private let by: String
    private let store: ExhaustionStore
    private let sheet: ClauseSheet
    private let policy: Policy
    private let policyDigest: [UInt8]

    /// - Parameter by: who validates; 1 to 80 characters.
    /// - Throws: ``CommandFailure`` (usage) where nobody is named, the period is not segmented, or its policy has no
    ///   clauses of exhaustion.
    package init(_ link: PgLink, period: Period, by: String) throws {
        guard Self.isName(by) else {
            throw CommandFailure(
                .usage, "the name of who validates has 1 to 80 characters on one line", remedy: "Give it with --by.")
        }
        self.link = link
        self.period = period
        self.by = by
        self.store = ExhaustionStore(link, period: period)
        let (segmentation, file) = try PlanDraft.placements(link, period: period)
        let policy = try file.policy(for: period)
        self.policy = policy
        self.policyDigest = segmentation.policyDigest
        self.sheet = try ClauseSheet.required(.exhaustion, of: policy, period: period)
    }

    static func isName(_ text: String) -> Bool {
        (1...80).contains(text.count) && text.contains { $0 != " " }
            && !text.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F }
    }

    /// Of the accounts of a list, those without a valid certificate, each once and in the list's order: a list can be
    /// validated again after some of it, or all of it, is certified.
    package func uncertified(_ listed: [Int64]) throws -> [Int64] {
        let folios = try store.valid()
        var seen: Set<Int64> = []
        return listed.filter { folios[$0] == nil && seen.insert($0).inserted }
    }

    /// What would be certified, for people.
    ///
    /// - Throws: ``CommandFailure`` (findings) where an account cannot be.
    package func preview(_ accounts: [Int64]) throws -> [String] {
        let candidates = try examine(accounts)
        let more = candidates.count - Self.shownMax
        var excluded: [Int64: String] = [:]
        for (delegation, group) in Dictionary(grouping: candidates, by: \.delegation) {
            excluded.merge(try store.exclusions(delegation, group.map(\.account))) { first, _ in first }
        }
        let untried = candidates.count { $0.history.attempts.isEmpty }
        var warnings: [String] = []
        if !excluded.isEmpty {
            let reasons = Dictionary(grouping: excluded.values, by: \.self).mapValues(\.count)
            let told = reasons.keys.sorted().map { "\($0) \(reasons[$0] ?? 0)" }.joined(separator: ", ")
            warnings.append(
                "warning: \(Console.grouped(excluded.count)) of them \(excluded.count == 1 ? "is" : "are") excluded from collection "
                    + "already: \(told)")
        }
        if untried > 0 {
            warnings.append(
                "warning: \(Console.grouped(untried)) of them \(untried == 1 ? "has" : "have") no attempt of collection on record; a certificate has to "
                    + "prove that attempts are exhausted (SOL-42)")
        }
        return candidates.prefix(Self.shownMax).flatMap { candidate in
            let title = "account \(candidate.account), delegation \(candidate.delegation)"
            let clauses = sheet.clauses.map { clause in
                let values = clause.when.fields.map { "\($0.name) \($0.plainText(candidate.values[$0]))" }
                return "  met: \(clause.name) (\(values.joined(separator: ", ")))"
            }
            let attempts = candidate.history.attempts.reduce(0) { $0 + $1.outcomes }
            let standing = excluded[candidate.account].map { ["  excluded from collection: \($0)"] } ?? []
            return [title] + clauses + ["  attempts of collection on record: \(attempts)"] + standing
        } + (more > 0 ? ["and \(more) more"] : []) + warnings
    }

    /// Certifies all of them, or none, and takes them out of collection at once.
    ///
    /// - Throws: ``CommandFailure``: findings where an account cannot be certified, any more or at all; usage where the
    ///   period is not open.
    /// - Locks: every period that is not closed, so that nothing is dealt meanwhile; then hands and grants.
    package func issue(_ accounts: [Int64]) throws -> [CertificateReport] {
        do {
            return try link.transaction {
                let state = try PlanningStore(link, period: period, cut: SegmentationRun.cutDay(period)).lockPeriods()
                guard state == "open" else {
                    throw CommandFailure(
                        .usage, "period \(period) is \(state ?? "not there")",
                        remedy: "Validate by the cut of a period that is open.")
                }
                return try certify(try examine(accounts))
            }
        } catch let error as PgError {
            throw CommandFailure(error, work: "period \(period)", left: "nothing was certified")
        }
    }

    private func certify(_ candidates: [ExhaustionCandidate]) throws -> [CertificateReport] {
        let now = try store.now()
        let today = try ImportStore(link, kind: .starts, period: period).today()
        var number = try store.nextNumber()
        var rows: [CertificateRow] = []
        for candidate in candidates {
            let folio = Folio(period: period, number: number)
            let content = CertificateContent(
                folio, candidate, sheet: sheet, policy: policy, policyDigest: policyDigest, by: by, at: now)
            let body = content.json.text
            let row = CertificateRow(
                folio: folio, delegation: candidate.delegation, account: candidate.account, validatedBy: by,
                validatedAt: now, body: body, digest: Array(SHA256.hash(data: Array(body.utf8))))
            try store.insert(row, policyDigest: policyDigest, validFrom: today)
            rows.append(row)
            number += 1
        }
        let ended = try store.endDeals(of: candidates.map { ($0.delegation, $0.account) }) { endings, now in
            LedgerBlock.seal(endings.map { LedgerRecord.ending($0, period: Period.ofWork(at: now), at: now) })
        }
        try link.insertBlocks(LedgerBlock.seal(rows.map { .certificate($0, period: Period.ofWork(at: now)) }))
        return rows.map { CertificateReport($0, takenBack: ended) }
    }

    // MARK: - Examining

    private func examine(_ accounts: [Int64]) throws -> [ExhaustionCandidate] {
        let accounts = Set(accounts).sorted()
        guard !accounts.isEmpty else {
            throw CommandFailure(.usage, "no account is named", remedy: "Give --account ID or --file FILE.")
        }
        let delegations = try store.delegations(of: accounts)
        var faults = accounts.filter { delegations[$0] == nil }.map { "account \($0) is not in the cut of \(period)" }
        let folios = try store.valid()
        for account in accounts {
            if let folio = folios[account] { faults.append("account \(account) has the certificate \(folio)") }
        }
        let candidates = try read(accounts, delegations)
        for candidate in candidates where candidate.met.contains(false) && folios[candidate.account] == nil {
            faults.append("account \(candidate.account) misses \(sheet.missing(candidate.met).joined(separator: ", "))")
        }
        guard faults.isEmpty else {
            let shown = faults.prefix(10).joined(separator: "; ")
            let more = faults.count > 10 ? "; and \(faults.count - 10) more" : ""
            throw CommandFailure(
                .findings, shown + more,
                remedy: "Nothing was certified. `dispatcherd exhaustion list --all` shows each clause.")
        }
        return candidates
    }

    private func read(_ accounts: [Int64], _ delegations: [Int64: Delegation]) throws -> [ExhaustionCandidate] {
        let located = accounts.compactMap { account in delegations[account].map { (delegation: $0, account: account) } }
        let histories = try store.histories(located)
        let wanted = Set((sheet.fields + CertificateContent.fields).map(\.rawValue))
        let fields = AccountField.stored.filter { wanted.contains($0.rawValue) }
        var candidates: [ExhaustionCandidate] = []
        let byDelegation = Dictionary(grouping: located, by: \.delegation)
        for delegation in byDelegation.keys.sorted() {
            let numbers = (byDelegation[delegation] ?? []).map { String($0.account) }.joined(separator: ",")
            try SegmentationStore(link, period: period).readCut(
                delegation, cut: SegmentationRun.cutDay(period), only: "SELECT unnest('{\(numbers)}'::bigint[])",
                fields: fields
            ) { account, row in
                var values: [AccountField: Int64] = [:]
                for field in fields { values[field] = row[field] }
                candidates.append(
                    ExhaustionCandidate(
                        delegation: delegation, account: account, met: sheet.met(by: row), values: values,
                        history: histories[account] ?? AccountHistory()))
            }
        }
        return candidates
    }
}

extension LedgerRecord {
    /// The content's digest stands for the content, which names a person.
    static func certificate(_ row: CertificateRow, period: Period) -> LedgerRecord {
        LedgerRecord(
            delegation: row.delegation, period: period,
            "certificate folio=\(row.folio) delegation=\(row.delegation) account=\(row.account)"
                + " content=\(LedgerTree.hex(row.digest)) at=\(row.validatedAt)")
    }

    static func revocation(_ row: CertificateRow, by: String, reason: String, period: Period, at now: Timestamp)
        -> LedgerRecord
    {
        let content = LedgerTree.hash(Array(by.utf8) + [0], Array(reason.utf8))
        return LedgerRecord(
            delegation: row.delegation, period: period,
            "revocation folio=\(row.folio) delegation=\(row.delegation) account=\(row.account)"
                + " content=\(LedgerTree.hex(content)) at=\(now)")
    }
}
