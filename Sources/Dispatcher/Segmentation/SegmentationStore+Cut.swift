// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

extension SegmentationStore {
    /// - Throws: ``CommandFailure`` (usage) where the period has no cut; it names months that have one.
    func requireCut() throws { if try !hasCut() { throw try missingCut() } }

    /// Says that the period has no cut.
    func missingCut() throws -> CommandFailure {
        let months = try monthsWithCut(limit: 6).map(\.description)
        return CommandFailure(
            .usage, "\(period) has no cut",
            remedy: (months.isEmpty
                ? "No month has one: import one with"
                : "Of \(months.joined(separator: ", ")) there is one; for another month:")
                + " dispatcherd import cut FILE --period \(period)")
    }
}
