// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore
internal import Synchronization

/// The names of the tactics of the policy that placed the latest month, read anew when another policy did.
final class TacticBook: Sendable {
    private let known = Mutex<(digest: [UInt8], names: [String]?)?>(nil)

    /// - Returns: `nil` where no policy is on record, or none that this version reads: then any name may be one.
    func names(_ link: PgLink) throws -> [String]? {
        guard let (period, digest) = try link.readLatestPolicy() else { return nil }
        if let last = known.withLock({ $0 }), last.digest == digest { return last.names }
        var tactics: [String]?
        do {
            let policy = try PlanDraft.placements(link, period: period).1.policy(for: period)
            tactics = Segmenter(policy, cut: LocalDate(daysSince1970: 0)).tactics
        } catch let error as PgError {
            throw error
        } catch {
            tactics = nil
        }
        known.withLock { [tactics] in $0 = (digest, tactics) }
        return tactics
    }
}
