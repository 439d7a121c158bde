// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// What an agency does that its contract forbids.
package enum Cheat: String, CaseIterable, Sendable {
    /// Promises are reported of debtors whom nobody called; they do not pay for it.
    case reportsWithoutCalls = "reports-without-calls"
    /// Works one day in five, and reports as if it had been all of them.
    case backDatedReports = "back-dated-reports"
    /// Gives back unworked what looks hard, and pulls others.
    case returnAndPullAgain = "return-and-pull-again"
    case pullsNothing = "pulls-nothing"
    /// A hundred reports on one account, on every Monday.
    case hundredOnOne = "hundred-on-one"
    /// Goes on reporting what it gave back.
    case staleReports = "stale-reports"
    /// Two copies of its client, both of which say that they are the one.
    case clonedClient = "cloned-client"

    /// Whether a month in memory is another one by it: the others are about reports, returns and sign-ins, which the model has not.
    var isInModel: Bool {
        switch self {
        case .reportsWithoutCalls, .backDatedReports, .pullsNothing: true
        case .returnAndPullAgain, .hundredOnOne, .staleReports, .clonedClient: false
        }
    }
}

/// How an agency works: what its people can do, how much of it they do, and how honest they are.
package struct Behaviour: Equatable, Sendable {
    package enum Hours: String, CaseIterable, Sendable { case both, morning, afternoon }

    /// Advisers at work, of those committed.
    package var staffPercent = 100
    /// Gestiones of an adviser in a day, of the usual number.
    package var speedPercent = 100
    /// How many of ten thousand accounts it takes and never touches.
    package var neglect = 1_500
    /// In how many of ten thousand half days its connection dies under it. It makes another one, compares what it holds, and works on.
    package var crashes = 250
    /// Of a hundred mediation sessions that are held, so many end in a signature: 72 by the printed counts (ORA-30), not the printed 74
    /// (AMB-14).
    package var signingPercent = 72
    /// Of a hundred accounts that it is about to call or to visit for the first time, so many whose contact data it asks for.
    package var asksPercent = 10
    package var hours = Hours.both
    package var cheat: Cheat?

    /// As drawn for an agency from the seed: one in five is slack. Together they work some three accounts in four, as published
    /// (ORA-10, ORA-13).
    static func drawn(seed: UInt64, agency: AgencyID) -> Behaviour {
        var character = SplitMix64(seed: seed, 0xA6, Int(agency.value))
        var behaviour = Behaviour()
        behaviour.speedPercent = character.between(72...112)
        behaviour.neglect =
            character.chance(2_000) ? character.between(4_200...5_800) : character.between(700...2_200)
        return behaviour
    }

    static let backDatedDays = 5

    /// Whether anybody is there in a half day: nobody pulls, asks for more time or gives back in the others, over the protocol as in the
    /// model.
    func isOpen(_ tick: Tick) -> Bool {
        guard tick.effortPercent > 0 else { return false }
        return switch hours {
        case .both: true
        case .morning: tick.isFirstOfDay
        case .afternoon: !tick.isFirstOfDay
        }
    }

    /// Whether its people work and report in a half day. Who reports late for days in which nobody worked pulls in them all the same: its
    /// client looks like any other.
    func worksAt(_ tick: Tick) -> Bool {
        guard isOpen(tick) else { return false }
        guard cheat == .backDatedReports else { return true }
        let isLast = hours == .morning || !tick.isFirstOfDay
        return isLast && Int(tick.day.daysSince1970) % Self.backDatedDays == 0
    }

    /// How much more it gets done in a half day than honest work allows.
    var invention: Int {
        switch cheat {
        case .reportsWithoutCalls: 3
        // All half days since the last time.
        case .backDatedReports: 2 * Self.backDatedDays
        case .returnAndPullAgain, .pullsNothing, .hundredOnOne, .staleReports, .clonedClient, nil: 1
        }
    }

    /// A gestión as it is reported.
    func told(_ gestion: Gestion, of held: HeldCase) -> Gestion {
        guard cheat == .reportsWithoutCalls else { return gestion }
        return Gestion(
            channel: .phoneOut, contact: .direct, result: .promise, amount: max(Cents(20_000), held.due),
            promisedInDays: 6, againInDays: 8)
    }

    var diligencePercent: Int { staffPercent * speedPercent / 100 }
}
