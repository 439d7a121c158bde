// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// An account that an agency holds, with what it needs to know to work it.
struct HeldCase: Equatable, Sendable {
    var delegation: Delegation
    var held: Held
    var contract: ContractID?
    var strategy: Strategy?
    var grant: GrantID
    var term: Timestamp
    var leasedAt: Timestamp
    var tactic: String
    var due: Cents
    var overdue: Cents
    var window: ContactWindow
    /// How often it was worked.
    var works = 0
    /// When to work it next; `nil` when nothing is left to do.
    var nextAt: Timestamp?
    /// A mediation session was agreed on.
    var isScheduled = false

    var cursor: CaseKey { CaseKey(delegation: delegation, account: held.account) }
}

struct CaseKey: Hashable, Sendable, Comparable {
    var delegation: Delegation
    var account: AccountID

    static func < (left: CaseKey, right: CaseKey) -> Bool {
        (left.delegation, left.account) < (right.delegation, right.account)
    }
}

/// When a debtor may be contacted, by the clocks of the municipality: `07:00-22:00/America/Mexico_City`.
struct ContactWindow: Equatable, Sendable, CustomStringConvertible {
    static let whole = ContactWindow(start: 7 * 3_600, end: 22 * 3_600, zone: .mexicoCity)
    var start: Int
    var end: Int
    var zone: MexicanTimeZone

    init(start: Int, end: Int, zone: MexicanTimeZone) {
        self.start = start
        self.end = end
        self.zone = zone
    }

    init?(text: some StringProtocol) {
        let parts = text.split(separator: "/", maxSplits: 1)
        guard parts.count == 2, let zone = MexicanTimeZone(rawValue: String(parts[1])) else { return nil }
        let times = parts[0].split(separator: "-").map { $0.split(separator: ":").compactMap { Int($0) } }
        guard times.count == 2, times[0].count == 2, times[1].count == 2 else { return nil }
        self.init(
            start: times[0][0] * 3_600 + times[0][1] * 60, end: times[1][0] * 3_600 + times[1][1] * 60, zone: zone)
    }

    func allows(_ instant: Timestamp) -> Bool { (start..<end).contains(zone.local(instant).secondOfDay) }

    var description: String {
        func clock(_ seconds: Int) -> String {
            let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60)
            return "\(hours < 10 ? "0" : "")\(hours):\(minutes < 10 ? "0" : "")\(minutes)"
        }
        return "\(clock(start))-\(clock(end))/\(zone.rawValue)"
    }
}
