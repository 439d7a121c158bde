// SPDX-License-Identifier: Apache-2.0

internal import Assignment
internal import PgStore

extension MonthRecord {
    /// From the database: every lease whose term or ending lies in the month or behind it, whoever's client it was, with what began, stopped
    /// and was dealt again within it.
    ///
    /// - Throws: ``SimulationFailure``; environment where the database does not answer, usage where it has no such month.
    init(database: String, period: Period) throws(SimulationFailure) {
        self.init(period: period)
        do {
            let link = try PgLink(database, application: "agentsim replay")
            guard try Migrator.version(link) != nil,
                try link.run("SELECT count(*) FROM period WHERE period = $1", [.int32(period.number)])[0].int64(0) == 1
            else {
                throw SimulationFailure(
                    .usage, "the database has no period \(period)", remedy: "Name the one that the month was played in")
            }
            try link.snapshot {
                try readLeases(link)
                try readWork(link)
                try readPayments(link)
                try readStops(link)
                try readStarts(link)
            }
        } catch let failure as SimulationFailure {
            throw failure
        } catch {
            throw SimulationFailure(
                .environment, "the database does not answer as expected: \(error)",
                remedy: "Give its URL with --database, and check that its schema is this version's")
        }
    }

    /// A month is not replayed on another one's accounts.
    ///
    /// - Throws: ``SimulationFailure`` (usage) where the file is none that was taken in as the month's cut.
    static func requireCut(_ path: String, of period: Period, _ database: String) throws(SimulationFailure) {
        let digest = try Folder.digest(path)
        do {
            let rows = try PgLink(database, application: "agentsim replay").run(
                "SELECT digest FROM import WHERE kind = 'cut' AND period = $1", [.int32(period.number)])
            guard !rows.contains(where: { $0.bytes(0) == digest }) else { return }
        } catch {
            throw SimulationFailure(
                .environment, "the database does not answer as expected: \(error)",
                remedy: "Give its URL with --database")
        }
        throw SimulationFailure(
            .usage, "\(path) is not the cut that \(period) was played on",
            remedy: "Give the folder of the file that was imported, with --portfolio")
    }

    private mutating func readLeases(_ link: PgLink) throws {
        let bounds = [first, end].map { "timestamptz '\($0)'" }
        try link.copyOut(
            """
            COPY (
            SELECT p.delegation_id, p.account_id, p.epoch, g.agency_id, h.strategy, g.granted_at,
                   h.redeal_id IS NOT NULL OR h.is_front, g.contract_id, h.portfolio, p.exposure
              FROM lease_grant g
              JOIN hand h ON h.delegation_id = g.delegation_id AND h.hand_id = g.hand_id
              JOIN position p ON p.delegation_id = g.delegation_id AND p.hand_id = g.hand_id
                             AND p.position BETWEEN g.first_position AND g.last_position
              LEFT JOIN ending e ON e.delegation_id = p.delegation_id AND e.account_id = p.account_id
                             AND e.epoch = p.epoch
             WHERE g.accounts > 0 AND p.position <> ALL (coalesce(g.skipped, '{}')) AND g.granted_at < \(bounds[1])
               AND least(e.ended_at, g.term) > \(bounds[0])
            ) TO STDOUT (FORMAT binary)
            """
        ) { reader in
            let delegation = Delegation(reader.int16())
            let (account, epoch) = (AccountID(reader.int64()), Epoch(reader.int64()))
            let (agency, strategy) = (AgencyID(reader.int32()), Strategy(rawValue: reader.int16()))
            let (from, isDealtAgain) = (reader.timestamp(), reader.bool())
            let (contract, portfolio, exposure) = (
                ContractID(reader.int32()), Portfolio(rawValue: reader.int16()), reader.int64()
            )
            guard let delegation, let account, let epoch, let agency, let strategy else { return }
            add(
                Holding(
                    agency: agency, strategy: strategy, held: Held(account: account, epoch: epoch), from: from,
                    isDealtAgain: isDealtAgain, contract: contract, portfolio: portfolio, exposure: exposure),
                of: CaseKey(delegation: delegation, account: account))
        }
    }

