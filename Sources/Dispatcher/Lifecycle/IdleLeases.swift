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

    /// - Returns: how many leases were ended.
    @discardableResult
    package static func takeBack(_ link: PgLink) throws -> Int {
        try takeUnworked(link) + takeUnlocatable(link)
    }

    private static func takeUnworked(_ link: PgLink) throws -> Int {
        var total = 0
        while true {
            let grants = try link.readIdleGrants(limit: pageMax)
            guard !grants.isEmpty else { return total }
            total += try link.transaction {
                let rows = try link.lockUnworked(grants)
                return try Recalls.end(link, rows, at: try link.readNow()) { _ in "not-worked" }
            }
        }
    }

    private static func takeUnlocatable(_ link: PgLink) throws -> Int {
        var total = 0
        while true {
            let due = try link.readUnlocatable(limit: pageMax)
            guard !due.isEmpty else { return total }
            let ended = try link.transaction {
                // Read again under the locks: it may have been given back meanwhile.
                let rows = try link.lockRecalled(due.map(\.lease))
                return try Recalls.end(link, rows, at: try link.readNow()) { _ in "unlocatable" }
            }
            total += ended
            guard ended > 0 else { return total }
        }
    }
}
