// SPDX-License-Identifier: Apache-2.0

internal import Assignment

extension ModelWorld {
    /// A drawn portfolio, its accounts read from the very rows that a cut would have.
    init(_ specification: PortfolioSpecification) throws(SimulationFailure) {
        let drafts = ContractMaker(specification: specification).contracts()
        var fields = CutFields(period: specification.period)
        let rows = try CutRows(
            header: CutWriter.header.joined(separator: ","), path: "the portfolio", cut: specification.asOf)
        let maker = specification.maker
        var accounts: [ModelAccount] = []
        accounts.reserveCapacity(specification.accounts)
        for index in 0..<specification.accounts {
            if let account = rows.account(fields.row(maker.account(index))[...]) { accounts.append(account) }
        }
        var posts: [AgencyID: [ContractBook.Post]] = [:]
        for draft in drafts {
            guard let agency = AgencyID(Int32(draft.agency)), let contract = ContractID(Int32(draft.contract)) else {
                continue
            }
            for line in draft.lines {
                guard let delegation = Delegation(Int16(line.delegation)) else { continue }
                posts[agency, default: []].append(
                    ContractBook.Post(
                        contract: contract, delegation: delegation, strategies: draft.strategies,
                        telephoneAdvisers: line.telephoneAdvisers, homeVisitAdvisers: line.homeVisitAdvisers))
            }
        }
        self.init(
            period: specification.period, contracts: drafts.compactMap(PlanContract.init(draft:)), posts: posts,
            accounts: accounts,
            schedules: Dictionary(
                drafts.compactMap { draft in
                    ContractID(Int32(draft.contract)).map {
                        ($0, ScheduleNames(fees: draft.feeSchedule, penalties: draft.penaltySchedule))
                    }
                }
            ) { first, _ in first })
    }

    /// A portfolio from files: those of a recorded month.
    ///
    /// - Parameter facts: the opening staffing of contracts on the `present` basis, where there is such a file.
    init(cut: String, contracts: String, facts: String?, period: Period) throws(SimulationFailure) {
        let asOf = period.firstDay.advanced(byDays: -1)
        var rows: CutRows?
        var failure: SimulationFailure?
        var accounts: [ModelAccount] = []
        try Folder.eachLine(cut) { line in
            guard failure == nil else { return }
            if let rows {
                if let account = rows.account(line) { accounts.append(account) }
                return
            }
            do throws(SimulationFailure) {
                rows = try CutRows(header: String(decoding: line, as: UTF8.self), path: cut, cut: asOf)
            } catch { failure = error }
        }
        if let failure { throw failure }
        guard !accounts.isEmpty else {
            throw SimulationFailure(
                .usage, "\(cut) has no accounts", remedy: "Give the cut that the month was played on")
        }
        self.init(
            period: period, contracts: try PlanContract.read(contracts, facts: facts),
            posts: try ContractBook(path: contracts).posts,
            accounts: accounts, schedules: try ScheduleNames.read(contracts))
    }
}

extension ScheduleNames {
    fileprivate static func read(_ path: String) throws(SimulationFailure) -> [ContractID: ScheduleNames] {
        let table = try Table(path: path, required: ["contract", "fee_schedule", "penalty_schedule"])
        return Dictionary(
            table.rows.compactMap { row in
                ContractID(text: table.text(row, "contract")).map {
                    (
                        $0,
                        ScheduleNames(
                            fees: table.text(row, "fee_schedule"), penalties: table.text(row, "penalty_schedule"))
                    )
                }
            }
        ) { first, _ in first }
    }
}

/// Rows of a cut in memory.
struct CutFields {
    private var rows = RowWriter()
    private let periodNumber: Int

    init(period: Period) { periodNumber = Int(period.number) }

    mutating func row(_ draft: AccountDraft) -> [UInt8] {
        rows.field(draft.account)
        rows.field(draft.delegation)
        rows.cutFields(draft, periodNumber)
        return rows.takeFields()
    }
}

