// SPDX-License-Identifier: Apache-2.0

package import Assignment
internal import PgStore

extension StageCommands {
    /// The rejections that agencies may contest still, and until when the last of them; `nil` where there is none any more.
    package func contestable(_ period: Period) throws -> (rejections: Int, until: Timestamp)? {
        let now = try link.readNow()
        let deadlines = try ContestStore(link).contestable(period).map {
            (count: $0.count, until: $0.at.deadline(businessDays: contestDays))
        }
        .filter { now < $0.until }
        guard let until = deadlines.map(\.until).max() else { return nil }
        return (deadlines.reduce(0) { $0 + $1.count }, until)
    }
}
