// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// What only the ledger tells: extensions, disclosures of contact data, digests of statements, signed roots.
struct RecordedChecks {
    let history: History
    let leases: [Lease]
    let order: LedgerOrder
    let records: LedgerRecords

    /// A record with the place of its block.
    private struct Placed {
        let fields: LogFields
        let block: Int64
    }

    func run(_ verdict: inout Verdict) {
        guard history.hasLedger else { return }
        var extensions: [GrantID: [Placed]] = [:]
        for record in records.of("extension") {
            let fields = record.fields
            guard let grant = fields.grant else { continue }
            extensions[grant, default: []].append(Placed(fields: fields, block: record.block))
        }
        var digests: [Statement: [[UInt8]]] = [:]
        for record in records.of("statement") {
            let fields = record.fields
            guard let contract = fields.number("contract"), let digest = fields["digest"].flatMap({ Hex.bytes($0) })
            else { continue }
            digests[Statement(period: record.period, contract: contract), default: []].append(digest)
        }
        extended(extensions, &verdict)
        disclosed(records.of("disclosure").map { Placed(fields: $0.fields, block: $0.block) }, &verdict)
        stated(digests, &verdict)
        for record in records.of("root") { signed(record.fields, &verdict) }
    }

    /// A month that was signed stays signed, by the same root.
    private func signed(_ record: LogFields, _ verdict: inout Verdict) {
        verdict.count(.ledger)
        guard let root = record["root"].flatMap({ Hex.bytes($0) }), !history.signedRoots.contains(root) else { return }
        verdict.add(
            Finding(
                .ledger, history.delegation, "a signed root that was recorded is gone",
                events: [
                    "the root of \(record["period"] ?? "?") was \(Hex.text(root)), by key \(record["key"] ?? "?")",
                    "no signature of that root is kept",
                ]))
    }

    private struct Statement: Hashable {
        let period: Int32
        let contract: Int64
    }

    /// A term is prolonged while it lasts.
    private func extended(_ extensions: [GrantID: [Placed]], _ verdict: inout Verdict) {
        for grant in history.grants {
            guard let mine = extensions[grant.grant] else { continue }
            var term = grant.announcedTerm
            let sweep = order.block(ofSweep: grant.grant)
            let ordered = mine.compactMap { record in
                record.fields.instant("at").flatMap { at in
                    record.fields.instant("term").map { (at: at, term: $0, block: record.block) }
                }
            }.sorted { ($0.at, $0.term) < ($1.at, $1.term) }
            for step in ordered {
                verdict.count(.fencing)
                let grace = grant.graceMicroseconds + max(0, history.outageMicroseconds - grant.outageMicroseconds)
                let enforced = term.advanced(by: .microseconds(grace))
                let end = min(grant.closedAt ?? enforced, enforced)
                if step.at > end || sweep.map({ order.isBehind(step.block, $0) }) ?? false {
                    verdict.add(
                        Finding(
                            .fencing, history.delegation, "a lease was prolonged after it had ended",
                            events: [
                                "grant \(grant.grant) of contract \(grant.contract) had the term \(term), enforced until \(enforced)"
                                    + (grant.closedAt.map { ", closed at \($0)" } ?? ""),
                                "it was prolonged to \(step.term) at \(step.at)",
                            ]))
                }
                term = max(term, step.term)
            }
        }
    }

    /// Contact data is given to the holder, while it is one.
    private func disclosed(_ disclosures: [Placed], _ verdict: inout Verdict) {
        told(disclosures.map(\.fields), &verdict)
        guard !disclosures.isEmpty else { return }
        let byHeld = Dictionary(leases.map { ($0.held, $0) }) { first, _ in first }
        for record in disclosures {
            verdict.count(.disclosures)
            let fields = record.fields
            guard let held = fields.held, let at = fields.instant("at") else { continue }
            let agency = fields["agency"].map(String.init) ?? "?"
            let lease = byHeld[held]
            if let lease, AgencyID(lease.grant.agency)?.description == agency, lease.from <= at,
                at <= min(lease.until ?? lease.enforcedTerm, lease.enforcedTerm),
                !order.isBehind(record.block, theEndOf: lease)
            {
                continue
            }
            verdict.add(
                Finding(
                    .disclosures, history.delegation, "contact data was given to somebody who did not hold the account",
                    events: [
                        lease.map { $0.line + " to agency \($0.grant.agency)" } ?? "\(held) was never leased",
                        "\(agency) was told the contact data of \(held) at \(at)",
                    ]))
        }
    }

