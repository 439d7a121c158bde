// SPDX-License-Identifier: Apache-2.0

package import PgStore

/// What a server must be before leases are handed out on it, checked on every new link.
package enum EngineLink {
    /// - Parameters:
    ///   - allowsUnsafeDurability: the operator's word that acknowledged work may be lost.
    ///   - requiresStandby: whether what was answered has to be on a second machine, too.
    ///   - readsByKey: whether its statements look rows up by key, and nothing else. One that counts whole pools needs the
    ///     planner's free choice: by key alone it takes minutes under locks that imports wait for.
    ///   - lockWait: how long such a statement waits for a lock.
    ///   - answerWait: how long the server may take for one answer, a COMMIT's too; for a COMMIT alone where whole pools are counted.
    ///   - witness: what the process has seen of the database so far.
    /// - Throws: ``CommandFailure`` that names the setting and how to mend it.
    package static func prepare(
        _ link: PgLink, allowsUnsafeDurability: Bool, requiresStandby: Bool, readsByKey: Bool = true,
        lockWait: Duration = .seconds(5), answerWait: Duration, witness: HomeWitness
    ) throws {
        link.commitBound = answerWait
        if readsByKey { link.answerBound = answerWait }
        try checkDurability(link, allows: allowsUnsafeDurability, requiresStandby: requiresStandby)
        if readsByKey { try link.prepareForEngine(lockWait: lockWait) }
        // Where a standby is waited for, the beat is, too: whoever cannot beat begins nothing that would wait behind it.
        try witness.beat(link)
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
