// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// What one policy says of an account: its verdict, in the numbers of the policy's ``VerdictTable``, and its class; 0
/// where nobody works it.
struct TrialSide: Hashable, Sendable {
    let code: Int32
    let priority: Int16
}

/// Accounts of one delegation that each of the tried policies treats alike.
struct TrialCell: Hashable, Sendable {
    /// One per policy, in their order.
    let sides: [TrialSide]
    /// Whether no plan would deal them, because they are held or stopped; never set where that was not asked for.
    let isUndealable: Bool
}

/// An account whose verdicts are asked for by themselves.
struct TrialAccount: Sendable {
    let account: Int64
    /// Centavos.
    let overdue: Int64
    let balance: Int64
    /// In the numbers of the tables of the first policy and the second.
    let old: Int32
    let new: Int32
}

/// Which accounts are asked for by themselves, by their verdicts under two policies.
struct TrialQuestion: Sendable {
    let isAsked: @Sendable (_ old: Int32, _ new: Int32) -> Bool
    /// How many, the first by delegation and number; `nil` for all of them.
    let countMax: Int?

    func holds(_ sides: [TrialSide]) -> Bool { sides.count == 2 && isAsked(sides[0].code, sides[1].code) }
}

/// What the codes of one policy's columns mean.
struct TrialCodes: Sendable {
    /// By code, before anybody is invited.
    let placed: [TrialSide]
    /// The same where the account is invited.
    let invited: [TrialSide]
    /// By code, where those go that may be invited.
    let candidates: [(placed: Placement, invited: Placement)?]

    init(_ columns: ColumnSegmenter, _ table: VerdictTable) {
        var placed: [TrialSide] = []
        var invited: [TrialSide] = []
        var candidates: [(placed: Placement, invited: Placement)?] = []
        for outcome in columns.outcomes {
            switch outcome {
            case .excluded(let index):
                placed.append(TrialSide(code: table.code(exclusion: index), priority: 0))
                invited.append(placed[placed.count - 1])
                candidates.append(nil)
            case .placed(let placement, let invitation):
                placed.append(TrialSide(code: table.code(placement), priority: placement.priority))
                let goes = invitation ?? placement
                invited.append(TrialSide(code: table.code(goes), priority: goes.priority))
                candidates.append(invitation.map { (placement, $0) })
            case .nothingToCollect:
                placed.append(TrialSide(code: VerdictTable.none, priority: 0))
                invited.append(placed[placed.count - 1])
                candidates.append(nil)
            }
        }
        self.placed = placed
        self.invited = invited
        self.candidates = candidates
    }
}
