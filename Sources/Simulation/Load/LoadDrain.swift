// SPDX-License-Identifier: Apache-2.0

/// How long a load whose time is over waits for what was due in it. Knows no clock: every look brings its own `now`.
///
///     serving ──patience──▶ ending ──nothing under way, or nobody answered for the patience──▶ over
///
/// What waits for a connection leaves while it serves, and what had not left by then never does. What was sent is waited for as long as
/// anybody is answered: an overloaded daemon has thousands of requests before it and answers them all, one that hangs answers none.
/// It has an end in any case, and a near one where somebody is in a hurry.
struct LoadDrain: Sendable {
    /// What is still due.
    struct Due: Equatable, Sendable {
        /// Pulls that have brought nothing yet, sent or not.
        var waiting = 0
        /// Requests that were sent and are not answered.
        var unanswered = 0
        var isReporting = false
        /// Everything that was ever answered.
        var answers: Int64 = 0

        mutating func add(_ other: Due) {
            waiting += other.waiting
            unanswered += other.unanswered
            isReporting = isReporting || other.isReporting
            answers += other.answers
        }
    }

    enum Step: Equatable, Sendable { case wait, sendNothingNew, over }

    /// How long one that is hurried waits.
    static let hastyPatience = Duration.seconds(2)

    private let patience: Duration
    private let servesUntil: ContinuousClock.Instant
    private var deadline: ContinuousClock.Instant
    private var isEnding = false
    private var answers: Int64?
    private var answeredAt: ContinuousClock.Instant
    /// Whether somebody was in a hurry while something was still due.
    private(set) var isHurried = false

    /// - Parameter most: how long it waits at most; no shorter than the patience.
    init(patience: Duration, most: Duration, from now: ContinuousClock.Instant) {
        self.patience = patience
        servesUntil = now + patience
        deadline = now + max(patience, most)
        answeredAt = now
    }

    mutating func look(_ due: Due, isHurried: Bool, at now: ContinuousClock.Instant) -> Step {
        if isEnding ? due.unanswered == 0 : due.waiting == 0 && !due.isReporting { return .over }
        if answers != due.answers { (answers, answeredAt) = (due.answers, answers == nil ? answeredAt : now) }
        if isHurried, !self.isHurried {
            self.isHurried = true
            deadline = min(deadline, now + Self.hastyPatience)
        }
        if now >= deadline { return .over }
        guard isEnding else {
            isEnding = now >= servesUntil
            return isEnding ? .sendNothingNew : .wait
        }
        return now - answeredAt >= patience ? .over : .wait
    }
}

extension LoadDrain.Due {
    init(_ worker: LoadWorker) {
        self.init(
            waiting: worker.waitingCount, unanswered: worker.unansweredCount, isReporting: worker.isReporting,
            answers: worker.tally.answers)
    }
}
