// SPDX-License-Identifier: Apache-2.0

package import Assignment
package import PgStore

/// How outcomes that need no review are validated: automatic checks, and a seeded sample that delegations look at.
///
/// What fails a check counts for nothing until its delegation approves it; what the sample draws counts unless it is rejected.
/// Running it again looks at what was reported meanwhile, with the same sample.
package struct ReviewChecks {
    package struct Report: Equatable {
        package let sampling: CheckStore.Sampling
        package let found: Int
        /// Every check in its order, then the sample.
        package let counts: [Count]
    }

    package struct Count: Equatable {
        package let cause: String
        package let text: String
        package let all: Int64
        package let approved: Int64
        package let rejected: Int64
    }

    private let link: PgLink
    private let period: Period
    private let store: CheckStore
    private let deadlineDays: Int?

    /// - Parameter deadlineDays: business days behind the month's end in which its reviews count; `nil`: until its close.
    package init(_ link: PgLink, period: Period, deadlineDays: Int? = nil) {
        self.link = link
        self.period = period
        self.deadlineDays = deadlineDays
        store = CheckStore(link, period: period)
    }

    /// - Parameters:
    ///   - rate: of the sample, in percent; `nil`: the month's, or 1 % where none was set.
    ///   - seed: of the sample; `nil`: the month's, or the month itself.
    /// - Throws: ``CommandFailure`` where the month is not open, has another sample, or was checked and takes no reviews any more.
    package func run(rate text: String?, seed: Int64?, by: String) throws -> Report {
        let by = try Words.person(by)
        guard let asked = BasisPoints(percent: text ?? "1") else {
            throw CommandFailure(
                .usage, "\(text ?? "") is no percent from 0 to 100", remedy: "Give --sample, as 2.5; 0 draws none.")
        }
        return try link.transaction {
            let state = try store.lockPeriod()
            guard state == "open" else {
                throw CommandFailure(
                    .usage, "\(period) is not open, so its outcomes are what they are",
                    remedy: state == "closing"
                        ? "Wait for its close; one that was killed is given back with "
                            + "`dispatcherd close --period \(period) --give-back`."
                        : "Run it before the close, with time for reviews.")
            }
            // A month that nobody ever checked is not closed, nor one with outcomes that came after its checks, so those come at any time.
            if let deadlineDays, try store.sampling() != nil,
                case let until = try store.reviewsUntil(businessDays: deadlineDays), try link.readNow() >= until,
                try store.unchecked() == 0
            {
                throw CommandFailure(
                    .usage,
                    "reviews of \(period) counted until \(until), and no outcome came after its checks that they would find",
                    remedy: "There is nothing left to check; review.deadline-days sets the time for reviews.")
            }
            let fresh = CheckStore.Sampling(seed: seed ?? Int64(period.number), rate: asked, by: by)
            let sampling = try store.sampling() ?? fresh
            guard seed == nil || seed == sampling.seed, text == nil || asked == sampling.rate else {
                throw CommandFailure(
                    .usage,
                    "the sample of \(period) is \(sampling.rate) % with seed \(sampling.seed), set by \(sampling.by)",
                    remedy:
                        "A sample is set once a month, so that nobody draws until it suits. Nothing was checked: run "
                        + "`dispatcherd review check --period \(period) --by NAME` without --sample and --seed for what was reported since."
                )
            }
            try store.set(sampling)
            let found = try store.run(sampling)
            return Report(sampling: sampling, found: found, counts: try counts())
        }
    }

    private func counts() throws -> [Count] {
        let known = Dictionary(try store.counts().map { ($0.cause, $0) }, uniquingKeysWith: { $1 })
        let causes =
            OutcomeCheck.allCases.map { ($0.rawValue, $0.text) }
            + [(OutcomeCheck.sample, "drawn by the sample; valid unless it is rejected")]
        return causes.map { cause, text in
            let row = known[cause]
            return Count(
                cause: cause, text: text, all: row?.all ?? 0, approved: row?.approved ?? 0, rejected: row?.rejected ?? 0
            )
        }
    }

    /// What was found as CSV: outcome, delegation, cause.
    ///
    /// - Returns: how many.
    package func write(to path: String) throws -> Int {
        try OutputFile.writing(path) { file in
            try file.write("outcome,delegation,cause")
            var count = 0
            try store.each { outcome, delegation, cause in
                count += 1
                try file.write("\(outcome),\(delegation),\(cause)")
            }
            return count
        }
    }
}

extension ReviewChecks.Report {
    package var lines: [String] {
        var table = TextTable(columns: [.left, .right, .right, .right, .right, .left])
        table.row(["check", "outcomes", "approved", "rejected", "waiting", "what"])
        for count in counts {
            let waiting = count.all - count.approved - count.rejected
            table.row([
                count.cause, grouped(count.all), grouped(count.approved), grouped(count.rejected), grouped(waiting),
                count.text,
            ])
        }
        return table.lines + [
            "", "\(found) new; the sample is \(sampling.rate) % with seed \(sampling.seed), set by \(sampling.by)",
        ]
    }

    package var json: String {
        let json = CanonicalJSON.object([
            "new": .number(Int64(found)), "seed": .number(sampling.seed), "sample": .string(sampling.rate.description),
            "checks": .array(
                counts.map { count in
                    .object([
                        "check": .string(count.cause), "outcomes": .number(count.all),
                        "approved": .number(count.approved), "rejected": .number(count.rejected),
                        "what": .string(count.text),
                    ])
                }),
        ])
        return String(json.text.dropLast())
    }
}
