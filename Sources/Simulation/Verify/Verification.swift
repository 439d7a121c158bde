// SPDX-License-Identifier: Apache-2.0

package import Assignment
internal import PgStore

/// Reads the logs and the database and judges delegation by delegation, so that memory does not grow with the country.
package struct Verification {
    let database: String
    let logFolder: String
    let period: Period
    /// Whether installations without a log are only noted: others were at work whose logs are elsewhere.
    let isPartial: Bool

    package init(database: String, logFolder: String, period: Period, isPartial: Bool = false) {
        self.database = database
        self.logFolder = logFolder
        self.period = period
        self.isPartial = isPartial
    }

    /// The address of a database as it was given on the command line.
    package static func address(_ text: String) throws(SimulationFailure) -> String {
        guard PgLink.isAddress(text) else {
            throw SimulationFailure(
                .usage, "--database is neither a PostgreSQL URL nor a libpq connection string",
                remedy: PgLink.addressExample)
        }
        return text
    }

    /// - Parameter progress: called after each delegation with how many are done and how many there are.
    /// - Throws: ``SimulationFailure``; environment where the database does not answer or has no such period.
    package func run(progress: (Int, Int) -> Void) throws -> VerdictReport {
        let (operations, installations) = try ClientLog.read(folder: logFolder)
        do {
            let link = try PgLink(database, application: "agentsim verify")
            guard try Migrator.version(link) != nil else {
                throw SimulationFailure(
                    .environment, "the database has no tables of Reparto",
                    remedy:
                        "Name the one that the month was played in: its private server's folder with --data-dir, or its URL "
                        + "with --database or REPARTO_DATABASE_URL")
            }
            let known = try link.run("SELECT count(*) FROM period WHERE period = $1", [.int32(period.number)])
            guard known[0].int64(0) == 1 else {
                throw SimulationFailure(
                    .usage, "the database has no period \(period)", remedy: "Name one that was imported")
            }
            let statements = try StatementReader.statements(link)
            let reader = HistoryReader(
                link, operations: operations, statementLines: statements.lines, comparesRecords: true)
            let delegations = try reader.delegations()
            var verdict = StatementChecks(statements: statements).verdict()
            var country = CountryHistory(moved: try reader.moved())
            if let first = delegations.first { try logs(link, installations, first, &verdict) }
            if let first = delegations.first { try ends(link, first, &verdict) }
            if let first = delegations.first { try outages(link, first, &verdict) }
            if let first = delegations.first {
                verdict.merge(
                    SignedStatementChecks(signed: try reader.signedStatements(), kept: try reader.statementDigests())
                        .verdict(first))
                verdict.merge(SignedRootChecks(roots: try reader.signedRoots()).verdict(first))
            }
            try wholeInvoices(link, statements, &verdict)
            for (index, delegation) in delegations.enumerated() {
                verdict.merge(Judge.judge(try reader.history(delegation), adding: &country))
                progress(index + 1, delegations.count)
            }
            verdict.merge(country.judge())
            return VerdictReport(
                verdict, operations: operations, delegations: delegations.count, period: period.description)
        } catch let error as PgError {
            throw SimulationFailure(
                .environment, "the database does not answer as expected: \(error)",
                remedy: "Give its URL with --database, and check that its schema is this version's")
        }
    }

    /// An installation that leased or reported and has no log: with it all that it was promised is gone.
    private func logs(
        _ link: PgLink, _ installations: Set<String>, _ delegation: Delegation, _ verdict: inout Verdict
    ) throws {
        // Number 0 is what an opening took over; nobody was there to write a log.
        let rows = try link.run(
            """
            SELECT i.agency_id, i.instance, coalesce(g.n, 0), coalesce(o.n, 0)
              FROM agency_instance i
              LEFT JOIN (SELECT instance_id, count(*) AS n FROM lease_grant WHERE key IS NOT NULL AND instance_id <> 0
                          GROUP BY 1) g USING (instance_id)
              LEFT JOIN (SELECT instance_id, count(*) AS n FROM outcome GROUP BY 1) o USING (instance_id)
             WHERE coalesce(g.n, o.n) > 0 ORDER BY 1, 2
            """)
        for row in rows {
            let name = History.instanceName(agency: row.int32(0), instance: row.text(1))
            verdict.count(.logs)
            guard !installations.contains(name) else { continue }
            let told = "\(name) has \(row.int64(2)) grants and \(row.int64(3)) outcomes in the database"
            if isPartial {
                verdict.note("\(told), and no log in \(logFolder)")
            } else {
                verdict.add(
                    Finding(
                        .logs, delegation, "an installation's log is missing",
                        events: [told, "no file in \(logFolder) names agency and instance in its first line"]))
            }
        }
    }

    /// What a line on a whole invoice names is there and the contract's, in whichever delegation.
    private func wholeInvoices(_ link: PgLink, _ statements: [KeptStatement], _ verdict: inout Verdict) throws {
        for (delegation, line) in statements.wholeLines where !line.records.isEmpty {
            verdict.count(.money, line.records.count)
            let rows = try link.run(
                "SELECT outcome_id, contract_id FROM outcome WHERE outcome_id = ANY ($1::bigint[])",
                [.text("{\(line.records.map(String.init).joined(separator: ","))}")])
            let contracts = Dictionary(rows.map { ($0.int64(0), $0.int32(1)) }) { first, _ in first }
            for record in line.records where contracts[record] != line.contract {
                verdict.add(
                    Finding(
                        .money, delegation,
                        contracts[record] == nil
                            ? "a statement names a record that is not there"
                            : "a statement names another contract's record",
                        events: [
                            "statement of \(line.period), contract \(line.contract), whole invoice: \(line.rule) \(line.subject), "
                                + "\(line.amount) names outcome \(record)"
                        ] + (contracts[record].map { ["it is of contract \($0)"] } ?? [])))
            }
        }
    }

    /// The counter that credits are reckoned by is what its rows come to.
    private func outages(_ link: PgLink, _ delegation: Delegation, _ verdict: inout Verdict) throws {
        let rows = try link.run(
            """
            SELECT c.outage_us, count(o.outage_id), coalesce(sum(o.microseconds), 0)::bigint, coalesce(max(o.total_us), 0)
              FROM clock c LEFT JOIN outage o ON true GROUP BY 1
            """)
        verdict.count(.expiry)
        guard let row = rows.first, row.int64(2) != row.int64(0) || row.int64(3) != row.int64(0) else { return }
        verdict.add(
            Finding(
                .expiry, delegation, "the outages that are credited are not those that were booked",
                events: [
                    "the counter has \(row.int64(0) / 1_000_000) s",
                    "the \(row.int64(1)) rows of outages come to \(row.int64(2) / 1_000_000) s, the last total is "
                        + "\(row.int64(3) / 1_000_000) s",
                ]))
    }

    /// The block that the sequencer chained last is there, whatever delegation it is of.
    private func ends(_ link: PgLink, _ delegation: Delegation, _ verdict: inout Verdict) throws {
        let rows = try link.run(
            """
            SELECT f.number, EXISTS (SELECT FROM block b WHERE b.transaction = f.transaction AND b.block_id = f.number)
              FROM follower f WHERE f.name = 'sequencer' AND f.number > 0
            """)
        for row in rows {
            verdict.count(.ledger)
            guard !row.bool(1) else { continue }
            verdict.add(
                Finding(
                    .ledger, delegation, "the ledger's end is cut off",
                    events: ["the sequencer chained block \(row.int64(0)) last", "there is no such block"]))
        }
    }
}

extension VerdictReport {
    package var isClean: Bool { verdict.findings.isEmpty }
    package var findings: Int { verdict.findings.count }
    package var broken: [Invariant] { verdict.findings.map(\.invariant) }
}
