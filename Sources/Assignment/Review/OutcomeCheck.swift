// SPDX-License-Identifier: Apache-2.0

/// What is looked at in an outcome that needs no review before it is taken as valid. What fails one waits for its delegation.
///
/// Source: GES-01; the first that applies is named.
package enum OutcomeCheck: String, Sendable, CaseIterable {
    case nobodyReached = "nobody-reached"
    case wrongChannel = "wrong-channel"
    case promiseDate = "promise-date"
    case promiseAmount = "promise-amount"
    case repeated

    /// How far ahead a promise may lie.
    package static let promiseDaysMax = 60
    /// Within how many seconds the same work again is no work of its own.
    package static let repeatedWithin = 300
    /// How the sample's outcomes are listed.
    package static let sample = "sample"

    /// For people.
    package var text: String {
        switch self {
        case .nobodyReached: "a promise, refusal or announced payment although nobody was reached"
        case .wrongChannel:
            "a session held or missed that was no mediation session, or a wrong number without a telephone"
        case .promiseDate: "a promise for a day more than \(Self.promiseDaysMax) days after the work"
        case .promiseAmount: "a promise of more than the account's balance"
        case .repeated:
            "the same account, channel, contact and result by the same agency within \(Self.repeatedWithin / 60) minutes"
        }
    }
}
