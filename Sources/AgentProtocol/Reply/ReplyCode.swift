// SPDX-License-Identifier: Apache-2.0

/// What a program does about a refusal, without knowing its code.
package enum ReplyClass: String, Sendable, CaseIterable {
    /// The same request again, after `after=` seconds where that is told; on a new connection where this one ended.
    case retry
    /// The request is wrong and will be wrong again: a person or a programmer mends it.
    case fix
    /// What the client believes about its leases is out of date: it drops or reads anew what the reply names.
    case refresh
    /// The session is over, and the same start would end in the same way.
    case fatal
}

/// Why a request was refused. The tokens are those of the wire; none of them is ever used for another reason.
package enum ReplyCode: String, Sendable, CaseIterable {
    // The line.
    case framing = "FRAMING"
    case syntax = "SYNTAX"
    case unknownVerb = "UNKNOWN-VERB"
    case unknownKey = "UNKNOWN-KEY"
    case missingKey = "MISSING-KEY"
    case badValue = "BAD-VALUE"
    case tagInUse = "TAG-IN-USE"
    // The session.
    case state = "STATE"
    case tooEarly = "TOO-EARLY"
    case version = "VERSION"
    case unsupported = "UNSUPPORTED"
    case auth = "AUTH"
    case clone = "CLONE"
    case instances = "INSTANCES"
    case keyEnded = "KEY-ENDED"
    case limit = "LIMIT"
    case idle = "IDLE"
    case busy = "BUSY"
    case unavailable = "UNAVAILABLE"
    // The request.
    case keyReused = "KEY-REUSED"
    case scope = "SCOPE"
    case mixedHand = "MIXED-HAND"
    case clock = "CLOCK"
    case beyondCeiling = "BEYOND-CEILING"
    case noticed = "NOTICED"
    case terminated = "TERMINATED"
    case notFound = "NOT-FOUND"
    case periodClosed = "PERIOD-CLOSED"
    // The lease.
    case keyExpired = "KEY-EXPIRED"
    case expired = "EXPIRED"
    case reassigned = "REASSIGNED"
    case recalled = "RECALLED"
    case closed = "CLOSED"
    case unknown = "UNKNOWN"
    case periodNotOpen = "PERIOD-NOT-OPEN"
    case noNotice = "NO-NOTICE"

    package var replyClass: ReplyClass {
        switch self {
        case .framing, .tagInUse, .state, .version, .auth, .clone, .instances, .keyEnded: .fatal
        case .syntax, .tooEarly, .unknownVerb, .unknownKey, .missingKey, .badValue, .unsupported, .keyReused, .scope,
            .mixedHand, .clock, .beyondCeiling, .noticed, .terminated, .notFound, .periodClosed:
            .fix
        case .limit, .idle, .busy, .unavailable, .periodNotOpen: .retry
        case .keyExpired, .expired, .reassigned, .recalled, .closed, .unknown, .noNotice: .refresh
        }
    }
}
