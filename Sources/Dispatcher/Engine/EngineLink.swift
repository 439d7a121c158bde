// SPDX-License-Identifier: Apache-2.0

package import PgStore

/// What a server must be before leases are handed out on it, checked on every new link.
package enum EngineLink {
    /// What a link is for: how long its answers are waited for, and how its statements are planned, goes by it.
    package enum Use: Sendable {
        /// Requests of agencies: everything is bounded, and a COMMIT goes on without this node.
        case requests
        /// What only asks: bounded, and what was given up ends at the server, too.
        case questions
        /// Chores of many rows: COMMITs alone are bounded. A statement that is given up would be begun anew for ever.
        case chores
        /// The same, counting whole pools: that needs the planner's free choice; by key alone it takes minutes under locks that
        /// imports wait for.
        case pools
    }

    /// - Parameters:
    ///   - allowsUnsafeDurability: the operator's word that acknowledged work may be lost.
    ///   - requiresStandby: whether what was answered has to be on a second machine, too.
    ///   - use: what it is for.
    ///   - lockWait: how long its statements wait for a lock; of ``Use/pools`` as long as of any link.
    ///   - answerWait: how long the server may take for one answer, a COMMIT's too; for a COMMIT alone of chores and pools. All that
    ///     is asked here is bounded by it, so that no link is waited for without an end before it is used.
    ///   - witness: what the process has seen of the database so far.
    /// - Throws: ``CommandFailure`` that names the setting, or the schema, and how to mend it.
    package static func prepare(
        _ link: PgLink, allowsUnsafeDurability: Bool, requiresStandby: Bool, use: Use = .requests,
        lockWait: Duration = .seconds(5), answerWait: Duration, witness: HomeWitness
    ) throws {
        link.commitBound = answerWait
        if use == .requests || use == .questions { link.answerBound = answerWait }
        try link.answeredInTime {
            try checkDurability(link, allows: allowsUnsafeDurability, requiresStandby: requiresStandby)
            // Before anything of it is read: while the database was away, another one may have taken its place.
            try Database.checkSchema(link)
            if use != .pools { try link.prepareForEngine(lockWait: lockWait, keepsCommits: use != .questions) }
            // Where a standby is waited for, the beat is, too: whoever cannot beat begins nothing that would wait behind it.
            try witness.beat(link)
        }
    }

    private static func checkDurability(_ link: PgLink, allows: Bool, requiresStandby: Bool) throws {
        let settings = try link.durability(requiresStandby: requiresStandby)
        guard !allows else { return }
        for (name, value, isSafe) in settings where !isSafe {
            throw CommandFailure(
                .environment, "the database runs with \(name) = \(value), so an answer of OK could be lost",
                remedy: name == "synchronous_standby_names"
                    ? "Name a standby in it, or set database.require-standby to false."
                    : "Set \(name) = on, or pass --allow-unsafe-durability for a test that may lose work.")
        }
    }
}
