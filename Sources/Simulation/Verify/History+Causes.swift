// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// What each hand was dealt as, and what takes a lease from its holder.
extension History {
    /// Any hand, whatever draws from it.
    package struct DealtHand: Sendable {
        /// One, or those who share it.
        package var contracts: [Int32]
        package var strategy: Int16
        package var portfolio: Int16
        package var size: Int32
        /// Whether a plan that is not in force yet deals it: its record comes with the plan's end.
        package var isInactive: Bool
        /// Days after which a lease on which nothing was reported is taken back; `nil`: never.
        package var activityDays: Int32?
        /// Days for giving back an account whose debtor cannot be found; `nil`: as long as the term.
        package var unlocatableDays: Int32?
        /// What each of its leases has behind its term.
        package var graceMicroseconds: Int64
        /// How long after a lease's end work on it is still taken by rule.
        package var lateReportMicroseconds: Int64

        package init(
            contracts: [Int32], strategy: Int16 = 2, portfolio: Int16 = 1, size: Int32, isInactive: Bool = false,
            activityDays: Int32? = nil, unlocatableDays: Int32? = nil, graceMicroseconds: Int64,
            lateReportMicroseconds: Int64 = 0
        ) {
            self.lateReportMicroseconds = lateReportMicroseconds
            self.contracts = contracts
            self.strategy = strategy
            self.portfolio = portfolio
            self.size = size
            self.isInactive = isInactive
            self.activityDays = activityDays
            self.unlocatableDays = unlocatableDays
            self.graceMicroseconds = graceMicroseconds
        }
    }

    /// A stop, a start or a certificate, as far as it ends leases.
    package struct Cause: Sendable {
        /// A stop's reason, `exhaustion` or `start`.
        package var reason: String
        package var knownAt: Timestamp
        /// The last day that it names itself; `nil`: none.
        package var until: LocalDate?
        /// Of a certificate.
        package var revokedAt: Timestamp?
        package init(reason: String, knownAt: Timestamp, until: LocalDate? = nil, revokedAt: Timestamp? = nil) {
            self.reason = reason
            self.knownAt = knownAt
            self.until = until
            self.revokedAt = revokedAt
        }
    }

    /// The recall of a lease, in two steps.
    package struct Notice: Sendable {
        package var reason: String
        package var noticedAt: Timestamp
        /// From when on the account is taken back.
        package var finalAt: Timestamp
        /// How long an undecided objection holds that up; `nil`: nobody objected.
        package var heldUntil: Timestamp?
        /// `upheld` or `withdrawn`; `nil` while nobody has decided.
        package var decision: String?
        package var decidedAt: Timestamp?
        package init(
            reason: String, noticedAt: Timestamp, finalAt: Timestamp, heldUntil: Timestamp? = nil,
            decision: String? = nil, decidedAt: Timestamp? = nil
        ) {
            self.reason = reason
            self.noticedAt = noticedAt
            self.finalAt = finalAt
            self.heldUntil = heldUntil
            self.decision = decision
            self.decidedAt = decidedAt
        }

        /// When the account is to be taken back; `nil` where the recall was withdrawn.
        var due: Timestamp? {
            switch decision {
            case "withdrawn": nil
            case "upheld": finalAt
            default: max(finalAt, heldUntil ?? finalAt)
            }
        }
    }

    /// How long a file may be under way: from the instant that its import has to the one at which it ends leases. A virtual clock may
    /// jump by days meanwhile.
    var importSpan: Duration { .seconds(isVirtual ? 6 * 86_400 : 6 * 3_600) }
}

extension History.Notice {
    var words: String {
        "notice of its recall (\(reason)) was given at \(noticedAt), final \(finalAt)"
            + (heldUntil.map { ", objected to, held until \($0)" } ?? "")
            + (decision.map { ", \($0)" + (decidedAt.map { " at \($0)" } ?? "") } ?? "")
    }
}
