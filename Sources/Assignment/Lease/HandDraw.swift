// SPDX-License-Identifier: Apache-2.0

/// Why a pull gave no more accounts than it did.
package enum PullStop: String, Sendable, CaseIterable {
    /// As many as were asked for.
    case limit
    /// This hand is at its end; another one of the same strategy has more: ask again at once.
    case hand
    /// Nothing is left for this contract.
    case empty
    /// The contract holds as many accounts as its quota allows.
    case quota
    /// The agency holds as many accounts of that portfolio as its advisers may carry.
    case capacity
    /// The next account would pass the bond.
    case bond
    /// The hand is being dealt anew.
    case paused
    /// The agency is on hold.
    case suspended
}

/// One dealt account, as the hand has it.
package struct DealtPosition: Equatable, Sendable {
    package let position: Int32
    package let account: AccountID
    package let epoch: Epoch
    package let exposure: Cents

    package init(position: Int32, account: AccountID, epoch: Epoch, exposure: Cents) {
        self.position = position
        self.account = account
        self.epoch = epoch
        self.exposure = exposure
    }
}

/// Moves along one hand: which of the next accounts a pull takes.
///
/// Knows no table. It is given the positions behind the hand's cursor that may be leased, in order, and gives back the grant
/// to write. What is missing between them was excluded or withdrawn since it was dealt: passed over, never leased. Several
/// pulls of one group draw from the same value, one after the other.
package struct HandDraw: Equatable, Sendable {
    /// The last position that was granted or skipped; 0 at the start.
    package private(set) var cursor: Int32
    package let size: Int32
    private var window: ArraySlice<DealtPosition>
    private let seen: Int32

    /// - Parameters:
    ///   - window: the positions after `cursor` that may be leased, ascending, as many as the group may take in all.
    ///   - seen: the position up to which there are no others.
    package init(cursor: Int32, size: Int32, window: [DealtPosition], seen: Int32) {
        self.cursor = cursor
        self.size = size
        self.window = window[...]
        self.seen = seen
    }

    package var left: Int64 { Int64(size - cursor) }

    package struct Draw: Equatable, Sendable {
        package let first: Int32
        package let last: Int32
        /// Where the taken ones begin in the window that the hand was given; they follow one another there.
        package let firstIndex: Int
        package let taken: [DealtPosition]
        package let skipped: [Int32]
        package let exposure: Cents
        package let stop: PullStop
    }

    /// Takes up to `max` accounts within the quota, in dealt order, and books them.
    ///
    /// - Parameter hasMoreHands: whether another open hand of the same strategy is not at its end.
    /// - Returns: the draw; without taken and skipped positions there is nothing to write, only a reason.
    /// - Source: AGY-08, AGY-10, ASG-10.
    package mutating func take(_ max: Int, from quota: inout QuotaBalance, hasMoreHands: Bool) -> Draw {
        var taken: [DealtPosition] = []
        var skipped: [Int32] = []
        var exposure = Cents.zero
        var stop = PullStop.limit
        let first = cursor + 1
        let firstIndex = window.startIndex
        while taken.count < max {
            skip(to: window.first?.position ?? seen + 1, &skipped)
            guard let next = window.first else {
                // Excluded positions can use up what was looked at before the hand's end: then this hand itself has more.
                stop = cursor < size || hasMoreHands ? .hand : .empty
                break
            }
            guard quota.freeAccounts > 0 else {
                stop = .quota
                break
            }
            guard quota.covers(next.exposure) else {
                stop = .bond
                break
            }
            quota.book(accounts: 1, exposure: next.exposure)
            taken.append(next)
            exposure += next.exposure
            window.removeFirst()
            cursor = next.position
        }
        return Draw(
            first: first, last: cursor, firstIndex: firstIndex, taken: taken, skipped: skipped, exposure: exposure,
            stop: stop)
    }

    private mutating func skip(to next: Int32, _ skipped: inout [Int32]) {
        guard next - cursor > 1 else { return }
        skipped += (cursor + 1)..<next
        cursor = next - 1
    }
}
