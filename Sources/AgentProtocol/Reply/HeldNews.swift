// SPDX-License-Identifier: Apache-2.0

/// What came of a held account since it was leased, as `HELD`, `RESUME` and the pushes `UPDATE` and `RECALL` tell it.
package enum HeldNews {
    package static let paid: [StaticKey] = ["paid", "paid-on", "reversed"]
    package static let started: [StaticKey] = ["changed", "changed-on"]
    package static let recall: [StaticKey] = ["recall", "recall-reason", "objection"]
    package static var keys: [StaticKey] { paid + started + recall }
}
