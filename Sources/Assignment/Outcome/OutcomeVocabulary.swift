// SPDX-License-Identifier: Apache-2.0

/// How the agency worked the account (GES-03). The tokens are those of the wire, the tables and the files.
package enum OutcomeChannel: String, Sendable, CaseIterable {
    case phoneOut = "phone-out"
    case phoneIn = "phone-in"
    case letter
    case email
    case sms
    case visit
    case locationVisit = "location-visit"
    case mediationInvitation = "mediation-invitation"
    case mediationSession = "mediation-session"
}

/// Whom the agency reached (GES-04).
package enum OutcomeContact: String, Sendable, CaseIterable {
    case direct
    /// Spouse, parent, secretary: whoever answered for the debtor.
    case thirdParty = "third-party"
    /// Written `none`; the name keeps it apart from an absent optional.
    case nobody = "none"
    case unlocatable
}

/// What came of it. None of them says that an agency took money: it must not (AGY-11), and payments come only from the
/// institution's own feed.
package enum OutcomeResult: String, Sendable, CaseIterable {
    case noAnswer = "no-answer"
    case refusal
    case promise
    case paymentAnnounced = "payment-announced"
    case agreementSigned = "agreement-signed"
    /// Abandoned, vandalised or uninhabited.
    case dwellingIrregular = "dwelling-irregular"
    case dwellingInhabited = "dwelling-inhabited"
    case dispute
    case deceased
    case wrongNumber = "wrong-number"
    case sessionScheduled = "session-scheduled"
    case sessionHeld = "session-held"
    case noShow = "no-show"
    case agreementRefused = "agreement-refused"
    case otherWithCode = "other-with-code"

    /// The details that mean something beside it. Whoever was not reached agreed on nothing and spoke of no money.
    package var details: Set<OutcomeNecessity> {
        switch self {
        case .promise, .paymentAnnounced, .agreementSigned, .otherWithCode: [.amount, .promised, .solution, .branch]
        case .refusal, .agreementRefused, .sessionScheduled, .sessionHeld, .noShow: [.amount, .solution, .branch]
        case .dispute: [.amount, .branch]
        case .noAnswer, .dwellingIrregular, .dwellingInhabited, .deceased, .wrongNumber: [.branch]
        }
    }

    /// What a report of this result cannot do without under any policy, because the result means nothing without it.
    package var necessities: [OutcomeNecessity] {
        switch self {
        case .promise: [.amount, .promised]
        case .agreementSigned: [.solution]
        case .otherWithCode: [.branch]
        case .noAnswer, .refusal, .paymentAnnounced, .dwellingIrregular, .dwellingInhabited, .dispute, .deceased,
            .wrongNumber, .sessionScheduled, .sessionHeld, .noShow, .agreementRefused:
            []
        }
    }
}

/// A detail of a report that some result needs.
package enum OutcomeNecessity: String, Sendable, CaseIterable {
    case amount
    case promised
    case solution
    case branch
}

/// Why an agency gives an account back.
package enum ReturnReason: String, Sendable, CaseIterable {
    case unlocatable
    case deceased
    case dispute
    case paid
    case duplicate
    case outOfTerritory = "out-of-territory"
    case conflictOfInterest = "conflict-of-interest"
    case capacity
    case other
}

/// Why an agency objects to a recall. A person decides; what the institution knows better needs no reason here.
package enum ObjectionReason: String, Sendable, CaseIterable {
    case promisePending = "promise-pending"
    case paymentExpected = "payment-expected"
    case agreementInCure = "agreement-in-cure"
    case sessionScheduled = "session-scheduled"
    case wrongAccount = "wrong-account"
    case other
}
