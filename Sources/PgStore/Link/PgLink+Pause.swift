// SPDX-License-Identifier: Apache-2.0

/// How long a transaction may wait for its next statement. Of a process that was stopped within one the server takes its locks when
/// that is over, and closes its link; nobody else could, and no ledger is chained nor month closed before.
///
/// The rows of a file are one statement, however long they take, and the server cannot tell a pause in them from work.
extension PgLink {
    /// Of a group, a question or a chore: their statements come within milliseconds.
    package static let longestPause: Duration = .seconds(10)
    /// Of a transaction that deals one pool, whose pulls wait for it.
    package static let longestDeal: Duration = .seconds(2 * 60)
    /// Of any other: the plan of a month is computed, or other links read, in between, which takes minutes.
    package static let longestThought: Duration = .seconds(15 * 60)

    static let pauseSetting = "idle_in_transaction_session_timeout"

    /// Bounds it for the open transaction alone.
    package func boundPause(_ pause: Duration) throws(PgError) {
        try script("SET LOCAL \(Self.pauseSetting) = '\(pause.microseconds / 1_000)'")
    }
}