    private mutating func readWork(_ link: PgLink) throws {
        let rows = try link.run(
            """
            SELECT o.delegation_id, o.account_id, o.epoch, count(*), count(*) FILTER (WHERE r.decision IS DISTINCT FROM 'rejected')
              FROM outcome o
              LEFT JOIN standing_review r ON r.delegation_id = o.delegation_id AND r.outcome_id = o.outcome_id
             WHERE o.period = $1 GROUP BY 1, 2, 3
            """, [.int32(period.number)])
        for row in rows {
            guard let delegation = Delegation(row.int16(0)), let account = AccountID(row.int64(1)),
                let epoch = Epoch(row.int64(2))
            else { continue }
            change(CaseKey(delegation: delegation, account: account), epoch) { holding in
                holding.reports = Int(row.int64(3))
                holding.validReports = Int(row.int64(4))
            }
        }
    }

    /// The month's feed, as the close takes it: a reversal is of its payment's day and delegation.
    private mutating func readPayments(_ link: PgLink) throws {
        let rows = try link.run(
            """
            SELECT coalesce(o.delegation_id, p.delegation_id), p.account_id, coalesce(o.paid_on, p.paid_on),
                   CASE WHEN p.reverses IS NULL THEN p.amount ELSE -p.amount END
              FROM payment p LEFT JOIN payment o ON o.payment_id = p.reverses
             WHERE p.period = $1 ORDER BY 3, p.payment_id
            """, [.int32(period.number)])
        for row in rows {
            guard let delegation = Delegation(row.int16(0)), let account = AccountID(row.int64(1)) else { continue }
            pay(CaseKey(delegation: delegation, account: account), on: row.date(2), amount: Int(row.int64(3)))
        }
    }

    private mutating func readStops(_ link: PgLink) throws {
        let rows = try link.run(
            """
            SELECT delegation_id, account_id, min(from_on) FROM stop
             WHERE account_id IS NOT NULL AND from_on <= $2 AND (ended_on IS NULL OR ended_on > from_on)
               AND (until_on IS NULL OR until_on >= $1)
             GROUP BY 1, 2
            """, [.date(period.firstDay), .date(period.lastDay)])
        var stops: [CaseKey: LocalDate] = [:]
        for row in rows {
            guard let delegation = Delegation(row.int16(0)), let account = AccountID(row.int64(1)) else { continue }
            stops[CaseKey(delegation: delegation, account: account)] = row.date(2)
        }
        self.stops = stops
    }

    /// The accounts that began, with their rows as they are since.
    private mutating func readStarts(_ link: PgLink) throws {
        let fields = AccountField.stored.filter { $0 != .irregularDwelling && $0 != .exhaustedOn }
        let columns = fields.map { field in
            switch field {
            case .delegation: "a.delegation_id::text"
            case _ where field.kind == .percent: "a.\(field.name)_bp::text"
            default: "a.\(field.name)::text"
            }
        }
        let rows = try link.run(
            """
            SELECT a.account_id, t.placed_on, \(columns.joined(separator: ", "))
              FROM (SELECT delegation_id, account_id, max(placed_on) AS placed_on FROM start WHERE period = $1
                     GROUP BY 1, 2) t
              JOIN account a ON a.period = $1 AND a.delegation_id = t.delegation_id AND a.account_id = t.account_id
            """, [.int32(period.number)])
        var starts: [CaseKey: Start] = [:]
        for row in rows {
            var values = AccountRow(cut: row.date(1))
            for (index, field) in fields.enumerated() {
                guard let text = row.optionalText(index + 2) else { continue }
                values[field] = Self.value(text, field)
            }
            guard let delegation = values[.delegation].flatMap({ Delegation(Int16(truncatingIfNeeded: $0)) }),
                let account = AccountID(row.int64(0))
            else { continue }
            starts[CaseKey(delegation: delegation, account: account)] = Start(on: row.date(1), row: values)
        }
        self.starts = starts
    }

    /// As the tables have it: amounts in centavos, percents in basis points, codes as numbers.
    private static func value(_ text: String, _ field: AccountField) -> Int64? {
        switch field.kind {
        case .number, .money, .percent, .code: Int64(text)
        case .date: LocalDate(text: text).map { Int64($0.daysSince1970) }
        case .flag: text == "true" ? 1 : 0
        }
    }
}
