// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// What happens to the accounts of one cut within its month: `stops.csv`, `starts.csv` and `payments.csv`, which fit together.
struct MonthFiles {
    private let folder: String
    /// Behind the names: empty, or `-2024-04`.
    private let suffix: String
    private var stops: RowWriter
    private var starts: RowWriter
    private var payments: RowWriter
    private let stopMaker: StopMaker
    private let startMaker: StartMaker
    private let feedMaker: FeedMaker
    private(set) var counts = (stops: 0, starts: 0, payments: 0)

    init(folder: String, suffix: String = "", period: Period, seed: UInt64) throws(SimulationFailure) {
        self.folder = folder
        self.suffix = suffix
        stops = try RowWriter(path: "\(folder)/stops\(suffix).csv", header: StopMaker.header)
        starts = try RowWriter(path: "\(folder)/starts\(suffix).csv", header: StartMaker.header)
        payments = try RowWriter(path: "\(folder)/payments\(suffix).csv", header: FeedMaker.header)
        stopMaker = StopMaker(seed: seed ^ 0x5709, period: period)
        startMaker = StartMaker(seed: seed ^ 0x57A7, period: period)
        feedMaker = FeedMaker(seed: seed ^ 0x9A1D, period: period)
    }

    mutating func write(_ draft: AccountDraft) throws(SimulationFailure) {
        var stop: (reason: String, from: LocalDate)?
        var isStarting = false
        if draft.isCollected {
            stop = try stopMaker.write(draft, to: &stops)
            if stop != nil { counts.stops += 1 }
        } else {
            isStarting = try startMaker.write(draft, to: &starts)
            if isStarting { counts.starts += 1 }
        }
        if try feedMaker.write(draft, stop: stop, starts: isStarting, to: &payments) { counts.payments += 1 }
    }

    /// - Parameters:
    ///   - month: how many months behind the first.
    ///   - messTimes: how often each damage is planted; `nil`: none.
    mutating func finish(
        _ specification: PortfolioSpecification, month: Int = 0, messTimes: Int? = nil
    ) throws(SimulationFailure) {
        counts.starts += try startMaker.writeNew(
            specification.maker, accounts: specification.accounts, month: month, to: &starts)
        try stops.finish()
        try starts.finish()
        try payments.finish()
        guard let messTimes else { return }
        for (name, file) in [("stops", MessFile.stops), ("starts", .starts), ("payments", .payments)] {
            try FeedMess.damage(
                "\(name)\(suffix)", file, in: folder, times: messTimes, seed: specification.seed)
        }
    }
}
