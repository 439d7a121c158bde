// SPDX-License-Identifier: Apache-2.0

/// Whether the next group waits a moment for requests that are on their way.
///
/// Who works as fast as it is answered sends its next request right after the answer. Without a moment's wait the first of them leaves
/// alone, and the others find that a group is under way: two agents that could share each group have every second one. So it is waited
/// for as many as were answered just now, until the first of: all are there; the moment, counted from the answers, is over. A request
/// that comes later than that waits for nobody.
///
/// Where waiting brought less than half of them, the next groups leave at once, twice as many after each such time, up to 64: what
/// arrives at random, and agents that think before they go on, lose next to nothing by it.
struct Linger: Sendable {
    private static let leftOutMax = 64

    /// `zero`: never.
    private let longest: Duration
    private let groupMax: Int
    /// How many there will be once everybody who was answered has come again, and when they were answered.
    private var latest: (expected: Int, at: ContinuousClock.Instant)?
    private var leftOut = 0
    private var leavesOut = 0

    init(longest: Duration, groupMax: Int) {
        self.longest = longest
        self.groupMax = groupMax
    }

    /// A group is answered now.
    ///
    /// - Parameter waiting: those who wait by then.
    mutating func answered(_ count: Int, waiting: Int, at now: ContinuousClock.Instant) {
        latest = (min(waiting + count, groupMax), now)
    }

    /// What to wait for before the next group leaves; `nil`: for nothing.
    mutating func wait(for waiting: Int, at now: ContinuousClock.Instant) -> (
        count: Int, until: ContinuousClock.Instant
    )? {
        guard let latest, waiting > 0, waiting < latest.expected, now < latest.at + longest else { return nil }
        // Once for each answered group.
        self.latest = nil
        guard leavesOut == 0 else {
            leavesOut -= 1
            return nil
        }
        return (latest.expected, latest.at + longest)
    }

    /// A wait is over: of `missing` requests so many came.
    mutating func waited(for missing: Int, came: Int) {
        leftOut = came * 2 >= missing ? 0 : min(max(1, leftOut * 2), Self.leftOutMax)
        leavesOut = leftOut
    }
}

/// The group that waits, if one does, and what lets it go on: whoever comes as the last one, or the end of its own wait. A wait that was
/// over already must not end a younger one.
struct LingeringGroup<GoOn> {
    private var latest = 0
    private var current: (number: Int, count: Int, goOn: GoOn)?

    /// The number of the next wait.
    mutating func next() -> Int {
        latest += 1
        return latest
    }

    /// - Parameter count: how many requests end it.
    mutating func wait(_ number: Int, for count: Int, _ goOn: GoOn) { current = (number, count, goOn) }

    /// What to let go on now that so many wait; `nil` where nobody waits, or for more.
    mutating func came(_ waiting: Int) -> GoOn? {
        guard let current, waiting >= current.count else { return nil }
        self.current = nil
        return current.goOn
    }

    /// What to let go on where the time of that wait is over; `nil` where it is over already.
    mutating func end(_ number: Int) -> GoOn? {
        guard let current, current.number == number else { return nil }
        self.current = nil
        return current.goOn
    }
}