extension PlanContract {
    fileprivate init?(draft: ContractDraft) {
        guard let contract = ContractID(Int32(draft.contract)), let agency = AgencyID(Int32(draft.agency)),
            let basis = Exposure.Basis(rawValue: draft.exposureBasis)
        else { return nil }
        self.init(
            contract: contract, agency: agency, firstDay: draft.startsOn, lastDay: draft.endsOn,
            strategies: draft.strategies, stations: [])
        for line in draft.lines {
            add(
                line.delegation, telephone: line.telephoneAdvisers, visits: line.homeVisitAdvisers,
                perTelephone: ContractMaker.accountsPerTelephoneAdviser,
                perVisit: ContractMaker.accountsPerHomeVisitAdviser)
        }
        bond = Int64(draft.bondPesos) * 100
        exposure = Exposure(basis: basis, factorBasisPoints: Int64(draft.exposureFactorPercent) * 100)
    }

    fileprivate mutating func add(
        _ delegation: Int, telephone: Int, visits: Int, perTelephone: Int, perVisit: Int
    ) {
        guard let delegation = Delegation(Int16(truncatingIfNeeded: delegation)) else { return }
        for (portfolio, advisers, ratio) in [
            (Portfolio.telephone, telephone, perTelephone), (Portfolio.homeVisit, visits, perVisit),
        ] where advisers > 0 {
            let station = Station(delegation: delegation, portfolio: portfolio)
            stations.insert(station)
            staffing[station] = Staffing(committed: Int64(advisers), accountsPerAdviser: Int64(max(1, ratio)))
        }
    }

    /// The contracts of a file, in its order, with the advisers that were found at the opening.
    fileprivate static func read(_ path: String, facts: String?) throws(SimulationFailure) -> [PlanContract] {
        var contracts = try read(path)
        guard let facts, Folder.exists(facts) else { return contracts }
        let table = try Table(path: facts, required: ["kind", "contract", "delegation", "portfolio", "value"])
        for row in table.rows where table.text(row, "kind") == "staffing" {
            guard let contract = ContractID(text: table.text(row, "contract")),
                let delegation = Delegation(text: table.text(row, "delegation")),
                let portfolio = Portfolio(name: table.text(row, "portfolio")),
                let value = Int64(table.text(row, "value")),
                let place = contracts.firstIndex(where: { $0.contract == contract })
            else { continue }
            contracts[place].staffing[Station(delegation: delegation, portfolio: portfolio)]?.present = value
        }
        return contracts
    }

    private static func read(_ path: String) throws(SimulationFailure) -> [PlanContract] {
        let columns = [
            "contract", "agency", "delegation", "strategies", "starts_on", "ends_on", "telephone_advisers",
            "home_visit_advisers", "accounts_per_telephone_adviser", "accounts_per_home_visit_adviser", "bond",
            "exposure_basis", "exposure_factor", "capacity_basis",
        ]
        let table = try Table(path: path, required: columns)
        var contracts: [PlanContract] = []
        for row in table.rows {
            guard let contract = ContractID(text: table.text(row, "contract")),
                let agency = AgencyID(text: table.text(row, "agency")),
                let first = LocalDate(text: table.text(row, "starts_on")),
                let last = LocalDate(text: table.text(row, "ends_on")),
                let basis = Exposure.Basis(rawValue: table.text(row, "exposure_basis"))
            else {
                throw SimulationFailure(
                    .usage, "\(path) has the row \(row.prefix(7).joined(separator: ","))",
                    remedy: "Give the contracts that agentsim portfolio wrote")
            }
            func number(_ column: String) -> Int { Int(table.text(row, column)) ?? 0 }
            if contracts.last?.contract != contract {
                var next = PlanContract(
                    contract: contract, agency: agency, firstDay: first, lastDay: last,
                    strategies: table.text(row, "strategies").split(separator: ";").compactMap { Strategy(name: $0) },
                    stations: [])
                next.basis = CapacityBasis(rawValue: table.text(row, "capacity_basis")) ?? .committed
                next.bond = Cents(pesos: table.text(row, "bond"))?.value ?? 0
                next.exposure = Exposure(
                    basis: basis, factorBasisPoints: Int64(decimal: table.text(row, "exposure_factor"), places: 2) ?? 0)
                contracts.append(next)
            }
            contracts[contracts.count - 1].add(
                number("delegation"), telephone: number("telephone_advisers"), visits: number("home_visit_advisers"),
                perTelephone: number("accounts_per_telephone_adviser"),
                perVisit: number("accounts_per_home_visit_adviser"))
        }
        return contracts
    }
}
