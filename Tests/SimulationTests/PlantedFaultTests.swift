// SPDX-License-Identifier: Apache-2.0

import Assignment
import FoundationEssentials
import PgStore
import Simulation
import TestSupport
import Testing

/// Faults planted one by one into copies of a real month's database, or into its clients' logs; each is found, and before
/// that nothing is.
struct PlantedFaultTests {
    @Test(.timeLimit(.minutes(3)))
    func `each planted fault is found, and nothing is before`() async throws {
        try await RealMonth.with(accounts: 1_500) { month in
            let period = try #require(Period(text: "2024-03"))
            let (operations, _) = try ClientLog.read(folder: month.logs)
            let clean = try Verification(database: month.database.conninfo, logFolder: month.logs, period: period)
                .run { _, _ in }
            #expect(clean.text.hasSuffix("Nothing is broken."), "\(clean.text)")
            #expect(operations.count > 500)

            let victim = try delegation(month)
            for fault in PlantedFault.all {
                try await month.database.copied(isKept: true) { copy in
                    let link = try copy.link()
                    try link.script(fault.sql.replacing("$D", with: victim.description))
                    let verdict =
                        try fault.isAlone || fault.isOfCountry
                        ? Verification(database: copy.conninfo, logFolder: month.logs, period: period).run { _, _ in }
                            .verdict : self.verdict(link, operations, of: victim)
                    if fault.isAlone {
                        #expect(
                            Set(verdict.broken) == fault.also.union([fault.breaks]),
                            "\(fault.name): \(verdict.findings.map(\.found))")
                    }
                    let found = verdict.findings.filter { $0.invariant == fault.breaks }
                    #expect(!found.isEmpty, "\(fault.name): \(verdict.findings.map(\.found))")
                    #expect(fault.finds.isSubset(of: found.map(\.found)), "\(fault.name): \(found.map(\.found))")
                    // Told so that a person sees it: at least one event, and no wall of them.
                    #expect(found.allSatisfy { (1...6).contains($0.events.count) }, "\(fault.name)")
                }
            }
            try logs(month, operations, victim)
        }
    }

    /// What the statements and one delegation show, without the rest of the country.
    private func verdict(_ link: PgLink, _ operations: [ClientOperation], of victim: Delegation) throws -> Verdict {
        let statements = try StatementReader.statements(link)
        let reader = HistoryReader(
            link, operations: operations, statementLines: statements.lines, comparesRecords: true)
        var verdict = StatementChecks(statements: statements).verdict()
        verdict.merge(Judge.judge(try reader.history(victim)))
        return verdict
    }

    /// The delegation with the most of everything: it has returns, payments and rejections.
    private func delegation(_ month: RealMonth) throws -> Delegation {
        let rows = try month.database.link().run(
            """
            SELECT o.delegation_id FROM outcome o
             WHERE EXISTS (SELECT FROM ending e WHERE e.delegation_id = o.delegation_id AND e.kind = 'return')
               AND EXISTS (SELECT FROM payment p WHERE p.delegation_id = o.delegation_id)
               AND EXISTS (SELECT FROM review r WHERE r.delegation_id = o.delegation_id AND r.decision = 'rejected')
             GROUP BY 1 ORDER BY count(*) DESC LIMIT 1
            """)
        return try #require(rows.first.flatMap { Delegation($0.int16(0)) })
    }

    /// A line that was appended twice, and a log that was copied.
    private func repeated(_ month: RealMonth, _ name: String, _ period: Period) throws {
        let path = "\(month.logs)/\(name)"
        let text = try Folder.text(path)
        let lines = text.split(separator: "\n")
        let verification = Verification(database: month.database.conninfo, logFolder: month.logs, period: period)
        for kind in ["GRANT ", "REPORT "] {
            let index = try #require(lines.firstIndex { $0.hasPrefix(kind) })
            try FileOutput(path: path).write("\(text)\(lines[index])\n".utf8)
            let verdict = try verification.run { _, _ in }.verdict
            #expect(Set(verdict.broken) == [.logs], "\(verdict.findings.map(\.found))")
            #expect(verdict.findings.count == 1)
            let events = verdict.findings.first?.events ?? []
            #expect(events.first?.hasPrefix("\(name):\(index + 1) of ") == true, "\(events)")
            #expect(events.dropFirst().first?.hasPrefix("\(name):\(lines.count + 1) of ") == true, "\(events)")
        }
        try FileOutput(path: path).write(text.utf8)
        let copy = "\(month.logs)/zz-copy.log"
        try FileOutput(path: copy).write(text.utf8)
        let failure = #expect(throws: SimulationFailure.self) { try verification.run { _, _ in } }
        #expect(failure?.exit == .usage)
        #expect(failure?.found.hasPrefix("\(name):1 and zz-copy.log:1 in ") == true, "\(failure?.found ?? "")")
        try FileManager.default.removeItem(atPath: copy)
    }

    /// Faults of the clients' side: a log that is gone, a receipt that was never given, a repetition with another reply.
    private func logs(_ month: RealMonth, _ operations: [ClientOperation], _ victim: Delegation) throws {
        let reader = HistoryReader(try month.database.link(), operations: operations, comparesRecords: true)
        let sound = try reader.history(victim)
        let index = try #require(sound.operations.firstIndex { $0.receipt != nil })
        var forged = sound
        forged.operations[index].receipt = [UInt8](repeating: 7, count: 32)
        #expect(Judge.judge(forged).broken == [.ledger])
        // The receipt of another report, and none.
        let other = try #require(
            sound.operations.firstIndex { $0.receipt != nil && $0.receipt != sound.operations[index].receipt })
        var swapped = sound
        swapped.operations[index].receipt = sound.operations[other].receipt
        #expect(Judge.judge(swapped).broken == [.ledger])
        swapped.operations[index].receipt = nil
        #expect(Judge.judge(swapped).broken == [.ledger])
        var unequal = sound
        unequal.operations[index].reply = .repeated(verb: "REPORT", isEqual: false)
        #expect(Judge.judge(unequal).broken.contains(.countedOnce))

        // A grant is told with the strategy of its hand.
        let granted = try #require(
            sound.operations.firstIndex { if case .granted = $0.reply { true } else { false } })
        guard case .granted(var told) = sound.operations[granted].reply else { return }
        told.strategy = told.strategy == .mediation ? .dual : .mediation
        var retold = sound
        retold.operations[granted].reply = .granted(told)
        #expect(Judge.judge(retold).broken == [.nothingLost])
        // What was done and stands in no log of a client that keeps one is counted: returns and contact data, too.
        let whole = Judge.judge(sound).unlogged
        var stripped = sound
        stripped.operations.removeAll {
            switch $0.reply {
            case .returned, .disclosed: true
            default: false
            }
        }
        let gone = sound.operations.count - stripped.operations.count
        #expect(gone > 0 && Judge.judge(stripped).unlogged == whole + gone)

        // The month's agencies tried used keys with other content, and were refused; one that had been taken is found.
        let codes = Set(operations.compactMap { if case .altered(_, let code) = $0.reply { code } else { nil } })
        #expect(codes == ["KEY-REUSED"])
        var taken = sound
        taken.operations.append(sound.operations[index])
        taken.operations[sound.operations.count].reply = .altered(verb: "REPORT", code: "OK")
        taken.operations[sound.operations.count].receipt = nil
        #expect(Judge.judge(taken).broken == [.countedOnce])

        let period = try #require(Period(text: "2024-03"))
        let name = try #require(try Folder.names(in: month.logs).first { $0.hasSuffix(".log") })
        try repeated(month, name, period)
        try FileManager.default.removeItem(atPath: "\(month.logs)/\(name)")
        let verification = Verification(database: month.database.conninfo, logFolder: month.logs, period: period)
        #expect(try verification.run { _, _ in }.broken == [.logs])
        let partial = Verification(
            database: month.database.conninfo, logFolder: month.logs, period: period, isPartial: true)
        #expect(try partial.run { _, _ in }.text.contains("note: \(name.prefix(5)) sim has "))
    }
}
