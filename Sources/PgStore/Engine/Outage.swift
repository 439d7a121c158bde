// SPDX-License-Identifier: Apache-2.0

/// SQL about seconds in which no node could answer, and about leases that outlive them by it.
enum Outage {
    /// Whether nodes were silent for so long that nobody could answer: they beat every five seconds, and two beats may be late.
    static func isUnderWay(_ clock: String) -> String {
        "(\(clock).virtual_now IS NULL AND clock_timestamp() - \(clock).latest_beat > interval '15 s')"
    }

    /// What a gap that is under way comes to by now, in microseconds; zero where there is none.
    static func gap(_ clock: String) -> String {
        """
        CASE WHEN \(isUnderWay(clock))
                   THEN (extract(epoch FROM clock_timestamp() - \(clock).latest_beat) * 1000000)::bigint ELSE 0 END
        """
    }

    /// All that is credited so far, in microseconds, of the table `clock` under this name: what is booked, and a gap in the nodes'
    /// beats that is under way. So whoever judges a term goes by the same end, whether a node has booked the gap yet or not, and
    /// needs no lock for it.
    static func total(_ clock: String) -> String {
        "(\(clock).outage_us + \(gap(clock)))"
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
