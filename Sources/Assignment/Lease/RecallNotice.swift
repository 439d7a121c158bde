// SPDX-License-Identifier: Apache-2.0

/// The pending recall of one leased account: noticed with a date, perhaps objected to, decided by a person, final at its date.
///
/// While it is pending the account counts as held: reports and returns work, extensions do not. A lawsuit, a death, a payoff or a
/// payment from the fund needs no notice; it ends the lease at once.
package struct RecallNotice: Equatable, Sendable {
    package enum State: Equatable, Sendable {
        case pending
        /// The date waits for a decision, but not for ever.
        case objected(heldUntil: Timestamp)
        case upheld
        case withdrawn
    }
    package let state: State
    /// From when on the account is taken back, as the notice said.
    package let finalAt: Timestamp

    package init(state: State, finalAt: Timestamp) {
        self.state = state
        self.finalAt = finalAt
    }

    /// When it becomes final if nobody does anything; `nil` once it is withdrawn.
    package var due: Timestamp? {
        switch state {
        case .pending, .upheld: finalAt
        case .objected(let heldUntil): max(finalAt, heldUntil)
        case .withdrawn: nil
        }
    }

    package enum ObjectAction: Equatable, Sendable {
        /// The date waits until `heldUntil` at most.
        case write(heldUntil: Timestamp)
        /// There was an objection before; the first one stands.
        case keep(heldUntil: Timestamp)
        /// Final, decided or withdrawn: nothing is left to object to.
        case refuse
    }

    /// The holder objects.
    ///
    /// - Parameter hold: how long an undecided objection holds the date up.
    package func object(at now: Timestamp, hold: Duration) -> ObjectAction {
        switch state {
        case .pending where now < finalAt: .write(heldUntil: max(finalAt, now.advanced(by: hold)))
        case .objected(let heldUntil) where now < heldUntil: .keep(heldUntil: heldUntil)
        case .pending, .objected, .upheld, .withdrawn: .refuse
        }
    }
}
