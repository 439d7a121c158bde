// SPDX-License-Identifier: Apache-2.0

/// SQL about seconds in which no node could answer, and about leases that outlive them by it.
enum Outage {
    /// All that is credited so far, in microseconds, of the table `clock` under this name: what is booked, and a gap in the nodes'
    /// beats that is under way. So whoever judges a term goes by the same end, whether a node has booked the gap yet or not, and
    /// needs no lock for it.
    static func total(_ clock: String) -> String {
        """
        (\(clock).outage_us
            + CASE WHEN \(clock).virtual_now IS NULL AND clock_timestamp() - \(clock).latest_beat > interval '15 s'
                   THEN (extract(epoch FROM clock_timestamp() - \(clock).latest_beat) * 1000000)::bigint ELSE 0 END)
        """
    }

    /// Whether a grant is open and its enforced term not over, swept or not: what `GrantStateMachine.hasExpired` says of it.
    static func isLive(_ grant: String, _ clock: String) -> String {
        """
        \(grant).state = 'open'
            AND \(grant).term + (\(grant).grace_us + \(total(clock)) - \(grant).outage_us) * interval '1 microsecond'
                > coalesce(\(clock).virtual_now, clock_timestamp())
        """
    }
}
