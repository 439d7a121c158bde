// SPDX-License-Identifier: Apache-2.0

internal import PgStore

extension CommandFailure {
    /// libpq guesses over several lines why that may be; the server knows, and says so when it is started again.
    static let lost = "the connection to the database was lost"
    static let lostRemedy =
        "Run the same command again; where the server cannot be started, as on a full disk, it says why."

    /// Neither "done" nor "nothing was done" would be true.
    static let unknownCommit = CommandFailure(
        .environment, "the connection was lost while committing, so all of it may be done, or nothing",
        remedy: "Look at what is there, or run the same command again: it does nothing twice.")

    /// What a user is told when the database stops a command.
    ///
    /// - Parameters:
    ///   - work: what another command may be working on.
    ///   - left: what the database was left with.
    init(_ error: PgError, work: String, left: String) {
        switch error.code {
        case "55P03", "40P01":
            self.init(
                .environment, "another command works on \(work); \(left)", remedy: "Run this one when that has ended.")
        case "53100":
            self.init(.environment, "the database's disk is full; \(left)", remedy: "Make room there, and run again.")
        case PgError.unknownCommit:
            self = .unknownCommit
        case _ where error.isConnectionLost:
            self.init(.environment, "\(Self.lost); \(left)", remedy: Self.lostRemedy)
        default:
            self.init(
                .environment, "the database refused or was lost; \(left): \(error)",
                remedy: error.isRetryable ? "Run the same command again." : "")
        }
    }
}
