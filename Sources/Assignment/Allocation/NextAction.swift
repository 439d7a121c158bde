// SPDX-License-Identifier: Apache-2.0

/// What comes next of an account whose lease ended within its month, so that none lies forgotten (ASG-03, ASG-04).
package enum NextAction: String, Sendable, CaseIterable {
    /// Held by somebody else, or waiting in a hand.
    case dealt
    /// Placed under another strategy than the one it came back from: dealt again there.
    case otherStrategy = "other-strategy"
    /// Back from an agency that worked it: dealt again, to another one.
    case otherAgency = "other-agency"
    /// Never worked by whoever had it: dealt again, to whoever has room.
    case dealAgain = "deal-again"
    /// The agency says something that only the institution can find out: a stop, or the next month's cut, decides.
    case check
    /// Not found, and its social collection may be exhausted: a person validates it.
    case exhaustion
    /// Stopped; it comes back when the stop ends.
    case stopped
    /// No other agency works there, and it does not go back to the one that had it: the next month's plan deals it.
    case nextMonth = "next-month"
    /// Not found, and no agency that searches works there (ASG-08): nobody gets it before the plan settings name one.
    case search
    /// The policy places it nowhere: the next month's segmentation decides.
    case nowhere

    /// What is known of an account that came back.
    package struct Facts: Hashable, Sendable {
        package var isDealt: Bool
        package var isStopped: Bool
        package var isPlaced: Bool
        package var changesStrategy: Bool
        /// Of a return; `nil`: it expired or was recalled.
        package var returnReason: String?
        package var wasWorked: Bool
        /// More instalments unpaid than the exhaustion clauses ask for (SOL-40).
        package var nearsExhaustion: Bool
        /// Whether an agency that is not the latest holder works the pool that it is placed in.
        package var hasTaker: Bool
        /// Whether one of those that search does, where only they get it; `true` of whoever may go to anybody.
        package var hasSearcher: Bool

        package init(
            isDealt: Bool, isStopped: Bool, isPlaced: Bool, changesStrategy: Bool, returnReason: String?,
            wasWorked: Bool, nearsExhaustion: Bool, hasTaker: Bool, hasSearcher: Bool
        ) {
            self.hasTaker = hasTaker
            self.hasSearcher = hasSearcher
            self.isDealt = isDealt
            self.isStopped = isStopped
            self.isPlaced = isPlaced
            self.changesStrategy = changesStrategy
            self.returnReason = returnReason
            self.wasWorked = wasWorked
            self.nearsExhaustion = nearsExhaustion
        }
    }

    /// Reasons of a return after which the account waits for the institution and is dealt to nobody within the month.
    package static let checkedReasons: Set<String> = ["deceased", "dispute", "paid", "duplicate"]

    package init(_ facts: Facts) {
        if facts.isDealt {
            self = .dealt
        } else if facts.isStopped {
            self = .stopped
        } else if !facts.isPlaced {
            self = .nowhere
        } else if let reason = facts.returnReason, Self.checkedReasons.contains(reason) {
            self = .check
        } else if facts.returnReason == "unlocatable", facts.nearsExhaustion {
            self = .exhaustion
        } else if !facts.hasTaker {
            self = .nextMonth
        } else if !facts.hasSearcher {
            self = .search
        } else if facts.changesStrategy {
            self = .otherStrategy
        } else {
            self = facts.wasWorked || facts.returnReason != nil ? .otherAgency : .dealAgain
        }
    }

    /// Whether the next deal within the month takes it. An account that may be exhausted is worked on until a
    /// certificate stops it.
    package var isDealtAgain: Bool {
        switch self {
        case .otherStrategy, .otherAgency, .dealAgain, .exhaustion: true
        case .dealt, .check, .stopped, .nextMonth, .search, .nowhere: false
        }
    }
}
