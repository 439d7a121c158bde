// SPDX-License-Identifier: Apache-2.0

package import Assignment
internal import PgStore

/// Reads the logs and the database and judges delegation by delegation, so that memory does not grow with the country.
package struct Verification {
    let database: String
    let logFolder: String
    let period: Period

    package init(database: String, logFolder: String, period: Period) {
        self.database = database
        self.logFolder = logFolder
        self.period = period
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
        let operations = try ClientLog.read(folder: logFolder)
        do {
            let link = try PgLink(database, application: "agentsim verify")
            let known = try link.run("SELECT count(*) FROM period WHERE period = $1", [.int32(period.number)])
            guard known[0].int64(0) == 1 else {
                throw SimulationFailure(
                    .usage, "the database has no period \(period)", remedy: "Name one that was imported")
            }
            let reader = HistoryReader(link, operations: operations)
            let delegations = try reader.delegations()
            var verdict = Verdict()
            for (index, delegation) in delegations.enumerated() {
                verdict.merge(Judge.judge(try reader.history(delegation)))
                progress(index + 1, delegations.count)
            }
            return VerdictReport(
                verdict, operations: operations.count, delegations: delegations.count, period: period.description)
        } catch let error as PgError {
            throw SimulationFailure(
                .environment, "the database does not answer as expected: \(error)",
                remedy: "Give its URL with --database, and check that its schema is this version's")
        }
    }
}

extension VerdictReport {
    package var isClean: Bool { verdict.findings.isEmpty }
    package var findings: Int { verdict.findings.count }
    package var broken: [Invariant] { verdict.findings.map(\.invariant) }
}
