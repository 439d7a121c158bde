// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import Synchronization

/// What the agencies know of time: the virtual clock as it was last set, and whether the run goes to its end.
final class ChaosTime: Sendable {
    private struct State {
        var now: Timestamp
        /// The greatest time that the database's clock was ever to be set to.
        var latest: Timestamp
        /// When it was set to what, for as long as somebody may ask.
        var past: [(at: ContinuousClock.Instant, now: Timestamp)]
        var isOver = false
        var hopeIn: ContinuousClock.Instant?
        var acknowledged = 0
        /// By the node that was asked, as its place among the nodes.
        var byNode: [Int: Int] = [:]
        var lastAt = ContinuousClock.now
        var silence = Duration.zero
    }

    private let state: Mutex<State>

    init(_ now: Timestamp) { state = Mutex(State(now: now, latest: now, past: [(.now, now)])) }

    /// How long a transaction may lie between its instant and its commit: longer than any fault holds it up.
    static let lag = Duration.seconds(30)

    /// Never ahead of the database's clock.
    var now: Timestamp { state.withLock { $0.now } }
    var isOver: Bool { state.withLock { $0.isOver } }
    /// Whether everything has been whole for so long that whoever has no answer will get none.
    var isHopeless: Bool { state.withLock { state in state.hopeIn.map { $0 < .now } ?? false } }

    /// Never behind the database's clock, whatever became of the last attempt to set it.
    var latest: Timestamp { state.withLock { $0.latest } }
    /// The clock as it was ``lag`` before: whatever has an earlier instant is committed, or never will be.
    func settled(at now: ContinuousClock.Instant = .now) -> Timestamp {
        state.withLock { state in (state.past.last { $0.at <= now - Self.lag } ?? state.past[0]).now }
    }

    /// The database's clock is about to be set.
    func announce(_ next: Timestamp) { state.withLock { $0.latest = max($0.latest, next) } }

    func set(_ now: Timestamp) {
        state.withLock { state in
            state.now = max(state.now, now)
            state.latest = max(state.latest, state.now)
            state.past.append((.now, state.now))
            let until = ContinuousClock.now - Self.lag
            // The last one from before stays: it is what the clock showed then.
            if let first = state.past.lastIndex(where: { $0.at <= until }) { state.past.removeFirst(first) }
        }
    }

    /// How many requests were acknowledged so far.
    var acknowledged: Int { state.withLock { $0.acknowledged } }

    /// How many of them each node acknowledged, by its place among the nodes.
    var acknowledgedByNode: [Int: Int] { state.withLock { $0.byNode } }

    func acknowledge(node: Int) {
        state.withLock { state in
            let now = ContinuousClock.now
            state.acknowledged += 1
            state.byNode[node, default: 0] += 1
            state.silence = max(state.silence, now - state.lastAt)
            state.lastAt = now
        }
    }

    /// The longest time without an acknowledged request since the last call.
    func takeSilence() -> Duration {
        state.withLock { state in
            defer { state.silence = .zero }
            return max(state.silence, ContinuousClock.now - state.lastAt)
        }
    }

    /// No new requests; those under way have so long to be answered.
    func finish(within patience: Duration) {
        state.withLock {
            $0.isOver = true
            $0.hopeIn = .now + patience
        }
    }
}
