// SPDX-License-Identifier: Apache-2.0

package import PgStore

/// What a server must be before leases are handed out on it, checked on every new link.
package enum EngineLink {
    /// - Parameters:
    ///   - allowsUnsafeDurability: the operator's word that acknowledged work may be lost.
    ///   - readsByKey: whether its statements look rows up by key, and nothing else. One that counts whole pools needs the
    ///     planner's free choice: by key alone it takes minutes under locks that imports wait for.
    ///   - witness: what the process has seen of the database so far.
    /// - Throws: ``CommandFailure`` that names the setting and how to mend it.
    package static func prepare(
        _ link: PgLink, allowsUnsafeDurability: Bool, readsByKey: Bool = true, witness: HomeWitness
    ) throws {
        try checkDurability(link, allows: allowsUnsafeDurability)
        try witness.beat(link)
        if readsByKey { try link.prepareForEngine() }
    }

    private static func checkDurability(_ link: PgLink, allows: Bool) throws {
        let settings = try link.durability()
        guard !allows else { return }
        for (name, value, isSafe) in settings where !isSafe {
            throw CommandFailure(
                .environment, "the database runs with \(name) = \(value), so an answer of OK could be lost",
                remedy: "Set \(name) = on, or pass --allow-unsafe-durability for a test that may lose work.")
        }
    }
}
