// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

/// What becomes of a started account; each has one.
enum StartFate: CaseIterable {
    /// Nobody had it.
    case dealt
    /// It waited in a hand, and goes before it: of the same contract, pool and exposure, so no quota is asked.
    case moved
    /// It waited in a hand, is placed otherwise now, and was dealt by that.
    case dealtAnew
    /// It waits in a front hand as it would be dealt now.
    case waiting
    /// It stays with its holder as dealt.
    case held
    case excluded
    case nothingToCollect
    /// No contract in force collects its strategy and portfolio there.
    case noContract
    /// Every contract has as many accounts as its quota allows.
    case quota
    case bond
    /// Only agencies that had it before have room.
    case rotation
    /// No agency that searches has room (ASG-08).
    case search
    /// Whoever has room may not work it: its band is suspended, or there are no visits.
    case ban

    init(_ left: DealResult.Left.Reason) {
        switch left {
        case .quota: self = .quota
        case .bond: self = .bond
        case .rotation: self = .rotation
        case .search: self = .search
        case .ban: self = .ban
        }
    }

    /// The fate of an account that cannot be dealt; `nil` where it can.
    init?(withoutDeal account: StartStore.Account) {
        if account.isExcluded {
            self = .excluded
        } else if account.liveEpoch != nil {
            self = account.waiting?.isCurrent == true ? .waiting : .held
        } else if account.dealable == nil {
            self = .nothingToCollect
        } else {
            return nil
        }
    }

    var label: String {
        switch self {
        case .dealt: "dealt into front hands"
        case .moved: "moved to the front of the hands where they waited"
        case .dealtAnew: "placed otherwise than where they waited, and dealt by that"
        case .waiting: "waiting in front hands already"
        case .held: "held, and stay with their agencies as dealt"
        case .excluded: "excluded"
        case .nothingToCollect: "nothing to collect"
        case .noContract: "unassigned, no contract works there"
        case .quota: "unassigned, no quota is left"
        case .bond: "unassigned, no bond is left"
        case .rotation: "unassigned, only agencies that had them have room"
        case .search: "unassigned, no agency that searches has room"
        case .ban: "unassigned, whoever has room may not work them"
        }
    }

    /// The word that is recorded: what was dealt has an epoch of its own, and what is in somebody's hand the one that it had.
    var word: String {
        switch self {
        case .dealt, .moved, .dealtAnew: "dealt"
        case .waiting, .held: "in-hand"
        case .excluded: "excluded"
        case .nothingToCollect: "nothing-to-collect"
        case .noContract: "no-contract"
        case .quota: "quota"
        case .bond: "bond"
        case .rotation: "rotation"
        case .search: "search"
        case .ban: "ban"
        }
    }
}

extension StartFate {
    /// The words that are recorded, each with what it says.
    static let recorded: [(word: String, label: String)] =
        [
            (StartFate.dealt.word, StartFate.dealt.label), (StartFate.held.word, "held, or waiting in a front hand"),
        ]
        + allCases.filter { ![StartFate.dealt.word, StartFate.held.word].contains($0.word) }.map { ($0.word, $0.label) }
}

/// One started account and its fate.
struct StartOutcome {
    let place: StartPlace
    let fate: StartFate
    /// Of the deal that it got, or has.
    let epoch: Int64?

    var recorded: StartStore.Fate {
        StartStore.Fate(delegation: place.delegation, account: place.account, fate: fate.word, epoch: epoch)
    }
}

/// A number names an account within its delegation.
struct StartPlace: Hashable {
    let delegation: Delegation
    let account: Int64
}

extension StartStore.Account {
    var place: StartPlace { StartPlace(delegation: delegation, account: account) }
}

extension LedgerRecord {
    static func start(_ account: StartStore.Account, _ outcome: StartOutcome, period: Period) -> LedgerRecord {
        start(
            StartedRow(
                delegation: account.delegation, account: account.account, reason: account.reason,
                onDate: account.onDate, rule: account.rule, fate: outcome.fate.word, epoch: outcome.epoch),
            period: period)
    }

    static func start(_ row: StartedRow, period: Period) -> LedgerRecord {
        var text = "start delegation=\(row.delegation) account=\(row.account) reason=\(row.reason)"
        text += " on=\(row.onDate) rule=\(row.rule ?? "none") fate=\(row.fate)"
        if let epoch = row.epoch { text += " epoch=\(epoch)" }
        return LedgerRecord(delegation: row.delegation, period: period, text)
    }
}
