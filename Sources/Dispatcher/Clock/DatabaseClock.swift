// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import Glibc
internal import PgStore

/// The one clock of the system, which is in the database: the real one, or a virtual one that a simulated month steps.
///
/// It never goes back: a term that has ended would be live again.
package enum DatabaseClock {
    /// What the clock shows, as one line, or as a JSON object with `now`, `kind` and `outage_us`.
    package static func show(_ link: DatabaseLink, asJSON: Bool) throws -> String {
        let row = try link.run("SELECT now_instant(), virtual_now IS NOT NULL, outage_us FROM clock").first
        guard let row else {
            throw CommandFailure(
                .environment, "the clock's row is missing", remedy: "The database is damaged: restore it from a backup."
            )
        }
        let kind = row.bool(1) ? "virtual" : "real"
        if asJSON { return #"{"now": "\#(row.timestamp(0))", "kind": "\#(kind)", "outage_us": \#(row.int64(2))}"# }
        return "\(row.timestamp(0)) (\(kind) clock)"
    }

    /// How long a step waits for the nodes.
    private static let nodesMax: Duration = .seconds(10)

    /// Steps the virtual clock forward, or turns the clock of a database where nothing was dealt yet into a virtual one. Returns once every node that
    /// serves the database has kept house at that time, or says how many have not after ten seconds.
    ///
    /// - Parameter text: RFC 3339, with or without seconds, in UTC or with an offset: `2024-03-01T06:00Z`.
    package static func set(_ text: String, _ link: DatabaseLink) throws {
        guard let wanted = Timestamp(text: text) ?? Timestamp(text: withSeconds(text)) else {
            throw CommandFailure(
                .usage, "'\(text)' is not a time", remedy: "Write it as 2024-03-01T06:00Z, with its offset.")
        }
        try link.transaction {
            switch try lockedVirtualNow(link) {
            case let now? where wanted < now:
                throw CommandFailure(
                    .usage, "the clock shows \(now), and it goes only forward",
                    remedy: "Set a later time, or start a month anew with an empty database.")
            case .some: break
            case nil: try refuseWhereDealt(link)
            }
            try link.run("UPDATE clock SET virtual_now = $1", [.timestamp(wanted)])
        }
        try awaitNodes(at: wanted, link)
    }

    private static func awaitNodes(at now: Timestamp, _ link: DatabaseLink) throws {
        let deadline = ContinuousClock.now.advanced(by: nodesMax)
        try link.nameStep(now)
        while true {
            let behind = try link.nodesBehind(now)
            guard behind > 0 else { return }
            guard ContinuousClock.now < deadline else {
                let nodes = behind == 1 ? "1 node" : "\(behind) nodes"
                return Console.note(
                    "\(nodes) did not reach that time within ten seconds; a slow one goes on, and what stops one is in its log"
                )
            }
            // Nodes note in the database how far they are, and tell no other process.
            usleep(10_000)
        }
    }

    /// Goes over to real time.
    ///
    /// - Parameter endsTerms: whether it may pass terms of grants that are out, and leave a month that was dealt by the virtual clock: there is
    ///   no way back to it.
    package static func setReal(_ link: DatabaseLink, endsTerms: Bool = false) throws {
        try link.transaction {
            guard let now = try lockedVirtualNow(link) else { return }
            guard let real = try link.run("SELECT clock_timestamp()").first?.timestamp(0), now <= real else {
                throw CommandFailure(
                    .usage, "the virtual clock shows \(now), which is in the future, and the clock goes only forward",
                    remedy: "Wait until then, or start anew with an empty database.")
            }
            let ending = try link.run(
                "SELECT count(*) FROM lease_grant WHERE state = 'open' AND term <= clock_timestamp()"
            )[0].int64(0)
            guard endsTerms || ending == 0 else {
                throw CommandFailure(
                    .usage,
                    "\(ending == 1 ? "the term of one open grant" : "the terms of \(ending) open grants") would be over at once",
                    remedy:
                        "A played month stays on its own clock. If that is meant, add --end-terms; it cannot be undone."
                )
            }
            guard try endsTerms || !exists("plan", link) else {
                throw CommandFailure(
                    .usage,
                    "a month was dealt by the virtual clock, which shows \(now); in real time it is over, and there is no way back",
                    remedy:
                        "A played month stays on its own clock. If that is meant, add --end-terms; it cannot be undone."
                )
            }
            try link.script("UPDATE clock SET virtual_now = NULL")
        }
    }

    private static func lockedVirtualNow(_ link: DatabaseLink) throws -> Timestamp? {
        try link.run("SELECT virtual_now FROM clock FOR UPDATE").first?.optionalTimestamp(0)
    }

    /// A plan, its hands and leases have times of the real clock; a virtual one would put them into the future or the past.
    private static func refuseWhereDealt(_ link: DatabaseLink) throws {
        let found =
            if try exists("lease_grant", link) {
                "has leases, whose terms a virtual clock would falsify"
            } else if try exists("plan", link) {
                "has a plan, whose hands and terms a virtual clock would falsify"
            } else {
                nil as String?
            }
        guard let found else { return }
        throw CommandFailure(
            .usage, "this database keeps real time and \(found)",
            remedy: "A simulated month needs a database of its own: set its clock before 'plan apply', "
                + "in another folder or with another --data-dir.")
    }

    private static func exists(_ table: String, _ link: DatabaseLink) throws -> Bool {
        try link.run("SELECT EXISTS (SELECT FROM \(table))").first?.bool(0) == true
    }

    /// `2024-03-01T06:00Z` with the seconds that RFC 3339 asks for.
    private static func withSeconds(_ text: String) -> String {
        text.count > 16 ? text.prefix(16) + ":00" + text.dropFirst(16) : text
    }
}
