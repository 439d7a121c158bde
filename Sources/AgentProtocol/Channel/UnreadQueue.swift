// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Synchronization

/// What comes by itself, for a reader who may be slow: the newest are kept, and before them it is told how many were thrown away.
final class UnreadQueue<Element: Sendable>: Sendable {
    private struct State {
        var unread = CircularBuffer<Element>()
        var lost = 0
        var isFinished = false
        /// Only while nothing is unread and nothing was lost.
        var readers = CircularBuffer<CheckedContinuation<Element?, Never>>()
    }

    private let max: Int
    private let weight: @Sendable (Element) -> Int
    private let loss: @Sendable (Int) -> Element
    private let state = Mutex(State())

    /// - Parameters:
    ///   - max: how many are kept, at least one.
    ///   - weight: as how many an element counts where it is thrown away: itself, or the lost ones that it tells of.
    ///   - loss: says that so many were thrown away, at least one; read in their place.
    init(
        max: Int, weight: @escaping @Sendable (Element) -> Int, loss: @escaping @Sendable (Int) -> Element
    ) {
        self.max = max
        self.weight = weight
        self.loss = loss
    }

    /// For one reader. One who is cancelled ends it.
    var stream: AsyncStream<Element> {
        AsyncStream(unfolding: { await self.next() }, onCancel: { self.release() })
    }

    func yield(_ element: Element) {
        let reader = state.withLock { state -> CheckedContinuation<Element?, Never>? in
            guard !state.isFinished else { return nil }
            if let reader = state.readers.popFirst() { return reader }
            if state.unread.count >= max {
                // A peer may say any number.
                let (lost, isTooMany) = state.lost.addingReportingOverflow(
                    Swift.max(1, weight(state.unread.removeFirst())))
                state.lost = isTooMany ? .max : lost
            }
            state.unread.append(element)
            return nil
        }
        reader?.resume(returning: element)
    }

    /// What is unread is still read.
    func finish() {
        state.withLock { $0.isFinished = true }
        release()
    }

    private func release() {
        let readers = state.withLock { state in
            defer { state.readers.removeAll() }
            return state.readers
        }
        for reader in readers { reader.resume(returning: nil) }
    }

    private enum Turn {
        case read(Element)
        case end
        case wait
    }

    private func next() async -> Element? {
        await withCheckedContinuation { continuation in
            let turn = state.withLock { state -> Turn in
                if state.lost > 0 {
                    defer { state.lost = 0 }
                    return .read(loss(state.lost))
                }
                if let first = state.unread.popFirst() { return .read(first) }
                // Asked under the lock: a cancellation that comes later finds the reader.
                if state.isFinished || Task.isCancelled { return .end }
                state.readers.append(continuation)
                return .wait
            }
            switch turn {
            case .read(let element): continuation.resume(returning: element)
            case .end: continuation.resume(returning: nil)
            case .wait: break
            }
        }
    }
}
