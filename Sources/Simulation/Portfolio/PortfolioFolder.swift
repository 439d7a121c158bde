// SPDX-License-Identifier: Apache-2.0

internal import Assignment

/// Writes a whole portfolio into a folder: zones, contracts, the cut, stops, starts, payments, facts and keys that fit together.
package struct PortfolioFolder: Sendable {
    /// How many accounts there are of each kind.
    package struct Counts: Sendable {
        package var accounts = 0
        package var overdue = 0
        package var vsm = 0
        package var excluded = 0
        package var preventive = 0
        package var dual = 0
        package var mediable = 0
        package var administrative = 0
        package var stops = 0
        package var starts = 0
        package var payments = 0
        package var contacts = 0
        package var planted: [Damage: Int] = [:]
        package var balanceCents = 0
        package var contractLines = 0
        package var contracts = 0
        package var facts = 0
        package var keys = 0
    }

    let specification: PortfolioSpecification

    package init(_ specification: PortfolioSpecification) { self.specification = specification }

    /// Files are written under names of their own and get their names when they are whole; what is cut off leaves none.
    ///
    /// - Parameter progress: called every 100,000 accounts with how many are done.
    package func write(to folder: String, progress: (Int) -> Void) throws(SimulationFailure) -> Counts {
        try Folder.make(folder)
        var counts = Counts()
        try writeZones(folder)
        let contracts = ContractMaker(specification: specification).contracts()
        try writeContracts(contracts, folder, &counts)
        try writeFacts(contracts, folder, &counts)
        try writeKeys(folder, &counts)
        try writeAccounts(folder, contracts, &counts, progress)
        return counts
    }

    private func write(
        _ name: String, _ folder: String, _ header: [String],
        _ body: (inout RowWriter) throws(SimulationFailure) -> Void
    ) throws(SimulationFailure) -> Int {
        var rows = try RowWriter(path: "\(folder)/\(name)", header: header)
        try body(&rows)
        try rows.finish()
        return rows.rows
    }

    private func writeZones(_ folder: String) throws(SimulationFailure) {
        _ = try write("zones.csv", folder, ["zone", "delegation"]) { rows throws(SimulationFailure) in
            for (zone, delegations) in specification.zones.zones {
                for delegation in delegations {
                    rows.field(zone)
                    rows.field(delegation)
                    try rows.endRow()
                }
            }
        }
    }

    private func writeContracts(
        _ contracts: [ContractDraft], _ folder: String, _ counts: inout Counts
    ) throws(SimulationFailure) {
        counts.contracts = contracts.count
        counts.contractLines = try write("contracts.csv", folder, ContractDraft.header) {
            rows throws(SimulationFailure) in
            for contract in contracts { try contract.write(to: &rows) }
        }
    }

    private func writeFacts(
        _ contracts: [ContractDraft], _ folder: String, _ counts: inout Counts
    ) throws(SimulationFailure) {
        let maker = FactMaker(specification: specification)
        let opening = try write("facts-opening.csv", folder, FactMaker.header) { rows throws(SimulationFailure) in
            try maker.writeOpening(contracts, to: &rows)
        }
        let month = try write("facts.csv", folder, FactMaker.header) { rows throws(SimulationFailure) in
            try maker.writeMonth(contracts, to: &rows)
        }
        counts.facts = opening + month
    }

    private func writeKeys(_ folder: String, _ counts: inout Counts) throws(SimulationFailure) {
        try Folder.make("\(folder)/keys", mode: 0o700)
        let columns = ["agency", "key_name", "public_key", "expires_on"]
        counts.keys = try write("keys.csv", folder, columns) { rows throws(SimulationFailure) in
            for agency in 1...specification.agencies {
                let key = try AgencyKey(seed: specification.seed, agency: agency)
                try key.write(to: "\(folder)/keys/\(AgencyNames.code(agency)).key")
                rows.field(text: AgencyNames.code(agency))
                rows.field(text: AgencyKey.name)
                rows.field(text: key.publicText)
                rows.empty()
                try rows.endRow()
            }
        }
    }

    /// Only what the figures need: nothing is written.
    ///
    /// - Parameter progress: called every 100,000 accounts with how many are done.
    package func figures(progress: (Int) -> Void) -> CutFigures {
        var figures = CutFigures(course: specification.course, hasDisaster: specification.hasDisaster)
        let maker = specification.maker
        for index in 0..<specification.accounts {
            figures.add(maker.account(index))
            if (index + 1).isMultiple(of: 100_000) { progress(index + 1) }
        }
        return figures
    }

    private func writeAccounts(
        _ folder: String, _ contracts: [ContractDraft], _ counts: inout Counts, _ progress: (Int) -> Void
    ) throws(SimulationFailure) {
        let maker = specification.maker
        var cut = try CutWriter(path: "\(folder)/cut.csv", period: specification.period)
        var files = try MonthFiles(folder: folder, period: specification.period, seed: specification.seed)
        var mess = try specification.messTimes.map { times throws(SimulationFailure) in
            try CutMess(folder: folder, specification, times: times)
        }
        var after = try CutsAfter(folder: folder, specification, contracts)
        let contactMaker = ContactMaker(seed: specification.seed ^ 0xC047)
        var contacts = try RowWriter(path: "\(folder)/contacts.csv", header: ContactMaker.header)
        for index in 0..<specification.accounts {
            let draft = maker.account(index)
            if mess == nil { try cut.write(draft) } else { try mess?.write(draft, index, to: &cut) }
            try after.write(draft)
            counts.add(draft)
            try files.write(draft)
            if try contactMaker.write(draft, to: &contacts) { counts.contacts += 1 }
            if (index + 1).isMultiple(of: 100_000) { progress(index + 1) }
        }
        if mess != nil { counts.planted = try mess?.finish() ?? [:] }
        try after.finish()
        try cut.finish()
        try contacts.finish()
        try files.finish(specification, messTimes: specification.messTimes)
        counts.stops = files.counts.stops
        counts.starts = files.counts.starts
        counts.payments = files.counts.payments
    }
}

extension PortfolioFolder.Counts {
    mutating func add(_ draft: AccountDraft) {
        accounts += 1
        balanceCents += draft.balance
        if draft.isOverdue { overdue += 1 }
        if draft.isVSM { vsm += 1 }
        guard !draft.isExcluded else {
            excluded += 1
            return
        }
        switch draft.kind {
        case .current: break
        case .jobLost, .incomplete, .late: preventive += 1
        case .overdue where draft.isDual:
            dual += 1
            if draft.arrears > 9 { mediable += 1 }
        case .overdue: administrative += 1
        }
    }
}
