// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import Crypto
internal import PgStore

/// What became of the accounts of one delegation.
struct DelegationVerdicts: Sendable {
    /// How many accounts of each code went where they are invited.
    let invited: [UInt16: Int64]
    let capacity: Int64
    let candidates: Int64
    let rows: PlacementEncoder.Rows
    /// Of the rows.
    let digest: [UInt8]
}

/// Puts the verdicts of one delegation in the order of its accounts, chooses whom to invite, and makes the rows.
struct DelegationSegmenter: Sendable {
    private let columns: ColumnSegmenter
    private let period: Period
    private let contents: [PlacementEncoder.Content?]

    init(_ columns: ColumnSegmenter, period: Period) {
        self.columns = columns
        self.period = period
        self.contents = columns.contents
    }

    /// - Parameters:
    ///   - accounts: how many the cut has there; session capacity is measured by it.
    ///   - parts: the verdicts on them, as the stretches of the table gave them.
    func segment(_ delegation: Delegation, accounts: Int64, _ parts: [VerdictList]) -> DelegationVerdicts {
        let verdicts = VerdictList(parts)
        let capacity = columns.segmenter.policy.invitation.map { invitation in
            invitation.sessions.capacity(delegation: delegation.value, accounts: accounts)
        }
        let round = InvitationRound(parts.flatMap(\.candidates), columns)
        let chosen = round.invited(capacity: capacity ?? 0)
        var invited: [UInt16: Int64] = [:]
        let rows = encode(delegation, verdicts, chosen, &invited)
        return DelegationVerdicts(
            invited: invited, capacity: capacity ?? 0, candidates: Int64(round.count), rows: rows,
            digest: rows.bytes.withUnsafeBytes { bytes in
                var hash = SHA256()
                hash.update(bufferPointer: bytes)
                return Array(hash.finalize())
            })
    }

    /// - Parameter chosen: the accounts that are invited, ascending as all accounts are.
    private func encode(
        _ delegation: Delegation, _ verdicts: VerdictList, _ chosen: [Int64], _ invited: inout [UInt16: Int64]
    ) -> PlacementEncoder.Rows {
        let encoder = PlacementEncoder(period: period, delegation: delegation, contents: contents)
        var rows = PlacementEncoder.Rows()
        var next = 0
        verdicts.forEach { account, code, offers in
            var outcome = Int(code)
            if next < chosen.count, chosen[next] == account {
                invited[code, default: 0] += 1
                outcome += columns.outcomes.count
                next += 1
            }
            encoder.append(account, outcome: outcome, offers: offers, to: &rows)
        }
        return rows
    }
}

extension InvitationRound {
    /// The candidates of one delegation, as the columns gave them.
    init(_ candidates: [VerdictList.Candidate], _ columns: ColumnSegmenter) {
        self.init()
        for candidate in candidates {
            guard case .placed(let placed, .some(let invited)) = columns.outcomes[Int(candidate.code)] else { continue }
            add(account: candidate.account, arrears: candidate.arrears, placed: placed, invited: invited)
        }
    }
}

extension ColumnSegmenter {
    /// What the row of each code says; behind them once more, for those that are invited.
    fileprivate var contents: [PlacementEncoder.Content?] {
        let placed = outcomes.map { outcome -> PlacementEncoder.Content? in
            switch outcome {
            case .excluded(let index):
                let reason = segmenter.policy.exclusions[index].reason
                return PlacementEncoder.Content(exclusion: reason, rule: "exclusion.\(reason)")
            case .placed(let placement, _): return content(placement)
            case .nothingToCollect: return nil
            }
        }
        let invited = outcomes.map { outcome -> PlacementEncoder.Content? in
            guard case .placed(_, .some(let invited)) = outcome else { return nil }
            return content(invited)
        }
        return placed + invited
    }

    private func content(_ placement: Placement) -> PlacementEncoder.Content {
        PlacementEncoder.Content(
            placement: placement, tactic: segmenter.tactics[Int(placement.tactic)], rule: segmenter.rule(placement))
    }
}
