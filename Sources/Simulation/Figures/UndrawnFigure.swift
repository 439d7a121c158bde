// SPDX-License-Identifier: Apache-2.0

/// Published aggregates that no figure here is held to, and why.
package enum UndrawnFigure {
    package static let lines: [(ids: String, why: String)] = [
        ("ORA-12", "4 % and 32 % recovered: of a month's logs, 'agentsim report'"),
        ("ORA-13", "worked, paying, mean payment: of a month's logs, 'agentsim report'"),
        (
            "ORA-20…25",
            "pesos per peso, by credit and year: unit prices are not published (policies/schedules.csv assumes them, IND-11 of a closed month has "
                + "them), and the year's 1,816 million of overdue credits do not follow from 35.9 million a month (ORA-10)"
        ),
        ("ORA-30, ORA-32", "signatures, second and third payments, cures: of a month's logs, 'agentsim report'"),
        ("ORA-31", "74 % does not follow from the printed 49,763 of 69,107 sessions (AMB-14); 72 % is taken"),
        ("ORA-33", "supervision of mediation centres: no fact of the system says it"),
        ("ORA-61…66", "extensions by month, product and municipality after the disaster: only ORA-60 is drawn"),
    ]
}
