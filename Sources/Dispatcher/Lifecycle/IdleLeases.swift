// SPDX-License-Identifier: Apache-2.0

internal import Assignment
package import PgStore

/// Takes back what is held and not worked: accounts on which nothing was reported within the days that the policy gives for the first
/// work, and accounts whose debtor was reported as unlocatable and that were not given back within the days for that.
///
/// The holder is told by a final recall with the reason `not-worked` or `unlocatable`; a late report of work done before is weighed
/// as after any recall.
/// - Source: ASG-04, ASG-05.
package enum IdleLeases {
    /// Grants, or leases, of one transaction.
    private static let pageMax: Int32 = 200

    /// Both kinds, first in the grants that nobody else keeps locked, so that one that somebody does holds no other one up.
    ///
    /// - Returns: how many leases were ended.
    /// - Throws: ``PgError`` where a grant stays locked for too long; what lies in all the others is taken back then.
    @discardableResult
    package static func takeBack(_ link: PgLink) throws -> Int {
        let free = [try takeUnworked(link, waits: false), try takeUnlocatable(link, waits: false)]
        var total = free[0].ended + free[1].ended
        if !free[0].areAll { total += try takeUnworked(link, waits: true).ended }
        if !free[1].areAll { total += try takeUnlocatable(link, waits: true).ended }
        return total
    }

    private static func takeUnworked(_ link: PgLink, waits: Bool) throws -> (ended: Int, areAll: Bool) {
        var (total, areAll) = (0, true)
        var after: GrantKey?
        while true {
            let grants = try link.readIdleGrants(after: after, limit: pageMax)
            guard let last = grants.last else { return (total, areAll) }
            let (ended, isWhole) = try link.transaction {
                let locked = try link.lockGrants(grants, waits: waits)
                let rows = try link.takeUnworked(locked)
                let ended = try Recalls.end(link, rows, at: try link.readNow()) { _ in "not-worked" }
                return (ended, locked.count == grants.count)
            }
            total += ended
            areAll = areAll && isWhole
            after = last
        }
    }

    private static func takeUnlocatable(_ link: PgLink, waits: Bool) throws -> (ended: Int, areAll: Bool) {
        var (total, areAll) = (0, true)
        var after: LeaseKey?
        while true {
            let due = try link.readUnlocatable(after: after, limit: pageMax).map(\.lease)
            guard let last = due.last else { return (total, areAll) }
            let before = after
            let (ended, isWhole) = try link.transaction {
                // Read again under the locks: it may have been given back meanwhile, or somebody reached the debtor.
                let (rows, isWhole) = waits ? (try link.lockRecalled(due), true) : try link.lockFreeRecalled(due)
                let still = Set(try link.readUnlocatable(after: before, limit: pageMax).map(\.lease))
                let ended = try Recalls.end(link, rows.filter { still.contains($0.lease) }, at: try link.readNow()) {
                    _ in
                    "unlocatable"
                }
                return (ended, isWhole)
            }
            total += ended
            areAll = areAll && isWhole
            after = last
        }
    }
}
