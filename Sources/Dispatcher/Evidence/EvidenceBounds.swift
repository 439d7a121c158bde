// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// How much of what came too late a node keeps of one agency: so many pieces a day. What is beyond is refused for now, and nothing of it
/// is kept, so that a program that goes astray fills no table.
///
/// Each piece fills the agency's bucket, which drains within a day.
package struct EvidenceBounds: Sendable {
    private static let day: Int64 = 86_400_000_000

    private let perDay: Int64
    /// Microseconds that a piece takes to drain.
    private let drain: Int64
    private var levels: [AgencyID: (level: Int64, at: Int64)] = [:]

    /// - Parameter perDay: pieces of one agency, 1 or more.
    package init(perDay: Int) {
        self.perDay = Int64(perDay)
        drain = max(1, Self.day / Int64(perDay))
    }

    /// How many more may be kept now.
    ///
    /// - Parameter now: microseconds of any clock that only rises.
    package func room(of agency: AgencyID, at now: Int64) -> Int64 {
        max(0, perDay - (level(agency, now) + drain - 1) / drain)
    }

    /// Seconds until one more may be kept; 1 at least.
    package func wait(of agency: AgencyID, at now: Int64) -> Int64 {
        max(1, (level(agency, now) - (perDay - 1) * drain + 999_999) / 1_000_000)
    }

    package mutating func keep(_ count: Int64, of agency: AgencyID, at now: Int64) {
        levels[agency] = (level(agency, now) + count * drain, now)
    }

    private func level(_ agency: AgencyID, _ now: Int64) -> Int64 {
        levels[agency].map { max(0, $0.level - (now - $0.at)) } ?? 0
    }
}
