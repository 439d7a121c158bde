// SPDX-License-Identifier: Apache-2.0

package import Assignment
package import PgStore

/// A certificate for people and programs.
package struct CertificateReport: Encodable, Sendable {
    package let folio: String
    package let account: Int64
    package let delegation: Int16
    package let validatedBy: String
    package let validatedAt: String
    package let sha256: String
    /// `valid` or `revoked`.
    package let state: String
    package let revokedBy: String?
    package let revokedAt: String?
    package let revocation: String?
    /// Of all certificates issued together: deals that ended, and how many of them were held.
    package let dealsEnded: Int64?
    package let recalled: Int64?

    init(_ row: CertificateRow, takenBack: DealEndings.Count? = nil) {
        self.folio = row.folio.description
        self.account = row.account
        self.delegation = row.delegation.value
        self.validatedBy = row.validatedBy
        self.validatedAt = row.validatedAt.description
        self.sha256 = LedgerTree.hex(row.digest)
        self.state = row.revocation == nil ? "valid" : "revoked"
        self.revokedBy = row.revocation?.by
        self.revokedAt = row.revocation?.at.description
        self.revocation = row.revocation?.reason
        self.dealsEnded = takenBack?.ended
        self.recalled = takenBack?.held
    }
}

/// The certificates that were issued, and their revocation (SOL-42, SOL-43).
package struct CertificateBook {
    private let link: PgLink

    package init(_ link: PgLink) { self.link = link }

    /// Of one period, in the order of their folios.
    package func list(_ period: Period) throws -> [CertificateReport] {
        try ExhaustionStore(link, period: period).certificates().map { CertificateReport($0) }
    }

    /// The same as an aligned table.
    package func lines(_ period: Period) throws -> [String] {
        let reports = try list(period)
        guard !reports.isEmpty else { return ["\(period) has no certificates"] }
        var table = TextTable(columns: [.left, .right, .right, .left, .left, .left])
        table.row(["folio", "account", "delegation", "validated", "by", "state"])
        for report in reports {
            let state = report.revokedBy.map { "revoked by \($0): \(report.revocation ?? "")" } ?? report.state
            table.row([
                report.folio, String(report.account), String(report.delegation), report.validatedAt,
                report.validatedBy, state,
            ])
        }
        return table.lines
    }

    /// One certificate as a page for people.
    package func page(_ folio: String) throws -> [String] {
        let row = try find(folio)
        let revocation = row.revocation.map { ["revoked \($0.at) by \($0.by): \($0.reason)"] } ?? []
        return try CertificateContent(body: row.body).lines + ["sha256  \(LedgerTree.hex(row.digest))"] + revocation
    }

    /// One certificate, byte for byte as it is kept.
    package func body(_ folio: String) throws -> String { try find(folio).body }

    /// Revokes a certificate: from then on the account may be collected again, by a start or the next segmentation.
    ///
    /// - Throws: ``CommandFailure``: usage where nobody or nothing is named; findings where there is no such
    ///   certificate or it is revoked already.
    package func revoke(_ folio: String, by: String, reason: String) throws -> CertificateReport {
        guard ExhaustionValidation.isName(by), (1...500).contains(reason.count) else {
            throw CommandFailure(
                .usage, "a revocation names who revokes, in 1 to 80 characters, and why, in 1 to 500",
                remedy: "Give --by and --reason.")
        }
        do {
            return try link.transaction {
                let row = try find(folio)
                guard try ExhaustionStore.revoke(row.folio, by: by, reason: reason, link) else {
                    let revocation = try find(folio).revocation
                    throw CommandFailure(
                        .findings,
                        "\(folio) was revoked at \(revocation?.at.description ?? "") by \(revocation?.by ?? ""): "
                            + "\(revocation?.reason ?? "")", remedy: "Nothing was changed.")
                }
                let now = try link.readNow()
                try link.insertBlocks(
                    LedgerBlock.seal([
                        .revocation(row, by: by, reason: reason, period: Period.ofWork(at: now), at: now)
                    ]))
                return CertificateReport(try find(folio))
            }
        } catch let error as PgError {
            throw CommandFailure(error, work: folio, left: "it was not revoked")
        }
    }

    private func find(_ text: String) throws -> CertificateRow {
        guard let folio = Folio(text: text) else {
            throw CommandFailure(.usage, "\(text) is no folio", remedy: "A folio is written DTCS-2024-03-000001.")
        }
        guard let row = try ExhaustionStore.certificate(folio, link) else {
            throw CommandFailure(
                .findings, "there is no certificate \(folio)",
                remedy: "`dispatcherd exhaustion certificate --period \(folio.period)` lists them.")
        }
        return row
    }
}
