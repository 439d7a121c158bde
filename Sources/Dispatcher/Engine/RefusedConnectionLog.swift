// SPDX-License-Identifier: Apache-2.0

internal import AgentProtocol
internal import Logging
internal import Synchronization

/// Logs connections that were not let in: the first one at once, and then at most one line in ten seconds with how many there were,
/// so that a flood of them is no flood of lines.
final class RefusedConnectionLog: Sendable {
    private static let pause = Duration.seconds(10)

    private struct State {
        var quietUntil: ContinuousClock.Instant?
        var unsaid = 0
    }
    private let state = Mutex(State())
    private let logger: Logger

    init(_ logger: Logger) { self.logger = logger }

    func note(_ refused: RefusedConnection) {
        guard let others = due(at: .now) else { return }
        logger.warning(
            "A connection was refused", metadata: ["reason": "\(refused)", "others-since-last-told": "\(others)"])
    }

    /// Counts one. - Returns: how many were not told since the last line, where it is time for a line.
    func due(at now: ContinuousClock.Instant) -> Int? {
        state.withLock { state in
            if let until = state.quietUntil, now < until {
                state.unsaid += 1
                return nil
            }
            defer { state = State(quietUntil: now.advanced(by: Self.pause)) }
            return state.unsaid
        }
    }
}
