// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
internal import Dispatcher

/// `dispatcherd recover`: a restored database gives out again.
struct RecoverCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recover",
        abstract: "Lets a database that was restored from a backup grant and deal again.",
        discussion: """
            Until then nodes answer RESUME, HELD, STATUS and EXPLAIN and refuse the rest for a minute at a time. Epochs rise \
            above all that were ever given out; what waits in hands is withdrawn and dealt again, because somebody may hold \
            it since; what is held stays. With --nothing-lost hands stay too: for a database that was moved, copied or \
            upgraded with everything stopped, or a standby that had everything.

            Examples:
              dispatcherd recover --preview
              dispatcherd recover --by ana --yes
              dispatcherd recover --nothing-lost --by ana --yes
            """)
    @OptionGroup var database: DatabaseOptions
    @Flag(help: "Nothing that was answered is missing in this database.")
    var nothingLost = false
    @Option(help: "Who orders it.")
    var by: String = "operator"
    @Flag(help: "Show what is known and what would be done, and change nothing.")
    var preview = false
    @Flag(help: "Do not ask.")
    var yes = false
    @Flag(help: "As JSON.")
    var json = false

    func run() async throws {
        let recovery = try Recovery(try await database.open(), nothingLost: nothingLost, by: by)
        guard !preview else { return Console.out(try recovery.preview().text(asJSON: json)) }
        let question =
            nothingLost
            ? "Is everything there that was ever answered?"
            : "Is this the backup to go on with? What waits in hands is withdrawn and dealt again."
        try Confirmation.require(question, isGiven: yes)
        Console.done(try recovery.run().text(asJSON: json))
    }
}
