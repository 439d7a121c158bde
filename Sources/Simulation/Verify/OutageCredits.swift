// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// What is known of outages: each has its row, and each grant says how much had been booked when it was made. Neither is taken from how
/// the engine reckoned a lease's end.
struct OutageCredits {
    /// Nodes beat every few seconds, and longer apart is an outage: so long after the latest beat nobody answered any more.
    private static let silence = Duration.seconds(15)

    /// How much had been booked by then at least. Rising in both.
    private let marks: [(at: Timestamp, microseconds: Int64, source: String)]
    /// Of which it is known when they began, in the order in which they were booked.
    private let outages: [(from: Timestamp, outage: History.Outage)]

    init(_ history: History) {
        var told = history.outages.map {
            (at: $0.bookedAt, microseconds: $0.totalMicroseconds, source: "the outage booked at \($0.bookedAt) made it")
        }
        told += history.grants.map {
            (at: $0.grantedAt, microseconds: $0.outageMicroseconds, source: "grant \($0.grant) of \($0.grantedAt) has")
        }
        var marks: [(at: Timestamp, microseconds: Int64, source: String)] = []
        for mark in told.sorted(by: { ($0.at, $0.source) < ($1.at, $1.source) })
        where mark.microseconds > marks.last?.microseconds ?? 0 {
            marks.append(mark)
        }
        self.marks = marks
        outages = history.outages.compactMap { outage in outage.from.map { ($0, outage) } }
    }

    struct Owed {
        let microseconds: Int64
        /// What it is known by.
        let words: String
    }

    /// The least that a closed lease must have been given; `nil`: nothing is known.
    func owed(to lease: Lease, closedAt: Timestamp) -> Owed? {
        [booked(since: lease.grant, by: closedAt), begun(within: lease)].compactMap { $0 }
            .max { $0.microseconds < $1.microseconds }
    }

    /// The least that was booked between a grant and an instant.
    func booked(since grant: History.Grant, by instant: Timestamp) -> Owed? {
        guard let mark = marks.last(where: { $0.at <= instant }), mark.microseconds > grant.outageMicroseconds else {
            return nil
        }
        return Owed(
            microseconds: mark.microseconds - grant.outageMicroseconds,
            words: "\(mark.source) \(mark.microseconds / 1_000_000) s of outage booked, grant \(grant.grant) had "
                + "\(grant.outageMicroseconds / 1_000_000) s")
    }

    /// What began while a lease was held is its holder's, however late it was booked; each credit may bring the next outage within it.
    private func begun(within lease: Lease) -> Owed? {
        var enforced = lease.termAndGrace
        var last: (from: Timestamp, outage: History.Outage)?
        for (from, outage) in outages where outage.totalMicroseconds > lease.grant.outageMicroseconds {
            guard from.advanced(by: Self.silence) <= enforced else { break }
            enforced = enforced.advanced(by: .microseconds(outage.microseconds))
            last = (from, outage)
        }
        guard let last else { return nil }
        return Owed(
            microseconds: enforced.microseconds - lease.termAndGrace.microseconds,
            words: "nobody answered from \(last.from) on for \(last.outage.microseconds / 1_000_000) s, until "
                + "\(last.outage.bookedAt)")
    }
}
