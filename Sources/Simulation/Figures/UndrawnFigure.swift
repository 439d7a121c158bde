// SPDX-License-Identifier: Apache-2.0

/// Published aggregates that no cut is held to, and why. Those that nothing here draws are named by what they say: docs/rules.md has their
/// IDs, as out.
package enum UndrawnFigure {
    /// ORA-10 says of how many credits its rates are, and not what made them so few of the overdue ones.
    ///
    /// - Parameters:
    ///   - administrative: accounts that its rates are applied to.
    ///   - inBalance: of so many.
    static func reached(_ administrative: Int, of inBalance: Int) -> String {
        let hundredths = inBalance > 0 ? (administrative * 10_000 + inBalance / 2) / inBalance : 0
        let percent = "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
        return
            "ORA-10, its 37,819 credits a month (0.69 % of 5,513,092): its rates are held to all administrative accounts, here "
            + "\(Terminal.grouped(administrative)) of \(Terminal.grouped(inBalance)) in balance (\(percent) %); how large they are "
            + "together is not held, because it is not published by what the 37,819 were chosen (an assumption)"
    }

    package static let lines: [(what: String, why: String)] = [
        ("ORA-12", "4 % and 32 % recovered: of a month's logs, 'agentsim report'"),
        ("ORA-13", "worked, paying, mean payment: of a month's logs, 'agentsim report'"),
        ("ORA-30, ORA-32", "signatures, second and third payments, cures: of a month's logs, 'agentsim report'"),
        (
            "pesos per peso, by credit and year",
            "unit prices are not published (policies/schedules.csv assumes them, IND-11 of a closed month has them), and the year's 1,816 "
                + "million of overdue credits do not follow from 35.9 million a month (ORA-10)"
        ),
        (
            "74 % of mediation sessions signed",
            "it does not follow from the printed 49,763 of 69,107 sessions (AMB-14); 72 % is taken (ORA-30)"
        ),
        ("supervision of mediation centres", "no fact of the system says it"),
        (
            "the disaster's months, extensions, housing support, municipalities",
            "only its credits by status and regime are drawn (ORA-60); the lists behind them are not published account by account"
        ),
    ]
}
