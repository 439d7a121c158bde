// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// What only the ledger tells: extensions, disclosures of contact data, digests of statements.
struct RecordedChecks {
    let history: History
    let leases: [Lease]

    func run(_ verdict: inout Verdict) {
        guard history.hasLedger else { return }
        var extensions: [GrantID: [LogFields]] = [:]
        var disclosures: [LogFields] = []
        var digests: [Statement: [[UInt8]]] = [:]
        for block in history.blocks {
            for bytes in Merkle.records(block.records) {
                // Most records are of other kinds.
                if bytes.starts(with: "extension ".utf8) {
                    let fields = Self.fields(bytes)
                    if let grant = fields.grant { extensions[grant, default: []].append(fields) }
                } else if bytes.starts(with: "disclosure ".utf8) {
                    disclosures.append(Self.fields(bytes))
                } else if bytes.starts(with: "statement ".utf8) {
                    let fields = Self.fields(bytes)
                    guard let contract = fields.number("contract"),
                        let digest = fields["digest"].flatMap({ Hex.bytes($0) })
                    else { continue }
                    digests[Statement(period: block.period, contract: contract), default: []].append(digest)
                }
            }
        }
        extended(extensions, &verdict)
        disclosed(disclosures, &verdict)
        stated(digests, &verdict)
    }

    private struct Statement: Hashable {
        let period: Int32
        let contract: Int64
    }

    private static func fields(_ bytes: ArraySlice<UInt8>) -> LogFields {
        LogFields(String(decoding: bytes, as: UTF8.self)[...])
    }

    /// A term is prolonged while it lasts.
    private func extended(_ extensions: [GrantID: [LogFields]], _ verdict: inout Verdict) {
        for grant in history.grants {
            guard let mine = extensions[grant.grant] else { continue }
            var term = grant.announcedTerm
            let ordered = mine.compactMap { fields in
                fields.instant("at").flatMap { at in fields.instant("term").map { (at: at, term: $0) } }
            }.sorted { ($0.at, $0.term) < ($1.at, $1.term) }
            for step in ordered {
                verdict.count(.fencing)
                let grace = grant.graceMicroseconds + max(0, history.outageMicroseconds - grant.outageMicroseconds)
                let enforced = term.advanced(by: .microseconds(grace))
                let end = min(grant.closedAt ?? enforced, enforced)
                if step.at > end {
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
    private func disclosed(_ disclosures: [LogFields], _ verdict: inout Verdict) {
        told(disclosures, &verdict)
        guard !disclosures.isEmpty else { return }
        let byHeld = Dictionary(leases.map { ($0.held, $0) }) { first, _ in first }
        for fields in disclosures {
            verdict.count(.disclosures)
            guard let held = fields.held, let at = fields.instant("at") else { continue }
            let agency = fields["agency"].map(String.init) ?? "?"
            let lease = byHeld[held]
            if let lease, AgencyID(lease.grant.agency)?.description == agency, lease.from <= at,
                at <= min(lease.until ?? lease.enforcedTerm, lease.enforcedTerm)
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
    }

    /// A kept statement is the one that was recorded when its month was closed.
    private func stated(_ digests: [Statement: [[UInt8]]], _ verdict: inout Verdict) {
        for kept in history.statementDigests {
            guard let recorded = digests[Statement(period: kept.period, contract: Int64(kept.contract))] else {
                continue
            }
            verdict.count(.money)
            guard !recorded.contains(kept.digest) else { continue }
            verdict.add(
                Finding(
                    .money, history.delegation, "a statement is not the one that was recorded",
                    events: [
                        "statement of \(kept.period), contract \(kept.contract), has the digest \(Hex.text(kept.digest))",
                        "recorded were \(Set(recorded.map { Hex.text($0) }).sorted().joined(separator: ", "))",
                    ]))
        }
    }
}
