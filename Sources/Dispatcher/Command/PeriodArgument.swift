// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// A month as it is written on a command line.
package struct PeriodArgument: Sendable {
    package let period: Period

    package init(text: String) throws(CommandFailure) {
        guard let period = Period(text: text) else {
            throw CommandFailure(.usage, "'\(text)' is no month", remedy: "Write it as 2024-03")
        }
        self.period = period
    }
}
