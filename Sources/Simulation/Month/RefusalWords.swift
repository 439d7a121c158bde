// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol

/// What a count of refusals says of a month, for whoever reads it without the protocol's page at hand.
package enum RefusalWords {
    /// - Parameter refusal: verb and code, as `REPORT CLOSED`.
    /// - Returns: `nil` for codes that say by themselves that something is wrong.
    package static func meaning(of refusal: String) -> String? {
        guard let code = refusal.split(separator: " ").last.flatMap({ ReplyCode(rawValue: String($0)) }) else {
            return nil
        }
        return switch code {
        case .scope: "the contract was dealt nothing there: it has a place in the file, and no share in the plan"
        case .closed: "the lease was over: given back, paid off or ended; a report is kept as evidence"
        case .recalled: "the institution had taken the account back; a report is kept as evidence"
        case .expired: "the term had ended; a report is kept as evidence"
        case .reassigned: "the account had been dealt anew; a report is kept as evidence"
        case .unknown: "never leased under that epoch; a report is kept as evidence"
        case .clock: "the time given is not one at which the account was held"
        case .beyondCeiling: "further than extensions reach"
        case .noticed: "a recall of one of the grant's accounts waits; the grant is not extended meanwhile"
        case .terminated: "the agency is terminated; what it holds runs out by its term"
        case .periodClosed: "the month of the work is closed"
        case .periodNotOpen:
            "the month of the work has no file yet: import its zones, schedules and contracts, and its cut"
        case .unsupported where refusal.hasPrefix("CONTACT "):
            "the daemon has no key to contact data (contact.key-file); it was not asked again"
        case .notFound where refusal.hasPrefix("CONTACT "):
            "no contact data was loaded of the account (dispatcherd contacts load)"
        case .unavailable, .busy: "the node was away or had too much to do; asked again"
        case .framing, .syntax, .unknownVerb, .unknownKey, .missingKey, .badValue, .tagInUse, .state, .tooEarly,
            .version, .unsupported, .auth, .clone, .instances, .keyEnded, .limit, .idle, .keyReused, .mixedHand,
            .notFound, .keyExpired, .noNotice:
            nil
        }
    }
}
