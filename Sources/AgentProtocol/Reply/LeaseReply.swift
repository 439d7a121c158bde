// SPDX-License-Identifier: Apache-2.0

package import Assignment

/// One leased account, as the deal fixed it.
package struct LeasedAccount: Equatable, Sendable {
    package var account: AccountID
    package var epoch: Epoch
    package var tactic: String?
    /// Months in arrears as a range: `0`, `1-3`, `4-9`, `10+`.
    package var band: String
    package var due: Cents
    package var overdue: Cents
    /// What the debtor quotes when paying.
    package var reference: String
    /// When the debtor may be contacted, in the time zone of the municipality: `07:00-22:00/America/Mexico_City`.
    package var window: String
    /// The next step of the cadence, as of the deal: `call/2024-03-04`.
    package var next: String?

    package init(
        account: AccountID, epoch: Epoch, tactic: String?, band: String, due: Cents, overdue: Cents, reference: String,
        window: String, next: String?
    ) {
        self.account = account
        self.epoch = epoch
        self.tactic = tactic
        self.band = band
        self.due = due
        self.overdue = overdue
        self.reference = reference
        self.window = window
        self.next = next
    }

    func write(_ tag: Tag, to output: inout [UInt8]) {
        output.append(tag: tag)
        output.append(text: " -")
        output.append(field: "account", account)
        output.append(field: "epoch", epoch)
        output.append(field: "tactic", text: tactic)
        output.append(field: "band", text: band)
        output.append(field: "due", due)
        output.append(field: "overdue", overdue)
        output.append(field: "reference", text: reference)
        output.append(field: "window", text: window)
        output.append(field: "next", text: next)
        output.append(.lineFeed)
    }
}

/// The final line of a lease.
package struct LeaseSummary: Equatable, Sendable {
    /// `nil` where nothing was granted: then there is no grant, no term, and the key stays free.
    package var grant: GrantID?
    /// The contract that the accounts stand under, and the work that they were placed for; of a pull that brought nothing because
    /// a limit is used up, whose limit that is.
    package var contract: ContractID?
    package var portfolio: Portfolio?
    /// The announced term; the enforced one is later by the grace.
    package var term: Timestamp?
    /// The furthest term that extensions of the grant reach.
    package var ceiling: Timestamp?
    /// By when the first work on each account must be reported; `nil` where the term alone counts.
    package var workBy: Timestamp?
    package var graceSeconds: Int64?
    /// The accounts that the hand still has for this contract.
    package var left: Int64
    package var stop: PullStop
    /// Seconds until asking again makes sense.
    package var after: Int64?

    package init(
        grant: GrantID?, contract: ContractID? = nil, portfolio: Portfolio? = nil, term: Timestamp?,
        ceiling: Timestamp? = nil, workBy: Timestamp? = nil,
        graceSeconds: Int64?, left: Int64, stop: PullStop, after: Int64? = nil
    ) {
        self.grant = grant
        self.contract = contract
        self.portfolio = portfolio
        self.term = term
        self.ceiling = ceiling
        self.workBy = workBy
        self.graceSeconds = graceSeconds
        self.left = left
        self.stop = stop
        self.after = after
    }

    /// A pull that brought nothing.
    ///
    /// - Parameters:
    ///   - contract: whose limit is used up; `nil` where it is not for a limit.
    ///   - portfolio: of which.
    package static func nothing(
        contract: ContractID? = nil, portfolio: Portfolio? = nil, left: Int64 = 0, stop: PullStop, after: Int64? = nil
    ) -> LeaseSummary {
        LeaseSummary(
            grant: nil, contract: contract, portfolio: portfolio, term: nil, graceSeconds: nil, left: left, stop: stop,
            after: after)
    }

    func write(granted: Int, to output: inout [UInt8]) {
        output.append(field: "grant", grant)
        output.append(field: "contract", contract)
        output.append(field: "portfolio", portfolio)
        output.append(field: "granted", granted)
        output.append(field: "term", text: term?.description)
        output.append(field: "ceiling", text: ceiling?.description)
        output.append(field: "work-by", text: workBy?.description)
        output.append(field: "grace", graceSeconds)
        output.append(field: "left", left)
        output.append(field: "stop", text: stop.rawValue)
        output.append(field: "after", after)
    }
}
