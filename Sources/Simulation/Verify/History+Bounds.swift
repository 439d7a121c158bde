// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// What limits a contract beyond its quotas, and what ends, refuses or forbids a lease by itself.
extension History {
    /// What a quota is of.
    package struct QuotaPlace: Sendable {
        package var contract: Int32
        package var portfolio: Int16
        /// `nil` where it is not known.
        package var strategy: Int16?
        package init(contract: Int32, portfolio: Int16, strategy: Int16? = nil) {
            self.contract = contract
            self.portfolio = portfolio
            self.strategy = strategy
        }
    }

    /// A contract's advisers in this delegation and one portfolio.
    package struct Advisers: Sendable {
        /// How many supervision found, and from when on that was known.
        package struct Found: Sendable {
            package var count: Int64
            package var on: LocalDate
            package var importedAt: Timestamp
            /// Since when another fact stands in its place.
            package var supersededAt: Timestamp?
            package init(count: Int64, on: LocalDate, importedAt: Timestamp, supersededAt: Timestamp? = nil) {
                self.count = count
                self.on = on
                self.importedAt = importedAt
                self.supersededAt = supersededAt
            }
        }

        package var contract: Int32
        package var portfolio: Int16
        package var committed: Int64
        package var accountsPerAdviser: Int64
        /// Whether those found count, and not those promised.
        package var countsPresent: Bool
        /// In the order of their days.
        package var found: [Found] = []
        package init(
            contract: Int32, portfolio: Int16, committed: Int64, accountsPerAdviser: Int64, countsPresent: Bool,
            found: [Found] = []
        ) {
            self.contract = contract
            self.portfolio = portfolio
            self.committed = committed
            self.accountsPerAdviser = accountsPerAdviser
            self.countsPresent = countsPresent
            self.found = found
        }
    }

    /// A report or a return that was refused and kept.
    package struct Evidence: Sendable {
        package var number: Int64
        package var code: String
        package var verb: String
        /// Whether it counts by rule; `nil`: a person decides.
        package var counts: Bool?
        /// What a person decided, `accepted` or `rejected`; `nil`: nothing yet, or a rule had settled it.
        package var decision: String?
        package var agency: Int32
        package var instance: Int32
        package var key: Int64
        package var held: Held
        package var receivedAt: Timestamp
        package init(
            number: Int64, code: String, verb: String = "REPORT", counts: Bool? = false, decision: String? = nil,
            agency: Int32, instance: Int32, key: Int64, held: Held, receivedAt: Timestamp
        ) {
            self.verb = verb
            self.counts = counts
            self.decision = decision
            self.number = number
            self.code = code
            self.agency = agency
            self.instance = instance
            self.key = key
            self.held = held
            self.receivedAt = receivedAt
        }
    }

    /// An EXTEND or a RETURN that the database remembers under its key, and when it was decided.
    package struct Answered: Sendable {
        package var request: Request
        package var receivedAt: Timestamp
        /// The hash of the record of what was done, as the reply said it; `nil` where it was refused.
        package var receipt: [UInt8]?
        package init(request: Request, receivedAt: Timestamp, receipt: [UInt8]? = nil) {
            self.request = request
            self.receivedAt = receivedAt
            self.receipt = receipt
        }
    }

    /// An account that the cut of a period itself keeps out of collection.
    package struct CutExclusion: Sendable {
        package var period: Int32
        package var account: AccountID
        package var reason: String
        /// Since when it stands so: the segmentation's instant.
        package var since: Timestamp
        package init(period: Int32, account: AccountID, reason: String, since: Timestamp) {
            self.period = period
            self.account = account
            self.reason = reason
            self.since = since
        }
    }

    /// A time in which no node answered, as the first one that came back booked it.
    package struct Outage: Sendable {
        /// The latest beat before it; `nil`: not known.
        package var from: Timestamp?
        package var bookedAt: Timestamp
        package var microseconds: Int64
        /// All that was booked by then, with it.
        package var totalMicroseconds: Int64
        package init(from: Timestamp?, bookedAt: Timestamp, microseconds: Int64, totalMicroseconds: Int64) {
            self.from = from
            self.bookedAt = bookedAt
            self.microseconds = microseconds
            self.totalMicroseconds = totalMicroseconds
        }
    }

    /// Whether a grant's quota was set after the contracts were last taken in, so that bond and advisers are those that it was set
    /// by. What an opening took over was granted by nobody here.
    func isBound(_ grant: Grant, by limit: Limit?) -> Bool {
        guard grant.instance != 0, grant.accounts > 0, let limit else { return false }
        return contractsImportedAt.map { limit.since >= $0 } ?? true
    }
}

/// The limits of each quota in the order in which they were put.
struct LimitTimeline {
    private let limits: [Int32: [History.Limit]]

    init(_ history: History) {
        limits = Dictionary(grouping: history.limits, by: \.quota).mapValues { $0.sorted { $0.since < $1.since } }
    }

    /// The one in force at the end of an instant.
    func limit(of quota: Int32, at instant: Timestamp) -> History.Limit? {
        limits[quota]?.last { $0.since <= instant }
    }
}
