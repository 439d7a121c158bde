// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// All that happened to the accounts of one delegation: what its clients saw, and what the database kept.
///
/// Delegations do not touch each other, so a checker needs one at a time. The judge trusts none of the two sides:
/// what a row says is compared with the rows that it must follow from.
package struct History: Sendable {
    package struct Position: Sendable {
        package var hand: Int32
        package var position: Int32
        package var held: Held
        package var exposure: Int64
        package init(hand: Int32, position: Int32, held: Held, exposure: Int64) {
            self.hand = hand
            self.position = position
            self.held = held
            self.exposure = exposure
        }
    }

    package struct Grant: Sendable {
        package var grant: GrantID
        package var last: Int32
        package var skipped: [Int32]
        package var quota: Int32
        package var contract: Int32
        package var agency: Int32
        package var instance: Int32
        package var key: Int64?
        package var accounts: Int32
        package var exposure: Int64
        package var totalAccounts: Int64
        package var totalExposure: Int64
        package var grantedAt: Timestamp
        package var announcedTerm: Timestamp
        package var term: Timestamp
        package var graceMicroseconds: Int64
        package var outageMicroseconds: Int64
        package var closedAt: Timestamp?

        package init(
            grant: GrantID, last: Int32, skipped: [Int32] = [], quota: Int32, contract: Int32, agency: Int32,
            instance: Int32,
            key: Int64?, accounts: Int32, exposure: Int64, totalAccounts: Int64, totalExposure: Int64,
            grantedAt: Timestamp,
            announcedTerm: Timestamp, term: Timestamp, graceMicroseconds: Int64, outageMicroseconds: Int64 = 0,
            closedAt: Timestamp? = nil
        ) {
            self.grant = grant
            self.last = last
            self.skipped = skipped
            self.quota = quota
            self.contract = contract
            self.agency = agency
            self.instance = instance
            self.key = key
            self.accounts = accounts
            self.exposure = exposure
            self.totalAccounts = totalAccounts
            self.totalExposure = totalExposure
            self.grantedAt = grantedAt
            self.announcedTerm = announcedTerm
            self.term = term
            self.graceMicroseconds = graceMicroseconds
            self.outageMicroseconds = outageMicroseconds
            self.closedAt = closedAt
        }
    }

    package struct Ending: Sendable {
        package var held: Held
        package var kind: String
        package var reason: String
        package var endedAt: Timestamp
        /// Whether it was leased when it ended, and not only dealt.
        package var wasHeld: Bool
        package init(held: Held, kind: String, reason: String, endedAt: Timestamp, wasHeld: Bool = true) {
            self.held = held
            self.kind = kind
            self.reason = reason
            self.endedAt = endedAt
            self.wasHeld = wasHeld
        }
    }

    package struct Limit: Sendable {
        package var quota: Int32
        package var since: Timestamp
        package var accounts: Int64
        package var exposure: Int64?
        package init(quota: Int32, since: Timestamp, accounts: Int64, exposure: Int64? = nil) {
            self.quota = quota
            self.since = since
            self.accounts = accounts
            self.exposure = exposure
        }
    }

    package struct Outcome: Sendable {
        package var agency: Int32
        package var instance: Int32
        package var key: Int64
        package var receivedAt: Timestamp
        package var report: ClientOperation.Report
        /// `nil` where it is not known.
        package var contract: Int32?
        /// The request that its row makes, in the words of the protocol, without key; `nil` where it is not known.
        package var content: String?
        package init(
            agency: Int32, instance: Int32, key: Int64, receivedAt: Timestamp, report: ClientOperation.Report,
            contract: Int32? = nil, content: String? = nil
        ) {
            self.content = content
            self.contract = contract
            self.agency = agency
            self.instance = instance
            self.key = key
            self.receivedAt = receivedAt
            self.report = report
        }
    }

    package struct Stop: Sendable {
        package var account: AccountID
        package var reason: String
        package var from: LocalDate
        /// The last day on which it holds; `nil`: for good.
        package var until: LocalDate?
        package var importedAt: Timestamp
        package init(account: AccountID, reason: String, from: LocalDate, until: LocalDate?, importedAt: Timestamp) {
            self.account = account
            self.reason = reason
            self.from = from
            self.until = until
            self.importedAt = importedAt
        }
    }

    /// An order that takes all work from an agency, or gives it again (AGY-16).
    package struct Order: Sendable {
        package var agency: Int32
        /// Hold or termination; else release.
        package var isHold: Bool
        package var at: Timestamp
        package init(agency: Int32, isHold: Bool, at: Timestamp) {
            self.agency = agency
            self.isHold = isHold
            self.at = at
        }
    }

    /// A request that the database remembers under its key: EXTEND, RETURN, or a report kept as evidence.
    package struct Request: Hashable, Sendable {
        package var agency: Int32
        package var instance: Int32
        package var verb: String
        package var key: Int64
        package init(agency: Int32, instance: Int32, verb: String, key: Int64) {
            self.agency = agency
            self.instance = instance
            self.verb = verb
            self.key = key
        }
    }

    package struct Block: Sendable {
        package var id: Int64
        package var period: Int32
        /// Each record as four bytes of length, most significant first, and its bytes.
        package var records: [UInt8]
        package var count: Int32
        package var root: [UInt8]
        /// What one group wrote has the same; `nil`: not known.
        package var transaction: Int64?
        package init(
            id: Int64, period: Int32, records: [UInt8], count: Int32, root: [UInt8], transaction: Int64? = nil
        ) {
            self.transaction = transaction
            self.id = id
            self.period = period
            self.records = records
            self.count = count
            self.root = root
        }
    }

    package struct Link: Sendable {
        package var period: Int32
        package var height: Int64
        package var block: Int64
        package var head: [UInt8]
        package init(period: Int32, height: Int64, block: Int64, head: [UInt8]) {
            self.period = period
            self.height = height
            self.block = block
            self.head = head
        }
    }

    /// A line of a kept statement, with the outcomes that it counts.
    package struct StatementLine: Sendable {
        package var period: Int32
        package var contract: Int32
        package var rule: String
        package var subject: String
        /// Else a penalty, a tax or an adjustment.
        package var isFee: Bool
        package var amount: String
        package var records: [Int64]
        /// What else it rests on: of a contingency, the payments.
        package var facts: [String]
        /// The amount that it is a percentage of, in pesos; `nil` where it is a price.
        package var base: String?
        package init(
            period: Int32, contract: Int32, rule: String, subject: String, isFee: Bool, amount: String,
            records: [Int64], facts: [String] = [], base: String? = nil
        ) {
            self.facts = facts
            self.base = base
            self.period = period
            self.contract = contract
            self.rule = rule
            self.subject = subject
            self.isFee = isFee
            self.amount = amount
            self.records = records
        }
    }

    /// A hand of one contract, and the quota that it was dealt under.
    package struct Hand: Sendable {
        package var hand: Int32
        package var quota: Int32
        package var size: Int32
        package init(hand: Int32, quota: Int32, size: Int32) {
            self.hand = hand
            self.quota = quota
            self.size = size
        }
    }

    /// What a kept statement's text is hashed to, as its row says.
    package struct StatementDigest: Sendable {
        package var period: Int32
        package var contract: Int32
        package var digest: [UInt8]
        /// Where it has a section, and so its record.
        package var delegations: Set<Delegation>
        package init(period: Int32, contract: Int32, digest: [UInt8], delegations: Set<Delegation> = []) {
            self.period = period
            self.contract = contract
            self.digest = digest
            self.delegations = delegations
        }
    }

    /// Where a chain ended when its period was signed.
    package struct SignedEnd: Sendable {
        package var height: Int64
        package var head: [UInt8]
        package init(height: Int64, head: [UInt8]) {
            self.height = height
            self.head = head
        }
    }

    package var delegation: Delegation
    package var now: Timestamp
    /// All outage that was ever credited.
    package var outageMicroseconds: Int64 = 0
    /// In the order in which they were booked.
    package var outages: [Outage] = []
    package var positions: [Position] = []
    package var deals: [(held: Held, hand: Int32, position: Int32)] = []
    /// Those of one contract each.
    package var hands: [Hand] = []
    /// What came in for an account and ends leases.
    package var causes: [AccountID: [Cause]] = [:]
    /// Every hand, with those who may draw from it.
    package var dealtHands: [Int32: DealtHand] = [:]
    /// The agency of each contract.
    package var contractAgencies: [Int32: Int32] = [:]
    /// The digest of each kept statement.
    package var statementDigests: [StatementDigest] = []
    /// The roots of all months that were signed; of 32 bytes.
    package var signedRoots: Set<[UInt8]> = []
    /// Hands that agencies can draw from.
    package var openHands: Set<Int32> = []
    package var grants: [Grant] = []
    package var endings: [Ending] = []
    /// Of each quota in the order in which they were put in force; several may have been in one instant.
    package var limits: [Limit] = []
    /// What each quota allows now; `since` is without meaning.
    package var limitsInForce: [Limit] = []
    package var outcomes: [Outcome] = []
    package var requests: Set<Request> = []
    /// The code under which each piece of evidence was refused.
    package var evidence: [Int64: String] = [:]
    /// The same with all that is known of it.
    package var refused: [Evidence] = []
    /// What EXTEND and RETURN were answered with.
    package var answered: [Answered] = []
    /// Reports that came after their lease's end, were kept as evidence, and count: by rule or by a person.
    package var lateAccepted: Set<Request> = []
    /// The recall of each lease of which notice was given; one that was withdrawn and given again is told by its last.
    package var notices: [Held: Notice] = [:]
    /// Whether the clock is a virtual one, which may jump by days while something is under way.
    package var isVirtual = false
    package var stops: [Stop] = []
    /// By agency in the order in which they were given.
    package var orders: [Order] = []
    package var contractEnds: [Int32: LocalDate] = [:]
    /// Bonds in centavos, of contracts that they limit.
    package var bonds: [Int32: Int64] = [:]
    package var advisers: [Advisers] = []
    /// When contracts, with their bonds and advisers, were last taken in.
    package var contractsImportedAt: Timestamp?
    package var quotaPlaces: [Int32: QuotaPlace] = [:]
    /// The period that each hand was dealt for.
    package var handPeriods: [Int32: Int32] = [:]
    package var cutExclusions: [CutExclusion] = []
    /// When the plan of each period was put in force: what is held by then stays held, or is recalled.
    package var plansAppliedAt: [Int32: Timestamp] = [:]
    /// The number that the database gave to each installation.
    package var instances: [String: Int32] = [:]
    package var blocks: [Block] = []
    package var links: [Link] = []
    /// Periods of which every block must be chained.
    package var closedPeriods: Set<Int32> = []
    /// Whether the ledger was read, so that rows can be held against it.
    package var hasLedger = false
    /// Blocks that the sequencer has chained by its own mark.
    package var sequencedBlocks: Set<Int64> = []
    package var signedEnds: [Int32: SignedEnd] = [:]
    /// Rows that nothing else here describes: reviews, payments, facts, evidence, limits.
    package var stored: [StoredRow] = []
    package var statementLines: [StatementLine] = []
    package var operations: [ClientOperation] = []

    package init(delegation: Delegation, now: Timestamp) {
        self.delegation = delegation
        self.now = now
    }

    /// The number of an operation's installation; `nil` where the database never saw it.
    func instance(of operation: ClientOperation) -> Int32? { instances["\(operation.agency) \(operation.instance)"] }

    package static func instanceName(agency: Int32, instance: String) -> String {
        "\(AgencyID(agency)?.description ?? "?") \(instance)"
    }
}

