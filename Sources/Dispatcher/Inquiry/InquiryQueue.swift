// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol
internal import Assignment
internal import Synchronization

/// What agencies ask waits here, and agencies take turns (``FairQueue``): however much one of them asks, a question of another one that
/// has none waiting is answered after the one under way and one of each agency that waits.
///
/// One at a time, because all of it goes through one connection. An agency's questions are refused with BUSY once they fill half of
/// the queue, so that nobody can fill it.
final class InquiryQueue: Sendable {
    typealias Work = @Sendable () async -> Reply

    /// Questions waiting at most; one agency's are refused from half of it on.
    static let defaultMax = 4_000

    private struct Job: Sendable {
        let work: Work
        let answer: @Sendable (Reply) -> Void
    }
    private struct State {
        var waiting = FairQueue<AgencyID, Job>()
        var isRunning = false
    }
    private let max: Int
    private let state = Mutex(State())

    init(max: Int = InquiryQueue.defaultMax) { self.max = max }

    /// - Parameter answer: called once, from any thread.
    func submit(_ agency: AgencyID, _ work: @escaping Work, _ answer: @escaping @Sendable (Reply) -> Void) {
        enum Turn { case queued, start, refuse }
        let turn: Turn = state.withLock { state in
            guard state.waiting.count < max, state.waiting.count(of: agency) < Swift.max(1, max / 2) else {
                return .refuse
            }
            state.waiting.append(Job(work: work, answer: answer), of: agency)
            guard !state.isRunning else { return .queued }
            state.isRunning = true
            return .start
        }
        switch turn {
        case .queued: break
        case .start: Task { await run() }
        case .refuse: answer(.refused(.busy, after: 1))
        }
    }

    private func run() async {
        while let job = next() { job.answer(await job.work()) }
    }

    private func next() -> Job? {
        state.withLock { state in
            let job = state.waiting.take(1, weight: { _ in 1 }).first
            if job == nil { state.isRunning = false }
            return job
        }
    }
}