    /// What a client was told of a debtor is recorded of that client.
    private func told(_ disclosures: [LogFields], _ verdict: inout Verdict) {
        struct Telling: Hashable {
            var held: Held
            var agency: String
            var instance: Int64
        }
        var recorded: [Telling: Int] = [:]
        for fields in disclosures {
            guard let held = fields.held, let instance = fields.number("instance") else { continue }
            recorded[
                Telling(held: held, agency: fields["agency"].map(String.init) ?? "", instance: instance), default: 0] +=
                1
        }
        for operation in history.operations {
            guard case .disclosed(let held) = operation.reply else { continue }
            verdict.count(.disclosures)
            let telling = history.instance(of: operation).map {
                Telling(held: held, agency: operation.agency.description, instance: Int64($0))
            }
            if let telling, let left = recorded[telling], left > 0 {
                recorded[telling] = left - 1
                continue
            }
            verdict.add(
                Finding(
                    .disclosures, history.delegation, "contact data was given, and that is not recorded",
                    events: [
                        "\(operation.place) of \(operation.agency): \(ClientLog.line(operation).prefix(200))",
                        "no record says that \(operation.agency) \(operation.instance) was told of \(held) so often",
                    ]))
        }
        // What was told and stands in no log of a client that keeps one.
        let writers = Set(history.operations.compactMap { history.instance(of: $0) }.map(Int64.init))
        verdict.countUnlogged(recorded.reduce(0) { $0 + (writers.contains($1.key.instance) ? $1.value : 0) })
    }

    /// A kept statement is the one that was recorded when its month was closed, in each delegation where it has a section; and what was
    /// recorded is kept.
    private func stated(_ digests: [Statement: [[UInt8]]], _ verdict: inout Verdict) {
        var left = digests
        for kept in history.statementDigests {
            let name = "statement of \(kept.period), contract \(kept.contract)"
            guard
                let recorded = left.removeValue(forKey: Statement(period: kept.period, contract: Int64(kept.contract)))
            else {
                guard kept.delegations.contains(history.delegation) else { continue }
                verdict.count(.money)
                add("a statement was never recorded", ["\(name), has a section of this delegation"], &verdict)
                continue
            }
            verdict.count(.money)
            guard !recorded.contains(kept.digest) else { continue }
            add(
                "a statement is not the one that was recorded",
                [
                    "\(name), has the digest \(Hex.text(kept.digest))",
                    "recorded were \(Set(recorded.map { Hex.text($0) }).sorted().joined(separator: ", "))",
                ], &verdict)
        }
        for gone in left.keys.sorted(by: { ($0.period, $0.contract) < ($1.period, $1.contract) }) {
            verdict.count(.money)
            add(
                "a statement that was recorded is gone", ["statement of \(gone.period), contract \(gone.contract)"],
                &verdict)
        }
    }

    private func add(_ found: String, _ events: [String], _ verdict: inout Verdict) {
        verdict.add(Finding(.money, history.delegation, found, events: events))
    }
}

/// The statements of a signed month are those that its root was signed over, no more and no fewer: also those that have no section of a
/// delegation, and so no record.
package struct SignedStatementChecks {
    let signed: [Int32: [Int32: [UInt8]]]
    let kept: [History.StatementDigest]

    /// - Parameter signed: digests by month and contract; a month without statements has an empty one.
    package init(signed: [Int32: [Int32: [UInt8]]], kept: [History.StatementDigest]) {
        self.signed = signed
        self.kept = kept
    }

    /// - Parameter delegation: what a break is told of: it is none's.
    package func verdict(_ delegation: Delegation) -> Verdict {
        var verdict = Verdict()
        var left = signed
        for statement in kept {
            guard let month = signed[statement.period] else { continue }
            verdict.count(.money)
            left[statement.period]?[statement.contract] = nil
            guard month[statement.contract] != statement.digest else { continue }
            verdict.add(
                Finding(
                    .money, delegation, "a statement is not one of those that were signed",
                    events: [
                        "statement of \(statement.period), contract \(statement.contract), has the digest \(Hex.text(statement.digest))",
                        month[statement.contract].map { "signed was \(Hex.text($0))" }
                            ?? "the root of that month has no statement of this contract",
                    ]))
        }
        for (period, contracts) in left.sorted(by: { $0.key < $1.key }) {
            for contract in contracts.keys.sorted() {
                verdict.count(.money)
                verdict.add(
                    Finding(
                        .money, delegation, "a statement that was signed is gone",
                        events: ["the root of \(period) has a statement of contract \(contract)", "none is kept"]))
            }
        }
        return verdict
    }
}
