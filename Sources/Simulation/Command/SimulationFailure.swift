// SPDX-License-Identifier: Apache-2.0

/// Why a command of the simulator stopped: what was found, how to mend it, and the exit code that says whose turn it
/// is.
package struct SimulationFailure: Error, Sendable, CustomStringConvertible {
    /// The exit codes are those of `dispatcherd`; 0 is fine.
    package enum Exit: Int32, Sendable {
        /// The command did its work and found something wrong: a broken invariant.
        case findings = 1
        /// The command was called with words, files or values that it cannot take.
        case usage = 2
        /// Something around the command is missing or failing: a daemon, a database, a disk.
        case environment = 3
    }

    package let exit: Exit
    package let found: String
    package let remedy: String

    package init(_ exit: Exit, _ found: String, remedy: String) {
        self.exit = exit
        self.found = found
        self.remedy = remedy
    }

    package var description: String { remedy.isEmpty ? found : "\(found). \(remedy)" }
}
