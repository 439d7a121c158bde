// SPDX-License-Identifier: Apache-2.0

internal import Crypto
package import PgStore

/// All kept statements, read from their canonical JSON.
package enum StatementReader {
    /// - Throws: ``SimulationFailure`` of findings where a kept statement is no JSON of a statement.
    package static func statements(_ link: PgLink) throws -> [KeptStatement] {
        try link.run("SELECT period, contract_id, body, digest FROM statement ORDER BY 1, 2").map { row in
            let (period, contract) = (row.int32(0), row.int32(1))
            do {
                var statement = try KeptStatement(period: period, contract: contract, row.text(2))
                statement.isItsDigest = SHA256.hash(data: Array(row.text(2).utf8)).elementsEqual(row.bytes(3))
                return statement
            } catch {
                throw SimulationFailure(
                    .findings, "the statement of contract \(contract) for \(period) cannot be read",
                    remedy: "dispatcherd ledger verify tells whether it is the one that was signed")
            }
        }
    }
}
