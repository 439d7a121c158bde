// SPDX-License-Identifier: Apache-2.0

internal import Assignment
package import PgStore

/// Closes grants after their enforced term, page by page in the order of their key.
package enum Sweep {
    static let pageMax: Int32 = 500

    /// Closes everything that is over at the database's time; nothing while that time is behind what was committed, because
    /// then it is not known what is over.
    ///
    /// First those that nobody else keeps locked, so that one that somebody does holds none of the others up.
    ///
    /// - Returns: how many grants were closed.
    /// - Throws: ``PgError`` where one stays locked for too long; all the others are closed then.
    @discardableResult
    package static func run(_ link: PgLink) throws -> Int {
        guard try knowsTime(link) else { return 0 }
        var areAll = true
        func pages(waits: Bool) throws -> Int {
            try Self.pages { after in
                let page = try link.transaction { try sweepPage(link, after: after, waits: waits) }
                areAll = areAll && page.areAll
                return (page.closed, page.last)
            }
        }
        let free = try pages(waits: false)
        return try areAll ? free : free + pages(waits: true)
    }

    /// The same inside a transaction of the caller's, who may take it back.
    @discardableResult
    static func runWithin(_ link: PgLink) throws -> Int {
        guard try knowsTime(link) else { return 0 }
        return try pages { after in
            let page = try sweepPage(link, after: after, waits: true)
            return (page.closed, page.last)
        }
    }

    private static func knowsTime(_ link: PgLink) throws -> Bool {
        let lag = try link.readClockLag()
        guard lag > .zero else { return true }
        Console.note(
            "the database's clock is \(lag) behind what was committed: leases whose term is over are not closed yet, and count as held"
        )
        return false
    }

    private static func pages(_ page: (GrantKey?) throws -> (Int, GrantKey?)) throws -> Int {
        var after: GrantKey?
        var total = 0
        while true {
            let (closed, last) = try page(after)
            total += closed
            guard let last else { return total }
            after = last
        }
    }

    /// - Returns: how many were closed, the last one that was looked at, and whether none was left to whoever keeps it locked.
    private static func sweepPage(
        _ link: PgLink, after: GrantKey?, waits: Bool
    ) throws -> (closed: Int, last: GrantKey?, areAll: Bool) {
        let keys = try link.readOverdueGrants(after: after, limit: pageMax)
        guard let last = keys.last else { return (0, nil, true) }
        let locked = try link.lockGrants(keys, waits: waits)
        let grants = try link.readOverdue(locked)
        // Behind the locks, and both at once: in a gap that no node has ended yet the terms move on with the time.
        let (now, outage) = try link.readTermClock()
        let period = Period.ofWork(at: now)
        var swept: [SweptGrant] = []
        for grant in grants {
            var machine = grant.machine
            if case .close(let end) = machine.sweep(at: now, credit: outage - grant.outageAtStart) {
                swept.append(SweptGrant(grant: grant, closedAt: end))
            }
        }
        let records = swept.map { entry in
            LedgerRecord.sweep(
                delegation: entry.grant.key.delegation, grant: entry.grant.key.grant, accounts: entry.grant.accounts,
                period: period, end: entry.closedAt, at: now)
        }
        try link.closeGrants(swept, blocks: LedgerBlock.seal(records))
        return (swept.count, last, locked.count == keys.count)
    }
}