/// One account of a grant, from its leasing to what ended it.
struct Lease: Sendable {
    var held: Held
    var grant: History.Grant
    var from: Timestamp
    /// `nil`: live at the end of the history.
    var until: Timestamp?
    var end: String
    var exposure: Int64
    /// The outage booked since it was granted, up to the end of the history.
    var creditMicroseconds: Int64

    var line: String {
        "grant \(grant.grant) of contract \(grant.contract) leased \(held) at \(from), \(until.map { "\(end) at \($0)" } ?? "still live")"
    }
}

extension History {
    /// Every lease that the grants, their skipped positions and the endings make; a grant over positions that its hand
    /// does not have is a break of its own and leases nothing there.
    func leases() -> [Lease] {
        let dealt = Dictionary(positions.map { (Place(hand: $0.hand, position: $0.position), $0) }) { first, _ in first
        }
        let ended = Dictionary(endings.map { ($0.held, $0) }) { first, _ in first }
        var leases: [Lease] = []
        for grant in grants where grant.grant.first <= grant.last {
            let skipped = Set(grant.skipped)
            for number in grant.grant.first...grant.last where !skipped.contains(number) {
                guard let position = dealt[Place(hand: grant.grant.hand, position: number)] else { continue }
                let ending = ended[position.held]
                let until = [ending?.endedAt, grant.closedAt].compactMap { $0 }.min()
                let end = ending.map { $0.endedAt == until ? $0.kind : "closed" } ?? "closed"
                leases.append(
                    Lease(
                        held: position.held, grant: grant, from: grant.grantedAt, until: until, end: end,
                        exposure: position.exposure,
                        creditMicroseconds: max(0, outageMicroseconds - grant.outageMicroseconds)))
            }
        }
        return leases
    }
}

private struct Place: Hashable {
    let hand: Int32
    let position: Int32
}
