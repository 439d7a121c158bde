// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// What the server promises and demands; the greeting states it. One value per listener.
package struct SessionLimits: Equatable, Sendable {
    /// Bytes of a line before authentication, its terminator not counted.
    package var lineMaxBytes = 1_024
    /// Bytes of a line afterwards.
    package var lineOpenMaxBytes = 65_536
    /// Accounts of one lease.
    package var batchMax = 1_000
    /// Requests in flight; more are left unread.
    package var window = 64
    /// Accounts asked for by leases in flight; a lease above it waits, and what follows it stays unread.
    package var accountsWindow = 5_000
    /// Unsent bytes above which no further request is started: two full leases.
    package var outputMaxBytes = 512 * 1_024
    /// Without a line from the client for so long, and nothing in flight, the session ends.
    package var idle: Duration = .seconds(30)
    /// From the beginning of a connection, the handshake of TLS included, to the `AUTH` line.
    package var authentication: Duration = .seconds(10)
    /// Without any progress in sending for so long, the connection is closed.
    package var writeIdle: Duration = .seconds(30)
    /// After the last word, for so long what the peer still sends is thrown away: closing at once would reset the connection and
    /// take the word with it.
    package var farewell: Duration = .seconds(1)
    /// From `DRAINING` to the end.
    package var draining: Duration = .seconds(5)

    package init() {}
}

/// Both clocks at one event: how long the process runs, which decides about the session, and the domain's time,
/// which is only shown.
package struct Moment: Equatable, Sendable {
    /// Monotone.
    package let uptime: Duration
    /// The database's clock, which may be a virtual one.
    package let time: Timestamp

    package init(uptime: Duration, time: Timestamp) {
        self.uptime = uptime
        self.time = time
    }
}

/// A request's number within its session; it names the answer.
package struct RequestNumber: Hashable, Sendable {
    package let value: Int64
    package init(_ value: Int64) { self.value = value }
}

/// What the session asks the engine for.
package enum SessionRequest: Equatable, Sendable {
    case authenticate(AuthenticationClaim)
    case lease(LeaseRequest)
    case report(ReportRequest)
    case extend(ExtendRequest)
    case giveBack(ReturnRequest)
    case object(ObjectRequest)
    case contact(ContactRequest)
    case resume(ResumeRequest)
    case held(HeldRequest)
    case status(StatusRequest)
    case explain(ExplainRequest)
    case quiet(QuietRequest)
}

/// What the shell does. Each event returns at most one `send`, and `close` or `cutOff` only as the last.
package enum SessionAction: Equatable, Sendable {
    case send([UInt8])
    case perform(RequestNumber, SessionRequest)
    case pauseReading
    case resumeReading
    /// After everything that was sent has left, for as long as it does leave: see ``SessionLimits/writeIdle``.
    case close
    /// Now: the peer does not read, or had its time.
    case cutOff
}
