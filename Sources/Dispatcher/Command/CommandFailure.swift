// SPDX-License-Identifier: Apache-2.0

/// Why a command stopped: one line of what was found, one of how to mend it, and the exit code that says whose turn it is.
package struct CommandFailure: Error, Sendable, CustomStringConvertible {
    /// The exit codes of every command.
    package enum Exit: Int32, Sendable {
        /// The command did its work and found something wrong: bad rows, a broken invariant, a difference.
        case findings = 1
        /// The command was called with words or values that it cannot take.
        case usage = 2
        /// Something around the command is missing or failing: a database, a port, a disk.
        case environment = 3
    }

    package let exit: Exit
    package let found: String
    package let remedy: String
    /// The log has it already.
    var isTold = false

    package init(_ exit: Exit, _ found: String, remedy: String) {
        self.exit = exit
        self.found = found
        self.remedy = remedy
    }

    package var description: String { remedy.isEmpty ? found : "\(found). \(remedy)" }
}
