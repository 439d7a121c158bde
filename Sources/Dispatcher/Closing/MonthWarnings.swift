// SPDX-License-Identifier: Apache-2.0

package import Assignment

extension MonthSummary {
    /// What a person should look at before the close, in Spanish and English.
    package var notes: [StatementNote] {
        let few: [(isThere: Bool, note: StatementNote)] = [
            (!tally.unreviewed.isEmpty, unreviewed),
            (
                openContests > 0,
                StatementNote(
                    spanish:
                        "\(openContests) rechazos impugnados esperan su segunda decisión, y siguen rechazados hasta entonces",
                    english:
                        "\(openContests) contested rejections wait for their second decision, and are rejected until then"
                )
            ),
            (
                !hasChecks && tally.outcomes > 0,
                StatementNote(
                    spanish:
                        "las revisiones automáticas de gestiones nunca se corrieron (`dispatcherd review check`): cuentan "
                        + "todas las que no requieren revisión, y el mes no se cierra así",
                    english:
                        "the automatic checks of outcomes never ran (`dispatcherd review check`): all that need no review count, "
                        + "and the month is not closed like that"
                )
            ),
            (
                tally.unreportedStaffing > 0,
                StatementNote(
                    spanish:
                        "\(tally.unreportedStaffing) carteras no tienen plantilla reportada y no se les cobra PEN-01",
                    english:
                        "\(tally.unreportedStaffing) portfolios have no staffing report and are not charged PEN-01")
            ),
            (
                tally.undecidedCommitments > 0,
                StatementNote(
                    spanish:
                        "\(tally.undecidedCommitments) compromisos de planes de mejora vencen a más tardar al fin del mes, y nadie "
                        + "registró si se cumplieron: no se les cobra PEN-04",
                    english:
                        "\(tally.undecidedCommitments) commitments of improvement plans fall due by the month's end, and nobody "
                        + "recorded whether they were met: they are not charged PEN-04")
            ),
        ]
        return endedRules + few.filter(\.isThere).map(\.note) + idlePlans + goals + contracts + payments
    }

    /// The same in English, one line each.
    package var warnings: [String] { notes.map(\.english) }

    private var unreviewed: StatementNote {
        let all = grouped(tally.unreviewed.values.reduce(0, +))
        let places = tally.unreviewed.sorted { $0.key < $1.key }.map { "\($0.key.name) \(grouped($0.value))" }
            .joined(separator: ", ")
        return StatementNote(
            spanish: "\(all) gestiones esperan su revisión y no se facturan: \(places)",
            english: "\(all) outcomes wait for their review and are not billed: \(places)")
    }

    private var idlePlans: [StatementNote] {
        guard !tally.idlePlans.isEmpty else { return [] }
        let places = tally.idlePlans.sorted { ($0.contract, $0.delegation) < ($1.contract, $1.delegation) }
        func some(_ in: String) -> String {
            places.prefix(10).map { "\($0.contract) \(`in`) \($0.delegation.name)" }.joined(separator: ", ")
                + (places.count > 10 ? " …" : "")
        }
        let count = places.count
        return [
            StatementNote(
                spanish:
                    "\(Words.counted(Int64(count), "plan de trabajo", "planes de trabajo")) sin meta que juzgar, porque el mínimo o el peso "
                    + "de todas es cero: no se cobran PEN-02 ni PEN-22: contrato \(some("en"))",
                english:
                    "\(Words.counted(Int64(count), "work plan", "work plans")) without a goal to judge, since the minimum or weight of all is "
                    + "zero: neither PEN-02 nor PEN-22 is charged: contract \(some("in"))")
        ]
    }

    private var goals: [StatementNote] {
        unknownTactics.map { goal in
            StatementNote(
                spanish:
                    "la meta \(goal.fact) del contrato \(goal.contract) es de la táctica `\(goal.tactic)`, que la política del "
                    + "mes no tiene: nadie la alcanza, y se cobra; un hecho que la corrija la sustituye",
                english:
                    "goal \(goal.fact) of contract \(goal.contract) is of the tactic `\(goal.tactic)`, which \(goal.fault): "
                    + "nobody reaches it, and it is charged; a fact that corrects it takes its place")
        }
    }

    private var contracts: [StatementNote] {
        func note(_ found: [ContractID], _ words: (Int, String) -> StatementNote) -> StatementNote? {
            found.isEmpty ? nil : words(found.count, Self.some(found))
        }
        return [
            note(tally.overcharged) { count, some in
                StatementNote(
                    spanish:
                        "las penas superan la factura de \(count) \(count == 1 ? "contrato" : "contratos"): \(some)",
                    english: "penalties pass the invoice of \(Words.counted(Int64(count), "contract")): \(some)")
            },
            note(tally.beyondBond) { count, some in
                StatementNote(
                    spanish:
                        "las penas superan la fianza de \(count) \(count == 1 ? "contrato" : "contratos"): \(some)",
                    english: "penalties pass the bond of \(Words.counted(Int64(count), "contract")): \(some)")
            },
            note(tally.spent) { count, some in
                StatementNote(
                    spanish:
                        "el presupuesto de \(count) \(count == 1 ? "contrato" : "contratos") está agotado, y el cierre \(count == 1 ? "lo" : "los") termina: \(some)",
                    english:
                        "the budget of \(Words.counted(Int64(count), "contract")) is used up, and the close ends \(count == 1 ? "it" : "them"): \(some)"
                )
            },
        ].compactMap(\.self)
    }

    private var payments: [StatementNote] {
        guard unattributed.payments > 0 else { return [] }
        let sum = "\(grouped(unattributed.amount))"
        return [
            StatementNote(
                spanish:
                    "\(grouped(unattributed.payments)) \(unattributed.payments == 1 ? "pago (\(sum)) cayó" : "pagos (\(sum)) cayeron") en cuentas que nadie tenía ese día",
                english:
                    "\(Words.counted(unattributed.payments, "payment")) (\(sum)) fell on accounts that nobody held that day"
            )
        ]
    }

    /// The first ten.
    private static func some(_ contracts: [ContractID]) -> String {
        contracts.prefix(10).map(\.description).joined(separator: ", ") + (contracts.count > 10 ? " …" : "")
    }
}
