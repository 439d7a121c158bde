// SPDX-License-Identifier: Apache-2.0

/// What PostgreSQL, or the way to it, refused.
///
/// Never carries parameter values: an account number or a key in an error would end up in a log.
package struct PgError: Error, Sendable, CustomStringConvertible {
    /// The SQLSTATE, or one of our own below, where no server answered.
    package let code: String
    /// The first line of the statement, to find it by.
    package let statement: String
    /// The server's own words.
    package let message: String
    /// Whether the server was given up because it said nothing for too long. What was sent may still be done by it.
    package let isUnanswered: Bool
    /// Whether the database was away: no link to it could be opened, or the one that there was broke. ``PgConnection`` knows.
    package internal(set) var isAway = false

    package static let connectionLost = "08006"
    package static let malformed = "XX001"
    /// Committed or not: only a key can tell. The link must be closed.
    package static let unknownCommit = "08007"

    package init(code: String, statement: String, message: String, isUnanswered: Bool = false) {
        self.code = code
        self.statement = statement
        self.message = message
        self.isUnanswered = isUnanswered
    }

    /// Whether the same work, done again from its start, can succeed: lost connections, deadlocks, serialization
    /// failures, lock time-outs, and a server that is starting up or shutting down.
    ///
    /// After a lost connection the result of a COMMIT is unknown; whoever retries must be able to tell by a key.
    package var isRetryable: Bool {
        switch code.prefix(2) {
        case "08", "57", "53": code != "57014"
        case "40", "55": true
        case "25": isConnectionLost
        default: false
        }
    }

    /// Whether somebody else kept a lock for longer than this was to wait for it. Nothing was done.
    package var isLockTimeout: Bool { code == "55P03" }

    /// Whether no server answers on this link any more.
    package var isConnectionLost: Bool { code.hasPrefix("08") || Self.farewells.contains(code) }
    /// The last words of a server that ends a link: by order, in a crash, and because its transaction stood idle.
    private static let farewells: Set = ["57P01", "57P02", "25P03"]

    /// Whether the server said so when it ended the link.
    var isFarewell: Bool { Self.farewells.contains(code) }

    /// Whether there was no connection to begin with, so that nothing can have been done.
    package var isUnreachable: Bool { isConnectionLost && statement == Self.connecting }
    static let connecting = "connect"

    package var description: String { "\(message) [\(code)] in: \(statement)" }
}
