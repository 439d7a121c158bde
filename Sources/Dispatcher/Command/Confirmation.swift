// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// A question before something that counts.
package enum Confirmation {
    /// Asks on the terminal; anything but `yes` is no.
    ///
    /// - Throws: ``CommandFailure`` (usage) where the answer is no, or where nobody can be asked.
    package static func require(_ question: String, isGiven: Bool) throws(CommandFailure) {
        if isGiven { return }
        guard isatty(STDIN_FILENO) == 1 else {
            throw CommandFailure(.usage, "\(question) Nobody was there to say so", remedy: "Give --yes.")
        }
        Console.note("\(question) Type yes to go on:")
        guard readLine() == "yes" else {
            throw CommandFailure(.usage, "it was not confirmed", remedy: "Nothing was changed.")
        }
    }
}
